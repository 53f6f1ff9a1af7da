"""Stage `rim`: crops as some detectors hand them on, padded with what no camera saw."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import cv2
import numpy as np

from synth.capture.effect import Draw, Params, Span, between, draws, need_share, need_size, need_span, short
from synth.capture.stage import opaque
from synth.sample import Image, Sample
from synth.seeding import rng_for

NAME = "rim"
EVEN = 0.6  # of the rims are as wide on every side; the others have their own width, or none, on each
BARE = 0.4  # of the sides of those
EDGE = 0.2  # of the rims go on with the crop's outermost pixels; the others are of one colour
USUAL, GREYS = 114, 0.5  # the grey of most padding, and how many of the flat rims are grey of any level
WIDE = (0.5, 2.0)  # a rim at the left and right against one above and below: crops may be squeezed


@dataclass(frozen=True)
class Rim:
    """Draws, records and lays a rim around some of the pictures; the others pass untouched."""

    alone: ClassVar[bool] = True  # see `synth.sample.Stage`
    share: float  # of the pictures
    width: Span = (0.05, 0.5)  # of the picture's height
    size: Sequence[int] | None = None  # [width, height] of the picture put out; null lets it grow

    def __post_init__(self) -> None:
        need_share("rim.share", self.share)
        need_span("rim.width", self.width, 0, 2)
        need_size("rim.size", self.size)

    def __call__(self, batch: Sequence[Sample]) -> list[Sample]:
        drawn = [self.draw(sample) for sample in batch]
        return [
            sample if params is None else self.rimmed(sample, params)
            for sample, params in zip(batch, drawn, strict=True)
        ]

    def draw(self, sample: Sample) -> Params | None:
        """All numbers of one sample, from its own stream; None for one that stays as it is."""
        draw = draws(rng_for(sample.seed, sample.index, NAME))
        if draw() >= self.share:
            return None
        return {"sides": self.sides(draw), "colour": None if draw() < EDGE else colour(draw)}

    def sides(self, draw: Draw) -> list[float]:
        """Left, top, right, bottom, in heights of the picture."""
        wide = between(draw, WIDE)
        if draw() < EVEN:
            width = between(draw, self.width)
            return [short(width * wide), width] * 2
        widths = [0.0 if draw() < BARE else between(draw, self.width) for _ in range(4)]
        return [short(width * (1, wide)[side % 2 == 0]) for side, width in enumerate(widths)]

    def replay(self, sample: Sample, recorded: Mapping[str, Any]) -> Sample:
        """The sample with the rim of these numbers: an entry of `stages`."""
        return self.rimmed(sample, {key: value for key, value in recorded.items() if key != "name"})

    def rimmed(self, sample: Sample, params: Params) -> Sample:
        """The sample with its rim, and its quads where they went."""
        left, top, *_ = sides = [round(side * len(sample.image)) for side in params["sides"]]
        image = padded(sample.image, sides, params["colour"])
        height, width = image.shape[:2]
        out = (width, height) if self.size is None else (int(self.size[0]), int(self.size[1]))
        x, y = out[0] / width, out[1] / height
        moved = sample.moved(np.array([[x, 0, left * x], [0, y, top * y], [0, 0, 1]]))
        mask = None if sample.mask is None else scaled(padded(sample.mask, sides, 0), out)
        return replace(
            moved,
            image=scaled(image, out),
            alpha=opaque(out[1], out[0]),
            mask=mask,
            stages=sample.drawn(NAME, **params),
        )


def colour(draw: Draw) -> list[int]:
    """Of a flat rim: mostly the grey that detectors pad with, or another grey; else any colour."""
    if draw() < GREYS:
        return [USUAL] * 3 if draw() < 0.5 else [int(256 * draw())] * 3
    return [int(256 * draw()) for _ in range(3)]


def padded(image: Image, sides: Sequence[int], colour: Sequence[int] | int | None) -> Image:
    """With so many pixels at left, top, right and bottom; None: those of the edge once more."""
    left, top, right, bottom = sides
    if colour is None:
        return np.asarray(cv2.copyMakeBorder(image, top, bottom, left, right, cv2.BORDER_REPLICATE))
    return np.asarray(cv2.copyMakeBorder(image, top, bottom, left, right, cv2.BORDER_CONSTANT, value=colour))


def scaled(image: Image, size: tuple[int, int]) -> Image:
    """At this width and height, as readers fit what is larger than they see."""
    if image.shape[1::-1] == size:
        return image
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA))
