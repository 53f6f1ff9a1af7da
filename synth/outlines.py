"""Glyphs of bundled fonts as contours, stretched to a cell and thickened as plate makers do."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from synth.errors import UserError
from synth.ink import Drawing, Points, Sweep
from synth.strokes import Size

if TYPE_CHECKING:
    from PIL.ImageFont import FreeTypeFont

EM_PX = 480  # a contour is traced from a picture of this size: 0.1 mm on a 40 mm cell
Box = tuple[float, float, float, float]  # left, top, right, bottom in px of the traced picture


@functools.cache
def _open(path: Path) -> FreeTypeFont:
    from PIL import ImageFont  # late: most runs draw strokes only

    try:
        return ImageFont.truetype(str(path), EM_PX)
    except OSError as error:
        raise UserError(f"fonts/cjk/{path.name}: {error}; rebuild it with `python -m fonts.build`") from error


@functools.cache
def contours(path: Path, char: str) -> tuple[Points, ...]:
    """Closed outlines of a character in px, y down from the baseline of a font `EM_PX` high."""
    from PIL import Image, ImageDraw

    picture = Image.new("L", (2 * EM_PX, 2 * EM_PX))
    ImageDraw.Draw(picture).text((EM_PX // 2, EM_PX * 3 // 2), char, 255, font=_open(path), anchor="ls")
    mask = (np.asarray(picture) > 127).astype(np.uint8)
    found, _ = cv2.findContours(mask, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    origin = np.array([EM_PX // 2, EM_PX * 3 // 2])
    return tuple(cv2.approxPolyDP(c, 0.7, True)[:, 0].astype(np.float64) - origin for c in found)


@functools.cache
def ink_box(path: Path, char: str) -> Box:
    """Left, top, right and bottom of the ink of a character."""
    points = np.vstack(contours(path, char))
    (left, top), (right, bottom) = points.min(axis=0).tolist(), points.max(axis=0).tolist()
    return left, top, right, bottom


@functools.cache
def em_box(path: Path, characters: frozenset[str]) -> Box:
    """The square of side `EM_PX` on whose centre the given characters of this font stand."""
    boxes = [_open(path).getbbox(char, anchor="ls") for char in sorted(characters)]
    left, top, right, bottom = np.median(np.array(boxes, np.float64), axis=0).tolist()
    x, y, half = (left + right) / 2, (top + bottom) / 2, EM_PX / 2
    return x - half, y - half, x + half, y + half


def drawing(path: Path, char: str, box: Box, cell: Size, stretch: Size, radii: Size) -> Drawing:
    """`box` of the font stretched to `stretch` mm in the middle of the cell, then grown by `radii` mm.

    Radii below zero thin the glyph; growth in one direction wins over thinning in the other.
    """
    scale = np.array(stretch) / (box[2] - box[0], box[3] - box[1])
    corner = (np.array(cell) - stretch) / 2 - np.array(box[:2]) * scale
    outline = tuple(c * scale + corner for c in contours(path, char))
    erase = max(radii) < 0
    pen = (-radii[0], -radii[1]) if erase else (max(radii[0], 0.0), max(radii[1], 0.0))
    sweeps = tuple(Sweep(c, pen, closed=True) for c in outline) if max(pen) > 0 else ()
    return Drawing(outline, sweeps, erase)
