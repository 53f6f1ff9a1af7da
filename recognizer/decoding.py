"""From a network's scores to texts, types and confidences; needs no torch."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recognizer.codec import BLANK, Codec, Reading
from synth.errors import UserError
from synth.grammar import grammar_of

SURE = 0.9999  # a blank this likely decides its step
Scores = tuple[NDArray[np.float32], NDArray[np.float32]]  # N T C, N K; raw
Probabilities = tuple[NDArray[np.float32], NDArray[np.float32]]  # the same, each row adding up to 1


@dataclass(frozen=True)
class PlateReading:
    """What a reader says about a picture."""

    text: str
    type: str
    confidence: float  # that the whole text is right
    characters: tuple[float, ...]  # one confidence a character
    type_confidence: float

    @functools.cached_property
    def fields(self) -> dict[str, str]:
        """Region, serial and so on, when the text is one that the type can show; else nothing."""
        return fields_of(self.text, self.type)


@dataclass(frozen=True)
class Legend:
    """What explains a network's scores: the size of its pictures, symbols, types, temperature."""

    height: int
    width: int
    symbols: tuple[str, ...]
    types: tuple[str, ...]
    temperature: float = 1.0

    @property
    def codec(self) -> Codec:
        return Codec(self.symbols, self.types)

    @classmethod
    def of(cls, header: Mapping[str, Any]) -> Legend:
        """From the header of a checkpoint as plain data; other keys are left aside."""
        return cls(
            int(header["height"]),
            int(header["width"]),
            tuple(header["symbols"]),
            tuple(header["types"]),
            float(header["temperature"]),
        )


def readings(scores: Scores, codec: Codec, temperature: float = 1.0) -> list[PlateReading]:
    """Texts, types and confidences of raw scores."""
    return decoded(probabilities(scores, temperature), codec)


def probabilities(scores: Scores, temperature: float) -> Probabilities:
    return softmax(scores[0] / np.float32(temperature)), softmax(scores[1])


def decoded(given: Probabilities, codec: Codec) -> list[PlateReading]:
    """Texts, types and confidences of probabilities, the likeliest class of every step."""
    found = []
    for text, kind in zip(*given, strict=True):
        best = int(kind.argmax())
        found.append(plate_reading(text, codec.decode(text), codec, best, float(kind[best])))
    return found


def plate_reading(
    probs: NDArray[np.float32], reading: Reading, codec: Codec, number: int, type_confidence: float
) -> PlateReading:
    """The reading with the probability of its whole text; nothing read is never sure."""
    sure = probability(probs, reading.numbers) if reading.text else 0.0
    return PlateReading(reading.text, codec.types[number], sure, reading.confidences, type_confidence)


def probability(probs: NDArray[np.float32], numbers: Sequence[int]) -> float:
    """CTC's probability of a text, all alignments summed (the forward pass of Graves et al. 2006).

    The product of its characters' confidences would miss a character that was left out.
    """
    states = [BLANK, *(n for number in numbers for n in (number, BLANK))]
    skips = [n > 1 and state != BLANK and state != states[n - 2] for n, state in enumerate(states)]
    blank = probs[:, BLANK] > SURE
    kept = probs[~(blank & np.concatenate([[False], blank[:-1]]))]  # of a run of sure blanks one says it all
    alpha = [1.0, *[0.0] * (len(states) - 1)]  # as if a sure blank stood before
    for row in kept[:, states].tolist():
        alpha = [
            (alpha[n] + (alpha[n - 1] if n else 0.0) + (alpha[n - 2] if skips[n] else 0.0)) * row[n]
            for n in range(len(states))
        ]
    return min(alpha[-1] + (alpha[-2] if numbers else 0.0), 1.0)


def fields_of(text: str, type_name: str) -> dict[str, str]:
    """The fields of a text as a type shows it, or nothing."""
    try:
        return grammar_of(type_name).parse(text)
    except UserError:
        return {}


def softmax(scores: NDArray[np.float32]) -> NDArray[np.float32]:
    powers = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=-1, keepdims=True), np.float32)
