"""The grid: which cells there are, and each cell's training as overrides of `plate-train-recognizer`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

ENDLESS = 2_000_000_000  # images: the last lesson never ends


@dataclass(frozen=True)
class Kind:
    """A way to make training pictures: its stages, and where in them lie what the benchmark sets."""

    stages: str
    severity: Sequence[str] = ()  # stages whose severity the curriculum raises
    drawn: Mapping[str, str] = field(default_factory=dict)  # generator -> the stage that takes its weights


@dataclass(frozen=True)
class Plan:
    """What all cells share, so that only data, recognizer and seed tell them apart."""

    images: int
    plates: Mapping[str, Any]  # types, and weights where some are more frequent
    curriculum: Sequence[Sequence[float]]  # (share of the images, severity up to)
    weights: Mapping[str, str]  # generator -> file
    train: Mapping[str, Any]  # further keys of the training


@dataclass(frozen=True)
class Cell:
    """One training: what on, what of, with which seed."""

    data: str
    recognizer: str
    seed: int
    overrides: tuple[str, ...]

    @property
    def name(self) -> str:
        return f"{self.data}-{self.recognizer}-s{self.seed}"


def cells_of(
    kinds: Mapping[str, Kind], recognizers: Sequence[str], seeds: Sequence[int], plan: Plan
) -> list[Cell]:
    """Every cell, the first seed of all cells before the second: a stopped run has a whole, thinner table."""
    return [
        Cell(name, recognizer, seed, overrides_of(kind, recognizer, seed, plan))
        for seed in seeds
        for name, kind in kinds.items()
        for recognizer in recognizers
    ]


def overrides_of(kind: Kind, recognizer: str, seed: int, plan: Plan) -> tuple[str, ...]:
    """The words that follow `python -m recognizer.train` for this cell."""
    drawn = {
        f"stages.{kind.drawn[name]}.weights": path for name, path in drawn_by(kind, plan.weights).items()
    }
    keys = {
        "images": plan.images,
        "seed": seed,
        "curriculum": curriculum_of(kind, plan),
        "plates.types": list(plan.plates["types"]),
        **drawn,
        **plan.train,
    }
    groups = [
        f"stages={kind.stages}",
        f"recognizer={recognizer}",
        "plates=cn7",
    ]  # cn7: a list without weights
    if plan.plates.get("weights"):
        groups.append(f"+plates.weights={worded(dict(plan.plates['weights']))}")
    return (*groups, *(f"{key}={worded(value)}" for key, value in keys.items()))


def drawn_by(kind: Kind, weights: Mapping[str, str]) -> dict[str, str]:
    """The given weights that this kind of data uses."""
    return {name: path for name, path in weights.items() if name in kind.drawn}


def curriculum_of(kind: Kind, plan: Plan) -> list[dict[str, Any]]:
    """Lessons of growing severity; pictures without a severity have one lesson."""
    if not kind.severity:
        return [{"until": ENDLESS, "with": {}}]
    lessons = []
    for number, (share, severity) in enumerate(plan.curriculum):
        stages: dict[str, Any] = {}
        for path in kind.severity:
            put(stages, path, {"severity": [0.0, float(severity)]})
        last = number == len(plan.curriculum) - 1
        until = ENDLESS if last else round(share * plan.images)
        lessons.append({"until": until, "with": {"stages": stages}})
    return lessons


def put(tree: dict[str, Any], path: str, value: Any) -> None:
    """Set `a.b.c` in nested mappings, making them as needed."""
    *parents, last = path.split(".")
    for name in parents:
        tree = tree.setdefault(name, {})
    tree[last] = value


def worded(value: Any) -> str:
    """A value as Hydra's command line has it."""
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{key}:{worded(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(map(worded, value)) + "]"
    if isinstance(value, str):
        return "'" + value.replace("'", "\\'") + "'"  # null and 7 stay texts
    return json.dumps(value)
