"""The contact sheet: a labelled row of pictures for every type."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from pathlib import Path

import cv2
import numpy as np

from synth.dataset.atomic import write_atomic
from synth.dataset.chart import png, text_width, write
from synth.dataset.picture import Labelled, Problem
from synth.sample import Image

HEIGHT, GAP = 72, 6
BACK = 236
SCANNED = 50_000  # pictures looked at to find rare types


def contact_sheet(rows: Mapping[str, Sequence[Image]], height_px: int = HEIGHT) -> Image:
    """H W 3 RGB: every row has its label (ASCII) at the left; pictures keep their proportions."""
    lines = {label: [_scaled(image, height_px) for image in images] for label, images in rows.items()}
    widest = max((sum(image.shape[1] + GAP for image in line) for line in lines.values()), default=0)
    indent = 3 * GAP + max((text_width(label) for label in lines), default=0)
    canvas = np.full((GAP + (height_px + GAP) * len(lines), indent + widest + GAP, 3), BACK, np.uint8)
    for number, (label, line) in enumerate(lines.items()):
        top = GAP + number * (height_px + GAP)
        write(canvas, label, GAP, top + height_px // 2 + 5)
        left = indent
        for image in line:
            canvas[top : top + height_px, left : left + image.shape[1]] = image
            left += image.shape[1] + GAP
    return canvas


def write_sheet(path: Path, rows: Mapping[str, Sequence[Image]], height_px: int = HEIGHT) -> None:
    """Write a contact sheet as PNG."""
    write_atomic(path, png(contact_sheet(rows, height_px)))


def pick(
    found: Iterable[Labelled | Problem], wanted: Mapping[str, int], names: Mapping[str, str] | None = None
) -> dict[str, list[Image]]:
    """The first pictures of every type in a data set; `names` maps its own type names to the wanted ones."""
    rows: dict[str, list[Image]] = defaultdict(list)
    open_ = Counter(wanted)
    for item in islice(found, SCANNED):
        if isinstance(item, Problem):
            continue
        kind = (names or {}).get(item.type, item.type)
        if open_[kind] > 0:
            rows[kind].append(item.image())
            open_[kind] -= 1
            if not +open_:
                break
    return {kind: rows[kind] for kind in wanted if rows[kind]}


def _scaled(image: Image, height_px: int) -> Image:
    height, width = image.shape[:2]
    wide = max(round(width * height_px / height), 1)
    how = cv2.INTER_AREA if height_px < height else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(image, (wide, height_px), interpolation=how), np.uint8)
