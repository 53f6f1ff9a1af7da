"""How well a reader read: exact plates, characters, without the region, by group, with intervals."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

FEW = 5  # regions with fewer plates are left out of the mean over regions


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


def without_region(truth: str, reading: str, region: int) -> bool:
    """Whether everything behind the region is right, however the region itself was read."""
    return reading.endswith(truth[region:])


def fields_right(pairs: Sequence[tuple[str, str]], lengths: Mapping[str, int]) -> dict[str, bool]:
    """Field -> right, from an alignment of the truth, whose fields follow each other with these lengths.

    A character too many counts against the field before it, or the first one.
    """
    owners = [name for name, length in lengths.items() for _ in range(length)]
    right = {name: True for name, length in lengths.items() if length}
    place = 0
    for truth, reading in pairs:
        owner = owners[place] if truth else owners[max(place - 1, 0)]
        right[owner] &= truth == reading
        place += bool(truth)
    return right


def region_of(truth: str, lengths: Mapping[str, int]) -> str:
    """The region of a text, which need not come first, or nothing."""
    start = 0
    for name, length in lengths.items():
        if name == "region":
            return truth[start : start + length]
        start += length
    return ""


@dataclass
class Metrics:
    """Grows plate by plate."""

    exact: list[bool] = field(default_factory=list)
    without_region: list[bool] = field(default_factory=list)
    characters: list[tuple[int, int]] = field(default_factory=list)  # right, of
    groups: list[str] = field(default_factory=list)
    regions: list[str] = field(default_factory=list)
    types: list[bool] = field(default_factory=list)  # type right, where it is known
    confidences: list[float] = field(default_factory=list)
    positions: dict[int, Counter[bool]] = field(default_factory=lambda: defaultdict(Counter))
    fields: dict[str, Counter[bool]] = field(default_factory=lambda: defaultdict(Counter))
    confusions: Counter[tuple[str, str]] = field(default_factory=Counter)

    def update(
        self,
        truth: str,
        reading: str,
        group: str = "",
        region: int = 1,
        lengths: Mapping[str, int] | None = None,
        type_right: bool | None = None,
        confidence: float | None = None,
    ) -> None:
        """Add a plate; `lengths` are its fields in order, without them the region is the first `region`."""
        pairs = aligned(truth, reading)
        fields = fields_right(pairs, lengths) if lengths and sum(lengths.values()) == len(truth) else {}
        rest = [right for name, right in fields.items() if name != "region"]
        self.exact.append(truth == reading)
        self.without_region.append(all(rest) if fields else without_region(truth, reading, region))
        self.characters.append((sum(a == b for a, b in pairs), max(len(truth), len(reading))))
        self.groups.append(group)
        self.regions.append(region_of(truth, lengths) if fields and lengths else truth[:region])
        if type_right is not None:
            self.types.append(type_right)
        if confidence is not None:
            self.confidences.append(confidence)
        for place, (a, b) in enumerate(pair for pair in pairs if pair[0]):
            self.positions[place][a == b] += 1
        self.confusions.update(pair for pair in pairs if pair[0] != pair[1])
        for name, right in fields.items():
            self.fields[name][right] += 1

    def summary(self, seed: int = 0) -> dict[str, Any]:
        """Plain data for metrics.json."""
        total = sum(of for _, of in self.characters)
        by_region = grouped(self.regions, self.exact)
        by_region.pop("", None)  # plates without a region
        counted = [share for share, count in by_region.values() if count >= FEW]
        known = len(self.confidences) == len(self.exact) > 0
        return {
            "plates": len(self.exact),
            "exact": mean(self.exact),
            "exact_ci": bootstrap(self.exact, seed),
            "characters": sum(right for right, _ in self.characters) / max(total, 1),
            "exact_without_region": mean(self.without_region),
            "type": mean(self.types) if self.types else None,
            "region_mean": mean(counted) if counted else None,  # over regions with five plates or more
            "calibration_error": calibration_error(self.confidences, self.exact) if known else None,
            "by_type": {name: share for name, (share, _) in grouped(self.groups, self.exact).items()},
            "plates_by_type": dict(sorted(Counter(self.groups).items())),
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


def bootstrap(values: Sequence[bool], seed: int, rounds: int = 10_000) -> list[float]:
    """The 95 % interval of the mean, from resampled plates; of yes-or-no values that is a binomial draw."""
    if not len(values):
        return [0.0, 0.0]
    means = np.random.default_rng(seed).binomial(len(values), mean(values), rounds) / len(values)
    low, high = np.percentile(means, [2.5, 97.5])
    return [float(low), float(high)]


def calibration_error(confidences: Sequence[float], right: Sequence[bool], bins: int = 15) -> float:
    """Expected calibration error (Guo et al. 2017): how far confidence is from the share that is right."""
    sure, hit = np.asarray(confidences, np.float64), np.asarray(right, np.float64)
    number = np.minimum((sure * bins).astype(int), bins - 1)
    gaps = [abs(float((sure - hit)[number == n].sum())) for n in range(bins)]
    return sum(gaps) / max(len(sure), 1)
