"""Put new text on real plates and keep their style: a picture, a folder of them, or a list.

python -m gan.edit image=plate.jpg text=皖A12345 weights=runs/spg/weights.safetensors out=edited/
python -m gan.edit image=crops/ text=random weights=runs/spg/weights.safetensors out=anonymous/
python -m gan.edit image=wanted.tsv weights=runs/spg/weights.safetensors out=edited/

A list has lines path<TAB>new text. What stands on a picture is taken from the labels.tsv beside it, else it
is read. With text=random every new text differs from every old one, and the pictures are named by number,
since names often hold the text. out has the pictures at their own size, labels.tsv of the new texts and, with
a reader, readings.tsv. Pictures that cannot be edited are told on standard error; the exit code is then 2.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np
from hydra.utils import instantiate
from omegaconf import DictConfig

from gan.align import Alignment, align_text, types_for
from gan.spg.editor import Edited, Editor, Task, task_of
from gan.spg.rendered import new_fields
from synth.app import command
from synth.dataset.atomic import disk_errors, write_atomic
from synth.dataset.files import PICTURES, lines, located, walk
from synth.dataset.picture import FileBlob, Labelled, Problem, fold
from synth.dataset.sources import read_source
from synth.errors import UserError
from synth.grammar import MODES, grammar_of
from synth.progress import Progress
from synth.sample import Image

RANDOM = "random"
AT_ONCE = 64  # pictures in memory
HEADER = "path\ttext\ttype\tcolour"
READINGS = "path\ttext\tread\tconfidence"
JPEG = [cv2.IMWRITE_JPEG_QUALITY, 95]


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


@dataclass(frozen=True)
class Done:
    """An edited picture."""

    name: str
    text: str
    task: Task
    edited: Edited

    @property
    def line(self) -> str:
        kind = self.task.plate.type
        return f"{self.name}\t{self.text}\t{kind.id}\t{kind.colour}"


def wanted_of(image: str, text: str | None) -> list[Wanted]:
    """The pictures of a file, folder or list."""
    path = Path(image)
    if path.is_dir():
        items = list(known(path).values()) or [unknown(path, file) for file in walk(path, PICTURES)]
        if not items:
            raise UserError(f"image: {path}: no picture in this folder ({', '.join(PICTURES)})")
        return [Wanted(item, asked(text, item.name)) for item in items]
    if not path.is_file():
        raise UserError(f"image: {path}: no such file or folder")
    if path.suffix.lower() in PICTURES:
        item = known(path.parent).get(path.name) or unknown(path.parent, path)
        return [Wanted(item, asked(text, item.name))]
    return listed(path, text)


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
        found.append(Wanted(labels.get(name) or unknown(path.parent, file), asked(own or text, name)))
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
    return {item.name: item for item in read.items}


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


@dataclass(frozen=True)
class Job:
    """How pictures are edited."""

    editor: Editor
    types: Sequence[str]
    accept: float
    mode: str  # of random texts
    seed: int
    taken: frozenset[str]  # the old texts: no new random one is among them

    def task(self, number: int, wanted: Wanted) -> tuple[Task, str]:
        """What is to be done for picture `number` and its new text, or a UserError that names it."""
        item = wanted.item
        try:
            crop = item.plate(straight=False)
            found = self.found(item, crop)
            text = self.random(number, found) if wanted.text == RANDOM else wanted.text
            return task_of(crop, found, text), text
        except UserError as error:
            said = str(error)
            raise UserError(said if said.startswith(item.name) else f"{item.name}: {said}") from error

    def found(self, item: Labelled, crop: Image) -> Alignment:
        """Where the plate lies in the crop."""
        types = types_for(item, self.types)
        if not types:
            raise UserError(f"no type of plates.types can show its text {item.text!r}; name its type there")
        found = align_text(crop, item.text, types)
        if found.score < self.accept:
            raise UserError(
                f"{item.text!r} is not found in it (score {found.score:.2f}, accept={self.accept})"
            )
        return found

    def random(self, number: int, found: Alignment) -> str:
        rng = np.random.default_rng((self.seed, number))
        grammar = grammar_of(found.plate.type.id)
        return "".join(new_fields(grammar, found.plate.fields, rng, self.mode, self.taken).values())

    def done(self, wanted: Sequence[Wanted | UserError]) -> Iterator[list[Done | UserError]]:
        """Edited pictures or why there is none, some at a time, in order."""
        for start in range(0, len(wanted), AT_ONCE):
            planned: list[tuple[str, Task, str] | UserError] = []
            for number, one in enumerate(wanted[start : start + AT_ONCE], start):
                try:
                    if isinstance(one, UserError):
                        raise one
                    planned.append((name_of(one, number), *self.task(number, one)))
                except UserError as error:
                    planned.append(error)
            edited = iter(self.editor.edit([p[1] for p in planned if not isinstance(p, UserError)]))
            yield [p if isinstance(p, UserError) else Done(p[0], p[2], p[1], next(edited)) for p in planned]


def name_of(wanted: Wanted, number: int) -> str:
    """The picture's own name; a number where texts are random, since names often hold the text."""
    path = Path(wanted.item.name)
    return f"{number:06d}{path.suffix.lower()}" if wanted.text == RANDOM else path.as_posix()


