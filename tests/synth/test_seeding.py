"""The random streams: those of numpy's Philox with our key, and a different one for every stage."""

from __future__ import annotations

import numpy as np

from synth.seeding import rng_for, stage_code


def test_the_stream_is_that_of_philox_with_this_key() -> None:
    key = np.array([7, 123 << 32 | stage_code("capture")], dtype=np.uint64)
    expected = np.random.Generator(np.random.Philox(key=key))
    assert np.array_equal(rng_for(7, 123, "capture").random(50), expected.random(50))


def test_seed_index_and_stage_each_change_the_stream() -> None:
    streams = [
        rng_for(*key).random(4).tolist() for key in ((0, 0, "a"), (1, 0, "a"), (0, 1, "a"), (0, 0, "b"))
    ]
    assert len({tuple(stream) for stream in streams}) == 4


def test_the_same_key_gives_the_same_stream() -> None:
    assert np.array_equal(rng_for(5, 6, "x").random(9), rng_for(5, 6, "x").random(9))
