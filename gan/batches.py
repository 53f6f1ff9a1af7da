"""Training batches: crops with their conditions, each drawn from its place in an endless row."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import IterableDataset

from gan.runtime.window import Window
from synth.sample import Image


class Pair(Protocol):
    """A real crop, and what was drawn to lie on it."""

    @property
    def condition(self) -> NDArray[np.uint8]: ...  # H W C

    @property
    def crop(self) -> Image: ...  # H W 3

    @property
    def text(self) -> str: ...


class Pairs(Protocol):
    """Where pairs come from: at random and augmented, or one by one as they are."""

    def __len__(self) -> int: ...

    def item(self, rng: np.random.Generator) -> Pair: ...

    def plain(self, index: int) -> Pair: ...


@dataclass(frozen=True)
class Batch:
    """Pairs side by side."""

    condition: Tensor  # N C H W uint8
    crop: Tensor  # N 3 H W uint8
    texts: tuple[str, ...]


def batch_of(pairs: Sequence[Pair]) -> Batch:
    return Batch(
        planes_of([pair.condition for pair in pairs]),
        planes_of([pair.crop for pair in pairs]),
        tuple(pair.text for pair in pairs),
    )


def planes_of(pictures: Sequence[NDArray[np.uint8]]) -> Tensor:
    """H W C each -> N C H W uint8, channels last in memory as the pictures are."""
    return torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2)


def as_input(planes: Tensor) -> Tensor:
    """uint8 -> float in [-1, 1]; the one place where that is done."""
    return planes.float() / 127.5 - 1


def as_pictures(planes: Tensor) -> NDArray[np.uint8]:
    """N 3 H W in [-1, 1] -> N H W 3 uint8; the one place where that is done."""
    levels = planes.float().add(1).mul(127.5).round_().clamp_(0, 255).to(torch.uint8)
    return np.ascontiguousarray(levels.permute(0, 2, 3, 1).cpu().numpy())


class Drawings(IterableDataset[Batch]):
    """Endless batches; the pair at place p is drawn from (seed, p) alone, whoever draws it."""

    def __init__(self, pairs: Pairs, window: Window, seed: int) -> None:
        self.pairs, self.window, self.seed = pairs, window, seed

    def __iter__(self) -> Iterator[Batch]:
        for number in self.window.numbers():
            places = self.window.places(number)
            yield batch_of([self.pairs.item(np.random.default_rng((self.seed, place))) for place in places])
