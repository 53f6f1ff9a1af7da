"""Stroke glyphs: the text notation of `fonts/strokes/*.tsv`, and its mapping to other cells."""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import numpy as np

from synth.errors import UserError
from synth.ink import Drawing, Points, Sweep

FLATNESS = 0.04  # mm that a flattened curve may be off: 1/50 of a pixel at plate size
HEADER = re.compile(r"# cell ([\d.]+) ([\d.]+) stroke ([\d.]+)")
COMMAND = re.compile(r"([MLC]) ([-\d.,]+)")
WIDTH = re.compile(r"w=([\d.]+) ")
Size = tuple[float, float]


@dataclass(frozen=True, eq=False)
class Stroke:
    """A centre line in mm with its width; a `filled` one is a closed area without a pen."""

    points: Points
    width: float
    filled: bool = False


@dataclass(frozen=True)
class Glyph:
    """The strokes of one character; `width` is its usual stroke, which the mapping keeps inside the cell."""

    width: float
    strokes: tuple[Stroke, ...]


@dataclass(frozen=True)
class Source:
    """One file of stroke glyphs, all drawn in the same cell with about the same stroke."""

    cell: Size
    stroke: float
    glyphs: Mapping[str, Glyph]


@functools.cache
def read_source(path: Path) -> Source:
    """All glyphs of one TSV file: a cell line, a header line, then `char, stroke width, strokes`."""
    lines = path.read_text(encoding="utf-8").splitlines()
    header = HEADER.fullmatch(lines[0]) if lines else None
    if header is None:
        raise UserError(f"{path.name}: line 1: write `# cell WIDTH HEIGHT stroke WIDTH` in mm")
    width, height, stroke = (float(v) for v in header.groups())
    glyphs = {}
    for number, line in enumerate(lines[2:], start=3):
        try:
            char, glyph_width, strokes = line.split("\t")
            glyphs[char] = parse(strokes, float(glyph_width))
        except ValueError as error:
            raise UserError(
                f"{path.name}: line {number}: {error}; write `char TAB width TAB strokes`"
            ) from error
    return Source((width, height), stroke, MappingProxyType(glyphs))


def parse(text: str, width: float) -> Glyph:
    """Strokes from `M x,y L x,y C x1,y1,x2,y2,x,y ; w=8 M ... ; M ... Z` (Z: a filled area)."""
    strokes = []
    for part in text.split(";"):
        part = part.strip()
        own = WIDTH.match(part)
        commands = part[own.end() :] if own else part
        filled = commands.endswith(" Z")
        points = _flatten(commands.removesuffix(" Z"))
        strokes.append(Stroke(points, float(own[1]) if own else width, filled))
    return Glyph(width, tuple(strokes))


def _flatten(commands: str) -> Points:
    points: list[Points] = []
    if COMMAND.sub("", commands).strip() or not commands.startswith("M "):
        raise ValueError(f"bad stroke `{commands}`")
    for letter, numbers in COMMAND.findall(commands):
        given = np.array([float(v) for v in numbers.split(",")]).reshape(-1, 2)
        if len(given) != (3 if letter == "C" else 1):
            raise ValueError(f"bad count of numbers in `{letter} {numbers}`")
        points.extend(_bezier(points[-1], given) if letter == "C" else given)
    return np.array(points)


def _bezier(start: Points, controls: Points) -> Points:
    # A cubic leaves its chord by at most 3/4 of its largest second difference; n segments by 1/n^2 of that.
    bend = np.hypot(*np.diff([start, *controls], n=2, axis=0).T).max()
    steps = max(1, math.ceil(math.sqrt(0.75 * bend / FLATNESS)))
    t = np.arange(1, steps + 1)[:, None] / steps
    s = 1 - t
    return s**3 * start + 3 * s**2 * t * controls[0] + 3 * s * t**2 * controls[1] + t**3 * controls[2]


def drawing(glyph: Glyph, native: Size, cell: Size, ratio: float, weight: float = 1.0) -> Drawing:
    """The glyph mapped from its native cell to another; widths times `ratio`, then the pen times `weight`.

    The outer edges of the strokes stay where they were relative to the cell, so a thicker or thinner pen
    neither leaves the cell nor shrinks away from its edges: x' = w'/2 + (x - w/2) (W' - w') / (W - w).
    """
    old, new = glyph.width, min(glyph.width * ratio, 0.9 * min(cell))
    scale = (np.array(cell) - new) / (np.array(native) - old)
    shift = new / 2 - old / 2 * scale
    fills, sweeps = [], []
    for stroke in glyph.strokes:
        points = stroke.points * scale + shift
        radius = stroke.width * new / old * weight / 2
        if stroke.filled:
            fills.append(points)
        elif np.array_equal(stroke.points[0], stroke.points[-1]):
            sweeps.append(Sweep(points[:-1], (radius, radius), closed=True))
        else:
            sweeps.append(Sweep(points, (radius, radius)))
    return Drawing(tuple(fills), tuple(sweeps))
