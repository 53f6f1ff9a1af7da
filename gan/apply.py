"""Stage `pix2pix`: a clean plate, seen from somewhere, drawn as a photograph in the style of real crops."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from gan.artist import Artist, working_type
from gan.heads import fasten
from gan.outline import GLYPHS, condition
from gan.sight import SHRINK
from synth.capture.effect import Effect, Picture, Span, between, draws, need_size, need_span
from synth.capture.stage import opaque
from synth.capture.view import Crop, Pose, View, text_height, view_of
from synth.errors import UserError
from synth.sample import Image, Points, Sample, transform
from synth.seeding import rng_for

NAME = "pix2pix"
BUNDLED = Path(__file__).parent / "weights" / "pix2pix.safetensors"
MOVED = 0.02  # of a crop's width and height: how far a plate lies from where the one of the bank lay, at most
STRAY = 0.006  # and each of its corners, on its own
SHARP = {"width_px": 10_000.0, "rows": 1.0, "interpolation": 0}  # the generator decides what can be seen


class Reader(Protocol):
    """Whoever reads pictures: `Reader` of the recognizer, or anything like it."""

    def read(self, image: list[Image]) -> list[Any]: ...  # readings with a `text`


@dataclass(frozen=True)
class Check:
    """Legibility: an easy sample that is read wrongly is drawn again in the next style, and counted."""

    reader: Reader
    view_deg: float = 35.0  # easy: no character cut, seen under at most this angle
    redraws: int = 2  # at most

    def wrong(self, open_: Sequence[int], plans: Sequence[Plan], pictures: Sequence[Image]) -> list[int]:
        """Those of the numbers `open_` whose picture is read otherwise than its text."""
        read = self.reader.read([pictures[n] for n in open_]) if open_ else []
        return [n for n, reading in zip(open_, read, strict=True) if reading.text != plans[n].sample.text]

    def easy(self, plan: Plan) -> bool:
        characters, size = plan.view.char_quads, np.array(plan.view.output)
        whole = bool((characters >= 0).all() and (characters <= size).all())
        return whole and bool(plan.params["pose"]["view_deg"] <= self.view_deg)


@dataclass(frozen=True)
class Plan:
    """All that is drawn for one sample before the generator draws it."""

    sample: Sample
    params: dict[str, Any]
    view: View
    condition: NDArray[np.uint8]  # H W C at the working size
    codes: NDArray[np.float32]  # a style, and those to try after it; 1 + redraws, S
    noise: NDArray[np.float32]  # H W


class Verdict(NamedTuple):
    """What became of an easy sample."""

    redrawn: int  # times
    misread: bool  # at last still


@dataclass(frozen=True)
class Redraw:
    """Poses each clean plate like a camera would, then draws it; labels and quads move with it."""

    pose: Pose
    crop: Crop
    severity: Span  # of a sample's pose, drawn
    weights: str | Path | None = None  # null: the bundled ones
    height_px: int = 64  # of the picture put out
    size: Sequence[int] | None = None  # [width, height] of it, whatever the crop's shape
    posed: float = 0.0  # share of plates that lie as those of training crops lay; the rest as `pose` says
    between: float = 0.0  # how far they are moved, at most, from how one lay to how another did
    stored: float = 0.0  # share put out by way of the crops' size, as whoever enlarges a small crop sees it
    prior: float = 0.0  # share of styles drawn at random instead of from the bank of training crops
    spread: float = 1.0  # around a style of the bank, in the encoder's own uncertainty
    quality: Span = (80, 96)  # JPEG, for the writer
    precision: str = "auto"
    harms: Mapping[str, Effect] = field(
        default_factory=dict
    )  # of light and lens: more than the crops suffered
    effects: Mapping[str, Effect] = field(default_factory=dict)  # of the sensor, after them and `stored`
    check: Check | None = None

    def __post_init__(self) -> None:
        need_span("severity", self.severity, 0, 1)
        need_size("size", self.size)
        for name in ("posed", "between", "stored"):
            if not 0 <= getattr(self, name) <= 1:
                raise UserError(f"{name}: {getattr(self, name)} is no share; give a number from 0 to 1")
        if not self.file.is_file():
            fix = "give the file that plate-train-gan wrote"
            raise UserError(f"weights: {self.file}: no such file; {fix}")
        working_type(self.precision)

    @property
    def file(self) -> Path:
        return BUNDLED if self.weights is None else Path(self.weights)

    @functools.cached_property
    def artist(self) -> Artist:
        return artist_of(self.file, self.precision, self.file.stat().st_mtime_ns)

    def __call__(self, batch: Sequence[Sample]) -> list[Sample]:
        plans = [self.plan(sample) for sample in batch]
        pictures = self.pictures(plans, 0)
        verdicts = self.checked(plans, pictures) if self.check else [None] * len(plans)
        return [self.finished(*one) for one in zip(plans, pictures, verdicts, strict=True)]

    def checked(self, plans: Sequence[Plan], pictures: list[Image]) -> list[Verdict | None]:
        """Draws again, in place, what is read wrongly; None for samples that are not easy."""
        assert self.check is not None
        easy = [n for n, plan in enumerate(plans) if self.check.easy(plan)]
        redrawn = dict.fromkeys(easy, 0)
        wrong = self.check.wrong(easy, plans, pictures)
        for attempt in range(1, 1 + self.check.redraws):
            for n, picture in zip(wrong, self.pictures([plans[n] for n in wrong], attempt), strict=True):
                pictures[n], redrawn[n] = picture, attempt
            wrong = self.check.wrong(wrong, plans, pictures)
        return [Verdict(redrawn[n], n in wrong) if n in redrawn else None for n in range(len(plans))]

    def plan(self, sample: Sample) -> Plan:
        """Pose, crop, style and noise of one sample, from its own stream."""
        rng = rng_for(sample.seed, sample.index, NAME)
        draw = draws(rng)
        severity, quality = between(draw, self.severity), round(between(draw, self.quality))
        params: dict[str, Any] = {
            "severity": severity,
            "quality": quality,
            "pose": self.pose.sample(draw, severity),
            "crop": self.crop.sample(draw, severity),
        }
        if self.posed and draw() < self.posed and len(self.artist.corners):
            params["pose"] = self.pose_of_bank(rng)
            del params["crop"]["around"], params["crop"]["sides"]
        if self.stored and draw() < self.stored and self.artist.header.seen is not None:
            params["stored"] = list(self.artist.header.seen)
        params |= sampled(self.effects, draw, severity)
        if self.harms:
            params["harms"] = sampled(self.harms, draw, severity)
        plate = sample.plate
        clean = replace(sample, quad=plate.quad, row_quads=plate.row_quads, char_quads=plate.char_quads)
        forced = None if self.size is None else (int(self.size[0]), int(self.size[1]))
        if "corners" in params["pose"]:
            view = posed_view(clean, params, self.height_px, forced)
            params["pose"]["view_deg"] = view_of_plane(view.to_photo, clean.quad)
        else:
            view = view_of(clean, {**params, "resolution": SHARP}, self.height_px, forced)
        height, width = plate.image.shape[:2]
        size = self.artist.size_for(width / height)
        to_work = np.diag((size[1] / view.photo[0], size[0] / view.photo[1], 1.0)) @ view.to_photo
        noise = rng.standard_normal(size, np.float32)
        params["styles"], codes = self.codes(rng)
        planes = condition(plate, to_work, size)
        if len(self.artist.heads):  # of the crop that lends its style; of any where none does
            style = params["styles"][0]
            params["bolts"] = style if style >= 0 else sample.index % len(self.artist.heads)
            fasten(planes, plate.type, plate.scale, to_work, self.artist.heads[params["bolts"]])
        return Plan(sample, params, view, planes, codes, noise)

    def pose_of_bank(self, rng: np.random.Generator) -> dict[str, Any]:
        """How a plate could have lain: between two crops, and a little moved.

        Exactly as one lay, the generator remembers what was around it, whatever the style.
        """
        corners = self.artist.corners
        number, other = (int(n) for n in rng.integers(len(corners), size=2))
        way = rng.uniform(0, self.between)
        moved = rng.uniform(-MOVED, MOVED, 2) + rng.normal(0, STRAY, (4, 2))
        lies = (1 - way) * corners[number] + way * corners[other] + moved
        return {"crop": number, "other": other, "way": round(way, 3), "corners": lies.round(4).tolist()}

    def codes(self, rng: np.random.Generator) -> tuple[list[int], NDArray[np.float32]]:
        """Styles to draw in, the first and those to try next: numbers in the bank (-1: of nobody), codes."""
        artist, tries = self.artist, 1 + (self.check.redraws if self.check else 0)
        numbers, codes = [], []
        for _ in range(tries):  # one after the other: the first is the same however many may follow
            number, code = -1, rng.standard_normal(artist.style, np.float32)
            if rng.random() >= self.prior and len(artist.means):
                number = int(rng.integers(len(artist.means)))
                code = artist.means[number] + np.float32(self.spread) * artist.deviations[number] * code
            numbers.append(number)
            codes.append(code)
        return numbers, np.stack(codes)

    def pictures(self, plans: Sequence[Plan], attempt: int) -> list[Image]:
        """Drawn together by working size, at the size put out, effects applied."""
        found: dict[int, Image] = {}
        for size in dict.fromkeys(plan.condition.shape for plan in plans):
            same = [n for n, plan in enumerate(plans) if plan.condition.shape == size]
            codes = np.stack([plans[n].codes[attempt] for n in same])
            first = plans[same[0]].sample
            seed = int(rng_for(first.seed, first.index, f"{NAME} {attempt}").integers(2**63))
            drawn = self.artist.draw(
                [plans[n].condition for n in same], codes, [plans[n].noise for n in same], seed
            )
            found |= {n: self.photographed(plans[n], image) for n, image in zip(same, drawn, strict=True)}
        return [found[n] for n in range(len(plans))]

    def photographed(self, plan: Plan, image: Image) -> Image:
        """The drawing, harmed, at the size put out, its pixels touched where they are fewest."""
        image = touched(plan, image, self.harms, plan.params.get("harms", {}))
        size = plan.view.output
        if "stored" in plan.params:
            height, width = plan.params["stored"]
            image = small(image, (width, height))
        elif size[0] * size[1] < image.shape[0] * image.shape[1]:
            return touched(plan, small(image, size), self.effects, plan.params)
        image = touched(plan, image, self.effects, plan.params)
        return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_CUBIC), np.uint8)

    def finished(self, plan: Plan, image: Image, verdict: Verdict | None) -> Sample:
        params = {key: value for key, value in plan.params.items() if key != "styles"}
        params["style"] = plan.params["styles"][verdict.redrawn if verdict else 0]
        if verdict is not None:
            params |= {"redrawn": verdict.redrawn, "misread": verdict.misread}
        mask = cv2.resize(np.ascontiguousarray(plan.condition[..., GLYPHS]), plan.view.output)
        return replace(
            plan.sample,
            image=image,
            alpha=opaque(*image.shape[:2]),
            quad=plan.view.quad,
            row_quads=plan.view.row_quads,
            char_quads=plan.view.char_quads,
            mask=np.asarray(mask, np.uint8),
            stages=plan.sample.drawn(NAME, **params),
        )


def sampled(effects: Mapping[str, Effect], draw: Callable[[], float], severity: float) -> dict[str, Any]:
    """The numbers of those effects that happen."""
    found = {name: effect.sample(draw, severity) for name, effect in effects.items()}
    return {name: value for name, value in found.items() if value is not None}


def touched(plan: Plan, image: Image, effects: Mapping[str, Effect], params: Mapping[str, Any]) -> Image:
    """The picture after the effects whose numbers were drawn."""
    picture = Picture(image, plan.view.row_px * image.shape[0] / plan.view.photo[1])
    for name, effect in effects.items():
        if name in params:
            picture = effect.apply(picture, params[name])
    return picture.image


def small(image: Image, size: tuple[int, int]) -> Image:
    """A drawing shrunk to width and height, as in training."""
    return np.asarray(cv2.resize(image, size, interpolation=SHRINK), np.uint8)


def posed_view(
    clean: Sample, params: Mapping[str, Any], height_px: int, size: tuple[int, int] | None
) -> View:
    """The geometry of a plate whose corners are known, in shares of the picture."""
    height, width = clean.plate.image.shape[:2]
    output = size or (max(8, round(height_px * width / height * params["crop"]["stretch"])), height_px)
    corners = np.asarray(params["pose"]["corners"], np.float32) * np.array(output, np.float32)
    to_photo = np.asarray(cv2.getPerspectiveTransform(clean.quad, corners), np.float64)
    rows, characters = transform(to_photo, clean.row_quads), transform(to_photo, clean.char_quads)
    return View(
        to_photo=to_photo,
        photo=output,
        output=output,
        row_px=text_height(rows.tolist(), characters.tolist()),
        interpolation=cv2.INTER_LINEAR,
        stored=None,
        quad=corners,
        row_quads=rows,
        char_quads=characters,
    )


def view_of_plane(to_photo: NDArray[np.float64], quad: Points) -> float:
    """Degrees off its normal under which a plate seems to be seen: by how much one side is foreshortened."""
    x, y = quad.mean(axis=0)
    at = to_photo @ (x, y, 1.0)
    middle = at[:2] / at[2]
    slopes = (to_photo[:2, :2] - np.outer(middle, to_photo[2, :2])) / at[2]
    long, short = np.linalg.svd(slopes, compute_uv=False)
    return round(float(np.degrees(np.arccos(min(1.0, short / long)))), 1)


@functools.lru_cache(maxsize=2)
def artist_of(path: Path, precision: str, changed: int) -> Artist:
    """The generator of a file, loaded once a process unless it changes; `changed` is when it did."""
    return Artist.of(path, precision)
