"""UFPR-ALPR: pictures of whole scenes, each with a text file of `key: value` lines."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from synth.dataset.files import floats, lines, split_in, walk
from synth.dataset.picture import FileBlob, Labelled, Problem, fold
from synth.dataset.rectify import box_quad, in_order
from synth.sample import Points


def ufpr(root: Path) -> Iterator[Labelled | Problem]:
    """UFPR-ALPR: a text file of `key: value` lines beside each picture."""
    for notes in walk(root, (".txt",)):
        where = notes.relative_to(root).as_posix()
        values: dict[str, str] = {}
        problem: Problem | None = None
        for _, line in lines(notes):
            if isinstance(line, Problem):
                problem = Problem(where, line.kind, line.message)
            else:
                key, _, value = line.partition(":")
                values[key.strip().lower()] = value.strip()
        yield problem or _ufpr_picture(root, notes, values, where)


def _ufpr_picture(root: Path, notes: Path, values: dict[str, str], where: str) -> Labelled | Problem:
    if not values.get("plate"):
        return Problem(where, "line", "no line `plate: TEXT`")
    picture = next((p for p in map(notes.with_suffix, (".png", ".jpg")) if p.is_file()), None)
    if picture is None:
        return Problem(where, "missing", f"no picture {notes.stem}.png or .jpg beside it")
    try:
        quad = _ufpr_quad(values)
    except ValueError as error:
        return Problem(where, "line", f"no place of the plate: {error}")
    name = picture.relative_to(root).as_posix()
    return Labelled(
        fold(values["plate"]), name, FileBlob(picture), split=split_in(name), quad=quad, where=where
    )


def _ufpr_quad(values: dict[str, str]) -> Points:
    """Corners where the file has them, else the plate's box, else the box around the characters."""
    if "corners" in values:
        numbers = floats(values["corners"], 8)
        return in_order(numbers)
    box = values.get("position_plate")
    if box is not None:
        return box_quad(*floats(box, 4))
    characters = [floats(value, 4) for key, value in values.items() if re.fullmatch(r"char ?\d+", key)]
    if not characters:
        raise ValueError("neither corners nor position_plate nor characters")
    boxes = np.array(characters, np.float32)
    left, top = boxes[:, :2].min(axis=0)
    right, bottom = (boxes[:, :2] + boxes[:, 2:]).max(axis=0)
    return box_quad(left, top, right - left, bottom - top)
