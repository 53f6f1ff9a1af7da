"""What a training of the editor shows: source | new text | masks | result | truth, if any."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gan.batches import as_pictures
from gan.gallery import shown
from gan.spg.batches import EditBatch
from gan.spg.network import SPG
from synth.dataset.atomic import write_atomic
from synth.dataset.chart import png
from synth.sample import Image


@dataclass(frozen=True)
class EditGallery:
    """The same edits at every tick, of one or more sizes; not `given`, as they are drawn."""

    batches: Sequence[EditBatch]

    @torch.inference_mode()
    def picture(self, network: SPG) -> Image:
        blocks = [rows(network, batch) for batch in self.batches]
        width = max(block.shape[1] for block in blocks)
        wide = [np.pad(block, ((0, 0), (0, width - block.shape[1]), (0, 0))) for block in blocks]
        return np.asarray(np.vstack(wide))

    def write(self, network: SPG, path: Path) -> None:
        write_atomic(path, png(self.picture(network)))


def rows(network: SPG, batch: EditBatch) -> Image:
    """A line an edit."""
    given = batch.given(next(network.parameters()).device)
    edit = network.edit(given.source, given.condition, given.asked)
    asked = [shown(planes) for planes in pixels(batch.asked)]
    blank = [np.full_like(asked[0], 128)] * batch.real
    truth = [*pixels(batch.target), *blank]
    columns = (pixels(batch.source), asked, masks_shown(edit.masks), as_pictures(edit.picture), truth)
    return np.asarray(np.vstack([np.hstack(line) for line in zip(*columns, strict=True)]))


def pixels(planes: Tensor) -> NDArray[np.uint8]:
    """N C H W uint8 -> N H W C."""
    return np.ascontiguousarray(planes.permute(0, 2, 3, 1).cpu().numpy())


def masks_shown(logits: Tensor) -> NDArray[np.uint8]:
    """N H W 3: the old characters red, the new ones green, both yellow."""
    shares = torch.sigmoid(logits.float())
    planes = torch.cat([shares, torch.zeros_like(shares[:, :1])], dim=1)
    return as_pictures(planes * 2 - 1)
