"""Tiles: the coverage of one glyph at output scale, cached for each stroke weight and sub-pixel place.

A glyph's strokes are drawn once, several times too large; tiles of all places and sizes are shrunk from that
master, which costs a tenth of drawing each anew.
"""

from __future__ import annotations

import functools
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from synth.cache import ByteCache
from synth.glyphs import load_face
from synth.sample import Image
from synth.seeding import rng_for

PHASES = 3  # sub-pixel places a glyph can stand at, in x and in y
SHAPES = 16  # ways a glyph's strokes can be moved, besides 0: as drawn
KNOTS = (3, 3)  # rows and columns of the grid whose knots are moved


class Pen(NamedTuple):
    """How the glyphs of one plate are drawn."""

    scale: float  # pixels a millimetre
    weight: float  # times the nominal stroke width
    spread: float  # mm of paint spread


Glyph = tuple[
    str, str, int, float, float, Pen
]  # face, character, which drawing, cell width and height in mm, pen

_masters: ByteCache[Image] = ByteCache(96 * 1024 * 1024, lambda tile: tile.nbytes)
_tiles: ByteCache[Image] = ByteCache(192 * 1024 * 1024, lambda tile: tile.nbytes)


class Shape(NamedTuple):
    """How the strokes of a glyph are moved: no two workshops cut a dense character alike."""

    number: int = 0  # one of SHAPES, or 0: as drawn
    reach_mm: float = 0.0  # deviation of the motion


AS_DRAWN = Shape()


def tile_of(glyph: Glyph, w: float, h: float, phase_x: int, phase_y: int, shape: Shape = AS_DRAWN) -> Image:
    """Coverage of a glyph drawn w x h mm large, shifted right and down by phases of a pixel."""
    key = (glyph, w, h, phase_x, phase_y, shape)
    tile = _tiles.held.get(key)
    return tile if tile is not None else _tiles.get(key, lambda: shrunk(*key))


def shrunk(glyph: Glyph, w: float, h: float, phase_x: int, phase_y: int, shape: Shape) -> Image:
    """The master at its final size and place: bilinear at the large scale, then area average."""
    width, height, scale = glyph[3], glyph[4], glyph[5].scale
    times = oversampling(scale)
    master = master_of(glyph, times)
    dx, dy = phase_x / PHASES, phase_y / PHASES
    size = (int(np.ceil(w * scale + dx)), int(np.ceil(h * scale + dy)))
    fx, fy = w / width, h / height
    # pixel centres: large = f * (master + 1/2) + times * d - 1/2
    matrix = np.array([[fx, 0, times * dx + fx / 2 - 0.5], [0, fy, times * dy + fy / 2 - 0.5]])
    if shape.number:
        master = moved(master, shape.number, shape.reach_mm * scale * times)
    large = cv2.warpAffine(master, matrix, (size[0] * times, size[1] * times), flags=cv2.INTER_LINEAR)
    return np.asarray(cv2.resize(large, size, interpolation=cv2.INTER_AREA), np.uint8)


def moved(master: Image, number: int, reach: float) -> Image:
    """A master whose strokes are moved smoothly, by pixels of deviation `reach`."""
    places = motion(number, *master.shape, reach)
    return np.asarray(cv2.remap(master, *places, cv2.INTER_LINEAR))


@functools.lru_cache(maxsize=256)
def motion(number: int, height: int, width: int, reach: float) -> tuple[NDArray[Any], NDArray[Any]]:
    """Where each pixel comes from, as cv2.remap is quick with it: moved smoothly, the knots by `reach`."""
    knots = rng_for(number, 0, "shape").standard_normal((*KNOTS, 2), np.float32)
    dx, dy = cv2.split(cv2.resize(knots, (width, height), interpolation=cv2.INTER_CUBIC))
    x = np.arange(width, dtype=np.float32) + np.float32(reach) * dx
    y = np.arange(height, dtype=np.float32)[:, None] + np.float32(reach) * dy
    whole, part = cv2.convertMaps(x, y, cv2.CV_16SC2)
    return np.asarray(whole), np.asarray(part)


def oversampling(scale: float) -> int:
    """How many times larger than the tile a master is: more where pixels are coarse."""
    return 4 if scale < 1.2 else 2


def master_of(glyph: Glyph, times: int) -> Image:
    """The glyph several times its size; spread paint is the plain one, blurred."""
    spread = glyph[5].spread
    if not spread:
        return _masters.get(glyph, lambda: draw_master(glyph, times))
    plain = (*glyph[:5], glyph[5]._replace(spread=0.0))
    return _masters.get(glyph, lambda: blurred(master_of(plain, times), spread * glyph[5].scale * times))


def blurred(master: Image, sigma: float) -> Image:
    """Spread by a Gaussian; what lies beyond the cell is paper."""
    soft = cv2.GaussianBlur(master, (0, 0), sigma, borderType=cv2.BORDER_CONSTANT | cv2.BORDER_ISOLATED)
    return np.asarray(soft)


def draw_master(glyph: Glyph, times: int) -> Image:
    face, char, variant, width, height, pen = glyph
    return load_face(face).coverage(
        char,
        width,
        height,
        pen.scale * times,
        variant=variant,
        weight=pen.weight,
        coarse=True,
    )


@functools.cache
def drawings(face: str, char: str) -> tuple[float, ...]:
    """The share of each drawing of a character."""
    return load_face(face).variants(char)


def choose(u: float, shares: tuple[float, ...]) -> int:
    """The number of the share that u, uniform in [0, 1), falls into."""
    number = 0
    while number < len(shares) - 1 and u >= shares[number]:
        u -= shares[number]
        number += 1
    return number
