"""The plate's own surface: grime, specks, faded paint. On the flat plate, before the camera sees it."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from synth.capture.effect import (
    Draw,
    Params,
    Picture,
    Span,
    between,
    chance,
    choice,
    need_share,
    need_span,
    place,
    short,
    whole,
)
from synth.capture.pool import BLOTCH_POOLS, blotches, window
from synth.sample import Image

GRIME = tuple(  # mud, dust, soot, chalk: 3x3 each, from cover to colour
    np.diag(colour).astype(np.float32) / np.float32(255)
    for colour in ((70, 62, 50), (120, 112, 98), (30, 30, 32), (150, 150, 150))
)


@dataclass(frozen=True)
class Dirt:
    """Clouds of grime over the plate."""

    share: float
    opacity: Span

    def __post_init__(self) -> None:
        need_share("surface.dirt.share", self.share)
        need_span("surface.dirt.opacity", self.opacity, 0, 1)

    def sample(self, draw: Draw, severity: float) -> Params | None:
        if not chance(draw, self.share, severity):
            return None
        return {
            "opacity": between(draw, self.opacity, (0.5 + 0.5 * severity)),
            **place(draw, BLOTCH_POOLS),
            "grime": choice(draw, (1, 1, 1, 0.5)),
        }

    def apply(self, picture: Picture, params: Params) -> Picture:
        height, width = picture.image.shape[:2]
        cloud = window(blotches(params["pool"]), params["x"], params["y"], height, width)
        part = cv2.convertScaleAbs(cloud, alpha=params["opacity"])
        cover = cv2.merge((part, part, part))
        kept = cv2.multiply(picture.image, cv2.bitwise_not(cover), scale=1 / 255)
        return picture.with_image(cv2.add(kept, cv2.transform(cover, GRIME[params["grime"]])))


SPECKS = np.array(  # glint, chalk, mud, tar
    [(250, 250, 246), (205, 203, 198), (96, 90, 80), (40, 38, 36)], np.float32
)
LENS = (1 - np.hypot(*np.mgrid[-1:1:64j, -1:1:64j])).clip(0, 0.35).astype(np.float32) / np.float32(0.35)
MOST_SPECKS = 3


@dataclass(frozen=True)
class Specks:
    """A few small spots that hide a stroke or join two: glints, splashes, insects, paint knocked off."""

    share: float
    radius: Span  # in plate heights
    opacity: Span

    def __post_init__(self) -> None:
        need_share("surface.specks.share", self.share)
        need_span("surface.specks.radius", self.radius, 0.01, 0.3)
        need_span("surface.specks.opacity", self.opacity, 0, 1)

    def sample(self, draw: Draw, severity: float) -> Params | None:
        if not chance(draw, self.share, severity):
            return None
        return {"spots": [self._spot(draw) for _ in range(whole(draw, 1, MOST_SPECKS + 1))]}

    def _spot(self, draw: Draw) -> Params:
        return {
            "x": short(draw()),
            "y": short(draw()),
            "radius": between(draw, self.radius),
            "flat": between(draw, (0.5, 2.0)),
            "opacity": between(draw, self.opacity),
            "colour": choice(draw, (1, 1, 1, 1, 2)),  # the last: bare ground, the plate's mean
        }

    def apply(self, picture: Picture, params: Params) -> Picture:
        image = picture.image.copy()
        bare = np.array(cv2.mean(image)[:3], np.float32)
        for spot in params["spots"]:
            colour = SPECKS[spot["colour"]] if spot["colour"] < len(SPECKS) else bare
            cover(image, spot, colour)
        return picture.with_image(image)


def cover(image: Image, spot: Params, colour: NDArray[np.float32]) -> None:
    """Paint a soft-edged ellipse over a picture, as far as it lies in it."""
    height, width = image.shape[:2]
    half_high = max(1, round(spot["radius"] * height))
    half_wide = max(1, round(spot["radius"] * height * spot["flat"]))
    left, top = round(spot["x"] * width) - half_wide, round(spot["y"] * height) - half_high
    seen = cv2.resize(LENS, (2 * half_wide, 2 * half_high))[
        max(0, -top) : height - top, max(0, -left) : width - left
    ]
    part = image[max(0, top) : top + 2 * half_high, max(0, left) : left + 2 * half_wide]
    part[:] = np.rint(part + (colour - part) * (seen * np.float32(spot["opacity"]))[..., None])


@dataclass(frozen=True)
class Dull:
    """Paint is never as light as its colour says: the lighter, the more of it is lost."""

    amount: Span  # of full white
    bend: float  # power of the loss: large = only the lightest tones

    def __post_init__(self) -> None:
        need_span("surface.dull.amount", self.amount, 0, 0.8)

    def sample(self, draw: Draw, severity: float) -> Params | None:
        return {"amount": round(between(draw, self.amount), 2)}

    def apply(self, picture: Picture, params: Params) -> Picture:
        return picture.through(dulled(params["amount"], self.bend))

    def level(self, value: float, params: Params) -> float:
        return float(value * (1 - params["amount"] * (value / 255) ** self.bend))


@functools.lru_cache(1024)
def dulled(amount: float, bend: float) -> Image:
    """256 levels, the lightest lowered."""
    level = np.arange(256) / 255
    return np.rint(255 * level * (1 - amount * level**bend)).astype(np.uint8)


@dataclass(frozen=True)
class Fade:
    """Paint bleached by years of sun: the whole plate drawn towards a pale grey."""

    share: float
    amount: Span

    def __post_init__(self) -> None:
        need_share("surface.fade.share", self.share)
        need_span("surface.fade.amount", self.amount, 0, 0.8)

    def sample(self, draw: Draw, severity: float) -> Params | None:
        if not chance(draw, self.share, severity):
            return None
        return {"amount": between(draw, self.amount, (0.5 + 0.5 * severity)), "to": between(draw, (110, 190))}

    def apply(self, picture: Picture, params: Params) -> Picture:
        amount = params["amount"]
        return picture.with_image(
            cv2.convertScaleAbs(picture.image, alpha=1 - amount, beta=amount * params["to"])
        )

    def level(self, value: float, params: Params) -> float:
        return float(value + params["amount"] * (params["to"] - value))
