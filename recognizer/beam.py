"""Grammar-constrained decoding: of the likeliest texts the best that a plate type can show, preferring legal.

CTC prefix beam search (Hannun et al. 2014, arXiv:1408.2873, without a language model) gives the candidates;
what a type can show and what an authority issues enter as prior odds, so clear characters still win.
"""

from __future__ import annotations

import functools
import math
from collections import defaultdict
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from recognizer.codec import BLANK, Codec
from recognizer.decoding import SURE, PlateReading, Probabilities, plate_reading
from synth.errors import UserError
from synth.grammar import candidates, grammar_of

Prefix = tuple[int, ...]
WIDTH, TOP = 8, 4  # prefixes kept, classes looked at in a step
SHOWN = math.log(1 / 20)  # prior odds against a text that can be shown and is never issued
STRANGE = math.log(1 / 1000)  # against one that no type can show
FLOOR = 1e-3  # of a type's probability: the type output may be wrong on new cameras


def decoded_legally(given: Probabilities, codec: Codec) -> list[PlateReading]:
    """Like `decoded`, with the grammar of the types that the reader knows."""
    return [legal_reading(text, kind, codec) for text, kind in zip(*given, strict=True)]


def legal_reading(text: NDArray[np.float32], kind: NDArray[np.float32], codec: Codec) -> PlateReading:
    """The best text and type together; T C and K probabilities."""
    best: tuple[float, Prefix, int] = (-math.inf, (), int(kind.argmax()))
    for prefix, log_probability in beam(text):
        if log_probability + math.log(float(kind.max())) <= best[0]:
            break  # no prior can lift what follows above it
        prior, number = best_type(codec.spell(prefix), kind, codec)
        best = max(best, (log_probability + prior, prefix, number), key=lambda found: found[0])
    _, prefix, number = best
    reading = codec.decode(text)
    if reading.text != codec.spell(prefix):
        reading = codec.reading(prefix, confidences(text, prefix))
    return plate_reading(text, reading, codec, number, float(kind[number]))


def best_type(text: str, kind: NDArray[np.float32], codec: Codec) -> tuple[float, int]:
    """The highest log prior of a text with any type, and the number of that type."""
    top = int(kind.argmax())
    options = [(STRANGE + math.log(float(kind[top])), top)]
    for name, legal in carriers(text, codec.types):
        number = codec.types.index(name)
        probability = math.log(max(float(kind[number]), FLOOR * float(kind[top])))
        options.append((probability + (0.0 if legal else SHOWN), number))
    return max(options)


def beam(probs: NDArray[np.float32], width: int = WIDTH, top: int = TOP) -> list[tuple[Prefix, float]]:
    """The likeliest texts of T C probabilities as classes, with their log probability, best first."""
    beams: dict[Prefix, tuple[float, float]] = {(): (1.0, 0.0)}  # ends in blank, ends in its last character
    scale = 0.0  # log of what was divided out, against underflow
    for picks in likely(probs, top):
        grown: dict[Prefix, list[float]] = defaultdict(lambda: [0.0, 0.0])
        for prefix, (blank, char) in beams.items():
            for number, probability in picks:
                if number == BLANK:
                    grown[prefix][0] += (blank + char) * probability
                elif prefix and prefix[-1] == number:
                    grown[prefix][1] += char * probability
                    grown[(*prefix, number)][1] += blank * probability
                else:
                    grown[(*prefix, number)][1] += (blank + char) * probability
        kept = sorted(grown.items(), key=lambda item: -sum(item[1]))[:width]
        total = sum(kept[0][1])
        beams = {prefix: (blank / total, char / total) for prefix, (blank, char) in kept if blank + char > 0}
        scale += math.log(total)
    return [(prefix, math.log(sum(parts)) + scale) for prefix, parts in beams.items()]


def likely(probs: NDArray[np.float32], top: int) -> Iterator[list[tuple[int, float]]]:
    """The classes worth a look in each step, with their probabilities."""
    count = min(top, probs.shape[1])
    best = np.argpartition(probs, -count, axis=1)[:, -count:]
    for row, numbers in zip(probs, best, strict=True):
        if row[BLANK] > SURE:
            yield [(BLANK, float(row[BLANK]))]
        else:
            picks = {*numbers.tolist(), BLANK}
            yield [(number, max(float(row[number]), 1e-30)) for number in sorted(picks)]


def confidences(probs: NDArray[np.float32], prefix: Prefix) -> tuple[float, ...]:
    """One confidence a symbol: its highest probability on the likeliest path of this text (Viterbi)."""
    states = np.full(2 * len(prefix) + 1, BLANK)
    states[1::2] = prefix
    skips = np.zeros(len(states), bool)  # a blank between two different characters may be left out
    skips[3::2] = states[3::2] != states[1:-2:2]
    logs = np.log(np.maximum(probs[:, states], 1e-30)).astype(np.float64)  # T S
    score = np.where(np.arange(len(states)) < 2, logs[0], -np.inf)
    came = np.zeros(logs.shape, np.int64)
    for step in range(1, len(logs)):
        one = np.concatenate([[-np.inf], score[:-1]])
        two = np.where(skips, np.concatenate([[-np.inf, -np.inf], score])[: len(score)], -np.inf)
        ways = np.stack([score, one, two])
        came[step] = ways.argmax(axis=0)
        score = ways.max(axis=0) + logs[step]
    state = len(states) - 1 - int(len(states) > 1 and score[-2] > score[-1])
    found = [0.0] * len(prefix)
    for step in range(len(logs) - 1, -1, -1):
        if state % 2:
            found[state // 2] = max(found[state // 2], float(probs[step, prefix[state // 2]]))
        state -= int(came[step, state])
    return tuple(found)


@functools.lru_cache(maxsize=4096)
def carriers(text: str, types: tuple[str, ...]) -> list[tuple[str, bool]]:
    """The types that can show a text, and whether each may legally carry it."""
    return candidates(text, [name for name in types if could_show(text, name)])


def could_show(text: str, name: str) -> bool:
    """A quick look before the grammar's own: number of characters, first and last character."""
    shape = outline(name)
    return shape is not None and len(text) in shape[0] and text[0] in shape[1] and text[-1] in shape[2]


@functools.cache
def outline(name: str) -> tuple[frozenset[int], frozenset[str], frozenset[str]] | None:
    """Lengths, first and last characters of a type's texts; None when the catalogue does not have it."""
    try:
        grammar = grammar_of(name)
    except UserError:
        return None
    lengths = {0}
    for each in grammar.lengths().values():
        lengths = {before + length for before in lengths for length in each}
    fields = list(grammar.shown)
    return (
        frozenset(lengths),
        frozenset(grammar.characters(fields[0])),
        frozenset(grammar.characters(fields[-1])),
    )
