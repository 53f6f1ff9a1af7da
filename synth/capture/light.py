"""Light that differs over the plate: a gradient, the edge of a shadow, a glare spot."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass

import cv2
import numpy as np

from synth.capture.effect import Draw, Params, Picture, Span, between, chance, need_share, need_span, short

NEUTRAL = 128  # a light map's value for unchanged light; its range is 0 to twice that light


def plane(height: int, width: int, angle_deg: float) -> np.ndarray:
    """H W float32: distance along a direction, from -1 to 1 between opposite corners or edges."""
    along, down = math.cos(math.radians(angle_deg)), math.sin(math.radians(angle_deg))
    return np.asarray(np.add.outer(ramp(height) * down, ramp(width) * along))


@functools.lru_cache(4096)
def ramp(length: int) -> np.ndarray:
    """Evenly from -1 to 1, float32."""
    return np.linspace(-1, 1, length, dtype=np.float32)


def lit(picture: Picture, change: np.ndarray, times: float) -> Picture:
    """The picture under a light map: H W, the change in units of the light there was, before a factor."""
    level = cv2.convertScaleAbs(change, alpha=NEUTRAL * times, beta=NEUTRAL)
    light = cv2.cvtColor(level, cv2.COLOR_GRAY2RGB)
    return picture.with_image(cv2.multiply(picture.image, light, scale=1 / NEUTRAL))


@dataclass(frozen=True)
class Gradient:
    """Light that falls off across the plate."""

    share: float
    depth: Span  # light lost from one edge to the other

    def __post_init__(self) -> None:
        need_share("effects.gradient.share", self.share)
        need_span("effects.gradient.depth", self.depth, 0, 1)

    def sample(self, draw: Draw, severity: float) -> Params | None:
        if not chance(draw, self.share, severity):
            return None
        return {
            "depth": between(draw, self.depth, (0.4 + 0.6 * severity)),
            "angle_deg": between(draw, (0, 360)),
        }

    def apply(self, picture: Picture, params: Params) -> Picture:
        height, width = picture.image.shape[:2]
        return lit(picture, plane(height, width, params["angle_deg"]), params["depth"] / 2)


@dataclass(frozen=True)
class Shadow:
    """The edge of a shadow across the plate."""

    share: float
    depth: Span  # light lost in the shadow
    softness: Span  # width of the edge, in half pictures

    def __post_init__(self) -> None:
        need_share("effects.shadow.share", self.share)
        need_span("effects.shadow.depth", self.depth, 0, 0.8)
        need_span("effects.shadow.softness", self.softness, 0.005)

    def sample(self, draw: Draw, severity: float) -> Params | None:
        if not chance(draw, self.share, severity):
            return None
        return {
            "depth": between(draw, self.depth, (0.4 + 0.6 * severity)),
            "angle_deg": between(draw, (0, 360)),
            "at": between(draw, (-0.7, 0.7)),
            "softness": between(draw, self.softness),
        }

    def apply(self, picture: Picture, params: Params) -> Picture:
        height, width = picture.image.shape[:2]
        into = (plane(height, width, params["angle_deg"]) - params["at"]) / params["softness"]
        return lit(picture, np.clip(into + 0.5, 0, 1), -params["depth"])


@dataclass(frozen=True)
class Glare:
    """A bright spot: lamp or sun mirrored by the plate, washing out what is under it."""

    share: float
    strength: Span  # grey levels added at its centre
    radius: Span  # in picture heights

    def __post_init__(self) -> None:
        need_share("effects.glare.share", self.share)
        need_span("effects.glare.strength", self.strength, 0, 255)
        need_span("effects.glare.radius", self.radius, 0.05)

    def sample(self, draw: Draw, severity: float) -> Params | None:
        if not chance(draw, self.share, severity):
            return None
        return {
            "strength": between(draw, self.strength, (0.4 + 0.6 * severity)),
            "radius": between(draw, self.radius),
            "flat": between(draw, (0.8, 3.0)),
            "x": short(draw()),
            "y": short(draw()),
        }

    def apply(self, picture: Picture, params: Params) -> Picture:
        height, width = picture.image.shape[:2]
        radius = params["radius"] * height
        x = (np.arange(width, dtype=np.float32) - params["x"] * width) / (radius * params["flat"])
        y = (np.arange(height, dtype=np.float32) - params["y"] * height) / radius
        spot = np.outer(np.exp(-y * y), np.exp(-x * x)) * params["strength"]
        level = cv2.cvtColor(cv2.convertScaleAbs(spot), cv2.COLOR_GRAY2RGB)
        return picture.with_image(cv2.add(picture.image, level))
