"""Crops as other cameras, other codecs and other detectors would have given them: how much a reader stands.

Each change is one step that a reader meets in practice and that a labelled set shows too little of. None is
drawn at random but the noise, and that from the number of the picture, so two readers see the same pixels.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping

import cv2
import numpy as np

from synth.sample import Image
from synth.seeding import rng_for

Change = Callable[[Image, int], Image]  # a crop and its number -> the crop changed
GREY = 114  # of a flat rim, as detectors pad
ROWS = 36  # of a crop for which the blur is given


def coded(quality: int, image: Image, number: int) -> Image:
    """Stored once more as JPEG."""
    bgr = cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
    _, data = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.cvtColor(cv2.imdecode(data, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB))


def smaller(share: float, image: Image, number: int) -> Image:
    """Taken from farther away."""
    height, width = (max(1, round(side * share)) for side in image.shape[:2])
    return np.asarray(cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA))


def blurred(sigma: float, image: Image, number: int) -> Image:
    """Out of focus; `sigma` is in pixels of a crop of 36 rows."""
    return np.asarray(cv2.GaussianBlur(image, (0, 0), sigma * image.shape[0] / ROWS))


def turned(degrees: float, image: Image, number: int) -> Image:
    """Cut out of a picture that was turned, the edge drawn on beyond it."""
    height, width = image.shape[:2]
    turn = cv2.getRotationMatrix2D((width / 2 - 0.5, height / 2 - 0.5), degrees, 1.0)
    return np.asarray(
        cv2.warpAffine(image, turn, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    )


def rimmed(heights: float, image: Image, number: int) -> Image:
    """With flat grey on every side."""
    rim = round(heights * image.shape[0])
    return np.asarray(
        cv2.copyMakeBorder(image, rim, rim, rim, rim, cv2.BORDER_CONSTANT, value=(GREY, GREY, GREY))
    )


def grey(image: Image, number: int) -> Image:
    """By a camera without colours."""
    return np.asarray(cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB))


def lit(gain: float, image: Image, number: int) -> Image:
    """Exposed longer, or shorter; what is brighter than white stays white."""
    return np.clip(image.astype(np.float32) * gain + 0.5, 0, 255).astype(np.uint8)


def noisy(levels: float, image: Image, number: int) -> Image:
    """With noise of this deviation in every value."""
    noise = rng_for(0, number, "noise").standard_normal(image.shape, dtype=np.float32) * levels
    return np.clip(np.rint(image + noise), 0, 255).astype(np.uint8)


CHANGES: Mapping[str, Change] = {
    "JPEG 30": functools.partial(coded, 30),
    "JPEG 15": functools.partial(coded, 15),
    "0.6 of the size": functools.partial(smaller, 0.6),
    "blurred by 1.2 px of 36": functools.partial(blurred, 1.2),
    "turned by 4 degrees": functools.partial(turned, 4.0),
    "turned by -4 degrees": functools.partial(turned, -4.0),
    "0.3 heights of grey around": functools.partial(rimmed, 0.3),
    "in grey": grey,
    "1.6 times as bright": functools.partial(lit, 1.6),
    "half as bright": functools.partial(lit, 0.5),
    "noise of 12 levels": functools.partial(noisy, 12.0),
}
