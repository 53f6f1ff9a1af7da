"""One random stream a (seed, index, stage): sample i is a pure function of (config, seed, i)."""

from __future__ import annotations

import functools
import zlib

import numpy as np
from numpy.random.bit_generator import ISeedSequence
from numpy.typing import NDArray


class Key(ISeedSequence):
    """Hands Philox its key as it is: `Philox(key=...)` also gathers entropy it never uses."""

    def __init__(self, key: NDArray[np.uint64]) -> None:
        self.key = key

    def generate_state(self, n_words: int, dtype: object = np.uint32) -> NDArray[np.uint64]:
        return self.key


@functools.cache
def stage_code(stage: str) -> int:
    """A stable 32-bit number for a stage's name (Python's own hash changes from process to process)."""
    return zlib.crc32(stage.encode())


def rng_for(seed: int, index: int, stage: str) -> np.random.Generator:
    """The random stream of one stage of one sample; the same in any order, process and engine."""
    words = (seed & 0xFFFFFFFFFFFFFFFF, (index & 0xFFFFFFFF) << 32 | stage_code(stage))
    key = Key(np.array(words, dtype=np.uint64))
    return np.random.Generator(np.random.Philox(key))  # type: ignore[arg-type]
