"""CBLPRD-330k: `path text type` lines in data.txt, train.txt and val.txt."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from synth.dataset.files import lines, located, split_of_list
from synth.dataset.picture import FileBlob, Labelled, Problem, fold

Found = Iterator[Labelled | Problem]

LISTS = ("train.txt", "val.txt", "test.txt")


def cblprd(root: Path) -> Found:
    """data.txt has all pictures, the other lists their splits; without it they are all there is."""
    if root.is_file():
        yield from _cblprd_list(root.parent, root, {})
        return
    tables = [root / name for name in LISTS if (root / name).is_file()]
    if not (root / "data.txt").is_file():
        for table in tables:
            yield from _cblprd_list(root, table, {})
        return
    splits: dict[str, str] = {}
    for table in tables:
        for where, line in lines(table):
            name = line.split()[0] if isinstance(line, str) else ""
            if name and splits.setdefault(name, table.stem) != table.stem:
                yield Problem(where, "leak", f"{name} is in {splits[name]}.txt too")
    listed = set()
    for found in _cblprd_list(root, root / "data.txt", splits):
        if isinstance(found, Labelled):
            listed.add(found.name)
        yield found
    if splits:
        yield from _only_in_splits(root, splits, listed)


def _only_in_splits(root: Path, splits: dict[str, str], listed: set[str]) -> Found:
    """Pictures that a split names and data.txt does not."""
    in_all = {line.split()[0] for _, line in lines(root / "data.txt") if isinstance(line, str)}
    for name in splits.keys() - listed - in_all:
        yield Problem(f"{splits[name]}.txt", "line", f"{name} is not in data.txt")


def _cblprd_list(root: Path, table: Path, splits: dict[str, str]) -> Found:
    own = split_of_list(table.name)
    for where, line in lines(table):
        if isinstance(line, Problem):
            yield line
            continue
        cells = line.split()
        if len(cells) != 3:
            yield Problem(where, "line", f"not `path text type`: {line[:60]!r}")
            continue
        name, text, label = cells
        path = located(root, name, where)
        if isinstance(path, Problem):
            yield path
            continue
        split = splits.get(name, own)
        yield Labelled(fold(text), name, FileBlob(path), type=label, split=split, where=where)
