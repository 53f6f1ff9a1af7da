"""The training loop, top to bottom: construct, resume, optimise {step, average, save, tick}, by images."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.data import IterableDataset

from gan.runtime.average import Average, mean_with
from gan.runtime.distributed import Processes
from gan.runtime.state import Part, forget, load_state, reseed, save_state
from gan.runtime.track import Track, crossed
from gan.runtime.window import Window, loader
from recognizer.checkpoint import Header, build, save
from recognizer.data import Batch
from recognizer.step import learning_rate, losses, total
from synth.errors import UserError, nearest

Weights = Mapping[str, Tensor]
Trial = Callable[[nn.Module], dict[str, Any]]  # reads a set that is never trained on
MakeData = Callable[[Window], IterableDataset[Batch]]


@dataclass(frozen=True)
class Settings:
    """How to train; what is trained on is a dataset, what is trained is a header."""

    out: Path
    images: int
    batch: int  # a process
    learning_rate: float
    warmup: int  # images
    weight_decay: float
    average: float
    clip: float
    workers: int
    tick: int  # images between two lines of stats.jsonl
    keep: int  # images between two saved states
    autocast: bool
    seed: int
    start_share: float = 0.0  # of the first weights in the mean that is kept
    only: tuple[str, ...] = ()  # names of the parts that learn; all of them if empty


def train(
    settings: Settings,
    header: Header,
    data: MakeData,
    trials: dict[str, Trial],
    processes: Processes,
    resume: bool,
    begun: Callable[[], None] | None = None,
    first: Weights | None = None,
) -> Path:
    """Train until `images`; returns the file of the averaged weights.

    `begun` is called by the first process once a state that is there was found to fit. `first` are the
    weights to begin with.
    """
    torch.manual_seed(settings.seed)
    drawn = build(header)
    if first is not None:
        drawn.load_state_dict(dict(first))
    freeze(drawn, settings.only)
    network = drawn.to(processes.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    average = Average(network, settings.average)
    optimizer = torch.optim.AdamW(
        [weight for weight in network.parameters() if weight.requires_grad],
        settings.learning_rate,
        (0.9, 0.99),
        weight_decay=settings.weight_decay,
        fused=True,
    )
    weights, state = settings.out / "weights.safetensors", settings.out / "state.safetensors"
    parts: dict[str, Part] = {"network": network, "average": average.network, "optimizer": optimizer}
    done = load_state(state, parts)["images"] if resume and state.exists() else 0
    processes.agree(done)
    if processes.first:
        if not done:
            forget(weights, state)
        if begun is not None:
            begun()
    model, size = processes.wrap(network), settings.batch * processes.count
    place = done // settings.batch + processes.rank
    batches = loader(data(Window(settings.batch, place, processes.count)), settings.workers)
    track = Track(settings.out / "stats.jsonl", processes.first, done)
    while done < settings.images:
        rate = learning_rate(settings.learning_rate, done, settings.warmup, settings.images)
        reseed(settings.seed, done, processes.rank)
        track.add(step(model, optimizer, next(batches), rate, settings, processes))
        done += size
        average.update(network, done // size)
        last = done >= settings.images
        if processes.first and (last or crossed(done, size, settings.tick)):
            track.tick(done, rate, {name: trial(average.network) for name, trial in trials.items()})
        if processes.first and (last or crossed(done, size, settings.keep)):
            kept = average.network
            if first is not None and settings.start_share:
                kept = mean_with(kept, first, settings.start_share)
            save(weights, kept, replace(header, images=done))
            save_state(state, parts, {"images": done})
    processes.finish()
    return weights


def step(
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    batch: Batch,
    rate: float,
    settings: Settings,
    processes: Processes,
) -> dict[str, float]:
    """Forward, backward, clip, update; the values to log."""
    for group in optimizer.param_groups:
        group["lr"] = rate
    teach(model, settings.only)
    found = losses(model, batch, processes.device, settings.autocast)
    optimizer.zero_grad(set_to_none=True)
    total(found).backward()
    norm = nn.utils.clip_grad_norm_(model.parameters(), settings.clip)
    optimizer.step()
    return {name: float(value.detach()) for name, value in found.items()} | {"gradient": float(norm)}


def freeze(network: nn.Module, only: Sequence[str]) -> None:
    """Nothing but these parts of the network learns; all of it where none is named."""
    parts = dict(network.named_children())
    for name in only:
        if name not in parts:
            raise UserError(f"only: the network has no part {name!r}; {nearest(name, parts)}")
    for name, part in parts.items():
        part.requires_grad_(not only or name in only)
    for weight in network.parameters(recurse=False):  # of no part
        weight.requires_grad_(not only)


def teach(model: nn.Module, only: Sequence[str]) -> None:
    """Training mode, of the parts that learn: the others see a picture as whoever reads does."""
    network = getattr(model, "module", model)  # where DDP keeps it
    model.train(not only)
    for name in only:
        network.get_submodule(name).train()
