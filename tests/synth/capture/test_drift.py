"""Phones turn blue further than yellow, green and red."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from synth.capture.effect import Picture
from synth.capture.grade import Grade

PARAMS = {
    **{"gain": 1.0, "cast": [1.0, 1.0, 1.0], "saturation": 1.0, "hue_deg": -30.0},
    **{"haze": 0.0, "haze_level": 120, "gamma": 1.0, "punch": 0.0, "tint": [0.0, 0.0, 0.0]},
}
SPAN = (0.0, 1.0)
GRADE = Grade((1, 1), (1, 1), (1, 1), (1, 1), (1, 1), (-30, 30), (0, 0), SPAN, (1, 1), (0, 0), tint=0.0)


def turn(colour: tuple[int, int, int]) -> float:
    """How many degrees of hue a flat picture of this colour is turned by."""
    picture = np.full((12, 36, 3), colour, np.uint8)
    hues = [
        float(cv2.cvtColor(image, cv2.COLOR_RGB2HSV_FULL)[0, 0, 0]) * 360 / 256
        for image in (picture, GRADE.apply(Picture(picture, 12.0), PARAMS).image)
    ]
    return abs((hues[1] - hues[0] + 180) % 360 - 180)


def test_blue_drifts_and_the_others_keep_their_name() -> None:
    blue = turn((40, 70, 170))
    assert blue > 20
    for colour in ((235, 175, 30), (60, 160, 90), (180, 40, 40)):
        assert turn(colour) < 18  # of hue; STEADY * 30 in the plane it turns in


def test_grey_stays_grey() -> None:
    picture = np.full((12, 36, 3), 90, np.uint8)
    drawn = GRADE.apply(Picture(picture, 12.0), PARAMS).image
    assert int(drawn.max()) - int(drawn.min()) <= 1
    assert float(drawn.mean()) == pytest.approx(90, abs=1)
