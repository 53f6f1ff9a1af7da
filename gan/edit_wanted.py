"""What is to be edited: the pictures of a file, folder or list, what stands on them and what is to."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from synth.dataset.files import PICTURES, lines, located, walk
from synth.dataset.picture import FileBlob, Labelled, Problem, fold
from synth.dataset.sources import read_source
from synth.errors import UserError
from synth.grammar import MODES
from synth.sample import Image

RANDOM = "random"
OTHERS = (".gif", ".tif", ".tiff", ".ppm", ".pgm", ".pbm", ".jp2", ".heic")  # pictures, and no lists


class Reading(Protocol):
    """What a reader says of a picture."""

    text: str
    type: str
    confidence: float


class Reader(Protocol):
    """Whoever reads pictures: `Reader` of the recognizer, or anything like it."""

    def read(self, image: list[Image]) -> list[Any]: ...  # of Reading


@dataclass(frozen=True)
class Wanted:
    """A picture and the text asked for; the item's own text is empty where nobody has said it."""

    item: Labelled
    text: str


def wanted_of(image: str, text: str | None, out: Path | None = None) -> list[Wanted]:
    """The pictures of a file, folder or list; those that lie in `out` are results of an earlier run."""
    path = Path(image)
    if path.is_dir():
        items = in_folder(path, out)
        if not items:
            raise UserError(f"image: {path}: no picture in this folder ({', '.join(PICTURES)})")
        return [Wanted(item, asked(text, item.name)) for item in items]
    if not path.is_file():
        raise UserError(f"image: {path}: no such file or folder")
    if path.suffix.lower() in PICTURES:
        item = known(path.parent).get(path.name) or unknown(path.parent, path)
        return [Wanted(item, asked(text, item.name))]
    if path.suffix.lower() in OTHERS:
        raise UserError(f"image: {path}: not a kind that is edited ({', '.join(PICTURES)}); convert it")
    return listed(path, text)


def in_folder(folder: Path, out: Path | None) -> list[Labelled]:
    """Its pictures: those of labels.tsv in their order, then those that it leaves out."""
    labels = known(folder)
    others = [unknown(folder, file) for file in walk(folder, PICTURES) if not within(file, out)]
    return [*labels.values(), *(item for item in others if item.name not in labels)]


def within(file: Path, folder: Path | None) -> bool:
    return folder is not None and file.resolve().is_relative_to(folder.resolve())


def listed(path: Path, text: str | None) -> list[Wanted]:
    """Lines of path<TAB>text, paths relative to the list."""
    labels, found = known(path.parent), []
    for where, line in lines(path):
        if isinstance(line, Problem):
            raise UserError(f"image: {path}: {line}")
        name, _, own = line.partition("\t")
        file = located(path.parent, name, where)
        if isinstance(file, Problem):
            raise UserError(f"image: {path}: {file}")
        found.append(
            Wanted(labels.get(Path(name).as_posix()) or unknown(path.parent, file), asked(own or text, name))
        )
    if not found:
        raise UserError(f"image: {path}: no line in it; write path<TAB>text")
    return found


def asked(text: str | None, name: str) -> str:
    if not text:
        raise UserError(f"text: none for {name}; give text=TEXT or text=random")
    return text if text == RANDOM else fold(text)


def known(folder: Path) -> dict[str, Labelled]:
    """What labels.tsv says of the pictures in its folder."""
    if not (folder / "labels.tsv").is_file():
        return {}
    read = read_source("labelled", folder)
    if read.problems:
        print(read.summary(), file=sys.stderr)
    return {Path(item.name).as_posix(): item for item in read.items}


def unknown(folder: Path, file: Path) -> Labelled:
    return Labelled("", file.relative_to(folder).as_posix(), FileBlob(file))


def with_texts(wanted: Sequence[Wanted], reader: Reader | None) -> list[Wanted | UserError]:
    """Every picture with its own text, read where it is not known."""
    found: list[Wanted | UserError] = []
    for one in wanted:
        if one.item.text:
            found.append(one)
            continue
        if reader is None:
            raise UserError(f"{one.item.name}: its text is not known; write labels.tsv, or give a reader")
        try:
            reading = reader.read([one.item.image()])[0]
        except UserError as error:
            found.append(error)
            continue
        item = replace(one.item, text=reading.text, type=reading.type)
        found.append(replace(one, item=item) if reading.text else UserError(f"{item.name}: nothing is read"))
    return found


def need_mode(mode: str) -> None:
    """How texts are drawn."""
    if mode not in MODES:
        raise UserError(f"mode: {mode!r} is unknown; use {', '.join(MODES)}")


def need_seed(seed: int) -> None:
    if seed < 0:
        raise UserError(f"seed: {seed} is below 0; random texts are drawn from 0 or more")
