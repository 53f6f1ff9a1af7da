"""A trained editor made ready to use: pictures of any size in, the same pictures with other texts out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gan.align import DRAWN_PX, Alignment
from gan.artist import AT_ONCE, quiet, working_type
from gan.batches import as_input, as_pictures, planes_of
from gan.blocks import folded
from gan.checkpoint import Header
from gan.outline import condition
from gan.sight import fitted
from gan.spg.checkpoint import load
from gan.spg.finish import finished
from gan.spg.network import SPG
from gan.spg.rendered import nearest_size
from synth.errors import UserError
from synth.grammar import grammar_of
from synth.render import Plate, render
from synth.sample import Image

BUNDLED = Path(__file__).parents[1] / "weights" / "spg.safetensors"


def weights_file(weights: str | Path | None) -> Path:
    """The file of the weights, the bundled ones where none is given."""
    return BUNDLED if weights is None else Path(weights)


@dataclass(frozen=True)
class Task:
    """A picture, where its plate lies, and the plate that is to be there."""

    crop: Image  # H W 3
    found: Alignment
    plate: Plate  # of the new text, nominal


@dataclass(frozen=True)
class Edited:
    """The picture with its new text."""

    image: Image  # H W 3, the size of the crop
    mask: Image  # H W: coverage of the new characters


@dataclass(frozen=True)
class Planned:
    """A task at the working size."""

    source: Image  # h w 3
    condition: NDArray[np.uint8]  # h w COUNT
    asked: NDArray[np.uint8]  # h w COUNT


def task_of(crop: Image, found: Alignment, text: str) -> Task:
    """What is to be done for a text, or a UserError that says why the plate cannot show it."""
    fields = grammar_of(found.plate.type.id).parse(text)
    for name, own in found.plate.fields.items():
        new = fields[name]
        if len(new) != len(own):
            raise UserError(
                f"{found.plate.type.id}: {text!r}: {name} {new!r} has {len(new)} characters, the plate's "
                f"{own!r} has {len(own)}; give a text of the same lengths"
            )
    return Task(crop, found, render(found.plate.type, fields, DRAWN_PX))


@dataclass(frozen=True)
class Editor:
    """Edits pictures, those of one working size together."""

    network: SPG
    header: Header
    dtype: torch.dtype

    @classmethod
    def of(cls, path: Path, precision: str = "auto") -> Editor:
        network, header = load(path)
        dtype = working_type(precision)
        fast = folded(network)
        assert isinstance(fast, SPG)
        fast.to(dtype, memory_format=torch.channels_last)  # type: ignore[call-overload]
        return cls(fast.requires_grad_(False), header, dtype)

    def edit(self, tasks: Sequence[Task]) -> list[Edited]:
        """In the order of the tasks."""
        planned = [self.planned(task) for task in tasks]
        found: dict[int, Edited] = {}
        for size in dict.fromkeys(plan.asked.shape for plan in planned):
            same = [n for n, plan in enumerate(planned) if plan.asked.shape == size]
            for start in range(0, len(same), AT_ONCE):
                part = same[start : start + AT_ONCE]
                for n, done in zip(part, self.drawn([planned[n] for n in part]), strict=True):
                    found[n] = laid_into(tasks[n].crop, *done)
        return [found[n] for n in range(len(tasks))]

    def planned(self, task: Task) -> Planned:
        height, width = task.crop.shape[:2]
        size = nearest_size(task.plate.type, self.header.sizes)
        to_work = np.diag((size[1] / width, size[0] / height, 1.0)) @ task.found.homography
        planes = [condition(plate, to_work, size) for plate in (task.found.plate, task.plate)]
        return Planned(fitted(task.crop, size), *planes)

    def drawn(self, plans: Sequence[Planned]) -> list[tuple[Image, Image, Image]]:
        """Picture h w 3, share of it that is new h w, coverage of the new characters h w; each in uint8."""
        with quiet(0):
            columns = (
                [plan.source for plan in plans],
                [plan.condition for plan in plans],
                [plan.asked for plan in plans],
            )
            edit = self.network.edit(*(as_input(planes_of(column)).to(self.dtype) for column in columns))
            new, masks = shares(edit.new), shares(torch.sigmoid(edit.masks[:, 1:].float()))
            each = zip(plans, as_pictures(edit.drawn), new, masks, strict=True)
            return [
                (finished(plan.source, plan.condition, drawn, new, mask, plan.asked), new, mask)
                for plan, drawn, new, mask in each
            ]


def shares(planes: Tensor) -> NDArray[np.uint8]:
    """N 1 H W in [0, 1] -> N H W uint8."""
    return as_pictures(planes * 2 - 1)[..., 0]


def laid_into(crop: Image, drawn: Image, new: Image, mask: Image) -> Edited:
    """What is drawn takes the place of the crop's own pixels: nothing finer of the old text is left."""
    size = crop.shape[0], crop.shape[1]
    share = fitted(np.ascontiguousarray(new), size)[..., None] / np.float32(255)
    image = crop + share * (fitted(drawn, size).astype(np.float32) - crop)
    return Edited(np.rint(image).clip(0, 255).astype(np.uint8), fitted(np.ascontiguousarray(mask), size))
