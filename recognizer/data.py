"""Training pictures: made on the fly by the pipeline in worker processes, or read from any set we know."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from omegaconf import DictConfig, OmegaConf
from torch import Tensor
from torch.utils.data import IterableDataset

from gan.runtime.window import Window
from recognizer.codec import Codec
from recognizer.pictures import fit
from recognizer.truth import type_of
from synth.dataset.picture import Labelled
from synth.errors import UserError
from synth.pipeline import Pipeline, pipeline_of
from synth.sample import Image, Points


@dataclass(frozen=True)
class Batch:
    """Pictures and what stands on them."""

    images: Tensor  # N 3 H W uint8
    targets: Tensor  # sum of lengths, classes of the characters one after the other
    lengths: Tensor  # N
    types: Tensor  # N, -1 where the type is not known
    corners: Tensor  # N 4 2 in shares of the picture, NaN where they are not known


def collate(
    images: Sequence[Image],
    texts: Sequence[str],
    types: Sequence[str],
    codec: Codec,
    corners: Sequence[Points],
) -> Batch:
    encoded = [codec.encode(text) for text in texts]
    numbers = {name: number for number, name in enumerate(codec.types)}
    return Batch(
        images=torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2).contiguous(),
        targets=torch.tensor([number for text in encoded for number in text], dtype=torch.int32),
        lengths=torch.tensor([len(text) for text in encoded], dtype=torch.int32),
        types=torch.tensor([numbers.get(name, -1) for name in types], dtype=torch.int64),
        corners=torch.from_numpy(np.stack(corners)),
    )


def shares(image: Image, quad: Points | None) -> Points:
    """4 2: the plate's corners in shares of its picture, NaN where they are not known."""
    if quad is None:
        return np.full((4, 2), np.nan, np.float32)
    height, width = image.shape[:2]
    return np.asarray(quad / np.array([width, height], np.float32), np.float32)


def as_input(images: Tensor) -> Tensor:
    """N 3 H W uint8 -> float in [-1, 1]; the one place where that is done."""
    return images.float() / 127.5 - 1


@dataclass(frozen=True)
class Lesson:
    """A stretch of the curriculum: up to `until` images, made by this configuration."""

    until: int
    config: dict[str, Any]


class Stream(IterableDataset[Batch]):
    """Endless batches made by the pipeline; batch b holds its samples b*size ... whoever makes it.

    Where they are only a part of the batches that are learnt from, lessons go by these, `whole` images each.
    """

    def __init__(
        self,
        lessons: Sequence[Lesson],
        codec: Codec,
        shape: tuple[int, int],
        window: Window,
        whole: int | None = None,
    ) -> None:
        self.lessons, self.codec, self.shape, self.window = list(lessons), codec, shape, window
        self.whole = window.size if whole is None else whole

    def __iter__(self) -> Iterator[Batch]:
        pipelines: dict[int, Pipeline] = {}
        for number in self.window.numbers():
            places = self.window.places(number)
            lesson = self.lesson(number * self.whole)
            if lesson not in pipelines:
                pipelines[lesson] = pipeline_of(OmegaConf.create(self.lessons[lesson].config))
            samples = pipelines[lesson].samples(places)
            images = [fit(sample.image, *self.shape) for sample in samples]
            texts, types = [s.text for s in samples], [s.type for s in samples]
            yield collate(images, texts, types, self.codec, [shares(s.image, s.quad) for s in samples])

    def lesson(self, images: int) -> int:
        """The number of the lesson that is on after so many images."""
        return next(
            (n for n, lesson in enumerate(self.lessons) if images < lesson.until), len(self.lessons) - 1
        )