def write(out: Path, done: Done) -> None:
    suffix = Path(done.name).suffix.lower()
    picture = cv2.cvtColor(done.edited.image, cv2.COLOR_RGB2BGR)
    _, content = cv2.imencode(suffix, picture, JPEG if suffix in (".jpg", ".jpeg") else [])
    write_atomic(out / done.name, content.tobytes())


@dataclass
class Report:
    """What became of all pictures."""

    labels: list[str]
    readings: list[str]
    right: int = 0
    refused: int = 0

    def add(self, batch: Sequence[Done | UserError], out: Path, reader: Reader | None) -> None:
        good = [one for one in batch if isinstance(one, Done)]
        for one in batch:
            if isinstance(one, UserError):
                print(f"error: {one}", file=sys.stderr)
                self.refused += 1
            else:
                write(out, one)
                self.labels.append(one.line)
        read = reader.read([one.edited.image for one in good]) if reader is not None and good else []
        for one, reading in zip(good, read, strict=bool(read)):
            self.right += reading.text == one.text
            self.readings.append(f"{one.name}\t{one.text}\t{reading.text}\t{reading.confidence:.4f}")

    def said(self, out: Path) -> str:
        edited = len(self.labels) - 1
        words = f"{out}: {edited} edited, {self.refused} refused"
        if len(self.readings) == 2:
            _, _, text, confidence = self.readings[1].split("\t")
            return f"{words}; read as {text} (confidence {confidence})"
        return f"{words}; {self.right} of {edited} read as asked" if len(self.readings) > 1 else words


@command("edit")
def main(config: DictConfig) -> int:
    """Edit plates."""
    if config.mode not in MODES:
        raise UserError(f"mode: {config.mode!r} is unknown; use {', '.join(MODES)}")
    if config.weights is None:
        raise UserError(
            "weights: none are bundled; train some with plate-train-gan gan=spg, give weights=FILE"
        )
    wanted = wanted_of(str(config.image), None if config.text is None else str(config.text))
    out = Path(config.out)
    given = Path(config.image)
    if out.resolve() == (given if given.is_dir() else given.parent).resolve():
        raise UserError(f"out: {out} has the pictures themselves; choose another folder")
    reader: Reader | None = None if config.reader is None else instantiate(config.reader)
    editor = Editor.of(Path(config.weights), config.precision)
    ready = with_texts(wanted, reader)
    taken = frozenset(one.item.text for one in ready if isinstance(one, Wanted))
    job = Job(editor, tuple(config.plates.types), config.accept, config.mode, config.seed, taken)
    report = Report([HEADER], [READINGS])
    with disk_errors(out), Progress(len(ready), 0, "pictures") as progress:
        for batch in job.done(ready):
            report.add(batch, out, reader)
            progress.add(len(batch))
        if len(report.labels) > 1:
            write_atomic(out / "labels.tsv", "\n".join(report.labels) + "\n")
        if len(report.readings) > 1:
            write_atomic(out / "readings.tsv", "\n".join(report.readings) + "\n")
    print(report.said(out))
    return 2 if report.refused else 0


if __name__ == "__main__":
    main()
