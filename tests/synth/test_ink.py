"""Spread of paint: nothing is lost, nothing moves."""

from __future__ import annotations

import numpy as np
import pytest

from synth.ink import Drawing, Grid, coverage
from synth.tiles import blurred


def test_spread_paint_keeps_its_amount_and_its_place() -> None:
    square = np.array([(10.0, 10.0), (20.0, 10.0), (20.0, 20.0), (10.0, 20.0)])
    drawn = coverage(Drawing(fills=(square,)), Grid(30.0, 30.0, 2.0))
    dry, wet = drawn.astype(float), blurred(drawn, 1.6).astype(float)
    assert wet.sum() == pytest.approx(dry.sum(), rel=0.01)
    assert wet.max() > 250 and wet[18, 30] > 0 == dry[18, 30]
    rows, columns = np.mgrid[:60, :60] + 0.5
    for places in (rows, columns):  # its centre of mass is where it was
        assert (places * wet).sum() / wet.sum() == pytest.approx((places * dry).sum() / dry.sum(), abs=0.05)
