"""How well a reader read: exact plates, characters, without the region, by group, with intervals."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np


def aligned(truth: str, reading: str) -> list[tuple[str, str]]:
    """(truth, reading) pairs of the cheapest alignment; "" stands for a missing or an added character."""
    rows, columns = len(truth), len(reading)
    cost = np.zeros((rows + 1, columns + 1), np.int32)
    cost[:, 0], cost[0, :] = np.arange(rows + 1), np.arange(columns + 1)
    for i in range(1, rows + 1):
        for j in range(1, columns + 1):
            change = cost[i - 1, j - 1] + (truth[i - 1] != reading[j - 1])
            cost[i, j] = min(change, cost[i - 1, j] + 1, cost[i, j - 1] + 1)
    pairs: list[tuple[str, str]] = []
    i, j = rows, columns
    while i or j:
        if i and j and cost[i, j] == cost[i - 1, j - 1] + (truth[i - 1] != reading[j - 1]):
            i, j = i - 1, j - 1
            pairs.append((truth[i], reading[j]))
        elif i and cost[i, j] == cost[i - 1, j] + 1:
            i -= 1
            pairs.append((truth[i], ""))
        else:
            j -= 1
            pairs.append(("", reading[j]))
    return pairs[::-1]


@dataclass
class Metrics:
    """Grows plate by plate; `region` is how many characters the region takes at the front of the truth."""

    exact: list[bool] = field(default_factory=list)
    without_region: list[bool] = field(default_factory=list)
    characters: list[tuple[int, int]] = field(default_factory=list)  # right, of
    types: list[str] = field(default_factory=list)
    regions: list[str] = field(default_factory=list)
    kinds: list[bool] = field(default_factory=list)  # type right, where it is known
    positions: dict[int, Counter[bool]] = field(default_factory=lambda: defaultdict(Counter))
    fields: dict[str, Counter[bool]] = field(default_factory=lambda: defaultdict(Counter))
    confusions: Counter[tuple[str, str]] = field(default_factory=Counter)

    def update(
        self,
        truth: str,
        reading: str,
        type_name: str = "",
        type_read: str = "",
        region: int = 1,
        fields: dict[str, str] | None = None,
        read_fields: dict[str, str] | None = None,
    ) -> None:
        pairs = aligned(truth, reading)
        right = sum(a == b for a, b in pairs)
        self.exact.append(truth == reading)
        self.without_region.append(
            truth[region:] == reading[len(reading) - len(truth) + region :]
            if len(reading) >= len(truth) - region
            else False
        )
        self.characters.append((right, max(len(truth), len(reading))))
        self.types.append(type_name)
        self.regions.append(truth[:region])
        if type_read and "/" in type_name:
            self.kinds.append(type_name == type_read)
        place = 0
        for a, b in pairs:
            if a:
                self.positions[place][a == b] += 1
                place += 1
            if a != b:
                self.confusions[a, b] += 1
        for name, value in (fields or {}).items():
            self.fields[name][(read_fields or {}).get(name) == value] += 1

    def summary(self, seed: int = 0) -> dict[str, Any]:
        """Plain data for metrics.json."""
        total = sum(of for _, of in self.characters)
        by_region = grouped(self.regions, self.exact)
        counted = [share for share, count in by_region.values() if count >= 5]
        return {
            "plates": len(self.exact),
            "exact": mean(self.exact),
            "exact_ci": bootstrap(self.exact, seed),
            "characters": sum(right for right, _ in self.characters) / max(total, 1),
            "exact_without_region": mean(self.without_region),
            "type": mean(self.kinds) if self.kinds else None,
            "region_mean": mean(counted) if counted else None,  # over regions with five plates or more
            "by_type": {name: share for name, (share, _) in grouped(self.types, self.exact).items()},
            "by_region": {name: {"exact": s, "plates": n} for name, (s, n) in by_region.items()},
            "by_position": {str(k + 1): rate(v) for k, v in sorted(self.positions.items())},
            "by_field": {name: rate(v) for name, v in self.fields.items()},
            "confusions": [[a, b, n] for (a, b), n in self.confusions.most_common(20)],
        }


def mean(values: Sequence[bool] | Sequence[float]) -> float:
    return float(np.mean(values)) if len(values) else 0.0


def rate(counts: Counter[bool]) -> float:
    return counts[True] / max(1, counts.total())


def grouped(names: Sequence[str], values: Sequence[bool]) -> dict[str, tuple[float, int]]:
    """Name -> (share of true values, how many)."""
    groups: dict[str, list[bool]] = defaultdict(list)
    for name, value in zip(names, values, strict=True):
        groups[name].append(value)
    return {name: (mean(group), len(group)) for name, group in sorted(groups.items())}


def bootstrap(values: Sequence[bool], seed: int, rounds: int = 1000) -> list[float]:
    """The 95 % interval of the mean, from resampled plates."""
    if not len(values):
        return [0.0, 0.0]
    array = np.asarray(values, np.float64)
    picks = np.random.default_rng(seed).integers(len(array), size=(rounds, len(array)))
    low, high = np.percentile(array[picks].mean(1), [2.5, 97.5])
    return [float(low), float(high)]
