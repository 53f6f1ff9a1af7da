"""Formats of loose picture files with lists beside them: folder, cblprd, paddle, csv, named.

Each is one generator: rows in, entries out; an entry says where a picture goes and what the lists get.
"""

from __future__ import annotations

import csv
import io
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from synth.dataset.atomic import disk_errors, publish
from synth.dataset.rows import Row, dump, tabular
from synth.dataset.shards import Item, ShardDone, shard_rows
from synth.errors import UserError

CBLPRD_LABELS = frozenset(
    ["普通蓝牌", "单层黄牌", "双层黄牌", "黑色车牌", "新能源小型车", "新能源大型车", "拖拉机绿牌"]
)
CSV_COLUMNS = [
    "path",
    "text",
    "type",
    "label",
    "country",
    "region",
    "split",
    "rows",
    "width",
    "height",
    "quad",
    "row_quads",
    "char_quads",
    "id",
    "index",
    "seed",
    "stages",
    "fields",
    "config_sha",
    "version",
]


@dataclass(frozen=True)
class Entry:
    """Where a row's picture goes ("" for none) and the lines it adds: (list file, line)."""

    path: str
    lines: tuple[tuple[str, str], ...]


Index = Callable[[Iterable[Row], Sequence[str]], Iterator[Entry]]


@dataclass(frozen=True)
class Loose:
    """A format of loose files; `index` turns the rows of the whole set into entries, in the same order."""

    name: str
    index: Index
    size: tuple[int, int] | None = None
    labels: frozenset[str] | None = None

    def stage(self, folder: Path, items: Iterable[Item]) -> None:
        base = str(folder)
        for record, jpeg in items:
            with open(f"{base}/{record.id}.jpg", "wb", buffering=0) as file:  # noqa: PTH123  (half the time of Path)
                if file.write(jpeg) != len(jpeg):
                    raise OSError(28, os.strerror(28), str(folder))

    def publish(self, root: Path, shards: Sequence[ShardDone]) -> None:
        fields = sorted({name for done in shards for name in done.fields})
        staged: list[str] = []  # plain strings: Path costs more than the renaming itself

        def rows() -> Iterator[Row]:
            for folder, row in shard_rows(root, shards):
                staged.append(f"{folder}/{row['id']}.jpg")
                yield row

        base, made = str(root), set[str]()
        with disk_errors(root), Lists(root) as lists:
            for entry in self.index(rows(), fields):
                if entry.path:
                    parent = entry.path.rpartition("/")[0]
                    if parent not in made:
                        os.makedirs(f"{base}/{parent}", exist_ok=True)  # noqa: PTH103
                        made.add(parent)
                    publish(staged.pop(), f"{base}/{entry.path}")
                for name, line in entry.lines:
                    lines = lists[name]
                    lines.write(line + "\n")
            lists.keep()


class Lists:
    """List files that appear all at once when `keep` is called, or never."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.open: dict[str, IO[str]] = {}
        self.stack = ExitStack()

    def __enter__(self) -> Lists:
        return self

    def __getitem__(self, name: str) -> IO[str]:
        if name not in self.open:
            path = self._temporary(name)
            path.parent.mkdir(parents=True, exist_ok=True)
            self.open[name] = self.stack.enter_context(path.open("w", encoding="utf-8", newline="\n"))
        return self.open[name]

    def keep(self) -> None:
        self.stack.close()
        for name in self.open:
            self._temporary(name).replace(self.root / name)
        self.open.clear()

    def __exit__(self, *_: object) -> None:
        try:
            self.stack.close()
        finally:
            for name in self.open:
                self._temporary(name).unlink(missing_ok=True)

    def _temporary(self, name: str) -> Path:
        return self.root / f".{name.replace('/', '-')}.tmp-{os.getpid()}"


def folder(rows: Iterable[Row], fields: Sequence[str]) -> Iterator[Entry]:
    """Hugging Face imagefolder: train/000000123.jpg and train/metadata.jsonl."""
    for row in rows:
        split = row["split"]
        line = dump(tabular(row, fields))
        yield Entry(f"{split}/{row['file_name']}", ((f"{split}/metadata.jsonl", line),))


def cblprd(rows: Iterable[Row], fields: Sequence[str]) -> Iterator[Entry]:
    """CBLPRD-330k: data.txt of all, train.txt and val.txt, `CBLPRD/000000123.jpg 京A12345 普通蓝牌`."""
    for row in rows:
        path = f"CBLPRD/{row['file_name']}"
        line = f"{path} {row['text']} {row['label']}"
        yield Entry(path, (("data.txt", line), (f"{row['split']}.txt", line), _truth(path, row)))


def paddle(rows: Iterable[Row], fields: Sequence[str]) -> Iterator[Entry]:
    """PaddleOCR recognition: train_list.txt of `images/x.jpg<TAB>TEXT`, dict.txt of all characters."""
    characters: set[str] = set()
    for row in rows:
        path = f"images/{row['file_name']}"
        characters.update(row["text"])
        yield Entry(path, ((f"{row['split']}_list.txt", f"{path}\t{row['text']}"), _truth(path, row)))
    yield Entry("", tuple(("dict.txt", character) for character in sorted(characters)))


def csv_file(rows: Iterable[Row], fields: Sequence[str]) -> Iterator[Entry]:
    """labels.csv with a header and every column of the record; nested columns are JSON."""
    yield Entry("", (("labels.csv", ",".join(CSV_COLUMNS)),))
    for row in rows:
        path = f"images/{row['file_name']}"
        cells = {**row, "path": path}
        text = io.StringIO()
        values = (cells[column] for column in CSV_COLUMNS)
        csv.writer(text, lineterminator="").writerow(
            dump(value) if isinstance(value, list | dict) else value for value in values
        )
        yield Entry(path, (("labels.csv", text.getvalue()),))


def named(rows: Iterable[Row], fields: Sequence[str]) -> Iterator[Entry]:
    """The text is the file's name, a repeated one gets _2, _3 in order of index; labels.tsv has the types."""
    yield Entry("", (("labels.tsv", "path\ttext\ttype"),))
    seen: Counter[tuple[str, str]] = Counter()
    for row in rows:
        text, split = row["text"], row["split"]
        if not text.isalnum():
            raise UserError(f"format=named: the text {text!r} cannot be a file name; take format=folder")
        seen[split, text] += 1
        again = seen[split, text]
        path = f"{split}/{text}_{again}.jpg" if again > 1 else f"{split}/{text}.jpg"
        yield Entry(path, (("labels.tsv", f"{path}\t{text}\t{row['type']}"), _truth(path, row)))


def _truth(path: str, row: Row) -> tuple[str, str]:
    """The whole record, with its quads, for formats whose own lists keep only the text."""
    return "records.jsonl", dump({**row, "file_name": path})


FOLDER = Loose("folder", folder)
CBLPRD = Loose("cblprd", cblprd, size=(128, 48), labels=CBLPRD_LABELS)
PADDLE = Loose("paddle", paddle)
CSV = Loose("csv", csv_file)
NAMED = Loose("named", named)
