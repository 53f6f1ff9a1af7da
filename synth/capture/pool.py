"""Pictures drawn once a process and used in many samples: noise, blotches. Each follows from its number."""

from __future__ import annotations

import functools

import cv2
import numpy as np

from synth.sample import Image
from synth.seeding import rng_for

POOL_SIZE = (256, 448)  # height, width
NOISE_SIGMA = 32.0  # grey levels of noise in the pool
NOISE_POOLS = 24  # 0.3 MB each
BLOTCH_POOLS = 16


def window(picture: Image, x: float, y: float, height: int, width: int) -> Image:
    """A cut of a pool picture; x and y in [0, 1) say where. A picture smaller than the cut is repeated."""
    have_h, have_w = picture.shape[:2]
    if height >= have_h or width >= have_w:
        picture = cv2.copyMakeBorder(picture, 0, height, 0, width, cv2.BORDER_REFLECT_101)
        have_h, have_w = picture.shape[:2]
    top, left = int(y * (have_h - height)), int(x * (have_w - width))
    return picture[top : top + height, left : left + width]


@functools.cache
def noise(number: int) -> Image:
    """H W 3, mean 128, deviation 32: every third white, in soft blotches of colour, and in wide ones."""
    rng = rng_for(number, 0, "capture/noise")
    height, width = POOL_SIZE
    luma = rng.standard_normal((height, width, 1), np.float32)
    chroma = rng.standard_normal((height, width, 3), np.float32)
    if number % 3 == 1:
        luma = cv2.GaussianBlur(luma, (0, 0), 0.9)[..., None]
        chroma = cv2.GaussianBlur(chroma, (0, 0), 3.0)
    elif number % 3 == 2:
        chroma = cv2.GaussianBlur(chroma, (0, 0), 6.0)
    luma, chroma = luma / luma.std(), chroma / chroma.std()
    share = 0.5 + 0.45 * float(rng.random())
    mixed = luma * (1 - share) + chroma * share
    mixed *= NOISE_SIGMA / mixed.std()
    return np.clip(np.rint(mixed + 128), 0, 255).astype(np.uint8)


@functools.cache
def blotches(number: int) -> Image:
    """H W: smooth random clouds from 0 (clean) to 255 (covered), half of the picture clean."""
    rng = rng_for(number, 0, "capture/blotches")
    height, width = POOL_SIZE
    total = np.zeros((height, width), np.float32)
    for size, weight in ((40.0, 1.0), (14.0, 0.6), (4.0, 0.35), (1.2, 0.2)):
        layer = cv2.GaussianBlur(rng.standard_normal((height, width), np.float32), (0, 0), size)
        total += weight * layer / layer.std()
    total = (total - np.median(total)) / (2.2 * total.std())
    return (np.clip(total, 0, 1) * 255).astype(np.uint8)
