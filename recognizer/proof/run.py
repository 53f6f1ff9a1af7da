"""Every reader on every set: trained where needed, read, scored, kept; what fails is told and passed over."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any

import PIL.Image

from recognizer.failures import Failure, draw_failures
from recognizer.proof.cache import VERSION, Cache, digest
from recognizer.proof.grid import Cell
from recognizer.proof.recipe import digest_of
from recognizer.proof.scores import Said, read_by, scored
from recognizer.proof.sets import PlateSet
from recognizer.proof.training import Failed, trained
from recognizer.reader import Reader
from synth.dataset.atomic import write_atomic
from synth.errors import UserError

SHEET = 24  # failures on a sheet
Read = Callable[[PlateSet], list[Said]]


@dataclass(frozen=True)
class Entry:
    """What became of one reader: its result on each set, or why there is none."""

    data: str  # what it was trained on, or what it is
    recognizer: str
    seed: int | None
    results: dict[str, dict[str, Any]] = field(default_factory=dict)  # set -> result
    sheets: dict[str, Path] = field(default_factory=dict)  # set -> picture of what was read wrong
    reason: str = ""  # why there is no result

    def line(self) -> str:
        """For the log."""
        name = f"{self.data} {self.recognizer}" + ("" if self.seed is None else f" seed {self.seed}")
        shares = ", ".join(f"{name} {result['exact']:.1%}" for name, result in self.results.items())
        return f"{name}: {self.reason or shares}"


@dataclass(frozen=True)
class Bench:
    """A folder of trainings (`cells`) and results (`results`)."""

    folder: Path

    @property
    def cache(self) -> Cache:
        return Cache(self.folder / "results")

    def cell(self, cell: Cell, sets: Iterable[PlateSet]) -> Entry:
        """A cell of the grid; it is trained only when a result is missing."""
        key = digest_of(cell.overrides)

        @functools.cache
        def reader() -> Reader:
            cells = self.folder / "cells"  # the curve trains some of what the grid trains, by another name
            folder = next(iter(sorted(cells.glob(f"*.{key}"))), cells / f"{cell.name}.{key}")
            return Reader.from_pretrained(trained(cell.overrides, folder), "torch", 1)

        entry = Entry(cell.data, cell.recognizer, cell.seed)
        return self.tested(entry, cell.name, key, sets, lambda plates: read_by(reader(), plates.items))

    def tested(self, entry: Entry, name: str, key: str, sets: Iterable[PlateSet], read: Read) -> Entry:
        """The entry with a result a set, or with the reason why the reader gave none."""
        try:
            for plates in sets:
                place = f"{name}--{plates.name}", digest([VERSION, key, plates.digest])
                sheet = self.cache.path(*place, "jpg")
                work = functools.partial(self.result, plates, read, sheet)
                entry.results[plates.name] = self.cache.get(*place, work)
                entry.sheets[plates.name] = sheet
        except (Failed, UserError) as error:
            return Entry(entry.data, entry.recognizer, entry.seed, reason=f"failed: {error}")
        return entry

    def result(self, plates: PlateSet, read: Read, sheet: Path) -> dict[str, Any]:
        """Read a set and score it; the sheet of failures is written beside the result."""
        result = scored(plates.items, read(plates))
        write_atomic(sheet, sheet_of(plates, result["wrong"]))
        return result


def sheet_of(plates: PlateSet, wrong: Sequence[Sequence[Any]]) -> bytes:
    """The surest mistakes of a reader as JPEG; of readers that know no confidence the first ones."""
    chosen = sorted(wrong, key=lambda one: -(one[2] or 0.0))[:SHEET]
    items = plates.items
    failures = [Failure(items[n].image(), items[n].text, text, sure or 0.0) for n, text, sure in chosen]
    content = BytesIO()
    PIL.Image.fromarray(draw_failures(failures, len(wrong))).save(content, "JPEG", quality=80)
    return content.getvalue()
