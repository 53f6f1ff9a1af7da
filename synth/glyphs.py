"""Faces: which drawing of a character stands in which cell, from strokes or from bundled fonts."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

import fonts
from synth import ink, outlines, strokes
from synth.errors import UserError, nearest
from synth.faces import Faces, LayerSpec, read_faces
from synth.ink import Drawing, Grid
from synth.strokes import Size

FACES_FILE = "fonts/faces.yaml"


class Layer(Protocol):
    """One way to draw some characters, with its share among the layers that have the character."""

    @property
    def share(self) -> float: ...

    @property
    def characters(self) -> frozenset[str]: ...

    def drawing(self, char: str, cell: Size, weight: float) -> Drawing: ...


@dataclass(frozen=True)
class StrokeLayer:
    """Glyphs of a stroke source, drawn in `cell` with a pen `ratio` times that of the source."""

    source: strokes.Source
    characters: frozenset[str]
    share: float
    cell: Size
    ratio: float

    def drawing(self, char: str, cell: Size, weight: float) -> Drawing:
        ratio = self.ratio * min(cell[0] / self.cell[0], cell[1] / self.cell[1])
        return strokes.drawing(self.source.glyphs[char], self.source.cell, cell, ratio, weight)


@dataclass(frozen=True)
class FontLayer:
    """Glyphs of a font: a box of it stretched to `stretch` mm of `cell`, then grown by `grow` mm in all."""

    file: str
    characters: frozenset[str]
    share: float
    cell: Size
    stretch: Size
    grow: Size
    stroke: float  # of the result, mm: what `weight` multiplies
    whole_em: bool  # stretch the em square, not the ink of each character

    def drawing(self, char: str, cell: Size, weight: float) -> Drawing:
        scale = cell[0] / self.cell[0], cell[1] / self.cell[1]
        path = fonts.path(f"cjk/{self.file}")
        box = outlines.em_box(path, self.characters) if self.whole_em else outlines.ink_box(path, char)
        stretch = self.stretch[0] * scale[0], self.stretch[1] * scale[1]
        grow = tuple(min(scale) * (g + self.stroke * (weight - 1)) / 2 for g in self.grow)
        return outlines.drawing(path, char, box, cell, stretch, (grow[0], grow[1]))


@dataclass(frozen=True)
class Face:
    """The glyphs of one kind of cell; every character has one or more drawings, its variants."""

    name: str
    cell: Size
    layers: tuple[Layer, ...]

    def __contains__(self, char: str) -> bool:
        return any(char in layer.characters for layer in self.layers)

    def characters(self) -> frozenset[str]:
        """Every character of the face."""
        return frozenset().union(*(layer.characters for layer in self.layers))

    def variants(self, char: str) -> tuple[float, ...]:
        """The probability of each drawing of a character."""
        shares = [layer.share for layer in self._layers(char)]
        return tuple(share / sum(shares) for share in shares)

    def coverage(
        self,
        char: str,
        width_mm: float,
        height_mm: float,
        px_per_mm: float,
        *,
        variant: int = 0,
        weight: float = 1.0,
        dx_px: float = 0.0,
        dy_px: float = 0.0,
        coarse: bool = False,
    ) -> NDArray[np.uint8]:
        """Ink of a character in a cell, 255 = all of a pixel; shape (ceil(h s + dy), ceil(w s + dx)).

        `weight` multiplies the stroke, `dx_px` and `dy_px` in [0, 1) move the cell right and down;
        `coarse` is for what is shrunk once more.
        """
        grid = Grid(width_mm, height_mm, px_per_mm, dx_px, dy_px, coarse)
        drawing = self.drawing(char, (width_mm, height_mm), variant=variant, weight=weight)
        return ink.coverage(drawing, grid)

    def drawing(self, char: str, cell: Size, *, variant: int = 0, weight: float = 1.0) -> Drawing:
        """The character as fills and sweeps in mm of a cell of the given size."""
        layers = self._layers(char)
        if not 0 <= variant < len(layers):
            raise UserError(
                f"{FACES_FILE}: {self.name}: {char} has {len(layers)} variants, not {variant + 1}"
            )
        return layers[variant].drawing(char, cell, weight)

    def _layers(self, char: str) -> list[Layer]:
        found = [layer for layer in self.layers if char in layer.characters]
        if not found:
            raise UserError(
                f"{FACES_FILE}: {self.name}: no glyph for {char!r}; add it to a layer of this face"
            )
        return found


@functools.cache
def load_face(name: str) -> Face:
    """The face called `name` in fonts/faces.yaml."""
    faces = read_faces(fonts.path("faces.yaml"))
    if name not in faces.faces:
        raise UserError(f"{FACES_FILE}: no face {name!r}; {nearest(name, faces.faces)}")
    spec = faces.faces[name]
    return Face(name, spec.cell, tuple(_layer(layer, spec.cell, faces) for layer in spec.layers))


def _layer(spec: LayerSpec, face_cell: Size, faces: Faces) -> Layer:
    cell = spec.cell or face_cell
    if spec.strokes is not None:
        return _stroke_layer(spec, spec.strokes, cell, faces)
    if spec.font is None:
        raise UserError(f"{FACES_FILE}: a layer has neither `strokes` nor `font`; name a file")
    characters = faces.take(spec, faces.font_characters(spec.font))
    stroke = spec.stroke or 0.11 * max(cell)
    stretch = spec.stretch or cell
    return FontLayer(spec.font, characters, spec.share, cell, stretch, spec.grow, stroke, spec.fit == "em")


def _stroke_layer(spec: LayerSpec, file: str, cell: Size, faces: Faces) -> StrokeLayer:
    source = strokes.read_source(fonts.path(f"strokes/{file}.tsv"))
    ratio = min(cell[0] / source.cell[0], cell[1] / source.cell[1])
    if spec.stroke is not None:
        ratio = spec.stroke / source.stroke
    characters = faces.take(spec, frozenset(source.glyphs))
    return StrokeLayer(source, characters, spec.share, cell, ratio)
