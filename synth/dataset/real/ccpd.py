"""CCPD, 2018, 2019 and Green: everything is in the file's name.

area-tilt-box-vertices-text-brightness-blur.jpg, for example
025-95_113-154&383_386&473-386&473_177&454_154&383_363&402-0_0_22_27_27_33_16-37-15.jpg
The vertices are right bottom, left bottom, left top, right top. The text is indices into three tables whose
last entry, O, means "no character". The tilt is written around 90 or around 0, as two numbers either way.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from synth.dataset.files import PICTURES, lines, split_in, split_of_list, walk
from synth.dataset.picture import FileBlob, Labelled, Problem
from synth.sample import Points

PROVINCES = "皖沪津渝冀晋蒙辽吉黑苏浙京闽赣鲁豫鄂湘粤桂琼川贵云藏陕甘青宁新警学O"
LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZO"
SERIAL = "ABCDEFGHJKLMNPQRSTUVWXYZ0123456789O"
NOTHING = "O"


@dataclass(frozen=True)
class CcpdName:
    """What a name says."""

    text: str
    box: tuple[int, int, int, int]  # left, top, right, bottom
    quad: Points  # TL TR BR BL
    tilt: tuple[int, int]
    brightness: int
    blur: int


def parse_name(stem: str) -> CcpdName:
    """Parse a name without its ending; ValueError says what is wrong with it."""
    parts = stem.split("-")
    if len(parts) != 7:
        raise ValueError(f"{len(parts)} fields between hyphens, CCPD has 7")
    _, tilt, box, vertices, text, brightness, blur = parts
    corners = _points(vertices, 4)
    (left, top), (right, bottom) = _points(box, 2)
    horizontal, vertical = _numbers(tilt, 2)
    right_bottom, left_bottom, left_top, right_top = corners
    quad = np.array([left_top, right_top, right_bottom, left_bottom], np.float32)
    return CcpdName(
        text=decode_text(_numbers(text)),
        box=(left, top, right, bottom),
        quad=quad,
        tilt=(horizontal, vertical),
        brightness=int(brightness),
        blur=int(blur),
    )


def decode_text(indices: list[int]) -> str:
    """The text of table indices: 7 places, or 8 for new-energy plates."""
    if len(indices) not in (7, 8):
        raise ValueError(f"{len(indices)} characters, a plate has 7 or 8")
    tables = (PROVINCES, LETTERS, *[SERIAL] * (len(indices) - 2))
    for place, (index, table) in enumerate(zip(indices, tables, strict=True), 1):
        if not 0 <= index < len(table):
            raise ValueError(f"character {place}: index {index} is not in CCPD's table of {len(table)}")
    text = "".join(table[index] for index, table in zip(indices, tables, strict=True)).replace(NOTHING, "")
    if not text:
        raise ValueError("no character at all")
    return text


def ccpd(root: Path) -> Iterator[Labelled | Problem]:
    """All pictures below a CCPD folder; splits come from splits/*.txt or the folders' names."""
    splits = _split_lists(root)
    for path in walk(root, PICTURES):
        name = path.relative_to(root).as_posix()
        try:
            parsed = parse_name(path.stem)
        except ValueError as error:
            yield Problem(name, "name", f"not a CCPD name: {error}")
            continue
        split = splits.get(name) or split_in(name)
        quad, text = parsed.quad, parsed.text
        yield Labelled(text, name, FileBlob(path), split=split, region=text[0], quad=quad, where=name)


def _split_lists(root: Path) -> dict[str, str]:
    found: dict[str, str] = {}
    for table in sorted(root.glob("split*/*.txt")):
        split = split_of_list(table.name)
        for _, line in lines(table):
            if split and isinstance(line, str):
                found[line.strip()] = split
    return found


def _numbers(text: str, count: int | None = None) -> list[int]:
    try:
        numbers = [int(part) for part in text.split("_")]
    except ValueError:
        raise ValueError(f"{text!r} is not numbers") from None
    if count is not None and len(numbers) != count:
        raise ValueError(f"{text!r} is not {count} numbers")
    return numbers


def _points(text: str, count: int) -> list[tuple[int, int]]:
    parts = text.split("_")
    try:
        points = [(int(x), int(y)) for x, y in (part.split("&") for part in parts)]
    except ValueError:
        raise ValueError(f"{text!r} is not points") from None
    if len(points) != count:
        raise ValueError(f"{text!r} is not {count} points")
    return points
