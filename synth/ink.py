"""Area coverage of drawings given in millimetres: filled contours and swept strokes to 8-bit ink."""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]  # (n, 2) x right, y down, mm

DETAIL = (
    6.0  # samples a millimetre at least: a 45 x 90 glyph edge is then right to 1/25 of a pixel at 0.5 px/mm
)
LEAST = 5  # samples a pixel side, at least
SHIFT = 4  # fractional bits of cv2 coordinates
ARC = 8  # segments of a round joint


@dataclass(frozen=True)
class Sweep:
    """An ellipse of the given radii drawn along points: flat ends when open, round joints."""

    points: Points
    radii: tuple[float, float]
    closed: bool = False


@dataclass(frozen=True)
class Drawing:
    """Contours filled by the even-odd rule, then sweeps of ink, or of paper when `erase` is set."""

    fills: tuple[Points, ...] = ()
    sweeps: tuple[Sweep, ...] = ()
    erase: bool = False


@dataclass(frozen=True)
class Grid:
    """The pixel grid of one cell: size and offset in mm and pixels, `factor` samples a pixel side.

    `coarse` takes half of the samples a side: enough for what is shrunk once more.
    """

    width_mm: float
    height_mm: float
    px_per_mm: float
    dx_px: float = 0.0
    dy_px: float = 0.0
    coarse: bool = False

    @functools.cached_property
    def factor(self) -> int:
        part = 2 if self.coarse else 1
        return max(LEAST // part | 1, math.ceil(DETAIL / part / self.px_per_mm) | 1)  # odd: half is no tie

    @functools.cached_property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the result; 1e-6 forgives 90 * 0.1 = 9.000000000000002."""
        rows = math.ceil(self.height_mm * self.px_per_mm + self.dy_px - 1e-6)
        columns = math.ceil(self.width_mm * self.px_per_mm + self.dx_px - 1e-6)
        return max(1, rows), max(1, columns)

    @functools.cached_property
    def scale(self) -> float:
        return self.px_per_mm * self.factor

    def samples(self, points: Points) -> NDArray[np.int32]:
        """Fixed-point sample coordinates; cv2 counts from the centre of a sample, we from its corner."""
        offset = np.array([self.dx_px, self.dy_px]) * self.factor - 0.5
        return np.rint((points * self.scale + offset) * (1 << SHIFT)).astype(np.int32)


def coverage(drawing: Drawing, grid: Grid) -> NDArray[np.uint8]:
    """Share of each pixel that is ink, 255 = all, clipped to the cell."""
    rows, columns = grid.shape
    canvas = np.zeros((rows * grid.factor, columns * grid.factor), np.uint8)
    if drawing.fills:
        cv2.fillPoly(canvas, [grid.samples(f) for f in drawing.fills], 255, cv2.LINE_8, SHIFT)
    colour = 0 if drawing.erase else 255
    # cv2 paints every sample that an outline touches, half a sample too much on each side.
    for polygons in _polygons(drawing.sweeps, 0.5 / grid.scale) if drawing.sweeps else ():
        for polygon in grid.samples(polygons):
            cv2.fillConvexPoly(canvas, polygon, colour, cv2.LINE_8, SHIFT)
    _clip(canvas, grid)
    area = cv2.resize(canvas, (columns, rows), interpolation=cv2.INTER_AREA)
    return np.asarray(area, np.uint8)


def _clip(canvas: NDArray[np.uint8], grid: Grid) -> None:
    left, top = round(grid.dx_px * grid.factor), round(grid.dy_px * grid.factor)
    canvas[:top] = 0
    canvas[:, :left] = 0
    canvas[round(grid.dy_px * grid.factor + grid.height_mm * grid.scale) :] = 0
    canvas[:, round(grid.dx_px * grid.factor + grid.width_mm * grid.scale) :] = 0


def _polygons(sweeps: Sequence[Sweep], margin_mm: float) -> Iterator[Points]:
    """The rectangles and joint sectors that all sweeps together consist of; pens thinner by a margin."""
    paths = [np.vstack([s.points, s.points[:2]]) if s.closed else s.points for s in sweeps]
    owner = np.repeat(np.arange(len(paths)), [len(path) for path in paths])
    pen = np.maximum(np.array([s.radii for s in sweeps]) - margin_mm, 1e-3)[owner]
    unit = np.concatenate(paths) / pen  # in this space every pen is the unit circle
    run = np.diff(unit, axis=0)
    angle = np.arctan2(run[:, 1], run[:, 0])
    same = owner[1:] == owner[:-1]
    segments = np.flatnonzero(same)
    yield _quads(unit, angle, segments) * pen[segments, None]
    bends = np.flatnonzero(same[1:] & same[:-1])
    yield _joints(unit, angle, bends) * pen[bends, None]


def _quads(points: Points, angle: NDArray[np.float64], at: NDArray[np.intp]) -> Points:
    """The rectangle (n, 4, 2) that a unit circle sweeps along each segment, without its round ends."""
    side = np.stack([-np.sin(angle[at]), np.cos(angle[at])], axis=1)
    start, end = points[at], points[at + 1]
    return np.stack([start + side, end + side, end - side, start - side], axis=1)


def _joints(points: Points, angle: NDArray[np.float64], at: NDArray[np.intp]) -> Points:
    """The sector (n, ARC + 2, 2) that fills the outer side of each bend; nothing of it leads past an end."""
    turn = (angle[at + 1] - angle[at] + math.pi) % (2 * math.pi) - math.pi
    first = angle[at] - np.sign(turn) * (math.pi / 2)
    arc = first[:, None] + turn[:, None] * (np.arange(ARC + 1) / ARC)
    centre = points[at + 1][:, None]
    return np.concatenate([centre, centre + np.stack([np.cos(arc), np.sin(arc)], axis=2)], axis=1)
