"""What is around a plate: paint, black plastic, grilles, bumper edges, drawn in the plane of the plate.

Seams and bars run along the plate on a real car, so it is laid out there and the camera tilts both.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

import cv2
import numpy as np

from synth.capture.effect import Draw, Params, Span, between, choice, need_share, need_span, place, whole
from synth.capture.pool import window
from synth.sample import Image
from synth.seeding import rng_for

POOLS = 48  # pictures, 0.4 MB each
CORNER = 0.2  # of a plate's height: how round its corners may be
TEXTURE_SIZE = (224, 608)  # height, width, for a plate 64 pixels high
PAINTS = (  # a car's colours and how common they are; dark plastic is what most plates are screwed to
    ((18, 18, 20), 0.26),
    ((46, 47, 50), 0.20),
    ((205, 206, 208), 0.17),
    ((140, 143, 148), 0.16),
    ((92, 94, 98), 0.13),
    ((98, 30, 32), 0.025),
    ((34, 44, 74), 0.03),
    ((92, 80, 62), 0.03),
    ((40, 70, 50), 0.015),
)


@dataclass(frozen=True)
class Background:
    """A picture from the pool, and a darker recess the plate sits in."""

    light: Span  # factor on its light
    recess: float  # share of plates in one
    recess_width: Span  # beyond the plate's edge, in its heights; drawn for each side

    def __post_init__(self) -> None:
        need_span("background.light", self.light, 0.05, 10)
        need_share("background.recess", self.recess)
        need_span("background.recess_width", self.recess_width, 0, 2)

    def sample(self, draw: Draw, severity: float) -> Params:
        params = place(draw, POOLS)
        params["light"] = between(draw, self.light)
        if draw() < self.recess:
            params["recess"] = [between(draw, self.recess_width) for _ in range(4)]
            params["grey"] = whole(draw, 5, 80)
        return params


def lay_background(params: Params, height: int, width: int, plate: tuple[int, int, int, int]) -> Image:
    """A picture of this size to put the plate on; `plate`: left, top, width, height of its place.

    What the plate will cover is left as it is: no light falls on it.
    """
    zoom = plate[3] / 64
    need_h, need_w = max(1, round(height / zoom)), max(1, round(width / zoom))
    cut = window(texture(params["pool"]), params["x"], params["y"], need_h, need_w)
    image = cut.copy() if cut.shape[:2] == (height, width) else np.asarray(cv2.resize(cut, (width, height)))
    for part in around(image, plate):
        cv2.convertScaleAbs(part, part, params["light"])
    if "recess" in params:
        left, top, w, h = plate
        sides = [round(side * h) for side in params["recess"]]
        grey = params["grey"]
        corner = (left - sides[0], top - sides[1])
        cv2.rectangle(image, corner, (left + w + sides[2], top + h + sides[3]), (grey, grey, grey), -1)
    return np.asarray(image)


def around(image: Image, plate: tuple[int, int, int, int]) -> tuple[Image, ...]:
    """The parts above, below, left and right of a plate and under its round corners."""
    left, top, width, height = plate
    rim = round(CORNER * height)
    up, down, right = top + rim, top + height - rim, left + width - rim
    return image[:up], image[down:], image[up:down, : left + rim], image[up:down, right:]


@functools.cache
def texture(number: int) -> Image:
    """One picture of the pool."""
    rng = rng_for(number, 0, "capture/background")
    height, width = TEXTURE_SIZE
    image = bands(rng, height, width)
    for _ in range(int(rng.integers(0, 4))):
        seam(rng, image)
    kind = choice(rng.random, (0.62, 0.2, 0.18))
    if kind == 1:
        bars(rng, image)
    elif kind == 2:
        clutter(rng, image)
    image = cv2.GaussianBlur(image, (0, 0), between(rng.random, (0.6, 2.5)))
    image += rng.standard_normal((height, width, 1), np.float32) * between(rng.random, (0.5, 4))
    return np.clip(np.rint(image), 0, 255).astype(np.uint8)


def paint(rng: np.random.Generator) -> np.ndarray:
    """A car's colour under some light."""
    colour = np.array(PAINTS[choice(rng.random, [weight for _, weight in PAINTS])][0], np.float32)
    return np.clip(colour * between(rng.random, (0.6, 1.25)) + rng.normal(0, 4, 3), 0, 255).astype(np.float32)


def bands(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    """H W 3 float: one to three horizontal bands of paint, each graded from top to bottom and along."""
    edges = sorted(rng.random(int(rng.integers(0, 3))) * height)
    image = np.empty((height, width, 3), np.float32)
    tilt = between(rng.random, (-0.06, 0.06)) * (np.arange(width, dtype=np.float32) - width / 2)
    y = np.arange(height, dtype=np.float32)[:, None] + tilt
    image[:] = shaded(rng, y, height)
    for edge in edges:
        below = np.clip(y - edge, 0, 1)[..., None]
        image += (shaded(rng, y, height) - image) * below
    return image


def shaded(rng: np.random.Generator, y: np.ndarray, height: int) -> np.ndarray:
    """A paint that gets lighter or darker with y and along x."""
    slope = between(rng.random, (-0.5, 0.5))
    along = 1 + between(rng.random, (-0.25, 0.25)) * np.linspace(-1, 1, y.shape[1], dtype=np.float32)
    light = np.clip(1 + slope * (y / height - 0.5), 0.2, 2) * along
    return np.asarray(paint(rng) * light[..., None], np.float32)


def seam(rng: np.random.Generator, image: np.ndarray) -> None:
    """A line along the plate: the edge of a bumper, a chrome strip, the shadow of a gap."""
    height, width = image.shape[:2]
    y0 = between(rng.random, (0, height))
    bow, slope = between(rng.random, (-12, 12)), between(rng.random, (-10, 10))
    x = np.linspace(-1, 1, 24)
    points = np.stack([(x + 1) * width / 2, y0 + slope * x + bow * x * x], axis=1)
    grey = between(rng.random, (150, 255)) if rng.random() < 0.5 else between(rng.random, (0, 40))
    thickness = int(rng.integers(1, 9))
    cv2.polylines(
        image, [np.rint(points).astype(np.int32)], False, (grey, grey, grey), thickness, cv2.LINE_AA
    )


def bars(rng: np.random.Generator, image: np.ndarray) -> None:
    """A grille: dark gaps at even distances, lying or upright, or both."""
    height, width = image.shape[:2]
    pitch, phase = between(rng.random, (7, 26)), between(rng.random, (0, 26))
    depth = between(rng.random, (0.3, 0.9))
    lying = rng.random() < 0.7
    wave_y = (np.sin((np.arange(height) + phase) * 6.283 / pitch) > 0).astype(np.float32)[:, None]
    wave_x = (np.sin((np.arange(width) + phase) * 6.283 / (1.6 * pitch)) > 0).astype(np.float32)[None]
    wave = wave_y if lying else np.maximum(wave_y, wave_x) if rng.random() < 0.6 else wave_x
    image *= (1 - depth * wave)[..., None]


def clutter(rng: np.random.Generator, image: np.ndarray) -> None:
    """Reflections and things: soft ellipses and boxes."""
    height, width = image.shape[:2]
    for _ in range(int(rng.integers(3, 14))):
        centre = (int(rng.integers(width)), int(rng.integers(height)))
        axes = (int(rng.integers(4, 90)), int(rng.integers(2, 26)))
        colour = tuple(float(c) for c in paint(rng))
        cv2.ellipse(image, centre, axes, between(rng.random, (-25, 25)), 0, 360, colour, -1, cv2.LINE_AA)
