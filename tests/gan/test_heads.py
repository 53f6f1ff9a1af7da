"""Bolts: found in crops by metal, told where they are, kept out of new paint, lent with a style."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from gan.align import Alignment, nominal
from gan.dress import dressed_plate, paint_of
from gan.heads import CORNERS, RADIUS_MM, fasten, no_heads, slots
from gan.outline import COUNT, GROUND, condition, onto
from gan.recolour import matte_of, recoloured
from synth.catalogue import load_type
from synth.sample import Image

TEXT = "皖AY0218"
SIZE = (24, 94)
LIES = np.array([(3, 2), (90, 4), (91, 22), (2, 21)], np.float32)
BRASS, DARK = (200, 170, 100), (20, 20, 20)


def photographed(colours: dict[int, tuple[int, int, int]]) -> tuple[Image, Alignment]:
    """A blue crop with heads of these colours at these corners, and where its plate lies."""
    plate = nominal("cn/blue", TEXT)
    image = plate.image.copy()
    for corner, x, y in slots(plate.type):
        at = round(x * plate.scale), round(y * plate.scale)
        if corner in colours:
            cv2.circle(image, at, round(RADIUS_MM * plate.scale), colours[corner], -1)
    homography = onto(plate, LIES)
    big = cv2.warpPerspective(
        image, np.diag((8, 8, 1)) @ homography, (94 * 8, 24 * 8), borderValue=(90, 90, 90)
    )
    crop = cv2.resize(big, SIZE[::-1], interpolation=cv2.INTER_AREA)
    return np.asarray(0.8 * crop, np.uint8), Alignment(plate, homography, 1.0, SIZE)


def lies(x: float, y: float, homography: NDArray[np.float64]) -> tuple[int, int]:
    """Column and row of a point of the plate in the crop."""
    ((at,),) = cv2.perspectiveTransform(np.array([[(x, y)]], np.float64), homography)
    return int(at[0]), int(at[1])


def test_each_slot_has_its_corner() -> None:
    assert [corner for corner, *_ in slots(load_type("cn/blue"))] == [0, 1, 2, 3]
    for name in ("cn/yellow_double", "cn/tractor", "jp/private"):
        corners = [corner for corner, *_ in slots(load_type(name))]
        assert len(set(corners)) == len(corners) and set(corners) >= {0, 1}, name


def test_heads_are_found_with_their_colours() -> None:
    heads = matte_of(*photographed({0: BRASS, 3: DARK})).heads
    assert heads.shape == (CORNERS, 4) and heads[0, 3] > 0.9 and heads[3, 3] > 0.9
    red, green, blue = heads[0, :3]
    assert red > green > blue and red - blue > 40 and heads[3, :3].max() < 60
    brighter = matte_of(*photographed({1: (236, 238, 240)})).heads
    assert brighter[1, :3].min() > 150


def test_what_beside_the_slots_looks_alike_is_no_head() -> None:
    crop, found = photographed({})
    crop[: SIZE[0] // 4] = (90, 120, 90)  # a bumper over the upper rim, from end to end
    assert matte_of(crop, found).heads[:2, 3].max() < 0.2


def test_new_paint_leaves_heads_as_they_are() -> None:
    crop, found = photographed({0: BRASS, 1: DARK})
    plate = dressed_plate("cn/blue", "cn/nev_small", TEXT)
    green = recoloured(crop, matte_of(crop, found), paint_of(plate, found)).astype(int)
    for corner, x, y in list(slots(plate.type))[:2]:
        column, row = lies(x * found.plate.scale, y * found.plate.scale, found.homography)
        paint = 0.8 * plate.ground.image[round(y * plate.scale), round(0.4 * plate.image.shape[1])]
        before, after = (np.abs(p - crop[row, column]).sum() for p in (paint, green[row, column]))
        assert after < 0.5 * before, corner


def test_a_condition_says_the_heads_and_nothing_else() -> None:
    plate = nominal("cn/blue", TEXT)
    lay = onto(plate, LIES * 2)
    planes = condition(plate, lay, (48, 188))
    told = planes.copy()
    fasten(told, plate.type, plate.scale, lay, no_heads())
    assert np.array_equal(told, planes)
    heads = no_heads()
    heads[1] = (*BRASS, 1)
    fasten(told, plate.type, plate.scale, lay, heads)
    changed = (told != planes).any(axis=2)
    _, x, y = list(slots(plate.type))[1]
    column, row = lies(x * plate.scale, y * plate.scale, lay)
    rows, columns = np.nonzero(changed)
    assert np.hypot(rows - row, columns - column).max() < 7
    assert told[row, column, GROUND] == pytest.approx(BRASS, abs=12)
    others = [n for n in range(COUNT) if not GROUND.start <= n < GROUND.stop]
    assert np.array_equal(told[..., others], planes[..., others])
    heads[1, 3] = 0.5
    half = planes.copy()
    fasten(half, plate.type, plate.scale, lay, heads)
    between: NDArray[np.float64] = (np.array(BRASS) + planes[row, column, GROUND]) / 2
    assert half[row, column, GROUND] == pytest.approx(between, abs=14)
