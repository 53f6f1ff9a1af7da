"""Reading other people's folders with care: names stay inside, lines are UTF-8, every refusal is told."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from synth.dataset.picture import Problem

PICTURES = (".jpg", ".jpeg", ".png", ".bmp", ".webp")

_SPLITS = {
    "train": "train",
    "training": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "dev": "val",
    "test": "test",
    "testing": "test",
}


def is_inside(name: str) -> bool:
    """Whether a name from a list or an archive stays inside its folder; one that does not is never opened."""
    if not name or "\x00" in name or "\\" in name or ":" in name.split("/", 1)[0]:
        return False
    path = PurePosixPath(name)
    return not path.is_absolute() and ".." not in path.parts


def lines(path: Path) -> Iterator[tuple[str, str | Problem]]:
    """("data.txt:12", the line) for every line that is not empty; one that is not UTF-8 is a problem."""
    with path.open("rb") as file:
        for number, raw in enumerate(file, 1):
            where = f"{path.name}:{number}"
            if number == 1 and raw.startswith((b"\xff\xfe", b"\xfe\xff")):
                yield where, Problem(where, "encoding", "UTF-16; save the file as UTF-8")
                return
            try:
                line = raw.decode("utf-8-sig" if number == 1 else "utf-8").rstrip("\r\n")
            except UnicodeDecodeError:
                yield where, Problem(where, "encoding", "not UTF-8; save the file as UTF-8")
                continue
            if line.strip():
                yield where, line


def located(root: Path, name: str, where: str) -> Path | Problem:
    """The picture that a list names, or what is wrong with the name."""
    if not is_inside(name):
        return Problem(where, "path", f"refused: {name!r} leads out of the folder")
    path = root / name
    if not path.is_file():
        return Problem(where, "missing", f"no such picture: {name}")
    return path


def walk(root: Path, endings: tuple[str, ...]) -> Iterator[Path]:
    """Files with one of the endings, hidden ones left out, in a fixed order."""
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            if not name.startswith(".") and name.lower().endswith(endings):
                yield Path(folder) / name


def split_in(name: str) -> str:
    """train, val or test when a folder on the way to the picture is called so."""
    for part in PurePosixPath(name).parts[:-1]:
        if part.lower() in _SPLITS:
            return _SPLITS[part.lower()]
    return ""


def split_of_list(name: str) -> str:
    """train, val or test when a list or archive is called so: train.txt, val_list.txt, test-00000.tar."""
    return _SPLITS.get(re.split(r"[-_.]", name.lower())[0], "")


def floats(text: str, count: int) -> list[float]:
    """`count` numbers separated by commas or spaces."""
    try:
        numbers = [float(part) for part in re.split(r"[,\s]+", text.strip())]
    except ValueError:
        raise ValueError(f"{text!r} is not numbers") from None
    if len(numbers) != count:
        raise ValueError(f"{text!r} is not {count} numbers")
    return numbers
