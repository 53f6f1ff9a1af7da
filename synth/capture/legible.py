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
ONES = np.ones(len(CORNERS), np.float32)
FAINT = 6.0  # grey levels: a picture with less in it than that is not compared by its shape alone
NOISE = np.float32(len(CORNERS) * FAINT**2)


def likeness(sample: Sample) -> NDArray[np.float32]:
    """How much each character in the picture resembles the clean one: 1 = the same, 0 = not at all.

    A correlation of grey levels, so lighter and darker pictures are as good as the clean one.
    """
    places = np.matmul(CORNERS, np.concatenate((sample.plate.char_quads, sample.char_quads))) - np.float32(
        0.5
    )
    count = len(sample.char_quads)
    clean, taken = looked_up(sample.plate.image, places[:count]), looked_up(sample.image, places[count:])
    clean -= (clean @ ONES)[:, None] / np.float32(len(ONES))
    taken -= (taken @ ONES)[:, None] / np.float32(len(ONES))
    power = np.square(clean) @ ONES * (np.square(taken) @ ONES + NOISE)
    return np.asarray((clean * taken) @ ONES / np.sqrt(power + 1))


def looked_up(image: Image, places: Points) -> NDArray[np.float32]:
    """N K: grey levels at places of the picture."""
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    return np.asarray(
        cv2.remap(grey, places, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.float32
    )
