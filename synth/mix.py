"""A stage that sends each sample one of several ways: through the camera model, or redrawn by a GAN."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

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

    def __post_init__(self) -> None:
        if set(self.weights) != set(self.ways):
            odd = sorted(set(self.weights) ^ set(self.ways))[0]
            raise UserError(f"weights: {odd!r} must be both a way and have a weight")
        if min(self.weights.values()) < 0 or sum(self.weights.values()) <= 0:
            raise UserError(f"weights: {dict(self.weights)}: none may be negative and one must be above 0")

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
        names = list(self.ways)
        edges = np.cumsum([self.weights[name] for name in names])
        drawn = rng_for(sample.seed, sample.index, NAME).random() * edges[-1]
        return names[int(np.searchsorted(edges[:-1], drawn, side="right"))]
