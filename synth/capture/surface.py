"""The plate's own surface: grime in clouds, faded paint. On the flat plate, before the camera sees it."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import cv2
import numpy as np

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
