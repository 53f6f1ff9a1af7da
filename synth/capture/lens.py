"""Blur: out of focus, or moved while the shutter was open. In text heights, so any type stays legible."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass

import cv2
import numpy as np

from synth.capture.effect import Draw, Params, Picture, Span, between, chance, need_share, need_span


@dataclass(frozen=True)
class Defocus:
    share: float
    sigma: Span  # in text heights: a stroke is 0.12 wide

    def __post_init__(self) -> None:
        need_share("effects.defocus.share", self.share)
        need_span("effects.defocus.sigma", self.sigma, 0, 0.12)

    def sample(self, draw: Draw, severity: float) -> Params | None:
        if not chance(draw, self.share, severity):
            return None
        return {"sigma": between(draw, self.sigma, (0.4 + 0.6 * severity))}

    def apply(self, picture: Picture, params: Params) -> Picture:
        sigma_px = params["sigma"] * picture.row_px
        side = 2 * math.ceil(2.5 * sigma_px) + 1
        return picture.with_image(cv2.GaussianBlur(picture.image, (side, side), sigma_px))


@dataclass(frozen=True)
class Motion:
    share: float
    length: Span  # of the path, in text heights

    def __post_init__(self) -> None:
        need_share("effects.motion.share", self.share)
        need_span("effects.motion.length", self.length, 0, 0.4)

    def sample(self, draw: Draw, severity: float) -> Params | None:
        if not chance(draw, self.share, severity):
            return None
        length = between(draw, self.length, (0.4 + 0.6 * severity))
        # cars drive and cameras shake mostly level: twice as often within 30 degrees of it as beyond
        angle = round(between(draw, (-6, 6)) if draw() < 0.67 else between(draw, (6, 30)))
        return {"length": length, "angle_deg": 5 * angle}

    def apply(self, picture: Picture, params: Params) -> Picture:
        kernel = path(round(4 * params["length"] * picture.row_px) / 4, params["angle_deg"])
        return picture.with_image(cv2.filter2D(picture.image, -1, kernel)) if kernel.size > 1 else picture


@functools.lru_cache(1024)
def path(length_px: float, angle_deg: float) -> np.ndarray:
    """The kernel of a straight path of this length, sub-pixel, sum 1."""
    half = max(0, math.ceil((length_px - 1) / 2))
    t = np.linspace(-0.5, 0.5, 8 * half + 3) * length_px
    kernel = np.zeros((2 * half + 1, 2 * half + 1), np.float32)
    x, y = half + t * math.cos(math.radians(angle_deg)), half + t * math.sin(math.radians(angle_deg))
    x, y = np.clip(x, 0, 2 * half), np.clip(y, 0, 2 * half)
    x0, y0 = np.floor(x).astype(int), np.floor(y).astype(int)
    x1, y1 = np.minimum(x0 + 1, 2 * half), np.minimum(y0 + 1, 2 * half)
    fx, fy = x - x0, y - y0
    for rows, columns, weight in (
        (y0, x0, (1 - fx) * (1 - fy)),
        (y0, x1, fx * (1 - fy)),
        (y1, x0, (1 - fx) * fy),
        (y1, x1, fx * fy),
    ):
        np.add.at(kernel, (rows, columns), weight)
    return np.asarray(kernel / kernel.sum())
