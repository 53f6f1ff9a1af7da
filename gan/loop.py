"""The training loop, top to bottom: construct, resume, optimise {step, average, save, tick}, by images."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Generic, Protocol

import torch
from torch import nn
from torch.utils.data import IterableDataset

from gan.batches import Batch
from gan.checkpoint import Header, Styles, build, save
from gan.discriminator import Discriminator
from gan.gallery import Gallery
from gan.memory import Memory
from gan.pix2pix import Pix2Pix
from gan.runtime.average import Average
from gan.runtime.distributed import Processes
from gan.runtime.state import Part, forget, load_state, reseed, save_state
from gan.runtime.track import Track, crossed
from gan.runtime.window import Window, loader
from gan.step import Artist, Players, Teaching, step

MakeData = Callable[[Window], IterableDataset[Any]]
MakeStyles = Callable[[Pix2Pix], Styles]


@dataclass(frozen=True)
class Settings:
    """How to train."""

    out: Path
    images: int
    batch: int  # a process
    learning_rate: float
    judge_rate: float  # learning rate of the discriminator
    decay: float  # share of the training, at its end, over which both rates fall to 0
    average: float
    workers: int
    tick: int  # images between two lines of stats.jsonl and two galleries
    keep: int  # images between two saved states
    seed: int


class Shows(Protocol):
    """Shows what an artist can do, as a picture file."""

    def write(self, network: Any, path: Path) -> None: ...


@dataclass(frozen=True)
class Course(Generic[Artist]):
    """What is learnt, from what and how; the loop is the same for all."""

    artist: Artist
    judge: nn.Module
    data: MakeData  # batches that know `given(device)`
    step: Callable[[Players[Artist], Any, Track], dict[str, float]]
    save: Callable[[Path, Artist, int], None]  # file, averaged artist, images
    gallery: Shows
    of: str = ""  # what it is taught with, in words
    memory: Memory | None = None  # of the judge


def drawing(
    header: Header,
    judge: Discriminator,
    teaching: Teaching,
    data: MakeData,
    styles: MakeStyles,
    gallery: Gallery,
    of: str = "",
    memory: int = 0,
) -> Course[Pix2Pix]:
    """The course of a generator that draws from conditions."""

    def one(players: Players[Pix2Pix], batch: Batch, track: Track) -> dict[str, float]:
        return step(players, batch, teaching, track)

    def keep(path: Path, network: Pix2Pix, images: int) -> None:
        save(path, network, styles(network), replace(header, images=images))

    return Course(build(header), judge, data, one, keep, gallery, of, Memory(memory) if memory else None)


def run(
    settings: Settings,
    course: Course[Artist],
    processes: Processes,
    resume: bool,
    begun: Callable[[], None] | None = None,
) -> Path:
    """Train until `images`; returns the file of the averaged weights.

    `begun` is called by the first process once a state that is there was found to fit.
    """
    artist, judge = course.artist, course.judge
    artist.to(processes.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    judge.to(processes.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    average = Average(artist, settings.average)
    players = Players.of(artist, judge, rates(settings, 0), processes)
    weights, state = settings.out / "weights.safetensors", settings.out / "state.safetensors"
    parts: dict[str, Part] = {
        "artist": artist,
        "judge": judge,
        "average": average.network,
        "artist_optimizer": players.artist_optimizer,
        "judge_optimizer": players.judge_optimizer,
    }
    if course.memory is not None:
        players.memory = parts["memory"] = course.memory.to(processes.device)
    done = load_state(state, parts)["images"] if resume and state.exists() else 0
    processes.agree(done)
    if processes.first:
        if not done:
            forget(weights, state)
        if begun is not None:
            begun()
    size = settings.batch * processes.count
    first = done // settings.batch + processes.rank
    batches = loader(course.data(Window(settings.batch, first, processes.count)), settings.workers)
    track = Track(settings.out / "stats.jsonl", processes.first, done, board=True)
    while done < settings.images:
        players.slow(rates(settings, done))
        reseed(settings.seed, done, processes.rank)
        with track.phase("data"):
            batch = next(batches)
            batch = batch.given(processes.device)
        track.add(course.step(players, batch, track))
        done += size
        average.update(artist, done // size)
        last = done >= settings.images
        if processes.first and (last or crossed(done, size, settings.tick)):
            track.tick(done, rates(settings, done)[0], {})
            course.gallery.write(average.network, settings.out / "samples" / f"{done:08d}.png")
        if processes.first and (last or crossed(done, size, settings.keep)):
            course.save(weights, average.network, done)
            save_state(state, parts, {"images": done})
    processes.finish()
    return weights


def rates(settings: Settings, done: int) -> tuple[float, float]:
    """Constant, then falling to 0 in a straight line over the last part of the training."""
    left = max(0.0, 1 - done / settings.images)
    factor = min(1.0, left / settings.decay) if settings.decay else 1.0
    return settings.learning_rate * factor, settings.judge_rate * factor
