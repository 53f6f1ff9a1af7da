"""The course of the editor: rendered lessons without end, and real crops where there are some."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from omegaconf import DictConfig
from torch.utils.data import IterableDataset

from gan.batches import Pairs
from gan.course import (
    augmentation_of,
    crops_of,
    filled,
    header_of,
    made,
    reader_of,
    reading_of,
    sizes_of,
    tell_idle,
    turns_of,
)
from gan.discriminator import Discriminator
from gan.loop import Course, Settings
from gan.memory import Memory
from gan.runtime.average import mean_with
from gan.runtime.distributed import tell
from gan.runtime.precision import autocast_of
from gan.runtime.track import Track
from gan.runtime.window import Window
from gan.spg.batches import EditBatch, Edits, Mixture, edit_batch
from gan.spg.checkpoint import build, save, tensors_of
from gan.spg.gallery import EditGallery
from gan.spg.losses import EditWeights, Perceptual
from gan.spg.network import SPG
from gan.spg.rendered import Rendered
from gan.spg.step import EditTeaching, edit_step
from gan.step import Players
from synth.errors import UserError

SHOWN = 10  # rendered and real rows of the gallery, each
APART = 1_000_003  # seed of the gallery's texts against those of training


def editing_course(config: DictConfig, settings: Settings) -> Course[SPG]:
    """New text on plates: phase 1 rendered, phase 2 mixed with real crops."""
    share = config.gan.real.share
    if not 0 <= share < 1:
        raise UserError(f"gan.real.share: {share} is no share below 1; 0 trains on rendered plates alone")
    sizes = sizes_of(config)
    if not 0 <= config.gan.real.phase1 <= 1:
        raise UserError(f"gan.real.phase1: {config.gan.real.phase1} is no share between 0 and 1")
    if config.gan.real.phase1 and 0 < config.gan.real.begins < config.keep:
        raise UserError(
            f"gan.real.begins: {config.gan.real.begins} is below keep ({config.keep}): nothing of phase 1 "
            "would be kept to be blended in; lower keep, or gan.real.phase1=0"
        )
    teaching = teaching_of(config)
    rendered: Rendered = made(config, "gan.rendered", sizes=sizes)
    pairs: Pairs | None = crops_of(config, "train", own_size=True) if share else None
    unseen: Pairs | None = crops_of(config, "held_out", own_size=True) if share else None
    mixture = Mixture(rendered, pairs, share, config.gan.real.begins)
    if pairs is not None and not mixture.real(mixture.begins, sizes[0], settings.batch):
        raise UserError(
            f"batch: {settings.batch}, of which gan.real.share={share} is no crop; give more, "
            "or gan.real.share=0"
        )
    crops = len(pairs) if pairs is not None else 0
    header = header_of(config, sizes, {"source": config.source.name, "crops": crops})
    if pairs is not None:
        tell(pairs.summary)
    tell_idle(teaching.weights, "gan.perceptual", config.gan.perceptual, "perceptual", "style")
    tell_idle(teaching.weights, "reader", config.reader, "reading")
    torch.manual_seed(settings.seed)
    judge = Discriminator(header.planes, **config.gan.discriminator)

    def edits(window: Window) -> IterableDataset[EditBatch]:
        return Edits(mixture, window, settings.seed)

    def keep(path: Path, network: SPG, images: int) -> None:
        first, now = path.with_name("phase1.safetensors"), replace(header, images=images)
        if pairs is not None and images < mixture.begins + settings.batch:
            save(first, network, now)
        elif pairs is not None and config.gan.real.phase1 and mixture.begins and first.is_file():
            network = mean_with(network, tensors_of(first), config.gan.real.phase1)
        save(path, network, now)

    def step(players: Players[SPG], batch: EditBatch, track: Track) -> dict[str, float]:
        return edit_step(players, batch, teaching, track)

    memory = Memory(config.gan.memory) if config.gan.memory else None
    gallery = gallery_of(rendered, unseen, settings.seed + APART)
    return Course(
        build(header), judge, edits, step, keep, gallery, f"rendered plates and {crops} crops", memory
    )


def teaching_of(config: DictConfig) -> EditTeaching:
    weights = filled(EditWeights, config, "gan.losses")
    perceptual = None
    if config.gan.perceptual is not None and (weights.perceptual or weights.style):
        perceptual = Perceptual(reader_of(config, "gan.perceptual"))
    reading = reading_of(config) if weights.reading else None
    return EditTeaching(
        weights,
        augmentation_of(config),
        reading,
        perceptual,
        autocast_of(config.autocast),
        turns_of(config),
    )


def gallery_of(rendered: Rendered, unseen: Pairs | None, seed: int) -> EditGallery:
    """Rendered rows of every size; real ones with the first size's."""
    batches = []
    for size in rendered.groups():
        lessons = [rendered.lesson(seed, place, size) for place in range(SHOWN)]
        real = unseen if size == rendered.sizes[0] else None
        rows = real_rows(real, seed) if real is not None else []
        batches.append(edit_batch(lessons, rows, rows[0].crop.shape[:2] if rows else None))
    return EditGallery(batches)


def real_rows(pairs: Pairs, seed: int) -> list[Any]:
    return [pairs.item(np.random.default_rng((seed, number)), new_text=True) for number in range(SHOWN)]
