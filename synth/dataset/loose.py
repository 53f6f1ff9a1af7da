"""Formats of loose picture files and lists whose lines depend on one row alone: folder, cblprd, paddle, csv.

A format is one function, row in, entry out: where the picture goes and what the lists get. Workers lay their
shards out as they will be, so that publishing only renames pictures and joins lists.
"""

from __future__ import annotations

import csv
import io
import os
import shutil
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from synth.dataset.atomic import disk_errors
from synth.dataset.lists import Lists, write_picture
from synth.dataset.rows import Row, dump, tabular, truth
from synth.dataset.shards import RECORDS, ShardDone, Staged, shard_folder
from synth.errors import UserError

PICTURES, LISTS = "pictures", "lists"  # the two folders of a staged shard
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
    """Where a row's picture goes (FOLDER/NAME) and the lines it adds: (list file, line)."""

    path: str
    lines: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Loose:
    """A format of loose files; `entry` takes a row and the field names of the whole set."""

    name: str
    entry: Callable[[Row, Sequence[str]], Entry]
    size: tuple[int, int] | None = None
    labels: frozenset[str] | None = None
    heads: Mapping[str, str] = field(default_factory=dict)  # the first line of a list
    distinct: frozenset[str] = frozenset()  # lists whose lines are sorted, each there once

    def stage(self, folder: Path, items: Iterable[Staged], fields: Sequence[str]) -> None:
        base, made = f"{folder}/{PICTURES}", set[str]()
        with Lists(folder / LISTS) as lists:
            for row, _, jpeg in items:
                entry = self.entry(row, fields)
                parent = entry.path.rpartition("/")[0]
                if parent not in made:
                    os.makedirs(f"{base}/{parent}")  # noqa: PTH103
                    made.add(parent)
                write_picture(f"{base}/{entry.path}", jpeg)
                for name, line in entry.lines:
                    lists[name].write(f"{line}\n".encode())
            lists.keep()

    def publish(self, root: Path, shards: Sequence[ShardDone]) -> None:
        folders = [shard_folder(root, done.shard) for done in shards if done.count]
        with disk_errors(root), Lists(root) as lists:
            for staged in folders:
                move_pictures(staged / PICTURES, root)
            for name, parts in staged_lists(folders).items():
                self._join(parts, lists, name)
            lists.keep()

    def _join(self, parts: list[Path], lists: Lists, name: str) -> None:
        if name in self.heads:
            lists[name].write(f"{self.heads[name]}\n".encode())
        if name in self.distinct:
            found = {line for part in parts for line in part.read_bytes().splitlines(keepends=True)}
            lists[name].writelines(sorted(found))
            return
        for part in parts:
            with part.open("rb") as lines:
                shutil.copyfileobj(lines, lists[name])


def move_pictures(staged: Path, root: Path) -> None:
    """Move the pictures of a shard into the data set; a kill between two moves is harmless."""
    if not staged.is_dir():
        raise UserError(f"{staged}: lost; delete {root} and start again")
    move_content(str(staged), str(root))


def move_content(source: str, target: str) -> None:
    """Move what is in a folder: a folder that is new there at once, files one by one."""
    with os.scandir(source) as found:  # plain strings: Path costs more than renaming
        entries = [(entry.name, entry.is_dir()) for entry in found]
    for name, is_folder in entries:
        place = f"{target}/{name}"
        if is_folder and os.path.isdir(place):  # noqa: PTH112
            move_content(f"{source}/{name}", place)
        else:
            os.rename(f"{source}/{name}", place)  # noqa: PTH104


def staged_lists(folders: Sequence[Path]) -> dict[str, list[Path]]:
    """The parts of every list, in order of the shards."""
    parts: dict[str, list[Path]] = defaultdict(list)
    for folder in folders:
        base = folder / LISTS
        for path in sorted(base.rglob("*")):
            if path.is_file():
                parts[path.relative_to(base).as_posix()].append(path)
    return parts


def folder(row: Row, fields: Sequence[str]) -> Entry:
    """Hugging Face imagefolder: train/metadata.jsonl, train/000000/000000123.jpg, a thousand numbers each."""
    split, name = row["split"], f"{row['id'][:-3]}/{row['file_name']}"
    line = dump(tabular({**row, "file_name": name}, fields))
    return Entry(f"{split}/{name}", ((f"{split}/metadata.jsonl", line),))


def cblprd(row: Row, fields: Sequence[str]) -> Entry:
    """CBLPRD-330k: data.txt of all, train.txt and val.txt, `CBLPRD/000000123.jpg 京A12345 普通蓝牌`."""
    path = f"CBLPRD/{row['file_name']}"
    line = f"{path} {row['text']} {row['label']}"
    return Entry(path, (("data.txt", line), (f"{row['split']}.txt", line), (RECORDS, truth(row, path))))


def paddle(row: Row, fields: Sequence[str]) -> Entry:
    """PaddleOCR recognition: train_list.txt of `images/x.jpg<TAB>TEXT`, dict.txt of all characters."""
    path = f"images/{row['file_name']}"
    line = f"{path}\t{row['text']}"
    characters = (("dict.txt", character) for character in row["text"])
    return Entry(path, ((f"{row['split']}_list.txt", line), (RECORDS, truth(row, path)), *characters))


def csv_file(row: Row, fields: Sequence[str]) -> Entry:
    """labels.csv with a header and every column of the record; nested columns are JSON."""
    path = f"images/{row['file_name']}"
    cells = {**row, "path": path}
    text = io.StringIO()
    values = (cells[column] for column in CSV_COLUMNS)
    csv.writer(text, lineterminator="").writerow(
        dump(value) if isinstance(value, list | dict) else value for value in values
    )
    return Entry(path, (("labels.csv", text.getvalue()),))


FOLDER = Loose("folder", folder)
CBLPRD = Loose("cblprd", cblprd, size=(128, 48), labels=CBLPRD_LABELS)
PADDLE = Loose("paddle", paddle, distinct=frozenset(["dict.txt"]))
CSV = Loose("csv", csv_file, heads={"labels.csv": ",".join(CSV_COLUMNS)})
