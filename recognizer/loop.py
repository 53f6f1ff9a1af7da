"""The training loop, top to bottom: construct, resume, optimise {step, average, save, tick}, by images."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.utils.data import IterableDataset

from recognizer.checkpoint import Header, build, save
from recognizer.data import Batch, Window, loader
from recognizer.distributed import Processes
from recognizer.state import load_state, reseed, save_state
from recognizer.step import TYPE_WEIGHT, Average, learning_rate, losses
from synth.dataset.atomic import write_atomic

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


def train(
    settings: Settings,
    header: Header,
    data: MakeData,
    trials: dict[str, Trial],
    processes: Processes,
    resume: bool,
) -> Path:
    """Train until `images`; returns the file of the averaged weights."""
    torch.manual_seed(settings.seed)
    network = build(header).to(processes.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    average = Average(network, settings.average)
    optimizer = torch.optim.AdamW(
        network.parameters(),
        settings.learning_rate,
        (0.9, 0.99),
        weight_decay=settings.weight_decay,
        fused=True,
    )
    weights, state = settings.out / "weights.safetensors", settings.out / "state.safetensors"
    done = (
        load_state(state, network, average.network, optimizer)["images"] if resume and state.exists() else 0
    )
    processes.agree(done)
    model, size = processes.wrap(network), settings.batch * processes.count
    first = done // settings.batch + processes.rank
    batches = loader(data(Window(settings.batch, first, processes.count)), settings.workers)
    track = Track(settings.out / "stats.jsonl", processes.first, done)
    while done < settings.images:
        rate = learning_rate(settings.learning_rate, done, settings.warmup, settings.images)
        reseed(settings.seed, done, processes.rank)
        track.add(step(model, optimizer, next(batches), rate, settings, processes))
        done += size
        average.update(network, done // size)
        last = done >= settings.images
        if processes.first and (last or crossed(done, size, settings.keep)):
            save(weights, average.network, replace(header, images=done))
            save_state(state, network, average.network, optimizer, {"images": done})
        if processes.first and (last or crossed(done, size, settings.tick)):
            track.tick(done, rate, {name: trial(average.network) for name, trial in trials.items()})
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
    model.train()
    text, kind = losses(model, batch, processes.device, settings.autocast)
    optimizer.zero_grad(set_to_none=True)
    (text + TYPE_WEIGHT * kind).backward()
    norm = nn.utils.clip_grad_norm_(model.parameters(), settings.clip)
    optimizer.step()
    return {"text": float(text.detach()), "type": float(kind.detach()), "gradient": float(norm)}


def crossed(done: int, size: int, every: int) -> bool:
    """Whether the last step went past a multiple of `every`."""
    return done // every > (done - size) // every


class Track:
    """Means between ticks, one line of JSON each, and the same on the screen."""

    def __init__(self, path: Path, active: bool, done: int) -> None:
        self.path, self.active = path, active
        self.sums: dict[str, float] = {}
        self.count, self.begun, self.before = 0, time.monotonic(), done
        if active:
            path.parent.mkdir(parents=True, exist_ok=True)
            self.forget(done)

    def forget(self, done: int) -> None:
        """Drop the lines after the state this run goes on from: it writes them again."""
        if not self.path.exists():
            return
        lines = self.path.read_text(encoding="utf-8").splitlines(keepends=True)
        whole = [line for line in lines if line.endswith("\n")]  # a kill can leave half a line
        write_atomic(self.path, "".join(line for line in whole if json.loads(line)["images"] <= done))

    def add(self, values: dict[str, float]) -> None:
        for name, value in values.items():
            self.sums[name] = self.sums.get(name, 0.0) + value
        self.count += 1

    def tick(self, done: int, rate: float, trials: dict[str, dict[str, Any]]) -> None:
        means = {name: round(total / max(1, self.count), 5) for name, total in self.sums.items()}
        speed = (done - self.before) / max(1e-6, time.monotonic() - self.begun)
        line = {"images": done, **means, "rate": rate, "images_per_s": round(speed, 1), **trials}
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line, ensure_ascii=False) + "\n")
        print(json.dumps(line, ensure_ascii=False), flush=True)
        self.sums, self.count, self.begun, self.before = {}, 0, time.monotonic(), done
