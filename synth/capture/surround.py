"""Frames around a plate: a thin metal rim, or a dealer's surround with his name on a bar below."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import cv2
import numpy as np

from synth.capture.effect import Draw, Params, Span, between, chance, need_share, need_span, whole
from synth.sample import Image
from synth.seeding import rng_for

NAMES = 12  # dealers
NAME_STEPS = 64  # marks


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
        need_span("surround.width", self.width, 0, 0.5)
        need_span("surround.bar_width", self.bar_width, 0, 1)
        need_span("surround.overlap", self.overlap, 0, 0.08)

    def sample(self, draw: Draw, severity: float) -> Params | None:
        if not chance(draw, self.share, severity):
            return None
        light = draw() < 0.4
        params: Params = {
            "width": between(draw, self.width),
            "overlap": between(draw, self.overlap),
            "grey": whole(draw, 120, 215) if light else whole(draw, 5, 60),
            "bar": 0.0,
            "letters": int(draw() * NAMES),
        }
        if draw() < self.bar:
            params["bar"] = between(draw, self.bar_width)
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
    """The dealer's name on his bar."""
    left, top, width, height = box
    under = image[top : top + height, left : left + width]
    if height < 3 or not under.size:
        return
    ink = (230, 230, 230) if params["grey"] < 128 else (40, 40, 40)
    marks = name_marks(params["letters"], height)[: under.shape[0], : under.shape[1]]
    under[:, : marks.shape[1]][marks] = ink


@functools.lru_cache(1024)
def name_marks(number: int, height: int) -> np.ndarray:
    """H W bool: a row of small marks, no letters anybody could read."""
    rng = rng_for(number, height, "capture/surround")
    step = max(3, height)
    width = NAME_STEPS * step
    marks = np.zeros((height, width), np.uint8)
    for x in range(0, width - step, step):
        for u, v in (rng.random((3, 2)) * (step - 1, height)).astype(int).tolist():
            cv2.line(marks, (x + u, v), (x + step // 2, height // 2), 1, 1)
    return marks.astype(bool)
