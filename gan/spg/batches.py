"""Batches of edits: rendered lessons first, with their truth, then real crops, without."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import IterableDataset

from gan.batches import Pair, Pairs, as_input, planes_of
from gan.runtime.window import Window
from gan.sight import fitted, shrunk, size_of, told
from gan.spg.rendered import Lesson, Rendered


@dataclass(frozen=True)
class EditBatch:
    """Uint8 as they are drawn, in [-1, 1] as `given` to a network. The first M of N have a truth."""

    source: Tensor  # N 3 H W
    condition: Tensor  # N C H W, of the source's own text
    asked: Tensor  # N C H W, of `texts`
    seen: Tensor  # N - M 3 h w: real crops as they are, no larger
    hidden: Tensor  # N 1 h w: where nobody is to judge, at the size that is judged
    target: Tensor  # M 3 H W
    masks: Tensor  # M 2 H W: coverage of the characters of source and target; [0, 1] when given
    texts: tuple[str, ...]

    @property
    def real(self) -> int:
        """How many have no truth: the last ones."""
        return len(self.source) - len(self.target)

    def given(self, device: torch.device) -> EditBatch:
        source, condition, asked, seen, target = (
            as_input(x.to(device)) for x in (self.source, self.condition, self.asked, self.seen, self.target)
        )
        hidden, masks = self.hidden.to(device) > 127, self.masks.to(device).float() / 255
        return EditBatch(source, condition, asked, seen, hidden, target, masks, self.texts)

    @property
    def judged(self) -> tuple[int, int]:
        """Height and width at which edits are judged: that of the crops."""
        return size_of(self.hidden)

    @functools.cached_property
    def own(self) -> Tensor:
        """N 3 h w: the sources at that size."""
        return torch.cat([shrunk(self.source[: len(self.target)], self.judged), self.seen])

    def laid(self, drawn: Tensor, new: Tensor) -> Tensor:
        """N 3 h w: drawings laid into the sources as an editor does it, at that size."""
        share = shrunk(new.float(), self.judged)
        return (self.own + share * (shrunk(drawn.float(), self.judged) - self.own)).clamp(-1, 1)

    @functools.cached_property
    def right(self) -> tuple[Tensor, Tensor]:
        """What a judge is to find right: true edits of rendered plates, real crops as they are."""
        true = len(self.target)
        said = torch.cat([self.asked[:true], self.condition[true:]])
        return torch.cat([shrunk(self.target, self.judged), self.seen]), told(said, self.judged)

    @functools.cached_property
    def told_asked(self) -> Tensor:
        """N C h w: what is asked for, at that size."""
        return told(self.asked, self.judged)


def edit_batch(
    lessons: Sequence[Lesson], pairs: Sequence[Pair], judged: tuple[int, int] | None = None
) -> EditBatch:
    """At least one lesson: the judge must see what is right, at a size of its own if `judged` gives one."""
    height, width = lessons[0].source.shape[:2]
    blank = np.zeros((*(judged or (height, width)), 1), np.uint8)
    crops = [fitted(pair.crop, (height, width)) for pair in pairs]
    return EditBatch(
        planes_of([*(one.source for one in lessons), *crops]),
        planes_of([*(one.condition for one in lessons), *(pair.condition for pair in pairs)]),
        planes_of([*(one.asked for one in lessons), *(pair.asked for pair in pairs)]),
        planes_of([pair.crop for pair in pairs]) if pairs else torch.zeros(0, 3, *blank.shape[:2]),
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

    @functools.cached_property
    def seen(self) -> tuple[int, int] | None:
        """Height and width of the real crops as they are, if there are some."""
        if self.pairs is None:
            return None
        height, width = self.pairs.plain(0).crop.shape[:2]
        return height, width

    def judged(self, size: tuple[int, int]) -> tuple[int, int]:
        """The size at which edits of a size are judged."""
        return self.seen if self.seen is not None and size == self.rendered.sizes[0] else size

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
        return edit_batch(lessons, pairs, self.mixture.judged(size))
