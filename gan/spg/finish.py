"""What an edit takes from its source once it is drawn: contrast of its characters, grain of its ground."""

from __future__ import annotations

import zlib

import cv2
import numpy as np
from numpy.typing import NDArray

from gan.outline import GLYPHS, PLATE
from synth.sample import Image

GRAIN = 1.2  # times the noise that the drawn ground lacks: crops are smaller than what is drawn
MOST = (0.7, 1.4)  # of the contrast that is drawn: what is further off is left to the network
AROUND = np.ones((3, 3), np.uint8)
COLOURED = np.float32(0.5)  # noise of each colour, for that of all
MEASURED = 0.75  # what `noise` says of grain of deviation 1
FAR = np.ones((5, 5), np.uint8)  # grain keeps off strokes
Planes = NDArray[np.uint8]
Where = NDArray[np.bool_]


def ground_of(planes: Planes) -> Where:
    """H W: on the plate and clear of its characters."""
    glyphs = np.ascontiguousarray(planes[..., GLYPHS])
    return (planes[..., PLATE] > 250) & (cv2.dilate(glyphs, AROUND) < 25)


def ink_of(planes: Planes) -> Where:
    """H W: the middle of strokes, where coverage is highest."""
    glyphs = planes[..., GLYPHS]
    return np.asarray(glyphs >= max(1, np.quantile(glyphs, 0.95)))


def contrast(picture: Image, planes: Planes) -> float:
    """Grey levels between ink and ground, 0 where a plate has none of either."""
    ink, ground = ink_of(planes), ground_of(planes)
    if not ink.any() or not ground.any():
        return 0.0
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    return abs(float(grey[ink].mean()) - float(grey[ground].mean()))


def finished(source: Image, own: Planes, drawn: Image, new: Image, mask: Image, asked: Planes) -> Image:
    """The drawing with the contrast and the grain of the source.

    Pictures H W 3, their planes H W COUNT; new and mask H W: how much is taken from the drawing, and its
    characters. The grain is drawn from the picture itself, so that the same edit has the same bytes.
    """
    share = new[..., None] / np.float32(255)

    def shown(picture: Image) -> Image:
        return np.asarray(np.rint(source + share * (picture.astype(np.float32) - source)), np.uint8)

    clear = as_clear(drawn, mask, asked, contrast(source, own), contrast(shown(drawn), asked))
    lacks = noise(source, own) ** 2 - noise(shown(clear), asked) ** 2
    return grainy(clear, asked, GRAIN * max(lacks, 0.0) ** 0.5)


def as_clear(drawn: Image, mask: Image, asked: Planes, wanted: float, there: float) -> Image:
    """The drawing with its characters further from, or nearer to, the colour of the ground."""
    if there < 1 or wanted < 1:
        return drawn
    times = min(max(wanted / there, MOST[0]), MOST[1])
    ground = drawn[ground_of(asked)].mean(0, dtype=np.float32)
    near = cv2.dilate(mask, AROUND)[..., None] / np.float32(255)
    return as_picture(drawn + near * np.float32(times - 1) * (drawn - ground))


def noise(picture: Image, planes: Planes) -> float:
    """Grey levels by which the ground differs from its own median nearby, in the mean."""
    ground = ground_of(planes)
    if not ground.any():
        return 0.0
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    return float(cv2.absdiff(grey, cv2.medianBlur(grey, 3))[ground].mean())


def grainy(drawn: Image, asked: Planes, level: float) -> Image:
    """The drawing with white noise of this level, as `noise` measures it, where no character is near."""
    if level < 0.1:
        return drawn
    rng = np.random.default_rng(zlib.crc32(drawn.tobytes()))
    grain = rng.standard_normal((*drawn.shape[:2], 1), np.float32)
    grain = grain + COLOURED * rng.standard_normal(drawn.shape, np.float32)
    clear = 1 - cv2.dilate(np.ascontiguousarray(asked[..., GLYPHS]), FAR)[..., None] / np.float32(255)
    return as_picture(drawn + clear * np.float32(level / MEASURED) * grain)


def as_picture(values: NDArray[np.float32]) -> Image:
    return np.asarray(np.rint(values).clip(0, 255), np.uint8)
