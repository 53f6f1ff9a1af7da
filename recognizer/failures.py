"""The failure sheet: what was read wrong, as crop, truth and reading side by side."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from io import BytesIO
from pathlib import Path

import cv2
import numpy as np
import PIL.Image
from PIL import ImageDraw, ImageFont

import fonts
from recognizer.metrics import aligned
from synth.dataset.atomic import write_atomic
from synth.faces import read_faces
from synth.sample import Image

CROP, TEXT, GAP, COLUMNS = (204, 64), 20, 10, 3  # pixels; plates in a row
WIDTH, HEIGHT = CROP[0] + 280, CROP[1] + GAP  # a long office, class, kana, serial, and how sure
SHOWN = 150  # plates on a sheet
INK, WRONG, PAPER = (40, 40, 40), (200, 30, 30), (246, 246, 246)
Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


@dataclass(frozen=True)
class Failure:
    """A plate that was read wrong."""

    image: Image
    truth: str
    reading: str
    confidence: float


@dataclass
class Failures:
    """All are counted, the surest mistakes kept, each as small as it is shown."""

    total: int = 0
    kept: list[Failure] = field(default_factory=list)

    def add(self, failure: Failure) -> None:
        self.total += 1
        self.kept.append(replace(failure, image=shrunk(failure.image)))
        if len(self.kept) > 2 * SHOWN:
            self.kept = self.surest()

    def surest(self) -> list[Failure]:
        return sorted(self.kept, key=lambda failure: -failure.confidence)[:SHOWN]


def write_failures(path: Path, failures: Failures) -> None:
    """Write the sheet as PNG, the surest mistakes first."""
    content = BytesIO()
    PIL.Image.fromarray(draw_failures(failures.surest(), failures.total)).save(content, "PNG")
    write_atomic(path, content.getvalue())


def draw_failures(failures: Sequence[Failure], total: int) -> Image:
    """H W 3: a heading, then a cell a plate; characters that differ are red."""
    rows = -(-len(failures) // COLUMNS)
    canvas = PIL.Image.new("RGB", (COLUMNS * WIDTH + GAP, HEIGHT * rows + 2 * GAP + TEXT), PAPER)
    draw = ImageDraw.Draw(canvas)
    head = f"{total} read wrong; above the truth, below the reading and its confidence"
    draw.text((GAP, GAP // 2), head, INK, font_of("a", 15))
    for number, failure in enumerate(failures):
        left = GAP + number % COLUMNS * WIDTH
        top = GAP + TEXT + number // COLUMNS * HEIGHT
        canvas.paste(PIL.Image.fromarray(shrunk(failure.image)), (left, top))
        pairs = aligned(failure.truth, failure.reading)
        for line, side in enumerate(zip(*pairs, strict=True) if pairs else ()):
            write(draw, (left + CROP[0] + 8, top + 4 + line * 28), side, [a != b for a, b in pairs])
        place = (left + WIDTH - GAP - 34, top + 36)
        draw.text(place, f"{failure.confidence:.2f}", INK, font_of("0", 13))
    return np.asarray(canvas, np.uint8)


def write(
    draw: ImageDraw.ImageDraw, at: tuple[int, int], chars: Sequence[str], wrong: Sequence[bool]
) -> None:
    """Characters one after the other; a missing one is a red underscore."""
    x, y = at
    for char, red in zip(chars, wrong, strict=True):
        shown = char or "_"
        font = font_of(shown, TEXT)
        draw.text((x, y + TEXT), shown, WRONG if red else INK, font, anchor="ls")
        x += round(font.getlength(shown)) + 1


def shrunk(image: Image) -> Image:
    """As large as fits into its cell, proportions kept."""
    height, width = image.shape[:2]
    share = min(CROP[0] / width, CROP[1] / height)
    size = max(round(width * share), 1), max(round(height * share), 1)
    how = cv2.INTER_AREA if share < 1 else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(image, size, interpolation=how), np.uint8)


@functools.cache
def font_of(char: str, size: int) -> Font:
    """A font that has the character: Pillow's own for ASCII, else the first bundled one."""
    if not char.isascii():
        faces = read_faces(fonts.path("faces.yaml"))
        for file in faces.fonts:
            if char in faces.font_characters(file):
                return ImageFont.truetype(str(fonts.path(f"cjk/{file}")), size)
    return ImageFont.load_default(size)
