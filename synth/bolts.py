"""Bolt heads and seals over the mounting slots: round, shaded, of a drawn size, metal and place."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from synth.cache import ByteCache
from synth.sample import Image
from synth.seeding import rng_for
from synth.spec import Hole, PlateType

ARRANGEMENTS = 96  # drawn sets of bolts a type and scale
HEADS = (  # centre and rim of a head: zinc, dark, white plastic, blue-painted, brass
    ((196, 200, 204), (96, 98, 102)),
    ((70, 72, 76), (28, 28, 30)),
    ((236, 238, 240), (150, 152, 158)),
    ((90, 110, 160), (34, 48, 92)),
    ((196, 168, 104), (96, 74, 36)),
)
CHANCES = (0.45, 0.7, 0.82, 0.92, 1.0)  # cumulative


@dataclass(frozen=True)
class Head:
    """A bolt head cut to the picture: where it goes, premultiplied colour, transparency."""

    rows: slice
    columns: slice
    colour: Image  # h w 3
    clear: Image  # h w 3


_arranged: ByteCache[list[Head]] = ByteCache(
    64 * 1024 * 1024, lambda heads: 200 + sum(2 * head.colour.nbytes for head in heads)
)


def fasten(image: Image, plate: PlateType, scale: float, version: int) -> None:
    """Draw, in place, one of the sets of bolts that plates of this type have."""
    for head in _arranged.get((plate, scale, version), lambda: arrange(plate, scale, version, image.shape)):
        under = image[head.rows, head.columns]
        cv2.add(cv2.multiply(under, head.clear, scale=1 / 255), head.colour, under)


def arrange(plate: PlateType, scale: float, version: int, shape: tuple[int, ...]) -> list[Head]:
    """A drawn set of bolts: all of one metal, each slot with or without."""
    rng = rng_for(version, 0, f"bolts/{plate.id}")
    metal = next(n for n, upper in enumerate(CHANCES) if rng.random() < upper or n == len(CHANCES) - 1)
    return [fixed(hole, scale, metal, rng, shape) for hole in plate.holes if rng.random() < hole.bolt]


def fixed(hole: Hole, scale: float, metal: int, rng: np.random.Generator, shape: tuple[int, ...]) -> Head:
    """A head over its slot, anywhere along it, cut where it reaches beyond the picture."""
    diameter = float(rng.uniform(*hole.diameter))
    slack = max(0.0, hole.w - hole.h) / 2
    x = (hole.x + rng.uniform(-slack, slack) - diameter / 2) * scale
    y = (hole.y + rng.uniform(-1, 1) - diameter / 2) * scale
    left, top = int(np.floor(x)), int(np.floor(y))
    colour, clear = draw_head(diameter * scale, 0 if hole.kind == "seal" else metal, x - left, y - top)
    x0, y0 = max(left, 0), max(top, 0)
    x1, y1 = min(left + clear.shape[1], shape[1]), min(top + clear.shape[0], shape[0])
    cut = np.s_[y0 - top : y1 - top, x0 - left : x1 - left]
    pieces = (np.ascontiguousarray(piece[cut]) for piece in (colour, clear))
    return Head(slice(y0, y1), slice(x0, x1), *pieces)


def draw_head(diameter_px: float, kind: int, dx: float, dy: float) -> tuple[Image, Image]:
    """A dome lit from above: premultiplied colour and transparency at output size."""
    times = 6
    side = int(np.ceil(diameter_px + 1)) + 1
    y, x = (np.mgrid[0 : side * times, 0 : side * times].astype(np.float32) + 0.5) / times
    r = max(diameter_px / 2, 0.3)
    u, v = (x - dx - r) / r, (y - dy - r) / r
    distance = np.sqrt(u * u + v * v)
    alpha = (distance <= 1).astype(np.float32)
    light = np.clip(0.75 - 0.45 * v - 0.25 * u - 0.5 * distance**3, 0, 1)[..., None]
    centre, rim = (np.array(c, np.float32) for c in HEADS[kind])
    colour = (rim + (centre - rim) * light) * alpha[..., None]
    size = (side, side)
    colour = cv2.resize(colour, size, interpolation=cv2.INTER_AREA)
    clear = np.rint(255 - 255 * cv2.resize(alpha, size, interpolation=cv2.INTER_AREA)).astype(np.uint8)
    return np.clip(np.rint(colour), 0, 255).astype(np.uint8), cv2.merge((clear,) * 3)
