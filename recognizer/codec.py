"""Characters to classes and back: a reader's vocabulary, and how its scores become text and confidence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from synth.errors import UserError
from synth.grammar import grammar_of

BLANK = 0


@dataclass(frozen=True)
class Codec:
    """Class 0 is CTC's blank, class n is characters[n - 1]; `types` are the classes of the type output."""

    characters: str
    types: tuple[str, ...]

    @property
    def classes(self) -> int:
        return len(self.characters) + 1

    def encode(self, text: str) -> list[int]:
        """The classes of a text."""
        numbers = [self.characters.find(char) + 1 for char in text]
        if 0 in numbers:
            char = text[numbers.index(0)]
            raise UserError(
                f"text {text!r}: character {char!r} is not in the reader's vocabulary; train one that has it"
            )
        return numbers

    def decode(self, scores: NDArray[np.float32]) -> Reading:
        """Best path of T C probabilities: runs of one class are one character, blanks are none."""
        best = scores.argmax(axis=1)
        chars: list[str] = []
        confidences: list[float] = []
        before = BLANK
        for step, number in enumerate(best.tolist()):
            probability = float(scores[step, number])
            if number != BLANK and number == before:
                confidences[-1] = max(confidences[-1], probability)
            elif number != BLANK:
                chars.append(self.characters[number - 1])
                confidences.append(probability)
            before = number
        return Reading("".join(chars), tuple(confidences))


@dataclass(frozen=True)
class Reading:
    """A text and how sure the reader is of each character."""

    text: str
    confidences: tuple[float, ...]


def codec_of(types: Sequence[str]) -> Codec:
    """The vocabulary of these plate types: every character they show; I and O only where needed."""
    characters: set[str] = set()
    for name in types:
        grammar = grammar_of(name)
        for forms in (*grammar.uniform.values(), *grammar.legal.values()):
            characters.update(c for form in forms for part in (form.words or form.slots) for c in part)
    return Codec("".join(sorted(characters)), tuple(types))
