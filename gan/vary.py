"""How training pairs differ from the crops as they are: other colours, small motions."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from gan.dress import Paint
from gan.outline import GREY, GROUND, INK, PLATE
from synth.catalogue import load_type
from synth.errors import UserError

PAINTS = (
    *("cn/blue", "cn/yellow", "cn/black", "cn/nev_small", "cn/nev_large", "cn/tractor", "cn/police"),
    *("cn/consulate", "jp/private", "jp/commercial", "jp/kei_private", "jp/kei_commercial", "jp/diplomatic"),
    *("jp/dealer", "jp/pictorial"),
)
YIQ = np.array(((0.299, 0.587, 0.114), (0.596, -0.274, -0.322), (0.211, -0.523, 0.312)))
RGB = np.linalg.inv(YIQ)

Matrix = NDArray[np.float64]


@dataclass(frozen=True)
class Vary:
    """Ranges of every change; 0 leaves it out."""

    plain: float = 0.35  # share of pairs shown in their own colours
    paints: tuple[str, ...] = PAINTS  # types whose colours the others are given
    hue_deg: float = 10.0  # by which these colours are then turned, at most
    saturation: float = 0.2
    contrast: float = 0.15
    lightness: float = 14.0  # grey levels
    shift: float = 0.02  # of the crop's width and height, at most
    scale: float = 0.04
    shear: float = 0.02

    def __post_init__(self) -> None:
        if not 0 <= self.plain <= 1:
            raise UserError(f"pairs.vary.plain: {self.plain} is no share; give a number from 0 to 1")
        if not self.paints:
            raise UserError("pairs.vary.paints: empty; name at least one type")
        for name in self.paints:
            load_type(name)

    def colours(self, rng: np.random.Generator) -> Matrix:
        """3 4: a change of hue, saturation, contrast and lightness, the same for crop and condition."""
        hue, saturation, contrast, lightness = rng.uniform(-1, 1, 4)
        angle, strength = np.deg2rad(self.hue_deg) * hue, 1 + self.saturation * saturation
        cos, sin = strength * np.cos(angle), strength * np.sin(angle)
        turned = RGB @ np.array(((1, 0, 0), (0, cos, -sin), (0, sin, cos))) @ YIQ
        gain = 1 + self.contrast * contrast
        offset = GREY * (1 - gain) + self.lightness * lightness
        return np.hstack((gain * turned, np.full((3, 1), offset)))

    def steps(self, rng: np.random.Generator, size: tuple[int, int]) -> Matrix:
        """3 3: a shift by whole pixels, one at least, of a picture of `size`: no pixel becomes another."""
        most = [max(1, round(self.shift * side)) for side in size]
        y, x = (int(rng.integers(-reach, reach + 1)) for reach in most)
        return np.array(((1.0, 0, x), (0, 1, y), (0, 0, 1)))

    def motion(self, rng: np.random.Generator, size: tuple[int, int]) -> Matrix:
        """3 3: a small motion about the middle of a picture of `size` (height, width)."""
        x, y, across, down, lean, slant = rng.uniform(-1, 1, 6)
        height, width = size
        middle = np.array(((1, 0, width / 2), (0, 1, height / 2), (0, 0, 1)))
        rows = (
            (1 + self.scale * across, self.shear * lean * width / height, self.shift * x * width),
            (self.shear * slant * height / width, 1 + self.scale * down, self.shift * y * height),
            (0, 0, 1),
        )
        back = np.array(((1, 0, -width / 2), (0, 1, -height / 2), (0, 0, 1)))
        return np.asarray(middle @ np.array(rows) @ back)


def shifted_paint(paint: Paint, shift: Matrix) -> Paint:
    """The paint after a change of colours."""
    return Paint(cv2.transform(paint.ground, shift), cv2.transform(paint.ink, shift))


def shifted_planes(planes: NDArray[np.uint8], shift: Matrix) -> NDArray[np.uint8]:
    """A condition whose paint has changed so; what is grey beyond the plate stays grey."""
    beyond = 1 - planes[..., PLATE] / np.float32(255)
    moved_grey = shift @ (GREY, GREY, GREY, 1) - GREY
    excess = cv2.merge([beyond * np.float32(value) for value in moved_grey])
    parts = (planes[..., part].astype(np.float32) for part in (GROUND, INK))
    moved = [np.rint(cv2.transform(part, shift) - excess).clip(0, 255).astype(np.uint8) for part in parts]
    return np.asarray(cv2.merge((*cv2.split(planes)[: GROUND.start], *moved)))
