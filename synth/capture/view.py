"""Where the camera stands and what is cut out: pose, crop and resolution, as one homography.

A detector's crop is an axis-aligned box around a tilted plate, or one that follows the text too tightly.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from synth.capture.bend import bend_points
from synth.capture.effect import (
    Draw,
    Params,
    Span,
    between,
    choice,
    need_share,
    need_span,
    need_weights,
    short,
)
from synth.sample import Points, Sample

Matrix = NDArray[np.float64]
Corners = Sequence[Sequence[float]]  # points as plain numbers: numpy is slow on so few
Box = tuple[float, float, float, float]  # left, top, right, bottom
ONE_ROW = 90 / 440  # text height of a one-row plate in its widths: `width_px` speaks of such a plate
WORTH = 60  # rows of a photograph that shrinks to a small output
WORTH_STORED = 2.75  # pixels of one that is stored small, in pixels stored: shrinking aliases, as in CCPD
LARGE = (256, 64)  # but no more than these, or than are put out
SMALL = 0.8  # of its row: characters lower than that are what blur and pixels are measured by
LEAST_ROW_PX = 9  # text of a crop stored small keeps so many rows: fewer cannot be read by eye
ENLARGED = 1.25  # a crop stored small is enlarged by at least that much, else it is put out as it is
MAX_CUT = 0.12  # of the text height: what a crop may take off the text at one side, so that labels stay true
INTERPOLATIONS = (cv2.INTER_LINEAR, cv2.INTER_AREA, cv2.INTER_CUBIC, cv2.INTER_NEAREST)


@dataclass(frozen=True)
class Pose:
    """A camera that sees the plate from the side, above and askew."""

    view_deg: Span  # angle between the line of sight and the plate's normal
    azimuth_deg: Span  # direction of that angle in the picture: 0 = from the right, 90 = from below
    left_share: float  # of the plates, how many are seen from the left: the same, mirrored
    roll_deg: Span
    distance: Span  # in plate widths: small = strong perspective

    def __post_init__(self) -> None:
        need_span("pose.view_deg", self.view_deg, 0, 75)
        need_span("pose.azimuth_deg", self.azimuth_deg, -360, 360)
        need_span("pose.roll_deg", self.roll_deg, -180, 180)
        need_span("pose.distance", self.distance, 1.5)
        need_share("pose.left_share", self.left_share)

    def sample(self, draw: Draw, severity: float) -> Params:
        view = between(draw, self.view_deg, (0.5 + 0.5 * severity))
        roll = between(draw, self.roll_deg, draw() * (0.5 + 0.5 * severity))
        azimuth, left = between(draw, self.azimuth_deg), draw() < self.left_share
        if left:
            azimuth, roll = short(180 - azimuth), -roll
        return {
            "view_deg": view,
            "azimuth_deg": azimuth,
            "roll_deg": roll,
            "distance": between(draw, self.distance),
        }


@dataclass(frozen=True)
class Crop:
    """The box a detector cuts out: around the plate, or around the text and into it, or far too large."""

    margin: Span  # beyond the plate's box, in its heights; drawn for each side
    tight: float  # share that is cut around the text
    text_margin: Span  # beyond the text's box, in text heights
    stretch: Span  # width of the picture against its true width
    loose: float = 0.0  # share that is cut generously
    loose_margin: Span = (0.1, 0.8)  # beyond the plate's box, in its heights

    def __post_init__(self) -> None:
        need_share("crop.tight", self.tight)
        need_share("crop.loose", self.loose)
        need_share("crop.tight + crop.loose", self.tight + self.loose)
        need_span("crop.margin", self.margin, -0.3, 2)
        need_span("crop.loose_margin", self.loose_margin, -0.3, 2)
        need_span("crop.text_margin", self.text_margin, -MAX_CUT, 2)
        need_span("crop.stretch", self.stretch, 0.3, 3)

    def sample(self, draw: Draw, severity: float) -> Params:
        kind = draw()
        tight, loose = kind < self.tight, self.tight <= kind < self.tight + self.loose
        span = self.text_margin if tight else self.loose_margin if loose else self.margin
        sides = [between(draw, span) for _ in range(4)]
        return {
            "around": "text" if tight else "plate",
            "sides": sides,
            "stretch": between(draw, self.stretch),
        }


@dataclass(frozen=True)
class Resolution:
    """How many pixels the photograph has across a one-row plate, and how they become those of the crop."""

    width_px: Span
    low: float  # share of photographs below the middle of the range
    weights: Sequence[float]  # of linear, area, cubic, nearest
    rows: Span = (1.0, 1.0)  # picture lines against columns: an interlaced camera has half of them

    def __post_init__(self) -> None:
        need_span("resolution.width_px", self.width_px, 20)
        need_span("resolution.rows", self.rows, 0.3, 1)
        need_share("resolution.low", self.low)
        need_weights("resolution.weights", self.weights, "linear, area, cubic, nearest")

    def sample(self, draw: Draw, severity: float) -> Params:
        small, large = math.log(self.width_px[0]), math.log(self.width_px[1])
        middle = math.log((self.width_px[0] + self.width_px[1]) / 2)
        if draw() < self.low * (0.2 + 1.6 * severity):
            width = math.exp(between(draw, (small, middle)))
        else:
            width = math.exp(between(draw, (middle, large)))
        interpolation = choice(draw, self.weights)
        return {"width_px": short(width), "rows": between(draw, self.rows), "interpolation": interpolation}


@dataclass(frozen=True)
class View:
    """The geometry of one sample: from the plate to the photograph's crop, and to the picture put out."""

    to_photo: Matrix
    photo: tuple[int, int]  # width, height of the crop in pixels of the photograph
    output: tuple[int, int]
    row_px: float  # height in the photograph of the least high row, or of much smaller characters
    interpolation: int
    stored: tuple[int, int] | None  # size of a crop that was stored small on its way
    quad: Points  # of the plate, its rows and characters, in the picture put out
    row_quads: Points
    char_quads: Points


