"""A stage that sends each sample one of several ways: through the camera model, or redrawn by a GAN."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

import numpy as np

from synth.errors import UserError
from synth.sample import Sample, Stage
from synth.seeding import rng_for

NAME = "mix"


@dataclass(frozen=True)
class Mix:
    """Each way is a list of stages in order; a sample's own stream chooses its way."""

    ways: Mapping[str, Mapping[str, Stage]]
    weights: Mapping[str, float]
    only: Mapping[str, Sequence[str]] = field(default_factory=dict)  # way -> types (cn/*) that may go it

    def __post_init__(self) -> None:
        if set(self.weights) != set(self.ways):
            odd = sorted(set(self.weights) ^ set(self.ways))[0]
            raise UserError(f"weights: {odd!r} must be both a way and have a weight")
        if min(self.weights.values()) < 0 or sum(self.weights.values()) <= 0:
            raise UserError(f"weights: {dict(self.weights)}: none may be negative and one must be above 0")
        if set(self.only) - set(self.ways):
            odd = min(set(self.only) - set(self.ways))
            raise UserError(f"only: no way {odd!r}; known: {', '.join(self.ways)}")
        if not any(self.weights[name] for name in self.ways if name not in self.only):
            raise UserError("only: every way is for some types alone; leave one open to all")

    @property
    def patterns(self) -> Iterator[tuple[str, str]]:
        """What is said of types, and under which key; the pipeline knows all types."""
        return ((f"only.{way}", pattern) for way, these in self.only.items() for pattern in these)

    def __call__(self, batch: Sequence[Sample]) -> list[Sample]:
        names = [self.way(sample) for sample in batch]
        out: list[Sample | None] = [None] * len(batch)
        for name, stages in self.ways.items():
            places = [place for place, chosen in enumerate(names) if chosen == name]
            part = [batch[place] for place in places]
            for stage in stages.values():
                part = stage(part) if part else part
            for place, sample in zip(places, part, strict=True):
                out[place] = sample
        return [sample for sample in out if sample is not None]

    def way(self, sample: Sample) -> str:
        """Which way a sample goes."""
        names = [name for name in self.ways if self.open(name, sample.type)]
        edges = np.cumsum([self.weights[name] for name in names])
        drawn = rng_for(sample.seed, sample.index, NAME).random() * edges[-1]
        return names[int(np.searchsorted(edges[:-1], drawn, side="right"))]

    def open(self, way: str, type_: str) -> bool:
        return way not in self.only or any(fnmatchcase(type_, pattern) for pattern in self.only[way])
