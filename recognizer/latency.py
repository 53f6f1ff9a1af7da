"""How long a plate takes, from picture to reading: one at a time and in batches, after a warm-up.

`ms_per_plate` and `ms_network` are wall clock, medians: what a user waits. `cpu_ms` is the processor's own
time a plate by size of batch, the best of some rounds, and with one thread that of one core: what other work
on the machine changes least.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any

import cv2

from recognizer.pictures import fit
from recognizer.reader import Reader
from synth.sample import Image

WARM_UP, LONGEST_S = 10, 10.0
BATCHES, ROUNDS = (1, 32), 7


def latency(reader: Reader, images: Sequence[Image], rounds: int = 200) -> dict[str, Any]:
    """Of this reader on these pictures, drawn upon in turn."""
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    legend = reader.legend
    fitted = [fit(image, legend.height, legend.width)[None] for image in images[:rounds]]
    try:
        plate, network = median_ms(
            lambda n: reader.read(images[n % len(fitted)]),
            lambda n: reader.backend.probabilities(fitted[n % len(fitted)]),
            rounds=rounds,
        )
        return {
            "ms_per_plate": plate,
            "ms_network": network,
            "cpu_ms": {str(size): cpu_ms(reader, images, size) for size in BATCHES},
        }
    finally:
        cv2.setNumThreads(threads)


def median_ms(*works: Callable[[int], object], rounds: int) -> list[float]:
    """The median of up to `rounds` runs of each, in turns, so that other work hits all alike."""
    times: list[list[float]] = [[] for _ in works]
    begun = time.perf_counter()
    for number in range(WARM_UP + rounds):
        for work, mine in zip(works, times, strict=True):
            start = time.perf_counter()
            work(number)
            if number >= WARM_UP:
                mine.append((time.perf_counter() - start) * 1000)
        if times[0] and time.perf_counter() - begun > 2 * LONGEST_S:
            break
    return [round(statistics.median(mine), 3) for mine in times]


def cpu_ms(reader: Reader, images: Sequence[Image], size: int) -> float:
    """A plate, in batches of `size`; a round is three large batches."""
    count = 3 * max(BATCHES)
    chosen = [images[n % len(images)] for n in range(count)]
    times: list[float] = []
    begun = time.perf_counter()
    for _ in range(1 + ROUNDS):  # the first one warms up
        start = time.process_time()
        reader.read(chosen, batch=size)
        times.append((time.process_time() - start) * 1000 / count)
        if len(times) > 1 and time.perf_counter() - begun > LONGEST_S:
            break
    return round(min(times[1:]), 3)
