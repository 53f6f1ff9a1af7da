"""The condition of the generators: what a plate looks like before any camera, drawn and never detected.

Training and inference draw it here, from a clean render and the homography that lays it on the crop. Planes:

    0    edges    of plate, border, marks, slots and glyphs (rims and holes alike), lines one pixel wide
    1    glyphs   coverage of the characters
    2    plate    coverage of the plate
    3-5  ground   RGB paint of the plate without its text: gradients, panels, border, marks; grey outside
    6-8  ink      RGB of the character that is or would be here; grey outside

Colours are planes inside the plate only. So a gradient, a second panel or a red last letter is said where it
is, and what lies around a plate cannot depend on the plate's colour.
"""

from __future__ import annotations

import functools
import math

import cv2
import numpy as np
from numpy.typing import NDArray

from synth.layout import Frame, lay_out
from synth.render import Plate
from synth.sample import Image, Points
from synth.spec import PlateType

PLANES = ("edges", "glyphs", "plate", "ground r", "ground g", "ground b", "ink r", "ink g", "ink b")
COUNT = len(PLANES)
EDGES, GLYPHS, PLATE, GROUND, INK = 0, 1, 2, slice(3, 6), slice(6, 9)
GREY = 128  # colour planes beyond the plate: 0 in [-1, 1]

FINE = 2  # coverage is warped this much larger, so that thin strokes neither alias nor vanish
FOLDED = 0.67  # output pixels a source pixel: below this, the source is shrunk by area before the warp
RIM = np.ones((3, 3), np.uint8)  # two fine pixels on each contour: one of the crop's
CENTRES = np.array(
    [[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1]]
)  # pixel centres, which cv2 counts from, -> pixel edges
TO_CENTRES = np.array([[1, 0, -0.5], [0, 1, -0.5], [0, 0, 1]])

Matrix = NDArray[np.float64]


def condition(plate: Plate, homography: Matrix, size: tuple[int, int]) -> Image:
    """H W COUNT uint8 of a crop of `size` (height, width); `homography` maps plate pixels to crop pixels.

    Points are pixel edges, as in every quad: the centre of the first pixel is at 0.5.
    """
    height, width = size
    to_fine = np.diag((FINE, FINE, 1.0)) @ homography
    layers = cv2.merge((plate.mask, plate.ground.structure, plate.alpha, plate.alpha))  # 4 warp faster than 3
    fine = warped(layers, to_fine, (height * FINE, width * FINE), 0)
    lines = cv2.resize(
        cv2.morphologyEx(fine, cv2.MORPH_GRADIENT, RIM), (width, height), interpolation=cv2.INTER_AREA
    )
    cover = cv2.resize(fine, (width, height), interpolation=cv2.INTER_AREA)
    ground = warped(plate.ground.image, homography, size, GREY)
    glyphs, _, inside, _ = cv2.split(cover)
    edges = functools.reduce(cv2.max, cv2.split(lines)[:3])
    return np.asarray(cv2.merge((edges, glyphs, inside, ground, ink_planes(plate, homography, inside))))


def warped(picture: Image, homography: Matrix, size: tuple[int, int], outside: int | None) -> Image:
    """A picture through a homography between pixel edges, anti-aliased by area where it shrinks.

    `outside` fills what lies beyond it; None repeats its rim.
    """
    height, width = picture.shape[:2]
    ratio = scale_at(homography, width / 2, height / 2)
    if ratio < FOLDED:
        small = max(1, round(width * ratio)), max(1, round(height * ratio))
        picture = cv2.resize(picture, small, interpolation=cv2.INTER_AREA)
        homography = homography @ np.diag((width / small[0], height / small[1], 1.0))
    matrix = TO_CENTRES @ homography @ CENTRES
    mode = cv2.BORDER_REPLICATE if outside is None else cv2.BORDER_CONSTANT
    fill = (outside or 0,) * 4
    return np.asarray(
        cv2.warpPerspective(
            picture, matrix, size[::-1], flags=cv2.INTER_LINEAR, borderMode=mode, borderValue=fill
        )
    )


def scale_at(homography: Matrix, x: float, y: float) -> float:
    """Pixels out a pixel in at one point: the root of the Jacobian's determinant."""
    (a, b, c), (d, e, f), (g, h, i) = homography.tolist()
    w = g * x + h * y + i
    return math.sqrt(abs((a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g)) / w**3))


def ink_planes(plate: Plate, homography: Matrix, inside: Image) -> Image:
    """H W 3: the text's colour inside the plate; where a type has several inks, that of the nearest place."""
    frame, _ = lay_out(plate.type, plate.fields)
    inks = {box.ink for box in frame.boxes}
    if len(inks) == 1:
        ramp = blend(plate.type.colours[inks.pop()])
        return np.asarray(cv2.LUT(cv2.merge((inside,) * 3), ramp))
    shape = plate.image.shape[0], plate.image.shape[1]
    paint = warped(ink_map(plate.type, frame, plate.scale, shape), homography, inside.shape[:2], None)
    alpha = inside[..., None] / np.float32(255)
    return np.asarray(np.rint(GREY + (paint - np.float32(GREY)) * alpha), np.uint8)


@functools.lru_cache(maxsize=256)
def blend(colour: tuple[int, int, int]) -> NDArray[np.uint8]:
    """1 256 3: from grey to a colour, by coverage."""
    cover = np.linspace(0, 1, 256)[None, :, None]
    return np.asarray(np.rint(GREY + (np.array(colour) - GREY) * cover), np.uint8)


@functools.lru_cache(maxsize=256)
def ink_map(plate: PlateType, frame: Frame, scale: float, shape: tuple[int, int]) -> Image:
    """H W 3: every place painted in its ink, out to half way to its neighbours."""
    x = (np.arange(shape[1]) + 0.5)[None, :, None] / scale
    y = (np.arange(shape[0]) + 0.5)[:, None, None] / scale
    left, top, w, h = (np.array([getattr(box, key) for box in frame.boxes]) for key in "xywh")
    beyond_x = np.maximum(np.maximum(left - x, x - left - w), 0)
    beyond_y = np.maximum(np.maximum(top - y, y - top - h), 0)
    nearest = np.argmin(beyond_x + beyond_y, axis=2)
    return np.array([plate.colours[box.ink] for box in frame.boxes], np.uint8)[nearest]


def onto(plate: Plate, quad: Points) -> Matrix:
    """The homography that lays a plate on a quad (4 2: TL TR BR BL) of a crop."""
    return np.asarray(cv2.getPerspectiveTransform(plate.quad, np.asarray(quad, np.float32)), np.float64)


def upright(plate: Plate, size: tuple[int, int], margin: float = 0.04) -> Matrix:
    """The homography that fills a crop of `size` (height, width), less a margin at each side."""
    height, width = size
    x, y = margin * width, margin * height
    return onto(
        plate, np.array([(x, y), (width - x, y), (width - x, height - y), (x, height - y)], np.float32)
    )
