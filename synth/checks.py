"""What a schema cannot say of a plate type: all inside the plate, cells for every text."""

from __future__ import annotations

import itertools

from synth.charset import alphabets_of
from synth.errors import UserError, nearest
from synth.grammar import Grammar
from synth.spec import Block, Cell, PlateType, Row

TOLERANCE_MM = 0.05


def check_type(plate: PlateType) -> None:
    """Raise a one-line UserError for the first thing that cannot be drawn."""
    check_inks(plate)
    check_marks(plate)
    check_fields(plate)
    grammar = Grammar(plate, alphabets_of(plate))
    check_tables(plate, grammar)
    check_blocks(plate, grammar.lengths())
    for number, row in enumerate(plate.rows):
        check_row(plate, number, row)
    check_overlaps(plate)


def fail(plate: PlateType, message: str) -> None:
    raise UserError(f"{plate.file}: {message}")


def check_inks(plate: PlateType) -> None:
    used = {plate.hole_ink: "hole_ink"} if plate.holes else {}
    used |= {row.ink: f"rows.{n}.ink" for n, row in enumerate(plate.rows)}
    used |= {border.ink: f"borders.{n}.ink" for n, border in enumerate(plate.borders)}
    used |= {mark.ink: f"marks.{n}.ink" for n, mark in enumerate(plate.marks)}
    for _, _, block in plate.blocks():
        used |= {block.ink: f"field {block.field}: ink"} if block.ink else {}
        for cells in block.cells.values():
            used |= {cell.ink: f"field {block.field}: cell ink" for cell in cells if cell.ink}
    for n, panel in enumerate(plate.ground):
        if not panel.stops:
            fail(plate, f"ground.{n}.stops: empty; give at least one stop with at and colour")
        for stop in panel.stops:
            if isinstance(stop.colour, str):
                used[stop.colour] = f"ground.{n}.stops"
            if not 0 <= stop.at <= 1:
                fail(plate, f"ground.{n}.stops: at={stop.at} is not between 0 and 1")
    for ink, key in used.items():
        if ink not in plate.colours:
            fail(plate, f"{key}: no colour {ink!r} in colours; {nearest(ink, plate.colours)}")


def check_marks(plate: PlateType) -> None:
    w, h = plate.width_mm, plate.height_mm
    if plate.corner_radius_mm > min(w, h) / 2:
        fail(
            plate,
            f"corner_radius_mm: {plate.corner_radius_mm:g} is more than half of the {w:g} x {h:g} mm plate",
        )
    for n, hole in enumerate(plate.holes):
        if not (hole.w / 2 <= hole.x <= w - hole.w / 2 and hole.h / 2 <= hole.y <= h - hole.h / 2):
            fail(plate, f"holes.{n}: reaches beyond the {w:g} x {h:g} mm plate; move its centre inward")
    for n, mark in enumerate(plate.marks):
        if mark.shape != "polygon" and not (0 <= mark.x <= w and 0 <= mark.y <= h):
            fail(plate, f"marks.{n}: centre ({mark.x:g}, {mark.y:g}) is outside the {w:g} x {h:g} mm plate")
        names = {f.name for f in plate.fields}
        for name in mark.when:
            if name not in names:
                fail(plate, f"marks.{n}.when: no field {name!r}; {nearest(name, names)}")
    for n, border in enumerate(plate.borders):
        if border.inset[1] + border.width[1] > min(w, h) / 2:
            fail(plate, f"borders.{n}: {border.inset[1] + border.width[1]:g} mm is more than half the plate")


def check_fields(plate: PlateType) -> None:
    """There are some, and their names can be those of groups in a pattern."""
    if not plate.fields:
        fail(plate, "fields: empty; name at least one")
    names = [field.name for field in plate.fields]
    for number, name in enumerate(names):
        if not name.isidentifier():
            fail(
                plate,
                f"fields.{number}.name: {name!r} is no name; take letters, digits and _, no digit first",
            )
        if name in names[:number]:
            fail(plate, f"fields.{number}.name: a second {name!r}; give each field its own")