def projection(params: Params, quad: Corners) -> Matrix:
    """3x3: pixels of the plate -> the picture plane, the plate's height as unit, its centre as origin."""
    left, top, right, bottom = extent(quad)
    x, y, width, height = (left + right) / 2, (top + bottom) / 2, right - left, bottom - top
    view, azimuth, roll = (math.radians(params[key]) for key in ("view_deg", "azimuth_deg", "roll_deg"))
    ax, ay, short = math.cos(azimuth), math.sin(azimuth), 1 - math.cos(view)
    # foreshortened along the azimuth, then turned in the picture
    m = ((1 - short * ax * ax, -short * ax * ay), (-short * ax * ay, 1 - short * ay * ay))
    c, s = math.cos(roll), math.sin(roll)
    a, b = (c * m[0][0] - s * m[1][0]) / height, (c * m[0][1] - s * m[1][1]) / height
    d, e = (s * m[0][0] + c * m[1][0]) / height, (s * m[0][1] + c * m[1][1]) / height
    depth = -math.sin(view) / (params["distance"] * width)  # the side the camera stands on is nearer
    g, h = depth * ax, depth * ay
    return np.array([[a, b, -a * x - b * y], [d, e, -d * x - e * y], [g, h, 1 - g * x - h * y]])


def lain(pose: Params, quad: Points) -> Matrix:
    """3x3: pixels of the plate -> the plane of a crop in which it lies so, the crop's height as unit."""
    corners = np.asarray(pose["corners"], np.float32) * np.array([pose["aspect"], 1], np.float32)
    return np.asarray(cv2.getPerspectiveTransform(quad, corners), np.float64)


def extent(points: Corners) -> Box:
    """Left, top, right, bottom."""
    x, y = zip(*points, strict=True)
    return min(x), min(y), max(x), max(y)


def crop_box(params: Params, plate: Box, text: Box, text_height: float) -> Box:
    """The crop's box in the picture plane; it never takes more than MAX_CUT off the text."""
    sides = params["sides"]
    base, unit = (text, text_height) if params["around"] == "text" else (plate, plate[3] - plate[1])
    cut = MAX_CUT * text_height
    return (
        min(base[0] - sides[0] * unit, text[0] + cut),
        min(base[1] - sides[1] * unit, text[1] + cut),
        max(base[2] + sides[2] * unit, text[2] - cut),
        max(base[3] + sides[3] * unit, text[3] - cut),
    )


