"""Bolt heads in mounting slots: seen in crops, kept with their styles, told to the generator as paint.

An outline does not say whether a slot is empty, or what sits in it. Real plates carry heads of every metal
there, close to the characters; a generator that is not told of them leaves them away.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from gan.outline import GROUND, Matrix, warped
from synth.render import Plate
from synth.sample import Image, transform
from synth.spec import PlateType

Float = NDArray[np.floating[Any]]

CORNERS = 4  # a slot at each at most: TL TR BL BR
RADIUS_MM = 7.5
RIM = np.stack([np.cos(np.arange(16) * np.pi / 8), np.sin(np.arange(16) * np.pi / 8)], 1)
ASIDE_MM = 24.0  # from there on there is ground, or what runs along the rim as well
FAINT, PLAIN = (
    14.0,
    40.0,
)  # grey levels off the ground: no head, one that hides it
SOFT = 0.03  # blur of a crop, in its heights
LEAST = 0.6  # pixels that a head covers, squared and summed: fewer say nothing


def no_heads() -> NDArray[np.float32]:
    """4 4: no head at any corner; a row is the paint's R G B and how much it hides."""
    return np.zeros((CORNERS, 4), np.float32)


def slots(plate: PlateType) -> Iterator[tuple[int, float, float]]:
    """Of each slot the corner it is at, and its centre in millimetres."""
    for hole in plate.holes:
        yield int(hole.x > plate.width_mm / 2) + 2 * int(hole.y > plate.height_mm / 2), hole.x, hole.y


@functools.lru_cache(maxsize=512)
def covers(plate: PlateType, scale: float, shape: tuple[int, int], aside_mm: float = 0.0) -> dict[int, Image]:
    """H W each, 255 where a head would be, or so far to the right of it: by corner."""
    found: dict[int, Image] = {}
    for corner, x, y in slots(plate):
        disc = found.setdefault(corner, np.zeros(shape, np.uint8))
        at = round(((x + aside_mm) * scale - 0.5) * 16), round((y * scale - 0.5) * 16)
        cv2.circle(disc, at, round(RADIUS_MM * scale * 16), 255, -1, cv2.LINE_AA, 4)
    return found


def laid(plate: Plate, homography: Matrix, size: tuple[int, int], aside_mm: float = 0.0) -> dict[int, Float]:
    """H W each, 0 to 1: where heads would be in a crop, as soft as it is."""
    shape = plate.alpha.shape[0], plate.alpha.shape[1]
    found: dict[int, Float] = {}
    for corner, disc in covers(plate.type, plate.scale, shape, aside_mm).items():
        seen = warped(disc, homography, size, 0).astype(np.float32) / 255
        found[corner] = cv2.GaussianBlur(seen, (0, 0), SOFT * size[0], borderType=cv2.BORDER_REPLICATE)
    return found


def told_apart(crop: Float, plate: Plate, homography: Matrix) -> dict[int, tuple[Float, Float]]:
    """By corner, 3 each: the ground left and right of a slot, and how what is in the slot differs from it."""
    size = crop.shape[0], crop.shape[1]
    here, left, right = (laid(plate, homography, size, aside) for aside in (0.0, -ASIDE_MM, ASIDE_MM))
    found: dict[int, tuple[Float, Float]] = {}
    for corner, soft in here.items():
        weight = float((soft * soft).sum())
        beside = left[corner] + right[corner]
        if weight >= LEAST and beside.sum() >= LEAST:
            ground = np.average(crop, axis=(0, 1), weights=beside)
            found[corner] = ground, (soft[..., None] * (crop - ground)).sum((0, 1)) / weight
    return found


def hiding(difference: Float) -> float:
    """How much a head hides of the ground from which it differs so."""
    return float(np.clip((np.linalg.norm(difference) - FAINT) / (PLAIN - FAINT), 0, 1))


def fasten(
    planes: Image, plate: PlateType, scale: float, homography: Matrix, heads: NDArray[np.float32]
) -> None:
    """Paint, in place, these heads (4 4) into the ground of a condition H W COUNT."""
    fixed = [(corner, x, y) for corner, x, y in slots(plate) if heads[corner, 3] > 0]
    if not fixed:
        return
    middles = np.array([(x, y) for _, x, y in fixed])[:, None]
    rims = (middles + RADIUS_MM * RIM) * scale  # N 16 2
    laid = transform(homography, rims.reshape(-1, 2).astype(np.float32)).reshape(rims.shape)
    lows, highs = np.floor(laid.min(1)).astype(int) - 1, np.ceil(laid.max(1)).astype(int) + 1
    edge = np.array((planes.shape[1], planes.shape[0]))
    for (corner, *_), rim, low, high in zip(
        fixed, laid, np.maximum(lows, 0), np.minimum(highs, edge), strict=True
    ):
        if (low < high).all():
            width, height = (high - low).tolist()
            disc = np.zeros((height, width), np.uint8)
            cv2.fillConvexPoly(disc, np.rint((rim - low - 0.5) * 16).astype(np.int32), 255, cv2.LINE_AA, 4)
            cover = disc[..., None] * (heads[corner, 3] / 255)
            part = planes[low[1] : high[1], low[0] : high[0], GROUND]
            part[...] = np.rint(part + cover * (heads[corner, :3] - part))
