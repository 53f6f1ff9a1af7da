"""One random stream a (seed, index, stage): sample i is a pure function of (config, seed, i)."""

from __future__ import annotations

import functools
import zlib

import numpy as np


@functools.cache
def stage_code(stage: str) -> int:
    """A stable 32-bit number for a stage's name (Python's own hash changes from process to process)."""
    return zlib.crc32(stage.encode())


def rng_for(seed: int, index: int, stage: str) -> np.random.Generator:
    """The random stream of one stage of one sample; the same in any order, process and engine."""
    key = ((seed & 0xFFFFFFFFFFFFFFFF), (index & 0xFFFFFFFF) << 32 | stage_code(stage))
    return np.random.Generator(np.random.Philox(key=np.array(key, dtype=np.uint64)))
