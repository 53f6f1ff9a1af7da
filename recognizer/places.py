"""Where first symbol, kana and class stand on each plate type: what the reader's close looks are told."""

from __future__ import annotations

from collections.abc import Callable

from recognizer.codec import Codec
from synth.catalogue import load_type
from synth.grammar import grammar_of
from synth.layout import Box, lay_out

TEXTS = 240  # of a type: offices have one to four characters, and the kana stands beside them on motorcycles
CLASS, KANA = "class", "kana"  # fields of Japanese plates
Chosen = Callable[[dict[str, str], list[int]], range | None]  # fields and classes of a text -> which of these


def first_places(codec: Codec) -> list[list[float]]:
    """For each type left, top, right and bottom in shares of the plate, wide enough for every text."""
    return [around(codec, name, lambda fields, numbers: range(1)) for name in codec.types]


def kana_places(codec: Codec) -> list[list[float]]:
    """The same of the kana; nothing for types without one."""
    kana = set(kana_of(codec))

    def chosen(fields: dict[str, str], numbers: list[int]) -> range | None:
        return next((range(n, n + 1) for n, number in enumerate(numbers) if number in kana), None)

    return [around(codec, name, chosen) for name in codec.types]


def kana_of(codec: Codec) -> list[int]:
    """The classes of kana that stand alone."""
    return [number for symbol, number in codec.numbers.items() if len(symbol) == 1 and "ぁ" <= symbol <= "ん"]


def class_places(codec: Codec) -> list[list[float]]:
    """The same of the whole vehicle class, of types that write it between one symbol and a kana."""
    symbols = set(class_of(codec))

    def chosen(fields: dict[str, str], numbers: list[int]) -> range:
        return range(1, 1 + len(codec.encode(fields[CLASS])))

    def ends(name: str) -> bool:  # nobody could say where the class does if it were written like the kana
        return list(grammar_of(name).shown)[1:3] == [CLASS, KANA] and not symbols & written(codec, name, KANA)

    return [around(codec, name, chosen) if ends(name) else [] for name in codec.types]


def class_of(codec: Codec) -> list[int]:
    """The classes of all that a vehicle class is written with."""
    return sorted({number for name in codec.types for number in written(codec, name, CLASS)})


def written(codec: Codec, name: str, field: str) -> set[int]:
    """The classes of all that a field of a type is written with; nothing if it has no such field."""
    forms = grammar_of(name).shown.get(field, ())
    return {number for form in forms for part in (*form.slots, *form.words) for number in codec.encode(part)}


def around(codec: Codec, name: str, chosen: Chosen) -> list[float]:
    """What holds the chosen symbols of texts of a type; empty if none of them has one."""
    plate, grammar = load_type(name), grammar_of(name)
    boxes: list[Box] = []
    for number in range(TEXTS):
        fields = grammar.sample("uniform", 0, number)
        frame, text = lay_out(plate, fields)
        numbers = codec.encode(text)
        if (found := chosen(fields, numbers)) is not None:
            before, after = (len(codec.spell(numbers[:end])) for end in (found.start, found.stop))
            boxes += frame.boxes[before:after]
    if not boxes:
        return []
    left, top = min(b.x for b in boxes), min(b.y for b in boxes)
    right, bottom = max(b.x + b.w for b in boxes), max(b.y + b.h for b in boxes)
    width, height = plate.width_mm, plate.height_mm
    shares = (left / width, top / height, right / width, bottom / height)
    return [round(share, 4) for share in shares]
