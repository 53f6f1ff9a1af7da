"""Spread of paint: two boxes stand for a Gaussian."""

from __future__ import annotations

import math

import numpy as np
import pytest

from synth.ink import Drawing, Grid, boxes, coverage


@pytest.mark.parametrize("sigma", [0.9, 1.6, 2.3, 3.0, 4.5, 8.0])
def test_two_odd_boxes_spread_as_far(sigma: float) -> None:
    sides = boxes(sigma)
    assert all(side % 2 for side in sides)
    spread = math.sqrt(sum(side * side - 1 for side in sides) / 12)
    assert spread == pytest.approx(sigma, abs=0.3)


def test_spread_paint_keeps_its_amount_and_its_place() -> None:
    square = np.array([(10.0, 10.0), (20.0, 10.0), (20.0, 20.0), (10.0, 20.0)])
    dry, wet = (
        coverage(Drawing(fills=(square,)), Grid(30.0, 30.0, 2.0), spread).astype(float)
        for spread in (0.0, 0.8)
    )
    assert wet.sum() == pytest.approx(dry.sum(), rel=0.01)
    assert wet.max() > 250 and wet[18, 30] > 0 == dry[18, 30]
    rows, columns = np.mgrid[:60, :60] + 0.5
    for places in (rows, columns):  # its centre of mass is where it was
        assert (places * wet).sum() / wet.sum() == pytest.approx((places * dry).sum() / dry.sum(), abs=0.05)
