"""How long a plate takes: one at a time, after a warm-up, the whole way and the network alone."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence

import cv2

from recognizer.pictures import fit
from recognizer.reader import Reader
from synth.sample import Image

WARM_UP, LONGEST_S = 10, 10.0


def latency(reader: Reader, images: Sequence[Image], rounds: int = 200) -> dict[str, float]:
    """Medians in ms: `ms_per_plate` from picture to reading, `ms_network` of it in the network."""
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    legend = reader.legend
    fitted = [fit(image, legend.height, legend.width)[None] for image in images[:rounds]]
    try:
        return {
            "ms_per_plate": median_ms(lambda n: reader.read(images[n % len(fitted)]), rounds),
            "ms_network": median_ms(lambda n: reader.backend.probabilities(fitted[n % len(fitted)]), rounds),
        }
    finally:
        cv2.setNumThreads(threads)


def median_ms(work: Callable[[int], object], rounds: int) -> float:
    """The median of up to `rounds` runs, cut short on slow machines."""
    times: list[float] = []
    begun = time.perf_counter()
    for number in range(WARM_UP + rounds):
        start = time.perf_counter()
        work(number)
        if number >= WARM_UP:
            times.append((time.perf_counter() - start) * 1000)
        if times and time.perf_counter() - begun > LONGEST_S:
            break
    return round(statistics.median(times), 3)
