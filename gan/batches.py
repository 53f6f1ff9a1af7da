"""Training batches: crops with their conditions, each drawn from its place in an endless row."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import IterableDataset

from gan.runtime.window import Window
from gan.sight import size_of, told
from synth.sample import Image, Points


class Pair(Protocol):
    """A real crop, what was drawn to lie on it, and what is to be drawn in its place."""

    @property
    def condition(self) -> NDArray[np.uint8]: ...  # H W C, of the crop's own text

    @property
    def crop(self) -> Image: ...  # h w 3, no larger than the planes

    @property
    def asked(self) -> NDArray[np.uint8]: ...  # H W C, of `text`

    @property
    def hidden(self) -> NDArray[np.uint8]: ...  # h w, 255 where nobody is to judge crop and drawing

    @property
    def text(self) -> str: ...


class Pairs(Protocol):
    """Where pairs come from: at random and augmented, or one by one as they are."""

    @property
    def summary(self) -> str: ...  # how many there are, and what was left out

    def __len__(self) -> int: ...

    def item(self, rng: np.random.Generator, new_text: bool = False) -> Pair: ...

    def plain(self, index: int) -> Pair: ...

    def corners(self, index: int) -> Points: ...  # 4 2: of the plate, in shares of the crop

    def heads(self, index: int) -> NDArray[np.float32]: ...  # 4 4: of its bolts


@dataclass(frozen=True)
class Batch:
    """Pairs side by side; uint8 as they are drawn, in [-1, 1] as `given` to a network."""

    condition: Tensor  # N C H W
    crop: Tensor  # N 3 h w
    asked: Tensor  # N C H W
    hidden: Tensor  # N 1 h w
    texts: tuple[str, ...]  # of what is asked for

    def given(self, device: torch.device) -> Batch:
        condition, crop, asked = (as_input(x.to(device)) for x in (self.condition, self.crop, self.asked))
        return Batch(condition, crop, asked, self.hidden.to(device) > 127, self.texts)

    @functools.cached_property
    def told(self) -> Tensor:
        """N C h w: the condition at the size of the crops."""
        return told(self.condition, size_of(self.crop))

    @functools.cached_property
    def told_asked(self) -> Tensor:
        """N C h w: what is asked for at the size of the crops."""
        return told(self.asked, size_of(self.crop))


def batch_of(pairs: Sequence[Pair]) -> Batch:
    return Batch(
        planes_of([pair.condition for pair in pairs]),
        planes_of([pair.crop for pair in pairs]),
        planes_of([pair.asked for pair in pairs]),
        planes_of([pair.hidden[..., None] for pair in pairs]),
        tuple(pair.text for pair in pairs),
    )


def planes_of(pictures: Sequence[NDArray[np.uint8]]) -> Tensor:
    """H W C each -> N C H W uint8, channels last in memory as the pictures are."""
    return torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2)


def as_input(planes: Tensor) -> Tensor:
    """uint8 -> float in [-1, 1]; the one place where that is done."""
    return planes.float().div_(127.5).sub_(1)


def as_pictures(planes: Tensor) -> NDArray[np.uint8]:
    """N 3 H W in [-1, 1] -> N H W 3 uint8; the one place where that is done."""
    levels = planes.float().add(1).mul(127.5).round_().clamp_(0, 255).to(torch.uint8)
    return np.ascontiguousarray(levels.permute(0, 2, 3, 1).cpu().numpy())


class Drawings(IterableDataset[Batch]):
    """Endless batches; the pair at place p is drawn from (seed, p) alone, whoever draws it."""

    def __init__(self, pairs: Pairs, window: Window, seed: int, new_texts: bool = False) -> None:
        self.pairs, self.window, self.seed = pairs, window, seed
        self.new_texts = new_texts  # in the second half of each batch

    def __iter__(self) -> Iterator[Batch]:
        for number in self.window.numbers():
            places = self.window.places(number)
            own = (len(places) + 1) // 2 if self.new_texts else len(places)
            yield batch_of(
                [
                    self.pairs.item(np.random.default_rng((self.seed, place)), number >= own)
                    for number, place in enumerate(places)
                ]
            )
