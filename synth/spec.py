"""Plate types: one YAML file each, in millimetres, inherited through `defaults`, checked before use.

Origin is the plate's top-left corner, x to the right, y down. A type says how large the plate is, how its
ground is painted, where every character of every field stands, and (in `fields`) which texts it can carry.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import field, fields
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, ConfigDict, Field
from pydantic.dataclasses import dataclass

STRICT = ConfigDict(extra="forbid", allow_inf_nan=False)
Level = Annotated[int, Field(ge=0, le=255)]
Rgb = tuple[Level, Level, Level]
Size = Annotated[float, Field(gt=0)]  # mm
Ink = str  # a key of `colours`
Span = tuple[float, float]  # from, to: drawn uniformly for each plate


@dataclass(frozen=True, config=STRICT)
class Cell:
    """The box one character fills; y, h, face and ink come from the row unless given."""

    x: float
    w: float
    y: float | None = None
    h: float | None = None
    face: str | None = None
    ink: Ink | None = None


def by_length(cells: Any) -> Any:
    """A plain list of cells is the layout for a field of that many characters."""
    return {len(cells): cells} if isinstance(cells, list) else cells


@dataclass(frozen=True, config=STRICT)
class Block:
    """Where the characters of one field stand, for each length the field may have."""

    field: str
    cells: Annotated[dict[int, list[Cell]], BeforeValidator(by_length)]
    face: str | None = None
    ink: Ink | None = None
    shift: Span = (0.0, 0.0)  # the whole field moves sideways by a drawn amount
    scale: Span = (1.0, 1.0)  # each character is drawn this much smaller or larger about its centre


@dataclass(frozen=True, config=STRICT)
class Row:
    """A line of text. With `centre` the blocks flow from left to right, `gap` apart, centred at that x."""

    y: float
    h: float
    blocks: list[Block]
    face: str
    ink: Ink = "text"
    centre: float | None = None
    gap: float = 0.0


@dataclass(frozen=True, config=STRICT)
class Stop:
    """A colour of a ground gradient at a height `at` (0 top, 1 bottom)."""

    at: float
    colour: Rgb | Ink


@dataclass(frozen=True, config=STRICT)
class Panel:
    """A vertical strip of the ground from x0 to x1, flat (one stop) or graded from top to bottom."""

    stops: list[Stop]
    x0: float = 0.0
    x1: float | None = None


@dataclass(frozen=True, config=STRICT)
class Border:
    """A line that follows the plate's edge: `inset` from edge to line, `width` of the line, both drawn."""

    inset: Span
    width: Span
    ink: Ink = "border"


@dataclass(frozen=True, eq=False, config=STRICT)
class Mark:
    """A drawn thing that is no character: separator dot, hyphen, emblem, band."""

    shape: Literal["disc", "bar", "ring", "emblem", "polygon"]
    x: float = 0.0  # centre
    y: float = 0.0
    w: Span = (0.0, 0.0)
    h: Span = (0.0, 0.0)
    points: list[tuple[float, float]] = field(default_factory=list)
    ink: Ink = "text"
    opacity: Span = (1.0, 1.0)
    when: dict[str, list[int]] = field(default_factory=dict)  # {field: lengths} at which it is there
    jitter: float = 0.0  # mm, sideways and down


@dataclass(frozen=True, config=STRICT)
class Hole:
    """A mounting slot, horizontal stadium w x h, with a bolt head over it in a share `bolt` of plates."""

    x: float
    y: float
    w: float
    h: float
    bolt: float = 0.5
    diameter: Span = (12.0, 18.0)
    kind: Literal["bolt", "seal"] = "bolt"


@dataclass(frozen=True, config=STRICT)
class TextField:
    """A part of the text. A form is alphabet names in order (`digits digits`), 'literals', or @words."""

    name: str
    uniform: list[str]
    legal: list[str] | None = None
    table: dict[str, str] = field(default_factory=dict)  # {earlier field: table of the characters it allows}
    natural: str | None = None  # a weights table of the alphabet file
    common: list[str] = field(default_factory=list)  # legal forms that mode natural draws besides, by share


@dataclass(frozen=True, eq=False, config=STRICT)  # compared by identity: the catalogue loads each once
class PlateType:
    """Everything known about a kind of plate."""

    id: str
    file: str
    label: str
    country: str
    width_mm: Size
    height_mm: Size
    corner_radius_mm: Annotated[float, Field(ge=0)]
    colours: dict[Ink, Rgb]
    rows: list[Row]
    fields: list[TextField]
    ground: list[Panel] = field(default_factory=lambda: [Panel(stops=[Stop(at=0.0, colour="ground")])])
    borders: list[Border] = field(default_factory=list)
    marks: list[Mark] = field(default_factory=list)
    holes: list[Hole] = field(default_factory=list)
    hole_ink: Ink = "hole"
    emboss_mm: Annotated[float, Field(ge=0, le=20)] = 0.0
    texture: Literal["none", "guilloche", "picture"] = "none"
    experimental: bool = False
    colour: str = ""  # a plain word for lists: blue, yellow, white
    note: str = ""

    def blocks(self) -> Iterator[tuple[int, Row, Block]]:
        """Every block in reading order, with the number of its row."""
        for number, row in enumerate(self.rows):
            for block in row.blocks:
                yield number, row, block

    def faces(self) -> dict[str, set[str]]:
        """Face name -> the fields whose characters it must be able to draw."""
        needed: dict[str, set[str]] = {}
        for _, row, block in self.blocks():
            for cells in block.cells.values():
                for cell in cells:
                    needed.setdefault(cell.face or block.face or row.face, set()).add(block.field)
        return needed


KINDS = (Cell, Block, Row, Stop, Panel, Border, Mark, Hole, TextField, PlateType)
KEYS = frozenset(one.name for kind in KINDS for one in fields(kind))  # that may stand anywhere in such a file
