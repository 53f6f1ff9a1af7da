"""Plates as file names, as many private collections and recognizer test sets have them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from synth.dataset.files import PICTURES, split_in, walk
from synth.dataset.picture import FileBlob, Labelled, Problem, fold

OURS = ("sheet.png", "balance.png")  # pictures that we put beside a data set
_REPEAT = re.compile(r"(?:[_-]\d{1,4}|\s*\(\d+\))$")


def named(root: Path) -> Iterator[Labelled | Problem]:
    """The text is the file's name; _2, -1 or (1) after it tells repeats apart."""
    for path in walk(root, PICTURES):
        name = path.relative_to(root).as_posix()
        if name in OURS:
            continue
        text = text_of(path.stem)
        if not text.isalnum():
            yield Problem(name, "name", f"{path.stem!r} is not the text of a plate")
            continue
        yield Labelled(text, name, FileBlob(path), split=split_in(name), where=name)


def text_of(stem: str) -> str:
    """The text in a file's name, without what tells repeats apart."""
    return fold(_REPEAT.sub("", stem))
