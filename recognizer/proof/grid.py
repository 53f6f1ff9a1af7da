"""The grid: which cells there are, and each cell's training as overrides of `plate-train-recognizer`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

ENDLESS = 2_000_000_000  # images: the last lesson never ends


Kind = Mapping[str, Any]  # a way to make training pictures: keys of the training, `stages` among them


@dataclass(frozen=True)
class Plan:
    """What all cells share, so that only data, recognizer and seed tell them apart."""

    images: int
    plates: Mapping[str, Any]  # types, and weights where some are more frequent
    curriculum: Sequence[Sequence[float]]  # (share of the images, severity up to)
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


def cells_of(kinds: Mapping[str, Kind], seeds: Mapping[str, Sequence[int]], plan: Plan) -> list[Cell]:
    """Every cell, `seeds` of each recognizer; first seeds first: a stopped run has a thinner table."""
    rounds = range(max(map(len, seeds.values())))
    return [
        Cell(name, recognizer, own[turn], overrides_of(kind, recognizer, own[turn], plan))
        for turn in rounds
        for name, kind in kinds.items()
        for recognizer, own in seeds.items()
        if turn < len(own)
    ]


def overrides_of(kind: Kind, recognizer: str, seed: int, plan: Plan) -> tuple[str, ...]:
    """The words that follow `python -m recognizer.train` for this cell."""
    keys = {
        **kind,
        "recognizer": recognizer,
        "plates": "cn7",  # a list without weights
        "plates.types": plan.plates["types"],
        **({"+plates.weights": weights} if (weights := plan.plates.get("weights")) else {}),
        "images": plan.images,
        "seed": seed,
        "curriculum": lessons(plan),
        **plan.train,
    }
    return tuple(f"{key}={worded(value)}" for key, value in keys.items())


def lessons(plan: Plan) -> list[dict[str, Any]]:
    """Growing severity of the camera; generators pose their plates by it too, clean plates have none."""
    ends = [round(share * plan.images) for share, _ in plan.curriculum[:-1]] + [ENDLESS]
    return [
        {"until": until, "with": {"capture": {"severity": [0.0, float(severity)]}}}
        for until, (_, severity) in zip(ends, plan.curriculum, strict=True)
    ]


def worded(value: Any) -> str:
    """A value as Hydra's command line has it."""
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{key}:{worded(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(map(worded, value)) + "]"
    if isinstance(value, str):
        return "'" + value.replace("'", "\\'") + "'"  # null and 7 stay texts
    return json.dumps(value)
