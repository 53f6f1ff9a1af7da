"""Every data set that we read, by name (`source=`), and a guess at which one a folder holds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from synth.dataset import readers
from synth.dataset.files import PICTURES, lines, walk
from synth.dataset.picture import Labelled, Problem
from synth.dataset.real import cblprd
from synth.dataset.real.ccpd import ccpd, parse_name
from synth.dataset.real.named import named, text_of
from synth.dataset.real.openalpr import openalpr
from synth.dataset.real.ufpr import ufpr
from synth.errors import UserError, nearest

Reader = Callable[[Path], Iterator[Labelled | Problem]]

SOURCES: dict[str, Reader] = {
    "labelled": readers.labelled,
    "ccpd": ccpd,
    "cblprd": cblprd.cblprd,
    "ufpr": ufpr,
    "named": named,
    "openalpr": openalpr,
    "folder": readers.folder,
    "webdataset": readers.webdataset,
    "parquet": readers.parquet,
    "lmdb": readers.lmdb,
    "paddle": readers.paddle,
    "csv": readers.csv_table,
}

SHOWN = 3


@dataclass(frozen=True)
class ReadResult:
    """The pictures of a data set and everything that had to be left out, with the reason."""

    source: str
    path: Path
    items: list[Labelled]
    problems: list[Problem]

    def summary(self) -> str:
        """One line for the log: how many were read, how many refused and why."""
        if not self.problems:
            return f"{self.path}: {len(self.items)} pictures read as {self.source}"
        kinds = ", ".join(
            f"{count} {kind}" for kind, count in Counter(p.kind for p in self.problems).most_common()
        )
        first = "; ".join(str(problem) for problem in self.problems[:SHOWN])
        read = f"{self.path}: {len(self.items)} pictures read as {self.source}"
        return f"{read}, left out: {kinds} (first: {first})"


def stream(name: str, path: Path) -> Iterator[Labelled | Problem]:
    """The pictures and problems of a data set, one by one."""
    if name not in SOURCES:
        raise UserError(f"source={name}: unknown; {nearest(name, SOURCES)}")
    if not path.exists():
        raise UserError(f"{path}: no such folder or file; give the path of a data set")
    if path.is_file() and name not in ("cblprd", "webdataset", "parquet"):
        raise UserError(f"{path}: is a file; source={name} reads a folder")
    try:
        yield from SOURCES[name](path)
    except FileNotFoundError as error:
        said = f"{error.filename or path}: no such file; source={name} needs it"
        raise UserError(f"{said}; {other_source(name, path)}") from error
    except PermissionError as error:
        raise UserError(f"{error.filename or path}: may not be read") from error


def read_source(name: str, path: str | Path) -> ReadResult:
    """Read a data set; one without a single good picture is an error that shows the first problem."""
    path = Path(path)
    items: list[Labelled] = []
    problems: list[Problem] = []
    for found in stream(name, path):
        if isinstance(found, Problem):
            problems.append(found)
        else:
            items.append(found)
    if not items:
        why = f"; first problem: {problems[0]}" if problems else ""
        raise UserError(f"{path}: no picture can be read as source={name}{why}; {other_source(name, path)}")
    return ReadResult(name, path, items, problems)


def other_source(name: str, path: Path) -> str:
    """What to try when a folder is not of the source that was said: what it looks like, or all there are."""
    try:
        guess = detect(path)
    except UserError:
        guess = name
    if guess != name:
        return f"it looks like source={guess}"
    return f"source= may be {', '.join(SOURCES)} (README: Labelled sets it reads)"


def detect(path: str | Path) -> str:
    """The name of the source that a folder (or a tar, parquet or list file) looks like."""
    path = Path(path)
    if not path.exists():
        raise UserError(f"{path}: no such file or folder")
    if path.is_file():
        kinds = {".tar": "webdataset", ".parquet": "parquet", ".txt": "cblprd"}
        if path.suffix in kinds:
            return kinds[path.suffix]
        raise UserError(f"{path}: not a data set; give a folder")
    for name, pattern in _MARKS:
        if next(path.glob(pattern), None):
            return name
    guess = _by_list(path) or _by_notes(path) or _by_names(path)
    if not guess:
        raise UserError(
            f"{path}: looks like none of the data sets we read; set source= to one of {', '.join(SOURCES)}"
        )
    return guess


_MARKS = (
    ("labelled", "labels.tsv"),
    ("csv", "labels.csv"),
    ("folder", "metadata.jsonl"),
    ("folder", "*/metadata.jsonl"),
    ("webdataset", "*.tar"),
    ("parquet", "*.parquet"),
    ("parquet", "*/*.parquet"),
    ("lmdb", "data.mdb"),
    ("lmdb", "*/data.mdb"),
    ("paddle", "*_list.txt"),
)


def _by_list(path: Path) -> str:
    for name in ("data.txt", *cblprd.LISTS):
        if (path / name).is_file():
            first = next((line for _, line in lines(path / name)), "")
            if isinstance(first, str) and len(first.split()) == 3:
                return "cblprd"
    return ""


def _by_notes(path: Path) -> str:
    for notes in islice(walk(path, (".txt",)), 3):
        text = [line for _, line in islice(lines(notes), 50) if isinstance(line, str)]
        if any(line.strip().startswith("plate:") for line in text):
            return "ufpr"
        if text and text[0].count("\t") >= 5:
            return "openalpr"
    return ""


def _by_names(path: Path) -> str:
    stems = [picture.stem for picture in islice(walk(path, PICTURES), 20)]
    for stem in stems:
        try:
            parse_name(stem)
            return "ccpd"
        except ValueError:
            continue
    # A plate has a digit and something else; 000123 and IMG are numbers and words.
    texts = [text_of(stem) for stem in stems]
    plates = [
        t for t in texts if t.isalnum() and not t.isdigit() and any(c.isdigit() for c in t) and len(t) <= 14
    ]
    return "named" if len(plates) > len(texts) / 2 else ""
