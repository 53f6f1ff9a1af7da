"""From a quad in a scene to a plate: cut out upright, or set straight."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import ArrayLike

from synth.sample import Image, Points


def box_quad(x: float, y: float, width: float, height: float) -> Points:
    """The quad of an upright box."""
    return np.array([[x, y], [x + width, y], [x + width, y + height], [x, y + height]], np.float32)


def in_order(corners: ArrayLike) -> Points:
    """Four corners in any order as TL TR BR BL; right for plates turned by less than 45 degrees."""
    points = np.asarray(corners, np.float32).reshape(4, 2)
    angle = np.arctan2(*(points - points.mean(axis=0)).T[::-1])
    around = points[np.argsort(angle)]  # clockwise on the screen, where y points down
    first = int(np.argmin(around.sum(axis=1)))
    return np.roll(around, -first, axis=0)


def natural_size(quad: Points) -> tuple[int, int]:
    """(width, height) in pixels: the means of opposite sides."""
    top, right, bottom, left = np.linalg.norm(np.roll(quad, -1, axis=0) - quad, axis=1)
    return max(round(float(top + bottom) / 2), 1), max(round(float(left + right) / 2), 1)


def rectify(image: Image, quad: Points, width: int, height: int, margin: float = 0.0) -> Image:
    """The plate set straight, height x width; `margin` is the share of the plate's size shown around it."""
    dx, dy = width * margin / (1 + 2 * margin), height * margin / (1 + 2 * margin)
    target = np.array([[dx, dy], [width - dx, dy], [width - dx, height - dy], [dx, height - dy]], np.float32)
    # Our pixel centres are at +0.5, OpenCV's at 0.
    matrix = cv2.getPerspectiveTransform(np.asarray(quad, np.float32) - 0.5, target - 0.5)
    shrinks = natural_size(quad)[0] > 2 * width
    flags = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    moved = cv2.warpPerspective(image, matrix, (width, height), flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(moved, np.uint8)


def crop(image: Image, quad: Points, margin: float = 0.0) -> Image:
    """The upright box around a quad, cut at the picture's border; at least one pixel."""
    x0, y0, x1, y1 = box_around(image, quad, margin)
    return image[y0:y1, x0:x1]


def box_around(image: Image, quad: Points, margin: float = 0.0) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of the pixels that `crop` takes."""
    (left, top), (right, bottom) = quad.min(axis=0), quad.max(axis=0)
    dx, dy = (right - left) * margin, (bottom - top) * margin
    rows, columns = image.shape[:2]
    x0 = int(np.clip(np.floor(left - dx), 0, columns - 1))
    y0 = int(np.clip(np.floor(top - dy), 0, rows - 1))
    x1 = int(np.clip(np.ceil(right + dx), x0 + 1, columns))
    y1 = int(np.clip(np.ceil(bottom + dy), y0 + 1, rows))
    return x0, y0, x1, y1
