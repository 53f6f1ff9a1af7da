"""Render: a type and the fields of a text -> clean RGB, character mask, outline and every quad.

The fast path is cached coverage at output scale: each glyph, ground and bolt is drawn once for a scale, a
stroke weight and a sub-pixel place, then pasted. What varies comes from the sample's own stream.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np

from synth.bolts import ARRANGEMENTS, fasten
from synth.errors import UserError
from synth.ground import Ground, ground_of, versions
from synth.layout import Box, Frame, lay_out, row_texts
from synth.sample import Image, Points
from synth.seeding import rng_for
from synth.spec import PlateType
from synth.tiles import AS_DRAWN, PHASES, SHAPES, Pen, Shape, choose, drawings, tile_of

WEIGHTS = 3  # stroke weights a glyph is drawn at, over the range of the variation
DENSE_WEIGHTS = 4  # and a Chinese character or kana
SIZES = 3  # sizes a glyph is drawn at, over the range of its block's scale
CORNERS = np.array([0, 1, 2, 1, 2, 3, 0, 3])
EMBOSS_LIGHT = 26.0  # grey levels of a fully visible pressed edge


@dataclass(frozen=True)
class Variation:
    """How much drawn plates differ. All zero, or a render without a random stream: the nominal plate."""

    weight: tuple[float, float] = (0.9, 1.25)  # stroke width, times this; CCPD is bolder than drawn
    offset_mm: float = 0.8  # each glyph, sideways and down
    spread_mm: float = 0.5  # paint spread, up to this blur
    bolts: bool = True
    versions: bool = True  # drawn grounds
    variants: bool = True  # several drawings of a character
    sizes: bool = True  # blocks with a `scale` or a `shift` use it
    looks: int = 48  # of a Chinese character or kana: size, drawing, weight and shape together
    dense: tuple[float, float] = (
        0.7,
        1.2,
    )  # weight of Chinese characters and kana, cut from dies of their own
    shape_mm: float = 0.5  # strokes of Chinese characters and kana, in a cell 45 mm wide


NOMINAL = Variation((1.0, 1.0), 0.0, 0.0, False, False, False, False, 1)
LOOKS = rng_for(0, 0, "looks").random((256, 5)).tolist()  # width, height, drawing, weight, shape of each look


@dataclass(frozen=True)
class Plate:
    """A clean plate and its geometry, in pixels of the picture."""

    type: PlateType
    text: str
    fields: dict[str, str]
    rows: tuple[str, ...]
    scale: float  # pixels a millimetre
    image: Image  # H W 3 RGB
    mask: Image  # H W coverage of the characters
    ground: Ground
    quad: Points  # 4 2
    row_quads: Points  # R 4 2
    char_quads: Points  # N 4 2

    @property
    def alpha(self) -> Image:
        return self.ground.alpha

    @cached_property
    def outline(self) -> Image:
        """H W: the edges of plate, border, marks, slots and glyphs, one pixel wide, 255 = edge."""
        lines = edges(self.mask)
        np.maximum(lines, edges(self.ground.structure), out=lines)
        return np.maximum(
            lines, edges(cv2.copyMakeBorder(self.alpha, 1, 1, 1, 1, cv2.BORDER_CONSTANT))[1:-1, 1:-1]
        )


def edges(coverage: Image) -> Image:
    """Where coverage crosses one half: the inner rim of every shape, anti-aliased."""
    return cv2.subtract(coverage, cv2.erode(coverage, np.ones((3, 3), np.uint8)))


def render(
    plate: PlateType,
    fields: dict[str, str],
    height_px: int,
    rng: np.random.Generator | None = None,
    variation: Variation = Variation(),
) -> Plate:
    """Draw one plate `height_px` high. Without `rng` it is the nominal plate."""
    vary = variation if rng is not None else NOMINAL
    scale = height_px / plate.height_mm
    frame, text = lay_out(plate, fields)
    count = 5 + 5 * len(text)
    u = rng.random(count).tolist() if rng is not None else [0.5] * count
    ground = ground_of(plate, frame, scale, int(u[0] * versions(plate)) if vary.versions else None)
    low, high = vary.weight
    weight = low + (high - low) * int(u[1] * WEIGHTS) / (WEIGHTS - 1)
    pen = Pen(scale, weight, vary.spread_mm * int(u[2] * 2))
    masks = {ink: np.zeros(ground.alpha.shape, np.uint8) for ink in dict.fromkeys(b.ink for b in frame.boxes)}
    try:
        boxes = [
            place_glyph(masks[box.ink], box, char, pen, vary, [*u[n : n + 5], u[3]])
            for box, char, n in zip(frame.boxes, text, range(5, count, 5), strict=True)
        ]
    except UserError as error:
        raise UserError(f"{plate.file}: type {plate.id}: {error}") from error
    top, bottom = min(box[1] for box in boxes), max(box[3] for box in boxes)
    band = slice(max(0, int(top) - 3), int(bottom) + 4)
    image = colourise(plate, ground, masks, band, scale)
    if vary.bolts and rng is not None:
        fasten(image, plate, scale, int(u[4] * ARRANGEMENTS))
    return Plate(
        type=plate,
        text=text,
        fields=fields,
        rows=row_texts(frame, text),
        scale=scale,
        image=image,
        mask=joined(masks),
        ground=ground,
        quad=fixed_quads(plate, frame, scale)[0],
        row_quads=fixed_quads(plate, frame, scale)[1:],
        char_quads=corners(boxes),
    )


def place_glyph(
    mask: Image, box: Box, char: str, pen: Pen, vary: Variation, u: list[float]
) -> tuple[float, float, float, float]:
    """Paste one glyph into a mask; returns its box in pixels. `u`: its five draws and one of its plate."""
    across, down, drawing, shape = u[0], u[1], u[4], AS_DRAWN
    dense = not char.isascii() and vary.looks > 1
    if (
        dense
    ):  # all that differs is drawn at once, for the whole plate: tiles are met again, a word is of one hand
        across, down, drawing, *stray = LOOKS[int(u[5] * vary.looks)]
        pen, shape = strayed(pen, vary, box, *stray)
    w, h = box.w, box.h
    low, high = box.scale
    if low < high and vary.sizes:
        w *= low + (high - low) * int(across * SIZES) / (SIZES - 1)
        h *= low + (high - low) * int(down * SIZES) / (SIZES - 1)
    k, offset = pen.scale * PHASES, vary.offset_mm
    x = (
        box.x
        + (box.w - w) / 2
        + (2 * u[2] - 1) * offset
        + box.shift[0]
        + (box.shift[1] - box.shift[0]) * u[5]
    )
    y = box.y + (box.h - h) / 2 + (2 * u[3] - 1) * offset
    px, py = round(x * k), round(y * k)
    if dense:
        px, py = round(px / PHASES) * PHASES, round(py / PHASES) * PHASES
    left, top = px // PHASES, py // PHASES
    variant = choose(drawing, drawings(box.face, char)) if vary.variants else 0
    glyph = (box.face, char, variant, box.w, box.h, pen)
    tile = tile_of(glyph, w, h, px - left * PHASES, py - top * PHASES, shape)
    height, width = tile.shape
    if left >= 0 and top >= 0 and top + height <= mask.shape[0] and left + width <= mask.shape[1]:
        under = mask[top : top + height, left : left + width]
        cv2.max(under, tile, under)
    else:
        paste_clipped(mask, tile, left, top)
    return px / PHASES, py / PHASES, px / PHASES + w * pen.scale, py / PHASES + h * pen.scale


def strayed(pen: Pen, vary: Variation, box: Box, weight: float, shape: float) -> tuple[Pen, Shape]:
    """Pen and shape of a dense character, from two draws."""
    low, high = vary.dense
    pen = pen._replace(weight=low + (high - low) * int(weight * DENSE_WEIGHTS) / (DENSE_WEIGHTS - 1))
    return pen, Shape(1 + int(shape * SHAPES), vary.shape_mm * box.w / 45)


def paste_clipped(mask: Image, tile: Image, left: int, top: int) -> None:
    """Union of a mask and a tile that reaches beyond it."""
    x0, y0 = max(left, 0), max(top, 0)
    x1, y1 = min(left + tile.shape[1], mask.shape[1]), min(top + tile.shape[0], mask.shape[0])
    if x0 < x1 and y0 < y1:
        under = mask[y0:y1, x0:x1]
        cv2.max(under, np.ascontiguousarray(tile[y0 - top : y1 - top, x0 - left : x1 - left]), under)


def colourise(plate: PlateType, ground: Ground, masks: dict[str, Image], band: slice, scale: float) -> Image:
    """The ground with each mask painted in its ink, and pressed edges lit from the top left.

    Only the band of picture rows that holds text is touched.
    """
    image = ground.image.copy()
    strip = image[band]
    for ink, mask in masks.items():
        cover = cv2.merge((mask[band],) * 3)
        kept = cv2.multiply(strip, cv2.bitwise_not(cover), scale=1 / 255)
        strip = cv2.add(kept, cv2.multiply(flat(strip.shape, plate.colours[ink]), cover, scale=1 / 255))
    if plate.emboss_mm:
        strip = emboss(strip, joined(masks)[band], plate.emboss_mm * scale)
    image[band] = strip
    return image


@functools.lru_cache(maxsize=256)
def flat(shape: tuple[int, int, int], colour: tuple[int, int, int]) -> Image:
    """A picture of one colour."""
    return np.full(shape, colour, np.uint8)


def emboss(image: Image, mask: Image, depth_px: float) -> Image:
    """A light edge at the top left and a dark one at the bottom right of every glyph."""
    d = max(1, round(depth_px / 2))
    strength = EMBOSS_LIGHT * min(1.0, depth_px) / 255
    lit = cv2.addWeighted(mask[2 * d :, 2 * d :], strength, mask[: -2 * d, : -2 * d], -strength, 128)
    image[d:-d, d:-d] = cv2.addWeighted(image[d:-d, d:-d], 1, cv2.merge((lit, lit, lit)), 1, -128)
    return image


def joined(masks: dict[str, Image]) -> Image:
    """The union of the inks' masks."""
    first, *others = masks.values()
    for other in others:
        first = np.maximum(first, other)
    return first


@functools.lru_cache(maxsize=4096)
def fixed_quads(plate: PlateType, frame: Frame, scale: float) -> Points:
    """The plate's quad and those of its rows, read-only."""
    quads = corners([(0.0, 0.0, plate.width_mm, plate.height_mm), *frame.rows]) * np.float32(scale)
    quads.flags.writeable = False
    return quads


def corners(boxes: Sequence[tuple[float, float, float, float]]) -> Points:
    """Boxes x0 y0 x1 y1 -> N 4 2: TL TR BR BL."""
    return np.array(boxes, np.float32).take(CORNERS, axis=1).reshape(-1, 4, 2)
