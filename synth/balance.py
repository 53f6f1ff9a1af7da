"""Exact decks: over any aligned block every value comes up equally often, by shuffling and not by luck."""

from __future__ import annotations

import functools
import zlib
from collections.abc import Sequence

from synth.seeding import rng_for


@functools.lru_cache(maxsize=65536)
def shuffled(seed: int, key: str, block: int, counts: tuple[int, ...]) -> tuple[tuple[int, int], ...]:
    """One deck: (value, how many of that value came before it in this deck), value i `counts[i]` times."""
    cards = [value for value, count in enumerate(counts) for _ in range(count)]
    order = rng_for(seed ^ zlib.crc32(key.encode()) << 20, block, "deck").permutation(len(cards))
    seen = [0] * len(counts)
    deck = []
    for position in order:
        value = cards[position]
        deck.append((value, seen[value]))
        seen[value] += 1
    return tuple(deck)


def deal(seed: int, key: str, ordinal: int, counts: tuple[int, ...]) -> tuple[int, int]:
    """Card number `ordinal` of the endless decks of `key`: its value, and which one of that value it is."""
    size = sum(counts)
    block, position = divmod(ordinal, size)
    value, before = shuffled(seed, key, block, counts)[position]
    return value, block * counts[value] + before


@functools.lru_cache(maxsize=4096)
def ones(size: int) -> tuple[int, ...]:
    return (1,) * size


def deal_one(seed: int, key: str, ordinal: int, values: Sequence[str]) -> tuple[str, int]:
    """As `deal`, with every value once in a deck."""
    if len(values) == 1:
        return values[0], ordinal
    number, which = deal(seed, key, ordinal, ones(len(values)))
    return values[number], which
