"""The schema of fonts/faces.yaml: character sets, fonts and the layers of every face."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from synth.errors import UserError

Length = Annotated[float, Field(gt=0, le=1000)]
SizeMm = tuple[Length, Length]


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class LayerSpec(_Strict):
    """One layer of a face: `strokes` (a TSV) or `font` (a file of fonts/cjk), and how it fills its cell."""

    strokes: str | None = None
    font: str | None = None
    cell: SizeMm | None = None  # default: the cell of the face
    share: Length = 1.0
    only: str | None = None
    without: str = ""
    stroke: Length | None = None  # strokes: pen in mm for a usual glyph; font: what `weight` multiplies
    fit: Literal["ink", "em"] = "ink"
    stretch: SizeMm | None = None
    grow: tuple[float, float] = (0.0, 0.0)


class FaceSpec(_Strict):
    """A face: the cell its layers are meant for, in mm, and the layers in order of preference."""

    cell: SizeMm
    layers: tuple[LayerSpec, ...]


class Faces(_Strict):
    """The whole file; a font holds the characters of the sets that it names."""

    characters: dict[str, str]
    fonts: dict[str, tuple[str, ...]]
    faces: dict[str, FaceSpec]

    def font_characters(self, file: str) -> frozenset[str]:
        """The characters that a bundled font holds."""
        if file not in self.fonts:
            raise UserError(f"fonts/faces.yaml: font {file!r} is not listed under `fonts`; add it there")
        unknown = set(self.fonts[file]) - set(self.characters)
        if unknown:
            raise UserError(f"fonts/faces.yaml: fonts.{file}: no character set {min(unknown)!r}; add it")
        return frozenset("".join("".join(self.characters[name].split()) for name in self.fonts[file]))

    def take(self, layer: LayerSpec, available: frozenset[str]) -> frozenset[str]:
        """The characters of a source that a layer uses; `only` may name a set."""
        only = available if layer.only is None else frozenset(self.characters.get(layer.only, layer.only))
        return available & only - frozenset(layer.without)


@functools.cache
def read_faces(path: Path) -> Faces:
    """The checked contents of a faces file."""
    try:
        return Faces.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        raise UserError(f"fonts/{path.name}: {key}: {first['msg']}") from error
