"""Pictures edited: what is to be done for each, what came of it."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from gan.align import Alignment, align_text, types_for
from gan.edit_wanted import RANDOM, Reader, Reading, Wanted
from gan.spg.editor import Edited, Editor, Task, task_of
from gan.spg.rendered import TRIES, new_fields
from gan.spg.residue import still_read
from synth.dataset.atomic import write_atomic
from synth.dataset.picture import Labelled
from synth.errors import UserError
from synth.grammar import grammar_of
from synth.sample import Image

AT_ONCE = 64  # pictures in memory
REDRAWS = 3  # of a picture that still shows its old text, each with another new one
HEADER = "path\ttext\ttype\tcolour"
READINGS = "path\ttext\tread\tconfidence"
JPEG = [cv2.IMWRITE_JPEG_QUALITY, 95]


@dataclass(frozen=True)
class Done:
    """An edited picture."""

    name: str
    text: str
    task: Task
    edited: Edited
    reading: Reading | None = None  # of the result

    @property
    def old(self) -> str:
        return self.task.found.plate.text

    @property
    def leaks(self) -> bool:
        """Whether the old text is read from the result, or all but one of its characters."""
        read = self.reading
        return read is not None and read.text != self.text and still_read(self.old, read.text)

    @property
    def line(self) -> str:
        kind = self.task.plate.type
        return f"{self.name}\t{self.text}\t{kind.id}\t{kind.colour}"


@dataclass(frozen=True)
class Job:
    """How pictures are edited."""

    editor: Editor
    types: Sequence[str]
    accept: float
    mode: str  # of random texts
    seed: int
    taken: frozenset[str]  # the old texts: no new random one is among them
    reader: Reader | None = None  # of the results

    def task(self, number: int, wanted: Wanted, attempt: int = 0) -> tuple[Task, str]:
        """What is to be done for picture `number` and its new text, or a UserError that names it."""
        item = wanted.item
        try:
            crop = item.plate(straight=False)
            found = self.found(item, crop)
            text = self.random(number, found, attempt) if wanted.text == RANDOM else wanted.text
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

    def random(self, number: int, found: Alignment, attempt: int) -> str:
        """A text that is none of the old ones and unlike the picture's own."""
        rng, grammar = np.random.default_rng((self.seed, number, attempt)), grammar_of(found.plate.type.id)
        for _ in range(TRIES):
            fields = new_fields(grammar, found.plate.fields, rng, self.mode, self.taken)
            text = "".join(fields.values())
            if not still_read(found.plate.text, text):
                return text
        raise UserError(f"no other text differs from {found.plate.text!r} in more than one character")

    def done(self, wanted: Sequence[Wanted | UserError]) -> Iterator[list[Done | UserError]]:
        """Edited pictures or why there is none, some at a time, in order."""
        for start in range(0, len(wanted), AT_ONCE):
            yield self.batch(dict(enumerate(wanted[start : start + AT_ONCE], start)))

    def batch(self, wanted: dict[int, Wanted | UserError]) -> list[Done | UserError]:
        """Numbered pictures; one that keeps showing its old text although it was to be random is refused."""
        found: dict[int, Done | UserError] = {n: x for n, x in wanted.items() if isinstance(x, UserError)}
        open_ = {n: x for n, x in wanted.items() if isinstance(x, Wanted)}
        for attempt in range(1 + REDRAWS):
            found |= self.attempt(open_, attempt)
            open_ = {n: x for n, x in open_.items() if x.text == RANDOM and leaking(found[n])}
        for n, one in open_.items():
            found[n] = UserError(f"{one.item.name}: its old text is still read after {1 + REDRAWS} attempts")
        return [found[n] for n in wanted]

    def attempt(self, wanted: dict[int, Wanted], attempt: int) -> dict[int, Done | UserError]:
        """All of them edited together, and read if there is a reader."""
        found: dict[int, Done | UserError] = {}
        planned: dict[int, tuple[Task, str]] = {}
        for number, one in wanted.items():
            try:
                planned[number] = self.task(number, one, attempt)
            except UserError as error:
                found[number] = error
        edited = self.editor.edit([task for task, _ in planned.values()])
        read = self.reader.read([one.image for one in edited]) if self.reader is not None and edited else []
        for n, (number, (task, text)) in enumerate(planned.items()):
            reading = read[n] if read else None
            found[number] = Done(name_of(wanted[number], number), text, task, edited[n], reading)
        return found


def leaking(one: Done | UserError) -> bool:
    return isinstance(one, Done) and one.leaks


def name_of(wanted: Wanted, number: int) -> str:
    """The picture's own name; a number where texts are random, since names often hold the text."""
    path = Path(wanted.item.name)
    return f"{number:06d}{path.suffix.lower()}" if wanted.text == RANDOM else path.as_posix()


def need_own_names(wanted: Sequence[Wanted]) -> None:
    """No two results of one name: the second would be written over the first."""
    names: dict[str, str] = {}
    for number, one in enumerate(wanted):
        name = name_of(one, number)
        if name in names:
            raise UserError(
                f"image: {one.item.name} and {names[name]} would both be written as {name}; "
                "put one of them into another list, with an out of its own"
            )
        names[name] = one.item.name


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

    def add(self, batch: Sequence[Done | UserError], out: Path) -> None:
        for one in batch:
            if isinstance(one, UserError):
                print(f"error: {one}", file=sys.stderr)
                self.refused += 1
                continue
            write(out, one)
            self.labels.append(one.line)
            if one.reading is not None:
                self.right += one.reading.text == one.text
                said = f"{one.reading.text}\t{one.reading.confidence:.4f}"
                self.readings.append(f"{one.name}\t{one.text}\t{said}")

    def said(self, out: Path) -> str:
        edited = len(self.labels) - 1
        words = f"{out}: {edited} edited, {self.refused} refused"
        if len(self.readings) == 2:
            _, _, text, confidence = self.readings[1].split("\t")
            return f"{words}; read as {text} (confidence {confidence})"
        if len(self.readings) > 1:
            return f"{words}; {self.right} of {edited} read as asked"
        return f"{words}; no result was read" if edited else words