class Shuffled(IterableDataset[Batch]):
    """Endless batches of a labelled set, every picture once a round, rounds shuffled by seed."""

    def __init__(
        self,
        items: Sequence[Labelled],
        codec: Codec,
        shape: tuple[int, int],
        window: Window,
        seed: int,
        crop: str = "whole",
    ) -> None:
        self.items, self.codec, self.shape, self.window = items, codec, shape, window
        self.seed, self.crop = seed, crop

    def __iter__(self) -> Iterator[Batch]:
        for number in self.window.numbers():
            chosen = [self.item(place) for place in self.window.places(number)]
            texts, types = [item.text for item in chosen], [type_of(item) for item in chosen]
            cut = [item.cut(self.crop) for item in chosen]
            images = [fit(image, *self.shape) for image, _ in cut]
            yield collate(images, texts, types, self.codec, [shares(*one) for one in cut])

    def item(self, place: int) -> Labelled:
        turn, position = divmod(place, len(self.items))
        return self.items[int(shuffled(self.seed, turn, len(self.items))[position])]


@functools.lru_cache(maxsize=4)
def shuffled(seed: int, turn: int, count: int) -> NDArray[np.int64]:
    """The order of a round."""
    return np.random.default_rng((seed, turn)).permutation(count)


class Blend(IterableDataset[Batch]):
    """Batches of two sources, this `share` of each from a labelled set, the rest made on the fly."""

    def __init__(
        self,
        made: Callable[[Window, int], Stream],  # how large the whole batches are, too
        found: Callable[[Window], Shuffled],
        window: Window,
        share: float,
    ) -> None:
        count = min(max(round(window.size * share), 1), window.size - 1)
        self.made = made(replace(window, size=window.size - count), window.size)
        self.found = found(replace(window, size=count))

    def __iter__(self) -> Iterator[Batch]:
        for pair in zip(self.made, self.found, strict=False):  # both are endless
            yield Batch(*(torch.cat([getattr(one, f.name) for one in pair]) for f in fields(Batch)))


# what the pipeline needs to know
MADE_BY = ("plates", "balance", "stages", "height_px", "seed", "texts", "shape_mm")
# what a lesson may set: all of that but the seed, and what stages take from elsewhere
TAUGHT = {*MADE_BY, "capture", "redrawn", "redrawn_street", "rimmed"} - {"seed"}


def lessons_of(config: DictConfig) -> list[Lesson]:
    """The curriculum of a training configuration: each lesson overrides parts of how plates are made."""
    root = OmegaConf.create(OmegaConf.to_container(config))  # a copy that takes new keys
    lessons: list[Lesson] = []
    for number, lesson in enumerate(root.curriculum):
        where = f"curriculum[{number}]"
        check_lesson(lesson, where, lessons[-1].until if lessons else 0)
        merged = OmegaConf.to_container(OmegaConf.merge(root, lesson.get("with") or {}), resolve=True)
        assert isinstance(merged, dict)
        made_by = {key: merged[key] for key in MADE_BY}
        try:
            pipeline_of(OmegaConf.create(made_by))  # not hours later, in a worker
        except UserError as error:
            raise UserError(f"{where}: {error}") from error
        lessons.append(Lesson(lesson.until, made_by))
    if not lessons:
        raise UserError("curriculum: empty; give at least [{until: 1000000}]")
    return lessons


def check_lesson(lesson: Any, where: str, before: int) -> None:
    """A lesson is {until: IMAGES, with: {KEY: ...}}; they come in order."""
    if not isinstance(lesson, DictConfig) or not isinstance(until := lesson.get("until"), int):
        raise UserError(f"{where}: {lesson!r} is no lesson; write {{until: IMAGES, with: {{KEY: VALUE}}}}")
    if until <= before:
        raise UserError(f"{where}.until: {until}: the lesson before ends at {before}; put them in order")
    changes = lesson.get("with") or {}
    if not isinstance(changes, DictConfig | dict):
        raise UserError(f"{where}.with: {changes!r} is no mapping; write {{KEY: VALUE}}")
    if strange := sorted(set(map(str, changes)) - TAUGHT) + sorted(set(map(str, lesson)) - {"until", "with"}):
        hint = f"a lesson may change {', '.join(sorted(TAUGHT))}"
        raise UserError(f"{where}: {strange[0]!r} changes nothing in the plates it makes; {hint}")
