"""From readings to numbers: of one reader on one set, and over the seeds of a cell."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recognizer.metrics import Metrics
from recognizer.reader import Reader
from recognizer.truth import count
from synth.dataset.picture import Labelled

ROUNDS = 10_000  # of the bootstrap
ASKED = 64  # pictures opened at once
SHARES = ("exact", "characters", "exact_without_region")


@dataclass(frozen=True)
class Said:
    """What a reader says of a picture; outside readers know neither type nor confidence."""

    text: str
    type: str | None = None
    confidence: float | None = None


def read_by(reader: Reader, items: Sequence[Labelled]) -> list[Said]:
    """Every picture of a set, read by one of our readers."""
    said: list[Said] = []
    for start in range(0, len(items), ASKED):
        images = [item.image() for item in items[start : start + ASKED]]
        said += [Said(one.text, one.type, one.confidence) for one in reader.read(images)]
    return said


def scored(items: Sequence[Labelled], said: Sequence[Said], seed: int = 0) -> dict[str, Any]:
    """The summary of a set, with `right` (1 or 0 a picture) and every wrong reading."""
    metrics = Metrics()
    for item, one in zip(items, said, strict=True):
        count(metrics, item, one.text, one.type, one.confidence)
    wrong = [
        [place, one.text, one.confidence]
        for place, (item, one) in enumerate(zip(items, said, strict=True))
        if one.text != item.text
    ]
    return metrics.summary(seed) | {"right": [int(right) for right in metrics.exact], "wrong": wrong}


def over_seeds(results: Sequence[Mapping[str, Any]], seed: int = 0) -> dict[str, Any]:
    """The mean over trainings that differ by seed; the interval is of that mean, from resampled plates."""
    shares: dict[str, Any] = {name: float(np.mean([r[name] for r in results])) for name in SHARES}
    confused: Counter[tuple[str, str]] = Counter()
    for result in results:
        confused.update({(a, b): n for a, b, n in result["confusions"]})
    return shares | {
        "plates": results[0]["plates"],
        "exact_ci": interval(resampled(rights(results), seed)),
        "exact_by_seed": [r["exact"] for r in results],
        "by_type": mean_of([r["by_type"] for r in results]),
        "plates_by_type": results[0]["plates_by_type"],
        "by_position": mean_of([r["by_position"] for r in results]),
        "confusions": [[a, b, n] for (a, b), n in confused.most_common(20)],
    }


def gap(synthetic: Sequence[Mapping[str, Any]], real: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Synthetic minus real exact share, with the interval of the difference."""
    value = float(np.mean([r["exact"] for r in synthetic]) - np.mean([r["exact"] for r in real]))
    return {"gap": value, "gap_ci": interval(resampled(rights(synthetic), 1) - resampled(rights(real), 2))}


def paired(ours: Sequence[Mapping[str, Any]], others: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Exact share of some trainings minus that of others, which read the same plates from the same seeds."""
    each = rights(ours) - rights(others)
    return {
        "plates": len(each),
        "difference": float(each.mean()),
        "difference_ci": interval(resampled(each, 0)),
        "by_seed": [a["exact"] - b["exact"] for a, b in zip(ours, others, strict=True)],
        "more": int((each > 0).sum()),  # plates that more trainings read right
        "less": int((each < 0).sum()),
    }


def rights(results: Sequence[Mapping[str, Any]]) -> NDArray[np.float64]:
    """For each plate the share of seeds that read it right."""
    return np.asarray(np.mean([r["right"] for r in results], axis=0), np.float64)


def resampled(each: NDArray[np.float64], seed: int) -> NDArray[np.float64]:
    """Means over resampled plates."""
    values, counts = np.unique(each, return_counts=True)
    drawn = np.random.default_rng(seed).multinomial(len(each), counts / len(each), ROUNDS)
    return np.asarray(drawn @ values / len(each), np.float64)


def interval(means: NDArray[np.float64]) -> list[float]:
    """The middle 95 %."""
    low, high = np.percentile(means, [2.5, 97.5])
    return [float(low), float(high)]


def mean_of(groups: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Key by key."""
    return {key: float(np.mean([group[key] for group in groups])) for key in groups[0]}
