"""One training step as everybody explains a GAN: draw, judge and correct the judge, then the artist."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gan.augment import Augmentation
from gan.batches import Batch
from gan.losses import (
    ADVERSARIAL,
    Reading,
    Weights,
    coarse,
    distance,
    divergence,
    feature_matching,
    finite,
    logged,
    unclear,
    weighted,
)
from gan.memory import Memory
from gan.outline import PLATE
from gan.pix2pix import Chance, Drawn, Pix2Pix
from gan.runtime.distributed import Processes
from gan.runtime.track import Track
from gan.sight import shrunk, size_of

Artist = TypeVar("Artist", bound=nn.Module)
Shown = tuple[Tensor, Tensor]  # pictures and conditions, as a judge sees them


class Turns(Protocol):
    """How a judge is taught, whoever draws."""

    @property
    def augmentation(self) -> Augmentation: ...
    @property
    def turns(self) -> int: ...  # for one of the artist
    @property
    def autocast(self) -> bool: ...


@dataclass
class Players(Generic[Artist]):
    """Both networks, plain and as one process among several sees them, with their optimisers."""

    artist: Artist
    judge: nn.Module
    drawing: nn.Module  # the artist, gradients averaged over processes
    judging: nn.Module  # the judge, likewise
    artist_optimizer: torch.optim.Optimizer
    judge_optimizer: torch.optim.Optimizer
    memory: Memory | None = None  # of the judge

    @classmethod
    def of(
        cls, artist: Artist, judge: nn.Module, rates: tuple[float, float], processes: Processes
    ) -> Players[Artist]:
        def adam(network: nn.Module, rate: float) -> torch.optim.Optimizer:
            return torch.optim.Adam(network.parameters(), rate, (0.5, 0.99), fused=True)

        wrapped = processes.wrap(artist), processes.wrap(judge)
        return cls(artist, judge, *wrapped, adam(artist, rates[0]), adam(judge, rates[1]))

    def slow(self, rates: tuple[float, float]) -> None:
        """Set the learning rates."""
        for optimizer, rate in zip((self.artist_optimizer, self.judge_optimizer), rates, strict=True):
            for group in optimizer.param_groups:
                group["lr"] = rate


@dataclass(frozen=True)
class Teaching:
    """How a step teaches."""

    weights: Weights
    augmentation: Augmentation
    reading: Reading | None
    borrow: float  # of the second half, how many are drawn in the style of another crop of the batch
    autocast: bool
    turns: int = 1  # of the judge, for one of the artist


def chance_of(count: int, size: tuple[int, int], style: int, borrow: float, device: torch.device) -> Chance:
    """The random numbers of one step, from torch's own stream (see `reseed`)."""
    return Chance(
        noise=torch.randn(count, 1, *size, device=device),
        jitter=torch.randn(count, style, device=device),
        prior=torch.randn(count, style, device=device),
        borrow=torch.rand(count, device=device) < borrow,
    )


def step(players: Players[Pix2Pix], batch: Batch, teaching: Teaching, track: Track) -> dict[str, float]:
    """A batch as `given` to the networks; returns the values to log."""
    crop = batch.crop
    chance = chance_of(len(crop), size_of(batch.asked), players.artist.style, teaching.borrow, crop.device)
    players.drawing.train()
    with track.phase("draw"), precision(crop, teaching.autocast):
        drawn: Drawn = players.drawing(batch.asked, crop, chance)
    fake = drawn.fake.float()
    seen = shrunk(fake, size_of(crop))
    with track.phase("judge"):
        judged = correct_judge(players, batch, seen.detach(), teaching)
    with track.phase("read"):
        others = len(drawn.mean)  # where the first half has its own style, L1 keeps it legible
        reading = teaching.reading is not None
        parts = {"reading": read(fake[others:], batch.texts[others:], teaching)} if reading else {}
    with track.phase("learn"):
        if teaching.weights.likeness and bool(batch.hidden.any()):
            parts["likeness"] = unlike(batch, fake, teaching.weights.beyond)
        if teaching.weights.detail and size_of(fake) != size_of(crop):
            parts["detail"] = coarse(fake, batch.asked, size_of(crop))
        parts |= correct_artist(players, batch, drawn, seen, teaching, parts)
    return finite({"judge": judged, **logged(parts)})


def precision(x: Tensor, autocast: bool) -> AbstractContextManager[Any]:
    """bfloat16 inside networks; losses are computed in float32 outside."""
    return torch.autocast(x.device.type, torch.bfloat16, enabled=autocast)


