"""Symbols to classes and back: a reader's vocabulary, and how its scores become text and confidence.

A symbol is a character, or a word of a closed list: a Japanese office is one symbol (`名古屋`), so that it is
recognised as a whole and what follows keeps its place.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from synth.errors import UserError
from synth.grammar import grammar_of

BLANK = 0


@dataclass(frozen=True)
class Codec:
    """Class 0 is CTC's blank, class n is symbols[n - 1]; `types` are the classes of the type output."""

    symbols: tuple[str, ...]
    types: tuple[str, ...]

    @property
    def classes(self) -> int:
        return len(self.symbols) + 1

    @functools.cached_property
    def numbers(self) -> dict[str, int]:
        return {symbol: number for number, symbol in enumerate(self.symbols, 1)}

    @functools.cached_property
    def longest(self) -> int:
        return max(map(len, self.symbols))

    def encode(self, text: str) -> list[int]:
        """The classes of a text, the longest symbol at each place."""
        found: list[int] = []
        place = 0
        while place < len(text):
            parts = (text[place : place + length] for length in range(self.longest, 0, -1))
            symbol = next((part for part in parts if part in self.numbers), None)
            if symbol is None:
                raise UserError(
                    f"text {text!r}: character {text[place]!r} is not in the reader's vocabulary; "
                    "train one that has it"
                )
            found.append(self.numbers[symbol])
            place += len(symbol)
        return found

    def spell(self, numbers: Iterable[int]) -> str:
        return "".join(self.symbols[number - 1] for number in numbers)

    def reading(self, numbers: Sequence[int], confidences: Sequence[float]) -> Reading:
        """The text of these classes; the characters of a word share its confidence."""
        each = [[sure] * len(self.symbols[n - 1]) for n, sure in zip(numbers, confidences, strict=True)]
        return Reading(self.spell(numbers), tuple(sure for word in each for sure in word), tuple(numbers))

    def decode(self, scores: NDArray[np.float32]) -> Reading:
        """Best path of T C probabilities: runs of one class are one symbol, blanks are none."""
        best = scores.argmax(axis=1)
        found: list[int] = []
        confidences: list[float] = []
        before = BLANK
        for step, number in enumerate(best.tolist()):
            probability = float(scores[step, number])
            if number != BLANK and number == before:
                confidences[-1] = max(confidences[-1], probability)
            elif number != BLANK:
                found.append(number)
                confidences.append(probability)
            before = number
        return self.reading(found, confidences)


@dataclass(frozen=True)
class Reading:
    """A text, how sure the reader is of each character, and the text's classes."""

    text: str
    confidences: tuple[float, ...]
    numbers: tuple[int, ...]


def codec_of(types: Sequence[str]) -> Codec:
    """The vocabulary of these plate types: every character and word they show; I and O only where needed."""
    symbols: set[str] = set()
    for name in types:
        grammar = grammar_of(name)
        for forms in (*grammar.uniform.values(), *grammar.legal.values()):
            for form in forms:
                parts = [word for word in form.words if len(word) == 1 or not word.isascii()]
                spelled = (c for part in (form.words or form.slots) if part not in parts for c in part)
                symbols.update(parts, spelled)
    return Codec(tuple(sorted(symbols)), tuple(types))
