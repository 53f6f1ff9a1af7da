"""Whether every character can still be seen: no label may name what a splash, glare or blur took away."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from synth.sample import Image, Points, Sample

POINTS = (8, 12)  # across and down a character's cell, where the two pictures are compared
ACROSS, DOWN = ((np.arange(count) + 0.5) / count for count in POINTS)
CORNERS = np.stack(  # K 4: how much of a cell's TL TR BR BL each point is
    [
        np.outer(DOWN if low else 1 - DOWN, ACROSS if right else 1 - ACROSS).ravel()
        for right, low in ((False, False), (True, False), (True, True), (False, True))
    ],
    axis=1,
).astype(np.float32)
FAINT = 6  # grey levels: a picture with less in it than that is not compared by its shape alone
NOISE = (len(CORNERS) * FAINT) ** 2  # on the scale of `spread`


def likeness(sample: Sample) -> NDArray[np.float64]:
    """How much each character in the picture resembles the clean one: 1 = the same, 0 = not at all.

    A correlation of grey levels, so lighter and darker pictures are as good as the clean one. A character
    that the clean plate hardly shows in grey is left alone. Sums of whole numbers are the same everywhere.
    """
    clean = looked_up(sample.plate.image, sample.plate.char_quads)
    taken = looked_up(sample.image, sample.char_quads)
    shown = spread(clean, clean)
    found = spread(clean, taken) / np.sqrt((shown + 1.0) * (spread(taken, taken) + float(NOISE)))
    return np.asarray(np.where(shown < NOISE, 1.0, found))


def looked_up(image: Image, quads: Points) -> NDArray[np.int64]:
    """N K: grey levels at the points of each cell."""
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    places = sum(CORNERS[:, n, None] * quads[:, None, n] for n in range(4)) - np.float32(0.5)
    return np.asarray(
        cv2.remap(grey, places, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.int64
    )


def spread(one: NDArray[np.int64], other: NDArray[np.int64]) -> NDArray[np.int64]:
    """N: what two cells have in common beyond their means: a covariance times the square of the points."""
    both: NDArray[np.int64] = (one * other).sum(axis=1) * len(CORNERS)
    return np.asarray(both - one.sum(axis=1) * other.sum(axis=1))
