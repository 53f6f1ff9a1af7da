"""Batches of edits: rendered lessons first, with their truth, then real crops, without."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import IterableDataset

from gan.batches import Pair, Pairs, as_input, planes_of
from gan.runtime.window import Window
from gan.spg.rendered import Lesson, Rendered


@dataclass(frozen=True)
class EditBatch:
    """Uint8 as they are drawn, in [-1, 1] as `given` to a network. The first M of N have a truth."""

    source: Tensor  # N 3 H W
    condition: Tensor  # N C H W, of the source's own text
    asked: Tensor  # N C H W, of `texts`
    hidden: Tensor  # N 1 H W: where nobody is to judge
    target: Tensor  # M 3 H W
    masks: Tensor  # M 2 H W: coverage of the characters of source and target; [0, 1] when given
    texts: tuple[str, ...]

    @property
    def real(self) -> int:
        """How many have no truth: the last ones."""
        return len(self.source) - len(self.target)

    def given(self, device: torch.device) -> EditBatch:
        source, condition, asked, target = (
            as_input(x.to(device)) for x in (self.source, self.condition, self.asked, self.target)
        )
        hidden, masks = self.hidden.to(device) > 127, self.masks.to(device).float() / 255
        return EditBatch(source, condition, asked, hidden, target, masks, self.texts)


def edit_batch(lessons: Sequence[Lesson], pairs: Sequence[Pair]) -> EditBatch:
    """At least one lesson: the judge must see what is right."""
    blank = np.zeros((*lessons[0].source.shape[:2], 1), np.uint8)
    return EditBatch(
        planes_of([*(one.source for one in lessons), *(pair.crop for pair in pairs)]),
        planes_of([*(one.condition for one in lessons), *(pair.condition for pair in pairs)]),
        planes_of([*(one.asked for one in lessons), *(pair.asked for pair in pairs)]),
        planes_of([*(blank for _ in lessons), *(pair.hidden[..., None] for pair in pairs)]),
        planes_of([one.target for one in lessons]),
        planes_of([one.masks for one in lessons]),
        (*(one.text for one in lessons), *(pair.text for pair in pairs)),
    )


@dataclass(frozen=True)
class Mixture:
    """What batches are made of: phase 1 is rendered alone, phase 2 mixes in real crops."""

    rendered: Rendered
    pairs: Pairs | None  # real crops of the first size; None: phase 1 for ever
    share: float  # of the first size's batches in phase 2 that is real
    begins: int  # images after which phase 2 begins

    def real(self, place: int, size: tuple[int, int], count: int) -> int:
        """How many of a batch of `count` that begins at `place` are real; one at least is rendered."""
        if self.pairs is None or place < self.begins or size != self.rendered.sizes[0]:
            return 0
        return min(count - 1, round(self.share * count))


class Edits(IterableDataset[EditBatch]):
    """Endless batches of one size each; the one of number n is drawn from (seed, n) alone."""

    def __init__(self, mixture: Mixture, window: Window, seed: int) -> None:
        self.mixture, self.window, self.seed = mixture, window, seed

    def __iter__(self) -> Iterator[EditBatch]:
        for number in self.window.numbers():
            yield self.batch(number)

    def batch(self, number: int) -> EditBatch:
        groups = self.mixture.rendered.groups()
        weights = np.array([len(names) for names in groups.values()], np.float64)
        rng = np.random.default_rng((self.seed, number))
        size = list(groups)[int(rng.choice(len(weights), p=weights / weights.sum()))]
        places = list(self.window.places(number))
        count = len(places) - self.mixture.real(places[0], size, len(places))
        lessons = self.mixture.rendered.lessons(self.seed, places[:count], size)
        pairs: list[Pair] = []
        if self.mixture.pairs is not None:
            pairs = [
                self.mixture.pairs.item(np.random.default_rng((self.seed, place)), new_text=True)
                for place in places[count:]
            ]
        return edit_batch(lessons, pairs)
