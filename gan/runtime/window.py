"""Endless numbered batches: which of them a process makes, and the workers that make them in order."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

import cv2
import torch
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from synth.errors import UserError

Batch = TypeVar("Batch")


@dataclass(frozen=True)
class Window:
    """Which batches of an endless numbered row this process makes: `first`, then every `step`-th."""

    size: int  # pictures a batch
    first: int = 0
    step: int = 1

    def numbers(self) -> Iterator[int]:
        """The batch numbers; the workers of a loader share them in turn, so that order never changes."""
        cv2.setNumThreads(1)
        worker = get_worker_info()
        place, count = (worker.id, worker.num_workers) if worker else (0, 1)
        return itertools.count(self.first + place * self.step, count * self.step)

    def places(self, number: int) -> range:
        return range(number * self.size, (number + 1) * self.size)


def loader(dataset: IterableDataset[Batch], workers: int) -> Iterator[Batch]:
    """Batches in order, made in `workers` spawned processes, or here with 0."""
    context: Any = "spawn" if workers else None
    ahead = 6 if workers else None
    batches = DataLoader(
        dataset,
        batch_size=None,
        num_workers=workers,
        multiprocessing_context=context,
        prefetch_factor=ahead,
        worker_init_fn=one_thread if workers else None,
    )
    return plainly(iter(batches))


def plainly(batches: Iterator[Batch]) -> Iterator[Batch]:
    """The batches; a user's error in a worker is told as it would be here, without the worker's traceback."""
    try:
        yield from batches
    except UserError as error:
        raise UserError(str(error).rpartition(f"{UserError.__qualname__}: ")[2].strip()) from error


def one_thread(_: int) -> None:
    torch.set_num_threads(1)
