"""Stage `capture`: from a clean plate to what a detector cuts out of a photograph."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from typing import Any, ClassVar

import cv2
import numpy as np

from synth.capture.camera import Camera
from synth.capture.effect import (
    Effect,
    Params,
    Picture,
    Span,
    between,
    choice,
    draws,
    need_share,
    need_size,
    need_span,
    short,
)
from synth.capture.legible import likeness
from synth.capture.scene import moved_mask, photograph, worn
from synth.capture.thumbnail import stored_small
from synth.capture.view import View, view_of
from synth.errors import UserError
from synth.sample import Image, Sample
from synth.seeding import rng_for

NAME = "capture"
AGAIN = (1.0, 1.0, 0.6, 0.0)  # of severities drawn anew, try by try, where a character cannot be seen


@dataclass(frozen=True)
class Capture:
    """Draws, records and applies what one of several cameras does."""

    alone: ClassVar[bool] = True  # see `synth.sample.Stage`
    severity: Span  # of a sample, drawn: 0 = as good as the ranges allow, 1 = as bad
    cameras: Mapping[str, Camera]
    weights: Mapping[str, float] = field(
        default_factory=dict
    )  # how often each camera is used; 1 where not given
    height_px: int = 64  # of the picture put out, its width follows from the crop
    size: Sequence[int] | None = None  # [width, height] of the picture put out, whatever the crop's shape
    quality: Span = (75, 95)  # JPEG, for the writer
    contrast_floor: float = 0.0  # grey levels between ground and ink that light and haze must leave
    legibility_floor: float = 0.0  # how much each character must still look like the clean one, 0 to 1
    keep_mask: bool = False
    severity_of: Mapping[str, Span] = field(default_factory=dict)  # types (jp/*) with their own range

    def __post_init__(self) -> None:
        need_span("severity", self.severity, 0, 1)
        for pattern, span in self.severity_of.items():
            need_span(f"severity_of.{pattern}", span, 0, 1)
        need_span("quality", self.quality, 1, 100)
        if self.height_px < 8:
            raise UserError(f"capture.height_px: {self.height_px} is too small; give at least 8")
        need_size("capture.size", self.size)
        need_share("legibility_floor", self.legibility_floor)
        unknown = set(self.weights) - set(self.cameras)
        if unknown:
            raise UserError(f"capture.weights: no camera {min(unknown)!r}; known: {', '.join(self.cameras)}")
        if not sum(self.shares) > 0 or min(self.shares) < 0:
            raise UserError("capture.weights: no camera is left; give one a positive weight")

    @property
    def shares(self) -> list[float]:
        return [self.weights.get(name, 1.0) for name in self.cameras]

    @property
    def patterns(self) -> Iterator[tuple[str, str]]:
        """What is said of types, and under which key; the pipeline knows all types."""
        return (("severity_of", pattern) for pattern in self.severity_of)

    def __call__(self, batch: Sequence[Sample]) -> list[Sample]:
        done = self.captured(batch, [self.draw(sample) for sample in batch])
        hidden = [number for number, sample in enumerate(done) if self.hides(sample)]
        for attempt in range(1, 1 + len(AGAIN)):
            plates = [batch[number] for number in hidden]
            again = self.captured(plates, [self.draw(plate, attempt) for plate in plates])
            for number, sample in zip(hidden, again, strict=True):
                done[number] = sample
            hidden = [number for number in hidden if self.hides(done[number])]
        for number in hidden:  # told, not left away: the clean plate itself may show a character badly
            *before, last = done[number].stages
            done[number] = replace(done[number], stages=(*before, {**last, "hidden": True}))
        return done

    def hides(self, sample: Sample) -> bool:
        """Whether some character cannot be seen any more."""
        return self.legibility_floor > 0 and bool(likeness(sample).min() < self.legibility_floor)

    def severities(self, type_: str) -> Span:
        """The range for a type: that of the first pattern that means it, or the common one."""
        own = (span for pattern, span in self.severity_of.items() if fnmatchcase(type_, pattern))
        return next(own, self.severity)

    def draw(self, sample: Sample, attempt: int = 0) -> Params:
        """All numbers of one sample, from its own stream; plain and rounded, as they are recorded."""
        draw = draws(rng_for(sample.seed, sample.index, f"{NAME} {attempt}" if attempt else NAME))
        severity = between(draw, self.severities(sample.type))
        quality = round(between(draw, self.quality))
        tried = {}
        if attempt:
            severity, tried = short(severity * AGAIN[attempt - 1]), {"again": attempt}
        name = list(self.cameras)[choice(draw, self.shares)]
        drawn = self.cameras[name].draw(draw, sample, severity, self.contrast_floor)
        return {"severity": severity, **tried, "quality": quality, "camera": name, **drawn}

    def replay(self, sample: Sample, recorded: Mapping[str, Any]) -> Sample:
        """The sample as captured with these numbers: an entry of `stages`, or what `draw` returns."""
        params = {key: value for key, value in recorded.items() if key != "name"}
        return self.captured([sample], [params])[0]

    def captured(self, batch: Sequence[Sample], drawn: Sequence[Params]) -> list[Sample]:
        """The samples under these numbers, one step after the other for all of them.

        A step that runs many times in a row finds its code in the processor's cache: a quarter of the time.
        """
        views = [self.view(sample, params) for sample, params in zip(batch, drawn, strict=True)]
        surfaces = [self.cameras[params["camera"]].surface for params in drawn]
        plates = [worn(*each) for each in zip(batch, surfaces, drawn, strict=True)]
        photos = [photograph(*each) for each in zip(batch, plates, drawn, views, strict=True)]
        pictures = [Picture(*each) for each in zip(photos, [view.row_px for view in views], strict=True)]
        for name, camera in self.cameras.items():
            mine = [number for number, params in enumerate(drawn) if params["camera"] == name]
            affect(pictures, mine, camera.effects, drawn)
        images = [put_out(*each) for each in zip(pictures, drawn, views, strict=True)]
        return [self.finished(*each) for each in zip(batch, images, drawn, views, strict=True)]

    def finished(self, sample: Sample, image: Image, params: Params, view: View) -> Sample:
        """The sample with its new picture and what goes with it."""
        mask = None
        if self.keep_mask and sample.mask is not None:
            mask = moved_mask(sample.mask, sample.quad, params, view)
        return replace(
            sample,
            image=image,
            alpha=opaque(*image.shape[:2]),
            quad=view.quad,
            row_quads=view.row_quads,
            char_quads=view.char_quads,
            mask=mask,
            stages=sample.drawn(NAME, **params),
        )

    def view(self, sample: Sample, params: Params) -> View:
        """The geometry of one sample under recorded numbers."""
        size = None if self.size is None else (int(self.size[0]), int(self.size[1]))
        return view_of(sample, params, self.height_px, size)


def affect(
    pictures: list[Picture], mine: Sequence[int], effects: Mapping[str, Effect], drawn: Sequence[Params]
) -> None:
    """Apply, in place, the effects of one camera to the pictures it took."""
    for name, effect in effects.items():
        for number in mine:
            if name in drawn[number]:
                pictures[number] = effect.apply(pictures[number], drawn[number][name])


def put_out(picture: Picture, params: Params, view: View) -> Image:
    """The photograph at the size put out."""
    if view.stored:
        return stored_small(picture.image, params["thumbnail"], view.stored, view.output)
    if view.photo == view.output:
        return picture.image
    return np.asarray(cv2.resize(picture.image, view.output, interpolation=view.interpolation))


@functools.lru_cache(1024)
def opaque(height: int, width: int) -> Image:
    """A mask that hides nothing, shared by all pictures of a size."""
    mask: Image = np.full((height, width), 255, np.uint8)
    mask.flags.writeable = False
    return mask