def check_tables(plate: PlateType, grammar: Grammar) -> None:
    """A table has characters for every value that a field before can have."""
    for field in plate.fields:
        found = grammar.tables[field.name]
        if found is None:
            continue
        earlier, table = found
        for form in grammar.real[earlier]:
            for value in form.words or map("".join, itertools.product(*form.slots)):
                if not table.get(value):
                    name = field.table[earlier]
                    fail(
                        plate, f"field {field.name}: table {name} has nothing for {earlier} {value!r}; add it"
                    )


def check_blocks(plate: PlateType, lengths: dict[str, set[int]]) -> None:
    """Every field stands somewhere once, in reading order, with cells for each of its lengths."""
    placed = [block.field for _, _, block in plate.blocks()]
    if placed != list(lengths):
        fail(plate, f"rows: blocks are {placed}, fields are {list(lengths)}; both must be in reading order")
    for number, row in enumerate(plate.rows):
        if not row.blocks:
            fail(plate, f"rows.{number}.blocks: empty; leave the row out")
    for _, _, block in plate.blocks():
        for length in sorted(lengths[block.field]):
            cells = block.cells.get(length)
            if cells is None:
                fail(plate, f"field {block.field}: no cells for {length} characters; add cells.{length}")
            elif len(cells) != length:
                fail(plate, f"field {block.field}: cells.{length} has {len(cells)} cells, needs {length}")


def check_row(plate: PlateType, number: int, row: Row) -> None:
    if row.y < 0 or row.y + row.h > plate.height_mm + TOLERANCE_MM:
        over = row.y + row.h - plate.height_mm
        fail(plate, f"rows.{number}: ends {over:g} mm below the plate; lower y or h")
    if row.centre is not None:
        check_flow(plate, number, row)
        return
    for block in row.blocks:
        for cells in block.cells.values():
            for n, cell in enumerate(cells):
                check_cell(plate, row, block, n, cell)


def check_cell(plate: PlateType, row: Row, block: Block, number: int, cell: Cell) -> None:
    right = cell.x + cell.w - plate.width_mm
    bottom = top(row, cell) + (cell.h or row.h) - plate.height_mm
    where = f"field {block.field}: slot {number + 1}"
    if cell.w <= 0 or (cell.h is not None and cell.h <= 0):
        fail(plate, f"{where} has no size; w and h must be above 0")
    if top(row, cell) < -TOLERANCE_MM:
        fail(plate, f"{where} starts {-top(row, cell):g} mm above the plate")
    if cell.x < -TOLERANCE_MM:
        fail(plate, f"{where} starts {-cell.x:g} mm before the plate")
    if right > TOLERANCE_MM:
        fail(plate, f"{where} ends {right:g} mm beyond the plate")
    if bottom > TOLERANCE_MM:
        fail(plate, f"{where} ends {bottom:g} mm below the plate")


def check_flow(plate: PlateType, number: int, row: Row) -> None:
    """The widest text of a centred row fits."""
    width = row.gap * (len(row.blocks) - 1)
    for block in row.blocks:
        width += max(max(c.x + c.w for c in cells) for cells in block.cells.values())
    centre = row.centre or 0.0
    over = max(width / 2 - centre, centre + width / 2 - plate.width_mm)
    if over > TOLERANCE_MM:
        fail(plate, f"rows.{number}: the widest text ends {over:g} mm beyond the plate; narrow the cells")


def check_overlaps(plate: PlateType) -> None:
    """No two cells that can be there at the same time share more than a hair (rows with fixed places)."""
    boxes = [
        (
            block.field,
            length,
            n + 1,
            cell.x,
            top(row, cell),
            cell.x + cell.w,
            top(row, cell) + (cell.h or row.h),
        )
        for _, row, block in plate.blocks()
        if row.centre is None
        for length, cells in block.cells.items()
        for n, cell in enumerate(cells)
    ]
    for one, other in itertools.combinations(boxes, 2):
        if one[0] == other[0] and one[1] != other[1]:
            continue  # two lengths of one field
        across = min(one[5], other[5]) - max(one[3], other[3])
        down = min(one[6], other[6]) - max(one[4], other[4])
        if across > 0.5 and down > 0.5:
            fail(
                plate,
                f"field {one[0]}: slot {one[2]} overlaps slot {other[2]} of {other[0]} by {across:.1f} mm",
            )


def top(row: Row, cell: Cell) -> float:
    return row.y if cell.y is None else cell.y
