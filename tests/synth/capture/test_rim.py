"""Crops as detectors pad them: the pixels stay, the quads move with them, the others pass untouched."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from synth.capture.rim import Rim
from synth.errors import UserError
from synth.sample import Sample
from synth.template import Plan, Template


@pytest.fixture(scope="module")
def plates() -> list[Sample]:
    return Template(Plan(("cn/blue", "jp/private")), 64).batch(3, range(200))


def test_a_share_of_the_pictures_gets_a_rim_and_the_others_stay(plates: list[Sample]) -> None:
    assert all(one is other for one, other in zip(plates, Rim(0.0)(plates), strict=True))
    changed = [one is not other for one, other in zip(plates, Rim(0.3)(plates), strict=True)]
    assert 35 < sum(changed) < 85
    assert [sample.stages[-1]["name"] == "rim" for sample in Rim(0.3)(plates)] == changed


def test_pixels_and_quads_stay_together(plates: list[Sample]) -> None:
    for sample, done in zip(plates, Rim(1.0)(plates), strict=True):
        height, width = sample.image.shape[:2]
        left, top, right, bottom = (round(side * height) for side in done.stages[-1]["sides"])
        assert done.image.shape == (top + height + bottom, left + width + right, 3)
        assert done.alpha.shape == done.image.shape[:2]
        assert np.array_equal(done.image[top : top + height, left : left + width], sample.image)
        assert np.allclose(done.char_quads, sample.char_quads + np.array([left, top]), atol=1e-3)
        if (colour := done.stages[-1]["colour"]) is not None and top:
            assert (done.image[:top] == colour).all()


def test_a_given_size_is_kept_and_a_record_makes_the_same_picture(plates: list[Sample]) -> None:
    stage = Rim(1.0, size=(128, 64))
    masked = [replace(sample, mask=sample.image[:, :, 0]) for sample in plates]
    for sample, done in zip(masked, stage(masked), strict=True):
        assert done.image.shape == (64, 128, 3) and done.mask is not None
        assert done.alpha.shape == done.mask.shape == (64, 128)
        again = stage.replay(sample, done.stages[-1])
        assert np.array_equal(again.image, done.image) and again.stages == done.stages
        assert np.array_equal(again.quad, done.quad)
    alone = [stage([sample])[0] for sample in plates[:9]]
    assert all(np.array_equal(a.image, b.image) for a, b in zip(alone, stage(plates), strict=False))


def test_wrong_numbers_are_told() -> None:
    for wrong, key in (
        ({"share": 1.5}, "rim.share"),
        ({"width": (0.5, 0.1)}, "rim.width"),
        ({"size": (4,)}, "rim.size"),
    ):
        with pytest.raises(UserError, match=key):
            Rim(**{"share": 0.5, **wrong})  # type: ignore[arg-type]
