"""Where the first symbol of each plate type and its kana stand: what the reader's close look is told."""

from __future__ import annotations

from collections.abc import Callable

from recognizer.codec import Codec
from synth.catalogue import load_type
from synth.grammar import grammar_of
from synth.layout import Box, lay_out

TEXTS = 240  # of a type: offices have one to four characters, and the kana stands beside them on motorcycles
Chosen = Callable[[list[int]], int | None]  # classes of a text -> which of them


def first_places(codec: Codec) -> list[list[float]]:
    """For each type left, top, right and bottom in shares of the plate, wide enough for every text."""
    return [around(codec, name, lambda numbers: 0) for name in codec.types]


def kana_places(codec: Codec) -> list[list[float]]:
    """The same of the kana; nothing for types without one."""
    kana = set(kana_of(codec))

    def chosen(numbers: list[int]) -> int | None:
        return next((place for place, number in enumerate(numbers) if number in kana), None)

    return [around(codec, name, chosen) for name in codec.types]


def kana_of(codec: Codec) -> list[int]:
    """The classes of kana that stand alone."""
    return [number for symbol, number in codec.numbers.items() if len(symbol) == 1 and "ぁ" <= symbol <= "ん"]


def around(codec: Codec, name: str, chosen: Chosen) -> list[float]:
    """What holds the chosen symbol of texts of a type; empty if none of them has one."""
    plate, grammar = load_type(name), grammar_of(name)
    boxes: list[Box] = []
    for number in range(TEXTS):
        frame, text = lay_out(plate, grammar.sample("uniform", 0, number))
        numbers = codec.encode(text)
        place = chosen(numbers)
        if place is not None:
            before, after = (len(codec.spell(numbers[:end])) for end in (place, place + 1))
            boxes += frame.boxes[before:after]
    if not boxes:
        return []
    left, top = min(b.x for b in boxes), min(b.y for b in boxes)
    right, bottom = max(b.x + b.w for b in boxes), max(b.y + b.h for b in boxes)
    width, height = plate.width_mm, plate.height_mm
    shares = (left / width, top / height, right / width, bottom / height)
    return [round(share, 4) for share in shares]
