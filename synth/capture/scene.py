"""The plate on its car: surface, background, frame and bend, drawn flat, seen by the camera in one warp."""

from __future__ import annotations

from collections.abc import Mapping

import cv2
import numpy as np

from synth.capture.background import lay_background
from synth.capture.bend import bend_image
from synth.capture.effect import Effect, Params, Picture
from synth.capture.surround import draw_surround
from synth.capture.view import Matrix, View, least_height, text_height
from synth.errors import UserError
from synth.sample import Image, Points, Sample

TO_CENTRES = np.array([[1, 0, -0.5], [0, 1, -0.5], [0, 0, 1]])
REACH = 1.3  # plate heights of background drawn at each side; beyond, it is mirrored


def photograph(sample: Sample, plate: Image, params: Params, view: View) -> Image:
    """The crop in pixels of the photograph, before light and lens; `plate` is what `worn` left."""
    height, width = sample.image.shape[:2]
    to_plate = cv2.invert(view.to_photo)[1]
    left, top, right, bottom = reach(to_plate, view.photo, height, width)
    place = (left, top, width, height)
    canvas = lay_background(params["background"], top + height + bottom, left + width + right, place)
    cv2.copyTo(plate, sample.alpha, canvas[top : top + height, left : left + width])
    if "surround" in params:
        draw_surround(canvas, params["surround"], place)
    if "bend" in params:
        canvas = bend_image(canvas, params["bend"], sample.quad + np.array((left, top), np.float32))
    shrink = text_height(sample.row_quads.tolist(), sample.char_quads.tolist()) / view.row_px
    return warp(canvas, from_edges(view.to_photo, left, top), view.photo, shrink)


def worn(sample: Sample, surface: Mapping[str, Effect], params: Params) -> Image:
    picture = Picture(sample.image, least_height(sample.row_quads.tolist()))
    for name, effect in surface.items():
        if name in params:
            picture = effect.apply(picture, params[name])
    return picture.image


def reach(to_plate: Matrix, photo: tuple[int, int], height: int, width: int) -> tuple[int, int, int, int]:
    """Pixels of background that the crop shows left, above, right and below the plate, plus a few."""
    w, h = photo
    corners = np.array([[[0, 0], [w, 0], [w, h], [0, h]]], np.float64)
    x, y = zip(*cv2.perspectiveTransform(corners, to_plate)[0].tolist(), strict=True)
    most = REACH * height
    beyond = (-min(x), -min(y), max(x) - width, max(y) - height)
    left, top, right, bottom = (round(min(max(d, 0), most)) + 4 for d in beyond)
    return left, top, right, bottom


def from_edges(homography: Matrix, x: float, y: float) -> Matrix:
    """A homography between pixel edges, for a source moved by x y, as cv2 wants it: between pixel centres."""
    source = np.array([[1, 0, 0.5 - x], [0, 1, 0.5 - y], [0, 0, 1]])
    return np.asarray(TO_CENTRES @ homography @ source)


def warp(image: Image, homography: Matrix, size: tuple[int, int], shrink: float) -> Image:
    """The picture through a homography between pixel centres; smoothed first where it shrinks.

    Four channels go through in two fifths of the time of three: vectors hold whole pixels.
    """
    if shrink > 1.5:
        side = 2 * round(shrink / 2) + 1  # odd, so that the box is centred
        image = cv2.blur(image, (side, side))
    image = cv2.cvtColor(image, cv2.COLOR_RGB2RGBA)
    seen = cv2.warpPerspective(image, homography, size, borderMode=cv2.BORDER_REFLECT_101)
    return np.asarray(cv2.cvtColor(seen, cv2.COLOR_RGBA2RGB))


def moved_mask(mask: Image, quad: Points, params: Params, view: View) -> Image:
    """Character coverage in the picture put out: 0 beyond the plate."""
    if "bend" in params:
        mask = bend_image(mask, params["bend"], quad)
    (width, height), (w, h) = view.output, view.photo
    to_output = np.diag([width / w, height / h, 1]) @ view.to_photo
    return np.asarray(cv2.warpPerspective(mask, from_edges(to_output, 0, 0), view.output))


def captured_mask(sample: Sample) -> Image:
    """Character coverage of a captured sample, from its clean plate, its quad and its record."""
    if sample.plate is None:
        raise UserError(f"sample {sample.index}: its clean plate is gone; set capture.keep_mask=true")
    clean = sample.plate.quad
    mask = sample.plate.mask
    bend = next((entry["bend"] for entry in sample.stages if "bend" in entry), None)
    if bend is not None:
        mask = bend_image(mask, bend, clean)
    homography = cv2.getPerspectiveTransform(clean - np.float32(0.5), sample.quad - np.float32(0.5))
    height, width = sample.image.shape[:2]
    return np.asarray(cv2.warpPerspective(mask, homography, (width, height)))