def open_to(batch: Batch, picture: Tensor, condition: Tensor) -> Shown:
    """What the judge may see of pictures and conditions: not what is hidden."""
    return picture.masked_fill(batch.hidden, 0), condition.masked_fill(batch.hidden, 0)


def shown(batch: Batch, picture: Tensor, condition: Tensor, teaching: Teaching) -> Shown:
    """That, changed at random."""
    return teaching.augmentation(*open_to(batch, picture, condition))


def correct_judge(players: Players[Pix2Pix], batch: Batch, seen: Tensor, teaching: Teaching) -> float:
    """The judge's turns, each with these drawings and with earlier ones; its first loss."""
    real, drawn = open_to(batch, batch.crop, batch.told), open_to(batch, seen, batch.told_asked)
    return taught(players, real, drawn, teaching.weights.adversarial, teaching, players.memory)


def taught(
    players: Players[Any], real: Shown, drawn: Shown, kind: str, teaching: Turns, memory: Memory | None
) -> float:
    """The judge's turns, each with today's drawings and with remembered ones; its first loss."""
    losses = []
    for _ in range(teaching.turns):
        earlier = memory.recall(len(drawn[0])) if memory is not None else None
        for fake in (drawn, earlier) if earlier is not None else (drawn,):
            pair = teaching.augmentation(*real), teaching.augmentation(*fake)
            losses.append(learnt(players, *pair, kind, teaching.autocast))
    if memory is not None:
        memory.keep(*drawn)
    return losses[0]


def learnt(players: Players[Any], real: Shown, fake: Shown, kind: str, autocast: bool) -> float:
    """The judge after pictures and conditions of both sides, in one forward: DistributedDataParallel
    allows one a backward.
    """
    loss_of, _ = ADVERSARIAL[kind]
    pictures, conditions = (torch.cat(parts) for parts in zip(real, fake, strict=True))
    players.judge.requires_grad_(True)
    with precision(pictures, autocast):
        found = players.judging(pictures, conditions)
    count = len(real[0])
    loss = loss_of([[f[:count] for f in scale] for scale in found], True) + loss_of(
        [[f[count:] for f in scale] for scale in found], False
    )
    players.judge_optimizer.zero_grad(set_to_none=True)
    loss.backward()
    players.judge_optimizer.step()
    return float(loss.detach())


def read(fake: Tensor, texts: Sequence[str], teaching: Teaching) -> Tensor:
    assert teaching.reading is not None
    with precision(fake, teaching.autocast):
        return teaching.reading(fake, texts)


def unlike(batch: Batch, fake: Tensor, beyond: float) -> Tensor:
    """How much less clear new texts are, as large as they are drawn, than those of the crops."""
    new = batch.hidden.flatten(1).any(1)
    whole = (batch.asked[:, PLATE : PLATE + 1] > 0) & new[:, None, None, None]
    return unclear(fake, batch.asked, batch.crop, batch.told, whole, batch.hidden, beyond)


def correct_artist(
    players: Players[Pix2Pix],
    batch: Batch,
    drawn: Drawn,
    seen: Tensor,
    teaching: Teaching,
    parts: dict[str, Tensor],
) -> dict[str, Tensor]:
    """The artist's losses through a judge that learns nothing; `seen`: drawings as large as crops."""
    _, loss_of = ADVERSARIAL[teaching.weights.adversarial]
    crop, condition = batch.crop, batch.told
    players.judge.requires_grad_(False)
    with precision(crop, teaching.autocast):
        found = players.judge(*shown(batch, seen, batch.told_asked, teaching))
    parts = {"adversarial": loss_of(found), **parts}
    own = len(drawn.mean) or len(seen)  # the pictures that show their crop's own style
    parts["l1"] = distance(seen[:own], crop[:own], teaching.weights.smeared)
    if len(drawn.mean):
        parts["kl"] = divergence(drawn.mean, drawn.log_variance)
        parts["latent"] = F.l1_loss(drawn.found, drawn.wanted)
    if teaching.weights.features:
        with torch.no_grad(), precision(crop, teaching.autocast):
            real = players.judge(crop[:own], condition[:own])
        with precision(crop, teaching.autocast):
            mine = players.judge(seen[:own], condition[:own])
        parts["features"] = feature_matching(mine, real)
    players.artist_optimizer.zero_grad(set_to_none=True)
    weighted(parts, teaching.weights).backward()
    players.artist_optimizer.step()
    return parts
