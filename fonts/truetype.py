"""Stroke faces as installable TrueType fonts, 1 mm = 10 units."""

from __future__ import annotations

from pathlib import Path

import pathops
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.ttLib import newTable
from fontTools.ttLib.tables._g_l_y_f import Glyph
from fontTools.ttLib.tables.ttProgram import Program

from synth.glyphs import Face, StrokeLayer
from synth.ink import Drawing, Points
from synth.strokes import Size

UNITS = 10  # a millimetre
# SCANCTRL, SCANTYPE and a push that is dropped again: with any program longer than 7 bytes FreeType leaves
# the outlines alone instead of moving stems to whole pixels.
PROGRAM = bytes.fromhex("b801ff85b0048db00021")
EPOCH = 2082844800  # 1970-01-01 in the seconds of the font format: equal sources give equal files


def stroke_layers(face: Face) -> dict[str, StrokeLayer]:
    """The first layer of every character that the face draws from strokes."""
    found: dict[str, StrokeLayer] = {}
    for layer in face.layers:
        if isinstance(layer, StrokeLayer):
            found = dict.fromkeys(layer.characters, layer) | found
    return dict(sorted(found.items()))


def is_stroke_face(face: Face) -> bool:
    """Whether most characters of the face have strokes."""
    return 2 * len(stroke_layers(face)) > len(face.characters())


def write_font(face: Face, folder: Path) -> Path:
    """Write the stroke glyphs of a face; an advance is the width of the cell, an em its height."""
    height = max(layer.cell[1] for layer in stroke_layers(face).values())
    glyphs = {".notdef": TTGlyphPen(None).glyph()}
    metrics = {".notdef": (round(face.cell[0] * UNITS), 0)}
    names = {}
    for char, layer in stroke_layers(face).items():
        name = names[ord(char)] = f"uni{ord(char):04X}"
        glyphs[name] = _outline(layer.drawing(char, layer.cell, 1.0), layer.cell)
        metrics[name] = (round(layer.cell[0] * UNITS), 0)
    builder = FontBuilder(round(height * UNITS), isTTF=True)
    builder.setupGlyphOrder(list(glyphs))
    builder.setupCharacterMap(names)
    builder.setupGlyf(glyphs)
    table = builder.font["glyf"]
    builder.setupHorizontalMetrics({n: (metrics[n][0], getattr(table[n], "xMin", 0)) for n in glyphs})
    return _finish(builder, face, round(height * UNITS), folder)


def _finish(builder: FontBuilder, face: Face, height: int, folder: Path) -> Path:
    builder.setupHorizontalHeader(ascent=height, descent=0)
    builder.setupOS2(sTypoAscender=height, sTypoDescender=0, usWinAscent=height, usWinDescent=0)
    builder.setupPost()
    family = f"Platesmith {face.name}"
    licence = "MIT licence"
    builder.setupNameTable({"familyName": family, "styleName": "Regular", "licenseDescription": licence})
    builder.font["name"].setName(family.replace(" ", "-"), 6, 3, 1, 0x409)
    program = builder.font["prep"] = newTable("prep")
    program.program = Program()
    program.program.fromBytecode(PROGRAM)
    builder.font["head"].created = builder.font["head"].modified = EPOCH
    builder.font.recalcTimestamp = False
    path = folder / f"{face.name}.ttf"
    builder.save(path)
    return path


def _outline(drawing: Drawing, cell: Size) -> Glyph:
    """The union of all fills and sweeps, cut at the cell."""
    parts = [_path(fill, cell, closed=True) for fill in drawing.fills]
    for sweep in drawing.sweeps:
        part = _path(sweep.points, cell, closed=sweep.closed)
        part.stroke(2 * sweep.radii[0] * UNITS, pathops.LineCap.BUTT_CAP, pathops.LineJoin.ROUND_JOIN, 4)
        part.convertConicsToQuads()
        part.simplify(fix_winding=True)
        parts.append(part)
    ink = pathops.Path()
    for part in parts:
        ink = pathops.op(ink, part, pathops.PathOp.UNION)
    frame = pathops.Path()
    pen = frame.getPen()
    pen.moveTo((0, 0))
    for corner in ((cell[0], 0), cell, (0, cell[1])):
        pen.lineTo((corner[0] * UNITS, corner[1] * UNITS))
    pen.closePath()
    ink = pathops.op(ink, frame, pathops.PathOp.INTERSECTION, fix_winding=True)
    glyph_pen = TTGlyphPen(None)
    ink.draw(glyph_pen)
    return glyph_pen.glyph()


def _path(points: Points, cell: Size, *, closed: bool) -> pathops.Path:
    path = pathops.Path()
    pen = path.getPen()
    corners = [(x * UNITS, (cell[1] - y) * UNITS) for x, y in points.tolist()]
    pen.moveTo(corners[0])
    for corner in corners[1:]:
        pen.lineTo(corner)
    if closed:
        pen.closePath()
    else:
        pen.endPath()
    return path
