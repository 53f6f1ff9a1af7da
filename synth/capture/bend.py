"""A plate that is not flat: bowed over its bumper, its middle higher or lower than its ends."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from synth.capture.effect import Draw, Params, Span, between, chance, need_share, need_span
from synth.sample import Image, Points


@dataclass(frozen=True)
class Bend:
    share: float
    bow: Span  # in plate heights, upwards or downwards

    def __post_init__(self) -> None:
        need_share("bend.share", self.share)
        need_span("bend.bow", self.bow, 0, 0.3)

    def sample(self, draw: Draw, severity: float) -> Params | None:
        if not chance(draw, self.share, severity):
            return None
        bow = between(draw, self.bow) * (1 if draw() < 0.5 else -1)
        return {"bow": bow}


def drop_px(params: Params, quad: Points, x: np.ndarray) -> np.ndarray:
    """How far the plate is moved down at each x: a parabola, zero at the plate's ends and beyond."""
    left, right = float(quad[:, 0].min()), float(quad[:, 0].max())
    u = (2 * x - left - right) / (right - left)
    return np.asarray(params["bow"] * np.ptp(quad[:, 1]) * np.clip(1 - u * u, 0, None))


def bend_points(points: Points, params: Params, quad: Points) -> Points:
    """The points, moved; `quad` is the plate's, before."""
    moved = points.copy()
    moved[..., 1] += drop_px(params, quad, points[..., 0])
    return moved


def bend_image(image: Image, params: Params, quad: Points) -> Image:
    """The picture, moved by the same drop; `quad` is the plate's place in it."""
    left, right = max(0, math.floor(quad[:, 0].min())), math.ceil(quad[:, 0].max())
    part = image[:, left:right]  # beyond the plate's ends nothing moves
    if image.ndim == 3:
        part = cv2.cvtColor(part, cv2.COLOR_RGB2RGBA)  # half the time of three channels, the same pixels
    height, width = part.shape[:2]
    x = np.arange(width, dtype=np.float32)
    from_x = np.broadcast_to(x, (height, width)).copy()
    drop = drop_px(params, quad, x + (left + 0.5)).astype(np.float32)
    from_y = np.arange(height, dtype=np.float32)[:, None] - drop
    moved = image.copy()
    bowed = cv2.remap(part, from_x, from_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
    moved[:, left:right] = bowed if image.ndim == 2 else cv2.cvtColor(bowed, cv2.COLOR_RGBA2RGB)
    return moved
