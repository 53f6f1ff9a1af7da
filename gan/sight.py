"""What of a drawing the crops can tell: it is made larger than they are, and judged at their size.

Crops of 94x24 say nothing about what is finer than their pixels. Enlarged to the size that a generator works
at they would teach it their blur, which shrinking its drawings then doubles: that, more than anything else,
told drawings from crops. So a drawing is shrunk as the stage shrinks it, and crops are judged as they are.
"""

from __future__ import annotations

import functools

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from synth.sample import Image

SHRINK = cv2.INTER_LANCZOS4  # of drawings, here and in the stage


@functools.lru_cache(maxsize=64)
def matrix(given: int, wanted: int, interpolation: int) -> Tensor:
    """wanted given: what `cv2.resize` makes of a column."""
    columns = np.eye(given, dtype=np.float32)
    return torch.from_numpy(cv2.resize(columns, (given, wanted), interpolation=interpolation))


def resized(x: Tensor, size: tuple[int, int], interpolation: int) -> Tensor:
    """N C H W -> N C h w as `cv2.resize` does it, with a gradient."""
    height, width = x.shape[2:]
    if (height, width) == size:
        return x
    down = matrix(height, size[0], interpolation).to(x)
    across = matrix(width, size[1], interpolation).to(x)
    return down @ x @ across.T


def shrunk(drawing: Tensor, size: tuple[int, int]) -> Tensor:
    """A drawing at the size of the crops."""
    return resized(drawing, size, SHRINK)


def told(planes: Tensor, size: tuple[int, int]) -> Tensor:
    """A condition at the size of the crops."""
    return resized(planes, size, cv2.INTER_AREA)


def enlarged(crop: Tensor, size: tuple[int, int]) -> Tensor:
    """A crop at the size that is worked at."""
    return resized(crop, size, cv2.INTER_CUBIC)


def blurred(x: Tensor, reach: int) -> Tensor:
    """N C H W, means of boxes that reach so many pixels to each side."""
    return F.avg_pool2d(F.pad(x, (reach,) * 4, mode="replicate"), 2 * reach + 1, 1)


def light_and_colour(picture: Tensor) -> tuple[Tensor, Tensor]:
    """N 3 H W -> its light N 1 H W, and its colour N 3 H W, which is the rest."""
    light = 0.299 * picture[:, 0:1] + 0.587 * picture[:, 1:2] + 0.114 * picture[:, 2:3]
    return light, picture - light


def covering(where: Tensor, like: Tensor) -> Tensor:
    """A region, N 1 H W bool, at the size of a picture."""
    if where.shape[2:] == like.shape[2:]:
        return where
    return F.interpolate(where.float(), like.shape[2:]) > 0.5


def size_of(x: Tensor) -> tuple[int, int]:
    return x.shape[2], x.shape[3]


def fitted(picture: Image, size: tuple[int, int]) -> Image:
    """H W ... of `size` (height, width).

    There and back again: crops of 24x94 by way of 32x128 keep 43 dB with Lanczos, 31 dB with area, which
    blurs a small shrinking by a whole pixel.
    """
    if picture.shape[:2] == size:
        return picture
    folds = 4 * size[0] * size[1] < picture.shape[0] * picture.shape[1]
    how = cv2.INTER_AREA if folds else cv2.INTER_LANCZOS4
    return np.asarray(cv2.resize(picture, size[::-1], interpolation=how), np.uint8)