def text_height(rows: Sequence[Corners], characters: Sequence[Corners]) -> float:
    """Height of the least high row; less where a character is far smaller than its row (WJ plates)."""
    return min(least_height(rows), least_height(characters) / SMALL)


def least_height(quads: Sequence[Corners]) -> float:
    """The mean of its two upright edges."""
    return min((math.dist(q[0], q[3]) + math.dist(q[1], q[2])) / 2 for q in quads)


def view_of(sample: Sample, params: Params, height_px: int, size: tuple[int, int] | None) -> View:
    """The geometry that the recorded numbers `pose`, `crop`, `resolution` and `bend` give this sample."""
    lies = params["pose"].get("corners")
    to_plane = lain(params["pose"], sample.quad) if lies else projection(params["pose"], sample.quad.tolist())
    points = np.concatenate([sample.quad[None], sample.row_quads, sample.char_quads])
    if "bend" in params:
        points = bend_points(points, params["bend"], sample.quad)
    plane = cv2.perspectiveTransform(points.reshape(1, -1, 2).astype(np.float64), to_plane).reshape(-1, 4, 2)
    plate, *quads = plane.tolist()
    rows, characters = quads[: len(sample.row_quads)], quads[len(sample.row_quads) :]
    row, text = least_height(rows), extent([point for row in rows for point in row])
    least = text_height(rows, characters)
    box = crop_box(params["crop"], extent(plate), text, row)
    left, top, right, bottom = (0.0, 0.0, params["pose"]["aspect"], 1.0) if lies else box
    width, height = right - left, bottom - top
    stretch = 1.0 if lies else params["crop"]["stretch"]
    output = size or (max(8, round(height_px * width / height * stretch)), height_px)
    resolution = params["resolution"]
    scale = resolution["width_px"] * ONE_ROW / least
    stored = stored_size(params, output, least / height)
    most = most_pixels(output, stored)
    photo = fitted(width * scale, most[0]), fitted(height * scale * resolution["rows"], most[1])
    out = ((plane - (left, top)) * (output[0] / width, output[1] / height)).astype(np.float32)
    return View(
        to_photo=onto((left, top, width, height), photo) @ to_plane,
        photo=photo,
        output=output,
        row_px=least * min(scale, most[1] / height),
        interpolation=INTERPOLATIONS[resolution["interpolation"]],
        stored=stored,
        quad=out[0],
        row_quads=out[1 : 1 + len(sample.row_quads)],
        char_quads=out[1 + len(sample.row_quads) :],
    )


def most_pixels(output: tuple[int, int], stored: tuple[int, int] | None) -> tuple[float, float]:
    """Width and height above which a photograph is not worth its time: what is put out shows no more."""
    if stored is None:
        enough = max(1.0, WORTH / output[1])  # small outputs shrink from WORTH rows
        return output[0] * enough, output[1] * enough
    width, height = (min(WORTH_STORED * a, max(b, c)) for a, b, c in zip(stored, output, LARGE, strict=True))
    return width, height


def stored_size(params: Params, output: tuple[int, int], text_share: float) -> tuple[int, int] | None:
    """Width and height a crop was stored at, None where it was not; `text_share`: one row in the height."""
    if "thumbnail" not in params:
        return None
    small = params["thumbnail"]
    height = max(small["height_px"], math.ceil(LEAST_ROW_PX / text_share))
    width = min(round(height * small["aspect"]), output[0])
    return (width, height) if height * ENLARGED <= output[1] else None


def fitted(length: float, most: float) -> int:
    """A length in whole pixels."""
    return max(8, round(min(length, most)))


def onto(box: tuple[float, float, float, float], size: tuple[int, int]) -> Matrix:
    """3x3: a box (left, top, width, height) -> a picture of this size."""
    left, top, width, height = box
    x, y = size[0] / width, size[1] / height
    return np.array([[x, 0, -left * x], [0, y, -top * y], [0, 0, 1]])
