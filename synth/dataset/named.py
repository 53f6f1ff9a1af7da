"""Format `named`: the text is the file's name; repeats are numbered over the whole set, at its end."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from synth.dataset.atomic import disk_errors, publish
from synth.dataset.lists import Lists, write_picture
from synth.dataset.rows import Row, truth
from synth.dataset.shards import RECORDS, ShardDone, Staged, shard_rows
from synth.errors import UserError


@dataclass(frozen=True)
class Named:
    """train/京A12345.jpg, a repeated text gets _2, _3 in order of index; labels.tsv has the types."""

    name: str = "named"
    size: tuple[int, int] | None = None
    labels: frozenset[str] | None = None

    def stage(self, folder: Path, items: Iterable[Staged], fields: Sequence[str]) -> None:
        with (folder / RECORDS).open("wb") as records:
            for row, line, jpeg in items:
                write_picture(f"{folder}/{row['id']}.jpg", jpeg)
                records.write(line + b"\n")

    def publish(self, root: Path, shards: Sequence[ShardDone]) -> None:
        with disk_errors(root), Lists(root) as lists:
            lists["labels.tsv"].write(b"path\ttext\ttype\n")
            for folder, row, path in named(shard_rows(root, shards)):
                os.makedirs(f"{root}/{row['split']}", exist_ok=True)  # noqa: PTH103
                publish(f"{folder}/{row['id']}.jpg", f"{root}/{path}")
                lists["labels.tsv"].write(f"{path}\t{row['text']}\t{row['type']}\n".encode())
                lists[RECORDS].write(truth(row, path).encode() + b"\n")
            lists.keep()


def named(rows: Iterable[tuple[Path, Row]]) -> Iterator[tuple[Path, Row, str]]:
    """Every row with the path of its picture."""
    seen: Counter[tuple[str, str]] = Counter()
    for folder, row in rows:
        text, split = row["text"], row["split"]
        if not text.isalnum():
            raise UserError(f"format=named: the text {text!r} cannot be a file name; take format=folder")
        seen[split, text] += 1
        again = seen[split, text]
        yield folder, row, f"{split}/{text}_{again}.jpg" if again > 1 else f"{split}/{text}.jpg"
