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
PICTURES = 64  # the same of types whose grounds are pictures: eight could be learnt by heart
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


def versions(plate: PlateType) -> int:
    return PICTURES if plate.texture == "picture" else VERSIONS


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
        self.rgb[:] = plate.colours.get("ground", OUTSIDE)  # where panels leave gaps
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


def paint_picture(canvas: Canvas) -> None:
    """A pictorial plate's picture: sky, hills and motifs, strong towards the rim and pale where text stands.

    One in three is of one hue, as the plates handed out without a donation are.
    """
    rng, plate = canvas.rng or rng_for(0, 0, "picture"), canvas.plate
    hues, mono = rng.random(4), rng.random() < 1 / 3
    if mono:
        hues[:] = hues[0]
    saturation = 0.5 if mono else 1.0
    bare = canvas.rgb.copy()
    sky = np.linspace(1, 0, canvas.shape[0], dtype=np.float32)[:, None, None] ** 1.5
    canvas.rgb += (np.array(tint(hues[0], 0.55 * saturation, 235), np.float32) - canvas.rgb) * (0.7 * sky)
    for depth in range(rng.integers(1, 4)):  # hills or waves, the nearer the lower and the darker
        foot, swing = plate.height_mm * (0.55 + 0.14 * depth), plate.height_mm * rng.uniform(0.05, 0.25)
        along = np.linspace(0, plate.width_mm, 40)
        bends = np.sin(along / plate.width_mm * 6.28 * rng.uniform(0.5, 3) + 6.28 * rng.random())
        ridge = np.stack([along, foot - swing * bends], 1)
        corners = [[plate.width_mm, plate.height_mm], [0, plate.height_mm]]
        hill = canvas.blank()
        fill(hill, np.concatenate([ridge, corners]) * canvas.k)
        colour = tint(hues[1] + 0.06 * depth, rng.uniform(0.4, 0.8) * saturation, rng.uniform(90, 190))
        canvas.lay(hill, colour, rng.uniform(0.5, 0.9), structure=False)
    for _ in range(rng.integers(4, 13)):  # flowers, fruit, mascots: near the ends of the plate
        size = plate.height_mm * rng.uniform(0.07, 0.22)
        from_end = rng.uniform(0, 0.22) * plate.width_mm
        x = from_end if rng.random() < 0.5 else plate.width_mm - from_end
        y = rng.random() * plate.height_mm
        turn, lobes = np.linspace(0, 6.28, 60), rng.integers(3, 9)
        radius = size * (1 + rng.uniform(0, 0.5) * np.sin(lobes * turn + 6.28 * rng.random()))
        shape = canvas.blank()
        fill(shape, np.stack([x + radius * np.cos(turn), y + radius * np.sin(turn)], 1) * canvas.k)
        colour = tint(hues[rng.integers(2, 4)], rng.uniform(0.5, 1) * saturation, rng.uniform(60, 210))
        canvas.lay(shape, colour, rng.uniform(0.6, 1), structure=False)
    canvas.rgb += (bare - canvas.rgb) * pale(canvas, rng.uniform(0.3, 0.6))[..., None]


def tint(hue: float, saturation: float, value: float) -> list[float]:
    """The RGB of a hue in turns."""
    parts = (min(max(abs((hue * 6 + place) % 6 - 3) - 1, 0), 1) for place in (0, 4, 2))
    return [value * (1 - saturation + saturation * part) for part in parts]


def pale(canvas: Canvas, most: float) -> Float:
    """H W: how much of a picture is left out so that text can be read: `most` inside, nothing at the rim."""
    y, x = (np.linspace(-1, 1, n, dtype=np.float32) for n in canvas.shape)
    inside = np.clip((1 - np.abs(x)) / 0.2, 0, 1)[None] * np.clip((1 - np.abs(y)) / 0.3, 0, 1)[:, None]
    return np.asarray(most * inside, np.float32)


TEXTURES = {"guilloche": paint_guilloche, "picture": paint_picture}
