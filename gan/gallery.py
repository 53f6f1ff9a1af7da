"""What a training shows at every tick: the same outlines in the same styles, for eyes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from gan.batches import Pair, as_input, as_pictures, batch_of, planes_of
from gan.checkpoint import Styles
from gan.outline import condition, upright
from gan.pix2pix import Pix2Pix
from synth.catalogue import load_type
from synth.grammar import grammar_of
from synth.render import render
from synth.sample import Image
from synth.seeding import rng_for


def outlines(types: Sequence[str], size: tuple[int, int], seed: int) -> list[NDArray[np.uint8]]:
    """The condition of one plate a type, seen from the front."""
    drawn = []
    for number, name in enumerate(types):
        fields = grammar_of(name).sample("legal", seed, number)
        plate = render(load_type(name), fields, 64, rng_for(seed, number, "gallery"))
        drawn.append(condition(plate, upright(plate, size), size))
    return drawn


@torch.inference_mode()
def styles_of(network: Pix2Pix, pairs: Sequence[Pair], batch: int = 64) -> Styles:
    """What the encoder finds in these crops."""
    if network.encoder is None or not pairs:
        return Styles.none(network.style)
    device = next(network.parameters()).device
    found = []
    for start in range(0, len(pairs), batch):
        part = batch_of(pairs[start : start + batch])
        found.append(network.encoder(as_input(part.crop.to(device)), as_input(part.condition.to(device))))
    mean, log_variance = (torch.cat(column).cpu() for column in zip(*found, strict=True))
    return Styles(mean, torch.exp(log_variance / 2))


@dataclass(frozen=True)
class Gallery:
    """Rows: crops never trained on, plates of other types. Columns: outline, crop, own and other styles."""

    pairs: Sequence[Pair]
    others: Sequence[NDArray[np.uint8]]  # conditions
    columns: int
    seed: int

    @torch.inference_mode()
    def picture(self, network: Pix2Pix) -> Image:
        own = styles_of(network, self.pairs).mean
        conditions = [pair.condition for pair in self.pairs] + list(self.others)
        device = next(network.parameters()).device
        given = as_input(planes_of(conditions).to(device))
        generator = torch.Generator().manual_seed(self.seed)
        noise = torch.randn(len(given), 1, *given.shape[2:], generator=generator).to(device)
        if not len(own):  # no styles but chance
            own = torch.zeros(1, network.style)
        rows = torch.arange(len(given)) % len(own)
        codes = [own[rows], *(own[n % len(own)].expand(len(given), -1) for n in range(self.columns))]
        drawn = [as_pictures(network.generator(given, code.contiguous().to(device), noise)) for code in codes]
        blank = np.full_like(drawn[0][0], 128)
        size = blank.shape[1], blank.shape[0]
        crops = [cv2.resize(pair.crop, size, interpolation=cv2.INTER_CUBIC) for pair in self.pairs]
        crops += [blank] * len(self.others)
        lines = [
            np.hstack([shown(conditions[n]), crops[n], *(column[n] for column in drawn)])
            for n in range(len(conditions))
        ]
        return np.asarray(np.vstack(lines))

    def write(self, network: Pix2Pix, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        done, data = cv2.imencode(".png", cv2.cvtColor(self.picture(network), cv2.COLOR_RGB2BGR))
        assert done
        path.write_bytes(data.tobytes())


def shown(planes: NDArray[np.uint8]) -> Image:
    """A condition as one picture: the plate's paint, its text, its edges."""
    ground, ink = planes[..., 3:6].astype(np.float32), planes[..., 6:9].astype(np.float32)
    cover = planes[..., 1:2] / np.float32(255)
    return np.asarray(np.maximum(ground * (1 - cover) + ink * cover, planes[..., :1] * 0.5), np.uint8)
