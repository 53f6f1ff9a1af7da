"""Frames around a plate: a thin metal rim, or a dealer's surround with his name on a bar below."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from synth.capture.effect import Params, Span, between, chance, need_share, need_span
from synth.sample import Image
from synth.seeding import rng_for


@dataclass(frozen=True)
class Surround:
    share: float
    width: Span  # of the rim, in plate heights
    overlap: Span  # how much of the plate it hides, in plate heights: 3 to 8 mm of 140
    bar: float  # share of surrounds with a bar below
    bar_width: Span

    def __post_init__(self) -> None:
        need_share("surround.share", self.share)
        need_share("surround.bar", self.bar)
        need_span("surround.overlap", self.overlap, 0, 0.08)

    def sample(self, rng: np.random.Generator, severity: float) -> Params | None:
        if not chance(rng, self.share, severity):
            return None
        light = rng.random() < 0.4
        params: Params = {
            "width": between(rng, self.width),
            "overlap": between(rng, self.overlap),
            "grey": int(rng.integers(120, 215) if light else rng.integers(5, 60)),
            "bar": 0.0,
            "letters": int(rng.integers(1 << 30)),
        }
        if rng.random() < self.bar:
            params["bar"] = between(rng, self.bar_width)
        return params


def draw_surround(image: Image, params: Params, plate: tuple[int, int, int, int]) -> None:
    """Draw it over a picture in which the plate lies at `plate`: left, top, width, height."""
    left, top, width, height = plate
    rim, lap = max(1, round(params["width"] * height)), round(params["overlap"] * height)
    bar = max(rim, round(params["bar"] * height))
    grey = (params["grey"],) * 3
    right, bottom = left + width - 1, top + height - 1
    for a, b in (
        ((left - rim, top - rim), (right + rim, top + lap - 1)),
        ((left - rim, bottom - lap + 1), (right + rim, bottom + bar)),
        ((left - rim, top), (left + lap - 1, bottom)),
        ((right - lap + 1, top), (right + rim, bottom)),
    ):
        cv2.rectangle(image, a, b, grey, -1)
    shine = tuple(min(255, value + 50) for value in grey)
    cv2.line(image, (left - rim, top - rim), (right + rim, top - rim), shine, 1)
    if params["bar"]:
        letter(image, params, (left + width // 8, bottom + 2, width * 3 // 4, bar - 3))


def letter(image: Image, params: Params, box: tuple[int, int, int, int]) -> None:
    """The dealer's name: a row of small marks, no letters anybody could read."""
    left, top, width, height = box
    if height < 3:
        return
    rng = rng_for(params["letters"], 0, "capture/surround")
    ink = (230, 230, 230) if params["grey"] < 128 else (40, 40, 40)
    step = max(3, height)
    for x in range(left, left + width - step, step):
        parts = rng.random((3, 2))
        for u, v in np.rint(parts * (step - 2, height - 1)).astype(int).tolist():
            cv2.line(image, (x + u, top + v), (x + step // 2, top + height // 2), ink, 1)
