"""Layout: a type and the fields of a text -> every glyph's box in millimetres, and the marks it brings."""

from __future__ import annotations

import functools
from dataclasses import dataclass

from synth.spec import Block, Cell, Mark, PlateType, Row, Span


@dataclass(frozen=True)
class Box:
    """The place of one character of a field: its cell in mm, and how freely it may be drawn there."""

    field: str
    place: int  # which character of the field
    row: int
    x: float
    y: float
    w: float
    h: float
    face: str
    ink: str
    shift: Span
    scale: Span


@dataclass(frozen=True, eq=False)  # compared by identity: `frame` makes each once
class Frame:
    """Where the characters of a text with these field lengths stand, in reading order."""

    boxes: tuple[Box, ...]
    marks: tuple[Mark, ...]
    rows: tuple[tuple[float, float, float, float], ...]  # x0 y0 x1 y1 in mm, one a row


@functools.lru_cache(maxsize=4096)
def frame(plate: PlateType, lengths: tuple[int, ...]) -> Frame:
    """The frame for fields of these lengths (in the order of `plate.fields`)."""
    of = dict(zip((field.name for field in plate.fields), lengths, strict=True))
    boxes = tuple(box for number, row in enumerate(plate.rows) for box in row_boxes(number, row, of))
    marks = tuple(mark for mark in plate.marks if all(of[f] in allowed for f, allowed in mark.when.items()))
    rows = []
    for number in range(len(plate.rows)):
        mine = [box for box in boxes if box.row == number]
        rows.append(
            (
                min(box.x for box in mine),
                min(box.y for box in mine),
                max(box.x + box.w for box in mine),
                max(box.y + box.h for box in mine),
            )
        )
    return Frame(boxes, marks, tuple(rows))


def row_boxes(number: int, row: Row, lengths: dict[str, int]) -> list[Box]:
    """The boxes of one row; blocks of a centred row flow one after the other."""
    chosen = [(block, block.cells[lengths[block.field]]) for block in row.blocks]
    starts = [0.0] * len(chosen)
    if row.centre is not None:
        widths = [max(cell.x + cell.w for cell in cells) for _, cells in chosen]
        x = row.centre - (sum(widths) + row.gap * (len(widths) - 1)) / 2
        for n, width in enumerate(widths):
            starts[n] = x
            x += width + row.gap
    return [
        placed(number, row, block, place, cell, start)
        for (block, cells), start in zip(chosen, starts, strict=True)
        for place, cell in enumerate(cells)
    ]


def placed(number: int, row: Row, block: Block, place: int, cell: Cell, start: float) -> Box:
    return Box(
        field=block.field,
        place=place,
        row=number,
        x=start + cell.x,
        y=row.y if cell.y is None else cell.y,
        w=cell.w,
        h=row.h if cell.h is None else cell.h,
        face=cell.face or block.face or row.face,
        ink=cell.ink or block.ink or row.ink,
        shift=block.shift,
        scale=block.scale,
    )


def lay_out(plate: PlateType, fields: dict[str, str]) -> tuple[Frame, str]:
    """The frame of a text and its characters, one a box."""
    values = [fields[field.name] for field in plate.fields]
    return frame(plate, tuple(map(len, values))), "".join(values)


def row_texts(frame: Frame, text: str) -> tuple[str, ...]:
    """The text of each row."""
    rows: list[str] = [""] * len(frame.rows)
    for box, char in zip(frame.boxes, text, strict=True):
        rows[box.row] += char
    return tuple(rows)
