"""A plate layout in the paint of another type: what a recoloured crop shows, and what to lay on it."""

from __future__ import annotations

import functools
from dataclasses import dataclass, replace

import numpy as np

from gan.align import DRAWN_PX, Alignment, nominal
from gan.align_search import RIM_X, RIM_Y
from gan.outline import ink_map, warped
from synth.catalogue import load_type
from synth.grammar import grammar_of
from synth.ground import ground_of
from synth.layout import Frame, lay_out
from synth.render import Plate, render
from synth.sample import Image
from synth.spec import Block, Panel, PlateType, Row


@dataclass(frozen=True)
class Paint:
    """Colours to put on a plate, in the crop's pixels."""

    ground: Image  # H W 3, without border and marks
    ink: Image  # H W 3, of what is or would be drawn on the ground at each place


@functools.lru_cache(maxsize=1024)
def dressed(layout: str, paint: str) -> PlateType:
    """The type `layout` in the colours, panels and texture of the type `paint`, its last letter's too."""
    of, other = load_type(layout), load_type(paint)
    if layout == paint:
        return of
    return replace(
        of,
        id=f"{of.id} as {other.id}",
        colours={**of.colours, **other.colours},
        ground=[scaled(panel, of.width_mm / other.width_mm) for panel in other.ground],
        texture=other.texture,
        rows=[*of.rows[:-1], last_inked(of.rows[-1], last_ink(other.rows[-1]))],
    )


def scaled(panel: Panel, times: float) -> Panel:
    return replace(panel, x0=panel.x0 * times, x1=None if panel.x1 is None else panel.x1 * times)


def last_ink(row: Row) -> str:
    """The ink of a row's last character."""
    block = row.blocks[-1]
    cell = next(iter(block.cells.values()))[-1]
    return cell.ink or block.ink or row.ink


def last_inked(row: Row, ink: str) -> Row:
    """The row, its last character in this ink."""
    block: Block = row.blocks[-1]
    cells = {count: [*cells[:-1], replace(cells[-1], ink=ink)] for count, cells in block.cells.items()}
    return replace(row, blocks=[*row.blocks[:-1], replace(block, cells=cells)])


@functools.lru_cache(maxsize=1024)
def dressed_plate(layout: str, paint: str, text: str) -> Plate:
    """The nominal plate of a text, in another type's paint."""
    if layout == paint:
        return nominal(layout, text)
    return render(dressed(layout, paint), grammar_of(layout).parse(text), DRAWN_PX)


def paint_of(plate: Plate, found: Alignment) -> Paint:
    """The paint of a plate where it lies in a crop; it runs on beyond the plate's rim."""
    frame, _ = lay_out(plate.type, plate.fields)
    pictures = paint_pictures(plate.type, frame, plate.scale)
    return Paint(*(warped(picture, found.homography, found.size, None) for picture in pictures))


@functools.lru_cache(maxsize=256)
def paint_pictures(plate: PlateType, frame: Frame, scale: float) -> tuple[Image, Image]:
    """H W 3 each: the ground without what is drawn on it, and the ink of text and border at each place."""
    ground = ground_of(bare(plate), Frame(frame.boxes, (), frame.rows), scale, None).image
    shape = ground.shape[0], ground.shape[1]
    ink = ink_map(plate, frame, scale, shape)
    if "border" in plate.colours:
        y, x = round(RIM_Y * shape[0]), round(RIM_X * shape[1])
        text, ink = ink, np.full_like(ink, plate.colours["border"])
        ink[y:-y, x:-x] = text[y:-y, x:-x]
    return filled(ground), ink


def bare(plate: PlateType) -> PlateType:
    """The type without all that is drawn on its ground."""
    return replace(plate, borders=[], marks=[], holes=[])


def filled(ground: Image) -> Image:
    """The ground with its paint in the place of the round corners' grey."""
    corner = max(1, round(0.08 * ground.shape[0]))
    inner = ground[corner:-corner, corner:-corner]
    return np.pad(inner, ((corner, corner), (corner, corner), (0, 0)), mode="edge")
