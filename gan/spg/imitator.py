"""What an editor is measured against: plates pasted in mean colours, and pix2pix in the source's style."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from gan.artist import AT_ONCE, quiet
from gan.batches import as_input, as_pictures, planes_of
from gan.checkpoint import load
from gan.outline import GLYPHS, PLATE, condition
from gan.pix2pix import Pix2Pix
from gan.sight import fitted
from gan.spg.editor import Task
from gan.spg.rendered import nearest_size
from synth.errors import UserError
from synth.sample import Image

Planes = NDArray[np.uint8]


def pasted(source: Image, own: Planes, asked: Planes) -> Image:
    """The new text in the mean colours of the source's ink and ground, laid over its plate."""
    old = np.ascontiguousarray(own[..., GLYPHS])
    inside = own[..., PLATE] > 250
    around = cv2.dilate(old, np.ones((3, 3), np.uint8)) > 25
    ink = mean_colour(source, inside & (old >= max(1, np.quantile(old, 0.95))))
    ground = mean_colour(source, inside & ~around)
    cover, alpha = (asked[..., n : n + 1] / np.float32(255) for n in (GLYPHS, PLATE))
    clean = ground + cover * (ink - ground)
    return np.asarray(np.rint(source + alpha * (clean - source)), np.uint8)


def mean_colour(picture: Image, where: NDArray[np.bool_]) -> NDArray[np.float32]:
    chosen = picture[where] if where.any() else picture.reshape(-1, 3)
    return np.asarray(chosen.mean(axis=0), np.float32)


@dataclass(frozen=True)
class Imitator:
    """Draws the new plate with pix2pix, in the style its encoder finds in the source."""

    network: Pix2Pix
    sizes: Sequence[tuple[int, int]]

    @classmethod
    def of(cls, path: Path) -> Imitator:
        network, _, header = load(path)
        if network.encoder is None:
            raise UserError(f"pix2pix: {path}: has no style encoder; give one trained with gan=pix2pix")
        return cls(network.requires_grad_(False), header.sizes)

    def drawn(self, sources: Sequence[Image], own: Sequence[Planes], asked: Sequence[Planes]) -> list[Image]:
        """Sources H W 3 and their own and new conditions, all of one size."""
        assert self.network.encoder is not None
        found: list[Image] = []
        for start in range(0, len(sources), AT_ONCE):
            part = slice(start, start + AT_ONCE)
            with quiet(start):
                picture, told, new = (as_input(planes_of(x[part])) for x in (sources, own, asked))
                code = self.network.encoder(picture, told)[0]
                noise = torch.randn(len(picture), 1, *picture.shape[2:])
                found += list(as_pictures(self.network.generator(new, code, noise)))
        return found

    def edited(self, task: Task) -> Image:
        """The whole crop drawn anew with another text, at the crop's size."""
        height, width = task.crop.shape[:2]
        size = nearest_size(task.plate.type, self.sizes)
        to_work = np.diag((size[1] / width, size[0] / height, 1.0)) @ task.found.homography
        own, asked = (condition(plate, to_work, size) for plate in (task.found.plate, task.plate))
        return fitted(self.drawn([fitted(task.crop, size)], [own], [asked])[0], (height, width))
