"""Tiles: strokes of dense characters stray a little, the same for the same number, and stay legible."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import synth.render
from synth.catalogue import load_type
from synth.grammar import grammar_of
from synth.render import Plate, Variation, render
from synth.tiles import AS_DRAWN, SHAPES, Pen, Shape, tile_of

GLYPH = ("cn45x90", "皖", 0, 45.0, 90.0, Pen(2.0, 1.0, 0.0))


def tile(number: int, reach_mm: float = 1.2) -> np.ndarray:
    return tile_of(GLYPH, 45, 90, 0, 0, Shape(number, reach_mm)).astype(float)


def test_every_shape_differs_a_little_and_is_the_same_again() -> None:
    drawn = tile_of(GLYPH, 45, 90, 0, 0, AS_DRAWN).astype(float)
    for number in range(1, SHAPES + 1):
        moved = tile(number)
        assert moved.shape == drawn.shape and np.array_equal(moved, tile(number))
        assert 2 < np.abs(moved - drawn).mean() < 60
        assert moved.sum() == pytest.approx(drawn.sum(), rel=0.2)  # no stroke is lost
        assert np.corrcoef(moved.ravel(), drawn.ravel())[0, 1] > 0.5
    assert not np.array_equal(tile(1), tile(2))


def test_it_strays_as_far_as_it_is_told() -> None:
    drawn = tile(1, 0.0)
    near, far = (np.abs(tile(1, reach) - drawn).mean() for reach in (0.5, 1.5))
    assert 0 < near < far


def test_digits_and_letters_keep_their_standard_form() -> None:
    def plate(shape_mm: float) -> Plate:
        fields = grammar_of("cn/blue").parse("皖A12345")
        varied = Variation((1.0, 1.0), 0.0, 0.0, False, False, False, False, 9, (1.0, 1.0), shape_mm)
        return render(load_type("cn/blue"), fields, 64, np.random.default_rng(3), varied)

    one, other = plate(0.0), plate(1.5)
    differs = np.abs(one.mask.astype(int) - other.mask).max(axis=0) > 40
    columns = np.flatnonzero(differs)
    right = one.char_quads[0][:, 0].max()
    assert len(columns) and columns.max() <= right + 1


def test_the_dense_characters_of_a_plate_are_of_one_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[tuple[str, float, Shape]] = []

    def noted(glyph: Any, *given: Any) -> Any:
        drawn.append((glyph[1], glyph[5].weight, given[4]))
        return tile_of(glyph, *given)

    monkeypatch.setattr(synth.render, "tile_of", noted)
    fields = grammar_of("jp/private").parse("品川300あ1234")
    looks = set()
    for n in range(12):
        drawn.clear()
        render(load_type("jp/private"), fields, 64, np.random.default_rng(n))
        (look,) = {(weight, shape.number) for char, weight, shape in drawn if not char.isascii()}
        assert all(shape == AS_DRAWN for char, _, shape in drawn if char.isascii())
        looks.add(look)
    assert len(looks) > 6  # and another on another plate
