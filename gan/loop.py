"""The training loop, top to bottom: construct, resume, optimise {step, average, save, tick}, by images."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch.utils.data import IterableDataset

from gan.batches import Batch
from gan.checkpoint import Header, Styles, build, save
from gan.discriminator import Discriminator
from gan.gallery import Gallery
from gan.pix2pix import Pix2Pix
from gan.runtime.average import Average
from gan.runtime.distributed import Processes
from gan.runtime.state import Part, load_state, reseed, save_state
from gan.runtime.track import Track, crossed
from gan.runtime.window import Window, loader
from gan.step import Players, Teaching, step

MakeData = Callable[[Window], IterableDataset[Batch]]
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


def train(
    settings: Settings,
    header: Header,
    judge: Discriminator,
    teaching: Teaching,
    data: MakeData,
    styles: MakeStyles,
    gallery: Gallery,
    processes: Processes,
    resume: bool,
) -> Path:
    """Train until `images`; returns the file of the averaged weights."""
    artist = build(header)
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
    done = load_state(state, parts)["images"] if resume and state.exists() else 0
    processes.agree(done)
    size = settings.batch * processes.count
    first = done // settings.batch + processes.rank
    batches = loader(data(Window(settings.batch, first, processes.count)), settings.workers)
    track = Track(settings.out / "stats.jsonl", processes.first, done, board=True)
    while done < settings.images:
        players.slow(rates(settings, done))
        reseed(settings.seed, done, processes.rank)
        with track.phase("data"):
            batch = next(batches)
            batch = batch.given(processes.device)
        track.add(step(players, batch, teaching, track))
        done += size
        average.update(artist, done // size)
        last = done >= settings.images
        if processes.first and (last or crossed(done, size, settings.keep)):
            save(weights, average.network, styles(average.network), replace(header, images=done))
            save_state(state, parts, {"images": done})
        if processes.first and (last or crossed(done, size, settings.tick)):
            track.tick(done, rates(settings, done)[0], {})
            gallery.write(average.network, settings.out / "samples" / f"{done:08d}.png")
    processes.finish()
    return weights


def rates(settings: Settings, done: int) -> tuple[float, float]:
    """Constant, then falling to 0 in a straight line over the last part of the training."""
    left = max(0.0, 1 - done / settings.images)
    factor = min(1.0, left / settings.decay) if settings.decay else 1.0
    return settings.learning_rate * factor, settings.judge_rate * factor
