"""How balanced a data set is: types, regions, and the characters of every slot of every type."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from synth.dataset.atomic import write_atomic

COUNTED = ("splits", "types", "regions", "checks")
WHOLE = frozenset({"region"})  # fields counted as one word: a Japanese office has two to four characters


class Counted(Protocol):
    """What is counted; a record and a picture read back both have it."""

    @property
    def text(self) -> str: ...
    @property
    def type(self) -> str: ...
    @property
    def split(self) -> str: ...
    @property
    def region(self) -> str: ...
    @property
    def fields(self) -> Mapping[str, str]: ...


@dataclass
class Balance:
    """Counts that grow sample by sample, and add up over shards."""

    splits: Counter[str] = field(default_factory=Counter)
    types: Counter[str] = field(default_factory=Counter)
    regions: Counter[str] = field(default_factory=Counter)
    slots: dict[tuple[str, str], Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    checks: Counter[str] = field(default_factory=Counter)  # of the stages' legibility

    def update_checks(self, stages: Iterable[Mapping[str, Any]]) -> None:
        """Count what stages say: had read, drawn again, misread; captured again, still hidden."""
        for stage in stages:
            if "redrawn" in stage:
                self.checks["checked"] += 1
                self.checks["redrawn"] += bool(stage["redrawn"])
                self.checks["misread"] += bool(stage["misread"])
            if "again" in stage:
                self.checks["again"] += 1
                self.checks["hidden"] += "hidden" in stage

    def update(self, sample: Counted) -> None:
        self.splits[sample.split] += 1
        self.types[sample.type] += 1
        if sample.region:
            self.regions[sample.region] += 1
        for slot, value in slot_values(sample):
            self.slots[sample.type, slot][value] += 1

    def merge(self, other: Balance) -> None:
        self.splits.update(other.splits)
        self.types.update(other.types)
        self.regions.update(other.regions)
        self.checks.update(other.checks)
        for key, counts in other.slots.items():
            self.slots[key].update(counts)

    def to_plain(self) -> dict[str, Any]:
        """The counts as plain data, for the next process."""
        slots = [[*key, dict(counts)] for key, counts in self.slots.items()]
        plain = {"splits": self.splits, "types": self.types, "regions": self.regions, "slots": slots}
        return {**plain, "checks": self.checks}

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Balance:
        slots = defaultdict(Counter, {(name, slot): Counter(counts) for name, slot, counts in plain["slots"]})
        splits, types, regions, checks = (Counter(plain[key]) for key in COUNTED)
        return cls(splits, types, regions, slots, checks)

    def summary(self) -> dict[str, Any]:
        """Plain data for balance.json; a spread is the largest count minus the smallest."""
        by_type: dict[str, Any] = {
            name: {"count": self.types[name], "slots": {}} for name in sorted(self.types)
        }
        for (name, slot), counts in self.slots.items():
            by_type[name]["slots"][slot] = _counts(counts)
        return {
            "total": sum(self.types.values()),
            "splits": dict(sorted(self.splits.items())),
            "types": _counts(self.types),
            "regions": _counts(self.regions),
            "by_type": by_type,
            **({"checks": dict(sorted(self.checks.items()))} if self.checks else {}),
        }


def slot_values(sample: Counted) -> Iterator[tuple[str, str]]:
    """(slot, value): by field where the fields are known ("serial.3"), else by place in the text ("5")."""
    if not sample.fields:
        for place, character in enumerate(sample.text, 1):
            yield str(place), character
        return
    for name, value in sample.fields.items():
        if name in WHOLE or len(value) <= 1:
            yield name, value
            continue
        for place, character in enumerate(value, 1):
            yield f"{name}.{place}", character


def widest_spread(summary: Mapping[str, Any]) -> int:
    """The largest spread of any slot of any type."""
    spreads = (slot["spread"] for kind in summary["by_type"].values() for slot in kind["slots"].values())
    return max(spreads, default=0)


def write_balance(root: Path, balance: Balance) -> dict[str, Any]:
    """Write balance.json and balance.png; returns the summary."""
    from synth.dataset.chart import draw_balance, png

    summary = balance.summary()
    write_atomic(root / "balance.json", json.dumps(summary, ensure_ascii=False, indent=1) + "\n")
    write_atomic(root / "balance.png", png(draw_balance(summary)))
    return summary


def _counts(counts: Counter[str]) -> dict[str, Any]:
    low, high = (min(counts.values()), max(counts.values())) if counts else (0, 0)
    return {
        "distinct": len(counts),
        "min": low,
        "max": high,
        "spread": high - low,
        "counts": dict(sorted(counts.items())),
    }
