"""Where the first symbol of each plate type stands: what the reader's close look is told."""

from __future__ import annotations

from recognizer.codec import Codec
from synth.catalogue import load_type
from synth.grammar import grammar_of
from synth.layout import Box, lay_out

TEXTS = 12  # of a type: offices have one to four characters


def first_places(codec: Codec) -> list[list[float]]:
    """For each type left, top, right and bottom in shares of the plate, wide enough for every text."""
    return [around(codec, name) for name in codec.types]


def around(codec: Codec, name: str) -> list[float]:
    plate, grammar = load_type(name), grammar_of(name)
    boxes: list[Box] = []
    for number in range(TEXTS):
        frame, text = lay_out(plate, grammar.sample("uniform", 0, number))
        boxes += frame.boxes[: len(codec.spell(codec.encode(text)[:1]))]
    left, top = min(b.x for b in boxes), min(b.y for b in boxes)
    right, bottom = max(b.x + b.w for b in boxes), max(b.y + b.h for b in boxes)
    width, height = plate.width_mm, plate.height_mm
    shares = (left / width, top / height, right / width, bottom / height)
    return [round(share, 4) for share in shares]
