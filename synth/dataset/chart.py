"""The balance report as a picture: a row of bars for every slot of every type."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import cv2
import numpy as np

from synth.sample import Image

WIDTH, ROW, LABEL = 1000, 22, 300
FONT, SCALE = cv2.FONT_HERSHEY_SIMPLEX, 0.42
INK, PALE = (40, 40, 40), (200, 200, 200)
EVEN, UNEVEN = (70, 130, 90), (190, 110, 50)


def draw_balance(summary: Mapping[str, Any]) -> Image:
    """H W 3 RGB: types, regions, then the slots of each type; a slot even to one count is green."""
    rows = list(_rows(summary))
    canvas = np.full((ROW * (len(rows) + 1), WIDTH, 3), 255, np.uint8)
    for number, (title, slot) in enumerate(rows):
        top = number * ROW + ROW // 2
        if slot is None:
            cv2.line(canvas, (6, top + ROW - 4), (WIDTH - 6, top + ROW - 4), PALE, 1)
            write(canvas, title, 6, top + ROW - 8)
            continue
        write(canvas, f"{title}: {slot['distinct']} x {slot['min']}..{slot['max']}", 20, top + ROW - 8)
        _bars(canvas, top, list(slot["counts"].values()), even=slot["spread"] <= 1)
    return canvas


def write(canvas: Image, text: str, x: int, y: int) -> None:
    """ASCII text with its base line at y; what OpenCV's font lacks becomes a question mark."""
    cv2.putText(canvas, plain(text), (x, y), FONT, SCALE, INK, 1, cv2.LINE_AA)


def text_width(text: str) -> int:
    """Pixels that `write` needs."""
    return int(cv2.getTextSize(plain(text), FONT, SCALE, 1)[0][0])


def plain(text: str) -> str:
    return text.encode("ascii", "replace").decode()


def png(image: Image) -> bytes:
    """The picture as PNG bytes."""
    done, content = cv2.imencode(".png", cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
    if not done:
        raise ValueError("the picture cannot be encoded")
    return content.tobytes()


def _rows(summary: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any] | None]]:
    yield f"{summary['total']} plates, splits {dict(summary['splits'])}", None
    yield "types", summary["types"]
    yield "regions", summary["regions"]
    for name, kind in summary["by_type"].items():
        yield f"{name or 'type unknown'}: {kind['count']}", None
        yield from kind["slots"].items()


def _bars(canvas: Image, top: int, values: list[int], even: bool) -> None:
    if not values:
        return
    step = min((WIDTH - LABEL - 10) / len(values), 24.0)
    high = max(values)
    for number, value in enumerate(values):
        x0 = int(LABEL + number * step)
        x1 = max(int(LABEL + (number + 1) * step) - 2, x0)
        tall = max(int((ROW - 4) * value / high), 1)
        cv2.rectangle(canvas, (x0, top + ROW - 4 - tall), (x1, top + ROW - 4), EVEN if even else UNEVEN, -1)
