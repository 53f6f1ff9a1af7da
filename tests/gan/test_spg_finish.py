"""What is drawn takes on the contrast and the grain of its source."""

from __future__ import annotations

import numpy as np
import pytest

from gan.outline import COUNT, GLYPHS, PLATE
from gan.spg.finish import contrast, finished, noise
from synth.sample import Image

SHAPE = (32, 128)


def planes(columns: range) -> Image:
    """A plate that fills the picture, with bars at these columns."""
    found: Image = np.zeros((*SHAPE, COUNT), np.uint8)
    found[..., PLATE] = 255
    for left in columns:
        found[8:24, left : left + 4, GLYPHS] = 255
    return found


def picture(of: Image, ink: float, rough: float) -> Image:
    rng = np.random.default_rng(0)
    values = 90 + of[..., GLYPHS, None] / 255.0 * ink + rough * rng.standard_normal((*SHAPE, 3))
    return np.asarray(np.rint(values).clip(0, 255), np.uint8)


OWN, ASKED = planes(range(10, 110, 20)), planes(range(16, 116, 20))
ALL: Image = np.full(SHAPE, 255, np.uint8)
MASK = np.ascontiguousarray(ASKED[..., GLYPHS])


@pytest.mark.parametrize("there", [75, 100, 130])
def test_characters_stand_out_as_the_sources_do(there: float) -> None:
    source, drawn = picture(OWN, 100, 2), picture(ASKED, there, 2)
    assert contrast(source, OWN) == pytest.approx(100, abs=2)
    assert contrast(finished(source, OWN, drawn, ALL, MASK, ASKED), ASKED) == pytest.approx(100, abs=3)


def test_what_is_far_off_is_left_to_the_network() -> None:
    done = finished(picture(OWN, 100, 0), OWN, picture(ASKED, 20, 0), ALL, MASK, ASKED)
    assert contrast(done, ASKED) == pytest.approx(28, abs=2)


def test_the_ground_is_as_rough_as_the_sources_and_the_same_each_time() -> None:
    source, drawn = picture(OWN, 100, 8), picture(ASKED, 100, 1)
    done = finished(source, OWN, drawn, ALL, MASK, ASKED)
    assert noise(drawn, ASKED) < 0.3 * noise(source, OWN) < 0.6 * noise(done, ASKED)
    assert np.array_equal(done, finished(source, OWN, drawn, ALL, MASK, ASKED))


def test_no_grain_is_taken_away() -> None:
    calm, rough = picture(OWN, 100, 1), picture(ASKED, 100, 8)
    done = finished(calm, OWN, rough, ALL, MASK, ASKED)
    assert noise(done, ASKED) == pytest.approx(noise(rough, ASKED), rel=0.1)


def test_a_plate_without_characters_is_left_alone() -> None:
    empty = planes(range(0))
    drawn = picture(empty, 0, 0)
    assert np.array_equal(finished(drawn, empty, drawn, ALL, np.zeros(SHAPE, np.uint8), empty), drawn)
