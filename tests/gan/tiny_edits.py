"""Lessons, batches and a training of the editor small enough for a test."""

from __future__ import annotations

import functools
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from hydra import compose, initialize_config_module
from omegaconf import OmegaConf
from tiny_pairs import TinyPairs, tiny_pairs

from gan.augment import Augmentation
from gan.checkpoint import Header
from gan.discriminator import Discriminator
from gan.loop import Course
from gan.memory import Memory
from gan.outline import COUNT
from gan.runtime.track import Track
from gan.spg.batches import EditBatch, Edits, Mixture
from gan.spg.checkpoint import build, save
from gan.spg.gallery import EditGallery
from gan.spg.losses import EditWeights
from gan.spg.network import SPG
from gan.spg.rendered import Rendered
from gan.spg.step import EditTeaching, edit_step
from gan.step import Players
from synth.capture.stage import Capture
from synth.targets import made

SIZES = ((16, 48), (24, 48))
TYPES = ("cn/blue", "cn/yellow", "cn/tractor")
NETWORK = {"_target_": "gan.spg.network.SPG", "channels": 4, "style": 3, "layers": 1, "heads": 2}


@functools.cache
def camera(name: str = "mild") -> Capture:
    with initialize_config_module("conf", version_base="1.3"):
        config = compose("generate", ["out=x", f"capture={name}"])
    capture: Capture = made(OmegaConf.to_container(config.capture, resolve=True), "capture")
    return capture


def rendered(sizes: tuple[tuple[int, int], ...] = SIZES, types: tuple[str, ...] = TYPES) -> Rendered:
    return Rendered.of(camera(), types, sizes)


def header(**network: Any) -> Header:
    return Header({**NETWORK, **network}, SIZES)


def teaching(**weights: Any) -> EditTeaching:
    return EditTeaching(EditWeights(**weights), Augmentation(cutout=0.2), None, None, autocast=False, turns=2)


def mixture(share: float = 0.5, begins: int = 0) -> Mixture:
    return Mixture(rendered(), tiny_pairs() if share else None, share, begins)


def small_pairs(height: int, width: int) -> TinyPairs:
    """Crops smaller than what is worked at."""
    pairs = [
        replace(
            pair,
            crop=cv2.resize(pair.crop, (width, height)),
            hidden=np.full((height, width), 255 * (number % 2), np.uint8),
        )
        for number, pair in enumerate(tiny_pairs().pairs)
    ]
    return TinyPairs(tuple(pairs))


@functools.cache
def batch(real: bool = True, size: tuple[int, int] = SIZES[0]) -> EditBatch:
    """Four edits of one size, two of them real."""
    from gan.runtime.window import Window

    edits = Edits(mixture(0.5 if real else 0.0), Window(4), 0)
    return next(b for b in map(edits.batch, range(50)) if b.source.shape[2:] == size)


def course(shared: EditTeaching | None = None, begins: int = 16, after: int = 10**9) -> Course[SPG]:
    """A whole training; saving fails from image `after` on, as if the plug were pulled."""
    plan = shared or teaching()
    torch.manual_seed(0)
    judge = Discriminator(COUNT, channels=4)

    def step(players: Players[SPG], given: EditBatch, track: Track) -> dict[str, float]:
        return edit_step(players, given, plan, track)

    def keep(path: Path, network: SPG, images: int) -> None:
        if images >= after:
            raise Stopped
        save(path, network, header())

    return Course(
        build(header()),
        judge,
        lambda window: Edits(mixture(begins=begins), window, 0),
        step,
        keep,
        EditGallery([batch()]),
        memory=Memory(6),
    )


class Stopped(Exception):
    """The user pulled the plug."""


def saved(path: Path, **network: Any) -> Path:
    torch.manual_seed(0)
    made_of = header(**network)
    save(path, build(made_of), made_of)
    return path


def grey(image: np.ndarray) -> np.ndarray:
    return image.astype(np.float64).mean(axis=2)
