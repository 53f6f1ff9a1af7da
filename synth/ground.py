"""The ground of a plate, all that does not depend on its text: paint, texture, border, slots, emblem, dots.

Drawn up to four times too large and shrunk, in a few versions a type (border width, emblem contrast, ...).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from synth.cache import ByteCache
from synth.layout import Frame
from synth.sample import Image
from synth.seeding import rng_for
from synth.spec import Border, Mark, Panel, PlateType, Span

VERSIONS = 8  # drawn grounds a type, scale and set of marks
BORDER_SPREAD = (0.8, 1.5)  # paint and glare make the line look wider: about 3 mm on real blue plates
OUTSIDE = (128, 128, 128)  # beyond the rounded corners
Float = NDArray[np.float32]


@dataclass(frozen=True)
class Ground:
    """A painted plate without text."""

    image: Image  # H W 3
    alpha: Image  # H W: 255 inside the rounded corners
    structure: Image  # H W: coverage of border, marks and slots, for the outline


def _size(ground: Ground) -> int:
    return ground.image.nbytes + ground.alpha.nbytes + ground.structure.nbytes


_cache: ByteCache[Ground] = ByteCache(128 * 1024 * 1024, _size)


def ground_of(plate: PlateType, frame: Frame, scale: float, version: int | None) -> Ground:
    """The ground in one of its versions; None is the nominal one, every range at its middle."""
    key = (plate, frame.marks, scale, version)
    return _cache.get(key, lambda: paint(plate, frame.marks, scale, version))


class Canvas:
    """A picture in the making at several times its size, addressed in millimetres."""

    def __init__(self, plate: PlateType, scale: float, version: int | None) -> None:
        self.plate = plate
        self.size = plate_pixels(plate, scale)
        times = 4 if self.size[1] <= 160 else 2
        self.k = scale * times
        self.shape = (self.size[1] * times, self.size[0] * times)
        self.rgb: Float = np.empty((*self.shape, 3), np.float32)
        self.structure: Image = np.zeros(self.shape, np.uint8)
        self.rng = None if version is None else rng_for(version, 0, f"ground/{plate.id}")

    def draw(self, span: Span) -> float:
        u = 0.5 if self.rng is None else float(self.rng.random())
        return span[0] + (span[1] - span[0]) * u

    def blank(self) -> Image:
        return np.zeros(self.shape, np.uint8)

    def lay(self, mask: Image, colour: Sequence[float], opacity: float = 1.0, structure: bool = True) -> None:
        """Paint a mask in a colour, and note it in the structure."""
        left, top, width, height = cv2.boundingRect(mask)  # most masks are a small part of the plate
        part = np.s_[top : top + height, left : left + width]
        a = mask[part].astype(np.float32)[..., None] * (opacity / 255)
        self.rgb[part] += (np.array(colour, np.float32) - self.rgb[part]) * a
        if structure:
            np.maximum(self.structure, mask, out=self.structure)

    def stadium(
        self, mask: Image, x: float, y: float, w: float, h: float, radius: float | None = None
    ) -> None:
        """A filled box with round ends (or corners of `radius`), centre x y, in mm."""
        r = min(w, h) / 2 if radius is None else min(radius, w / 2, h / 2)
        points = rounded(x - w / 2, y - h / 2, x + w / 2, y + h / 2, r)
        fill(mask, points * self.k)


def plate_pixels(plate: PlateType, scale: float) -> tuple[int, int]:
    """Width and height of the picture at `scale` pixels a millimetre."""
    return max(1, round(plate.width_mm * scale)), max(1, round(plate.height_mm * scale))


def rounded(x0: float, y0: float, x1: float, y1: float, r: float) -> NDArray[np.float64]:
    """The outline of a box with round corners, as a polygon."""
    turn = np.linspace(0, math.pi / 2, 9)
    corners = (
        (x1 - r, y0 + r, -math.pi / 2),
        (x1 - r, y1 - r, 0),
        (x0 + r, y1 - r, math.pi / 2),
        (x0 + r, y0 + r, math.pi),
    )
    return np.concatenate(
        [np.stack([cx + r * np.cos(a + turn), cy + r * np.sin(a + turn)], 1) for cx, cy, a in corners]
    )


def fill(mask: Image, points: NDArray[np.float64], value: int = 255) -> None:
    """Fill a polygon given in pixels (edges, not centres) with sub-pixel precision."""
    fixed = np.round((points - 0.5) * 256).astype(np.int32)
    cv2.fillPoly(mask, [fixed], (value,), cv2.LINE_8, 8)


def paint(plate: PlateType, marks: tuple[Mark, ...], scale: float, version: int | None) -> Ground:
    canvas = Canvas(plate, scale, version)
    for panel in plate.ground:
        paint_panel(canvas, panel)
    if plate.texture != "none":
        TEXTURES[plate.texture](canvas)
    for border in plate.borders:
        paint_border(canvas, border)
    for mark in marks:
        paint_mark(canvas, mark)
    holes = canvas.blank()
    for hole in plate.holes:
        canvas.stadium(holes, hole.x, hole.y, hole.w, hole.h)
    if plate.holes:
        canvas.lay(holes, plate.colours[plate.hole_ink], canvas.draw((0.15, 0.8)))
    inside = canvas.blank()
    fill(inside, rounded(0, 0, plate.width_mm, plate.height_mm, plate.corner_radius_mm) * canvas.k)
    canvas.rgb[inside == 0] = OUTSIDE
    image = np.clip(np.rint(shrink(canvas.rgb, canvas.size)), 0, 255).astype(np.uint8)
    return Ground(image, shrink(inside, canvas.size), shrink(canvas.structure & inside, canvas.size))


def shrink(picture: NDArray[Any], size: tuple[int, int]) -> NDArray[Any]:
    return cv2.resize(picture, size, interpolation=cv2.INTER_AREA)


def paint_panel(canvas: Canvas, panel: Panel) -> None:
    """A strip of ground, its colour interpolated between the stops from top to bottom."""
    plate = canvas.plate
    right = plate.width_mm if panel.x1 is None else panel.x1
    x0, x1 = round(panel.x0 * canvas.k), round(right * canvas.k)
    colours = [plate.colours[s.colour] if isinstance(s.colour, str) else s.colour for s in panel.stops]
    t = (np.arange(canvas.shape[0]) + 0.5) / canvas.shape[0]
    at = [stop.at for stop in panel.stops]
    column = np.stack([np.interp(t, at, [c[channel] for c in colours]) for channel in range(3)], axis=1)
    canvas.rgb[:, x0 : x1 + 4] = column[:, None, :]


def paint_border(canvas: Canvas, border: Border) -> None:
    plate = canvas.plate
    inset = canvas.draw(border.inset)
    width = canvas.draw(border.width) * (1.0 if canvas.rng is None else canvas.draw(BORDER_SPREAD))
    line = canvas.blank()
    for gap, value in ((inset, 255), (inset + width, 0)):
        radius = max(plate.corner_radius_mm - gap, 1.0)
        points = rounded(gap, gap, plate.width_mm - gap, plate.height_mm - gap, radius)
        fill(line, points * canvas.k, value)
    canvas.lay(line, plate.colours[border.ink])


def paint_mark(canvas: Canvas, mark: Mark) -> None:
    x = mark.x + canvas.draw((-mark.jitter, mark.jitter))
    y = mark.y + canvas.draw((-mark.jitter, mark.jitter))
    w = canvas.draw(mark.w)
    h = canvas.draw(mark.h) if mark.h != (0.0, 0.0) else w
    opacity, colour = canvas.draw(mark.opacity), canvas.plate.colours[mark.ink]
    mask = canvas.blank()
    if mark.shape == "polygon":
        fill(mask, np.array(mark.points) * canvas.k)
    elif mark.shape == "bar":
        canvas.stadium(mask, x, y, w, h, radius=0.8)
    else:
        canvas.stadium(mask, x, y, w, h)
    if mark.shape in ("ring", "emblem"):
        inner = canvas.blank()
        canvas.stadium(inner, x, y, w * 0.82, h * 0.82)
        if mark.shape == "emblem":
            pale = tuple(int(c + (235 - c) * 0.6) for c in colour)
            canvas.lay(inner, pale, opacity)
        mask = cv2.subtract(mask, inner)
    canvas.lay(mask, colour, opacity, structure=opacity > 0.25)


def paint_guilloche(canvas: Canvas) -> None:
    """Fine interlaced waves, as printed on paper plates."""
    h, w = canvas.shape
    y, x = np.mgrid[0:h, 0:w].astype(np.float32) / np.float32(canvas.k)
    turn = canvas.draw((0.0, 6.28))
    waves = np.sin(y * 1.1 + 3 * np.sin(x * 0.08 + turn)) * np.sin(y * 1.1 - 3 * np.sin(x * 0.07 + 2 * turn))
    canvas.rgb += waves[..., None] * np.array([14, 9, 5], np.float32)


def paint_pastel(canvas: Canvas) -> None:
    """Pale overlapping shapes of a pictorial plate, contrast kept low so that text stays readable."""
    rng = canvas.rng or rng_for(0, 0, "pastel")
    plate = canvas.plate
    for _ in range(14):
        colour = 150 + 105 * rng.random(3)
        x, y = rng.random() * plate.width_mm, rng.random() * plate.height_mm
        w, h = (0.15 + 0.5 * rng.random(2)) * plate.height_mm
        shape = canvas.blank()
        turn, lobes, phase = np.linspace(0, 2 * math.pi, 60), rng.integers(2, 7), rng.random() * 6.28
        radius = 1 + 0.25 * np.sin(lobes * turn + phase)
        points = np.stack([x + w * radius * np.cos(turn), y + h * radius * np.sin(turn)], 1)
        fill(shape, points * canvas.k)
        canvas.lay(shape, tuple(colour), 0.25 + 0.3 * rng.random(), structure=False)


TEXTURES = {"guilloche": paint_guilloche, "pastel": paint_pastel}
