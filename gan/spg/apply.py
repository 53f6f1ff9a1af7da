"""Stage `spg`: the sample's text on a real crop of its type, in that crop's style."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from gan.align import ACCEPT, DRAWN_PX, Alignment
from gan.pairs import Pairs, load_pairs
from gan.sight import fitted
from gan.spg.editor import Edited, Editor, Task, weights_file
from synth.capture.effect import Span, between, draws, need_size, need_span
from synth.capture.stage import opaque
from synth.errors import UserError
from synth.render import render
from synth.sample import Sample, transform
from synth.seeding import rng_for

NAME = "spg"
Shelf = tuple[str | int, ...]


@dataclass(frozen=True)
class Restyle:
    """Edits crops of a folder so that they show the samples' texts; labels and quads lie as in the crop."""

    types: Sequence[str]
    weights: str | Path | None = None  # null: the bundled ones
    path: str | Path | None = None  # of the crops
    source: str = "labelled"
    accept: float = ACCEPT
    height_px: int = 64  # of the picture put out
    size: Sequence[int] | None = None  # [width, height] of it
    quality: Span = (80, 96)  # JPEG, for the writer
    precision: str = "auto"

    def __post_init__(self) -> None:
        need_span("quality", self.quality, 1, 100)
        need_size("size", self.size)
        if not self.file.is_file():
            raise UserError(f"weights: {self.file}: no such file")
        if self.path is None:
            raise UserError("path: none; give a folder of labelled crops, stages.spg.path=DIR")

    @property
    def file(self) -> Path:
        return weights_file(self.weights)

    @functools.cached_property
    def editor(self) -> Editor:
        return editor_of(self.file, self.precision, self.file.stat().st_mtime_ns)

    @property
    def crops(self) -> Pairs:
        size = self.editor.header.sizes[0]
        return crops_of(self.source, str(self.path), tuple(self.types), size, self.accept)

    @functools.cached_property
    def shelves(self) -> dict[Shelf, list[int]]:
        """The crops by what they can show."""
        found: dict[Shelf, list[int]] = {}
        for index, name in enumerate(self.crops.types):
            found.setdefault(shelf_of(name, self.crops.alignment(index).plate.fields), []).append(index)
        return found

    def __call__(self, batch: Sequence[Sample]) -> list[Sample]:
        chosen = [self.crop_for(sample) for sample in batch]
        tasks = [self.task(sample, index) for sample, index in zip(batch, chosen, strict=True)]
        edited = self.editor.edit(tasks)
        return [self.finished(*one) for one in zip(batch, chosen, tasks, edited, strict=True)]

    def crop_for(self, sample: Sample) -> int:
        """A crop of the sample's type, and of its layout: from the sample's own stream."""
        able = self.shelves.get(shelf_of(sample.type, sample.fields))
        if not able:
            raise UserError(
                f"{self.path}: no crop of {sample.type} with as many characters as {sample.text!r}; "
                "leave the type out of plates.types, or add such crops"
            )
        return able[int(rng_for(sample.seed, sample.index, NAME).integers(len(able)))]

    def task(self, sample: Sample, index: int) -> Task:
        found = self.crops.alignment(index)
        return Task(self.crops.crops[index], found, render(found.plate.type, sample.fields, DRAWN_PX))

    def output(self, found: Alignment) -> tuple[int, int]:
        """Height and width of the picture put out."""
        if self.size is not None:
            return int(self.size[1]), int(self.size[0])
        height, width = found.size
        return self.height_px, max(8, round(self.height_px * width / height))

    def finished(self, sample: Sample, index: int, task: Task, edited: Edited) -> Sample:
        size = self.output(task.found)
        scale = np.diag((size[1] / task.found.size[1], size[0] / task.found.size[0], 1.0))
        laid = scale @ task.found.homography
        rng = rng_for(sample.seed, sample.index, f"{NAME} quality")
        return replace(
            sample,
            image=fitted(edited.image, size),
            alpha=opaque(*size),
            quad=transform(laid, task.plate.quad),
            row_quads=transform(laid, task.plate.row_quads),
            char_quads=transform(laid, task.plate.char_quads),
            mask=fitted(edited.mask, size),
            stages=sample.drawn(NAME, style=index, quality=round(between(draws(rng), self.quality))),
        )


@functools.lru_cache(maxsize=2)
def editor_of(path: Path, precision: str, changed: int) -> Editor:
    """The editor of a file, loaded once a process unless it changes; `changed` is when it did."""
    return Editor.of(path, precision)


@functools.lru_cache(maxsize=2)
def crops_of(source: str, path: str, types: tuple[str, ...], size: tuple[int, int], accept: float) -> Pairs:
    """The aligned crops of a folder, read once a process; far higher ones than `size` are made smaller."""
    return load_pairs(source, path, types, size, part="all", accept=accept)


def shelf_of(kind: str, fields: Mapping[str, str]) -> Shelf:
    """What has its characters in the same places: a type and the lengths of its fields."""
    return kind, *(len(value) for value in fields.values())
