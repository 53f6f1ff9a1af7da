"""What a style is, in a few numbers that depend little on the text: colour, contrast, sharpness, noise."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from gan.outline import EDGES, GLYPHS, PLATE
from gan.spg.finish import ground_of, ink_of
from synth.sample import Image

MEASURES = ("lightness", "red to green", "yellow to blue", "contrast", "sharpness", "noise")
OF_GROUND = ("lightness", "red to green", "yellow to blue", "noise")  # those that need no characters
Numbers = NDArray[np.float64]


def probe(picture: Image, planes: NDArray[np.uint8]) -> Numbers:
    """The MEASURES of a plate, H W 3, whose own condition is H W COUNT.

    Colours are the ground's mean in Lab; contrast is in grey levels between ink and ground; sharpness the
    slope of strokes for that contrast; noise what the ground has beyond a smooth change.
    """
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32)
    lab = cv2.cvtColor(picture, cv2.COLOR_RGB2LAB).astype(np.float64)
    ground, ink = ground_of(planes), ink_of(planes)
    edges = (planes[..., EDGES] > 100) & (planes[..., PLATE] > 250)
    contrast = abs(mean_in(grey, ink) - mean_in(grey, ground))
    slope = np.hypot(cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1)) / 8
    rough = np.abs(grey - cv2.medianBlur(grey, 3))
    sharpness = mean_in(slope, edges) / max(contrast, 1.0)
    colours = [mean_in(lab[..., n], ground) for n in range(3)]
    return np.array([*colours, contrast, sharpness, mean_in(rough, ground)])


def beside(before: Image, after: Image, own: NDArray[np.uint8], asked: NDArray[np.uint8]) -> Numbers:
    """How far two pictures are apart on the ground that is free of both texts.

    Blur and coarse colour carry characters into the ground around them, so that even one picture measures
    differently where another text is said to stand; here it does not.
    """
    both = own.copy()
    both[..., GLYPHS] = np.maximum(own[..., GLYPHS], asked[..., GLYPHS])
    return probe(after, both) - probe(before, both)


def mean_in(values: NDArray[np.floating], where: NDArray[np.bool_]) -> float:
    """Of a region, or of everything where it is empty."""
    return float(values[where].mean() if where.any() else values.mean())


def kept(
    edits: Sequence[Numbers],
    one_style: Sequence[Numbers],
    crops: Sequence[Numbers],
    free: Sequence[Numbers],
) -> dict[str, dict[str, float]]:
    """How far edits are from their sources, beside two plates of one style and two crops at random.

    edits, one_style: differences of two probes; crops: probes; free: differences `beside` both texts.
    `within` is the share of edits no further from their source than 95 % of the plates of one style are from
    each other.
    """
    mine, same, between = (np.abs(np.stack(x)) for x in (edits, one_style, free))
    every = np.stack(crops)
    apart = np.abs(every - np.roll(every, len(every) // 2, axis=0))
    limit = np.quantile(same, 0.95, axis=0)
    found: dict[str, dict[str, float]] = {}
    for n, name in enumerate(MEASURES):
        found[name] = {
            "edits": float(np.median(mine[:, n])),
            "one_style": float(np.median(same[:, n])),
            "two_crops": float(np.median(apart[:, n])),
            "within": float(np.mean(mine[:, n] <= limit[n])),
        }
        if name in OF_GROUND:
            found[name]["beside"] = float(np.median(between[:, n]))
            found[name]["beside_within"] = float(np.mean(between[:, n] <= limit[n]))
    return found
