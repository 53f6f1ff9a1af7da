"""Alignments to look at: every crop enlarged, with the plate's rim and the contours of its characters."""

from __future__ import annotations

import math
from collections.abc import Sequence

import cv2
import numpy as np

from gan.align import Alignment
from gan.outline import warped
from synth.sample import Image

HEIGHT = 120  # of an enlarged crop
COLUMNS = 3
GAP = 4
GLYPHS, RIM, REFUSED, WORDS = (255, 40, 40), (255, 235, 0), (255, 140, 0), (120, 255, 120)


def overlay(crop: Image, found: Alignment, accepted: bool, words: str) -> Image:
    """A crop with its plate drawn on it: rim yellow, or orange where the alignment is refused."""
    times = HEIGHT / crop.shape[0]
    size = round(crop.shape[1] * times), HEIGHT
    picture = np.array(cv2.resize(crop, size, interpolation=cv2.INTER_CUBIC))
    larger = np.diag((size[0] / crop.shape[1], times, 1.0)) @ found.homography
    cover = warped(found.plate.mask, larger, size[::-1], 0)
    contours, _ = cv2.findContours(cv2.inRange(cover, 128, 255), cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(picture, contours, -1, GLYPHS, 1)
    rim = np.rint(found.corners * (size[0] / crop.shape[1], times) * 16 - 8).astype(np.int32)
    cv2.polylines(picture, [rim], True, RIM if accepted else REFUSED, 1, cv2.LINE_AA, 4)
    cv2.putText(picture, words, (3, HEIGHT - 4), cv2.FONT_HERSHEY_SIMPLEX, 0.4, WORDS, 1, cv2.LINE_AA)
    return np.asarray(picture)


def grid(pictures: Sequence[Image], columns: int = COLUMNS) -> Image:
    """Pictures in rows of `columns`, each in a cell as large as the largest."""
    height = max(picture.shape[0] for picture in pictures) + GAP
    width = max(picture.shape[1] for picture in pictures) + GAP
    canvas: Image = np.zeros((height * math.ceil(len(pictures) / columns), width * columns, 3), np.uint8)
    for n, picture in enumerate(pictures):
        top, left = height * (n // columns), width * (n % columns)
        canvas[top : top + picture.shape[0], left : left + picture.shape[1]] = picture
    return canvas
