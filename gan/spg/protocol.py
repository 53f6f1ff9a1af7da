"""The protocol by which an editor is judged: rendered pairs whose truth is known, and crops it never saw."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from omegaconf import DictConfig

from gan.apply import BUNDLED
from gan.course import made
from gan.gallery import shown
from gan.outline import condition
from gan.pairs import Pairs, load_pairs
from gan.runtime.distributed import tell
from gan.scores import need_enough
from gan.sight import fitted
from gan.spg import on_crops, on_rendered
from gan.spg.editor import Edited, Editor, Task, weights_file
from gan.spg.imitator import Imitator
from gan.spg.probe import kept
from gan.spg.rendered import Lesson, Rendered
from synth.sample import Image

APART = 2_000_003  # of the seed of the lessons from that of training
ROW_PX = 48  # height of a row of the sheet
OURS = "spg"


def editors_of(config: DictConfig) -> dict[str, Editor]:
    """The one that is judged, then those it is compared with."""
    files = {OURS: weights_file(config.weights), "phase 1 alone": config.phase1}
    return {name: Editor.of(Path(file), config.precision) for name, file in files.items() if file is not None}


@dataclass(frozen=True)
class Crops:
    """Real crops, and how those held out are to be edited."""

    held_out: Pairs
    train: Pairs
    tasks: Sequence[Task]  # to texts of nobody
    exchanged: Sequence[Task]  # to each other's texts


def crops_of(config: DictConfig, size: tuple[int, int]) -> Crops:
    """The crops of the configuration; too few of them are refused before anything is edited."""
    chosen = {
        "source": config.source.name,
        "path": str(config.source.path),
        "types": list(config.plates.types),
    }
    held_out, train = (load_pairs(**chosen, size=size, part=part) for part in ("held_out", "train"))
    tell(held_out.summary)
    need_enough(len(held_out), "held-out crops")
    need_enough(len(train), "training crops")
    exchanged = on_crops.exchanged(held_out, config.draws, config.seed)
    need_enough(len(exchanged), "held-out crops that can take each other's texts (one type, same lengths)")
    return Crops(held_out, train, on_crops.tasks_of(held_out, config.draws, config.seed), exchanged)


def on_real(
    config: DictConfig,
    editors: dict[str, Editor],
    imitator: Imitator,
    lessons: Sequence[Lesson],
    crops: Crops,
) -> tuple[dict[str, Any], Image]:
    """The numbers of real crops, and the sheet."""
    held_out, tasks, swapped = crops.held_out, crops.tasks, crops.exchanged
    edits = {name: editor.edit(tasks) for name, editor in editors.items()}
    sets = {name: [one.image for one in edited] for name, edited in edits.items()}
    sets["pix2pix"] = [imitator.edited(task) for task in tasks]
    found = on_crops.probes(tasks, edits[OURS])
    swaps = {name: [one.image for one in editor.edit(swapped)] for name, editor in editors.items()}
    swaps["pix2pix"] = [imitator.edited(task) for task in swapped]
    report = {
        "held_out": len(held_out),
        "crops": on_crops.scores(tasks, sets, held_out, crops.train, config.seed),
        "exchanged": on_crops.distances(swaps, held_out, config.seed),
        "style": kept(found.steps, on_rendered.one_style(lessons), found.crops[: len(held_out)], found.free),
        "plates_per_second": on_crops.speed(editors[OURS].edit, tasks),
    }
    return report, sheet(tasks[: config.shown], edits[OURS])


def sheet(tasks: Sequence[Task], edited: Sequence[Edited]) -> Image:
    """Lines source | new text | mask of its characters | result; those of another shape made to fit."""
    width = round(ROW_PX * tasks[0].crop.shape[1] / tasks[0].crop.shape[0])
    lines = []
    for task, done in zip(tasks, edited, strict=False):
        asked = shown(condition(task.plate, task.found.homography, task.found.size))
        mask = np.repeat(done.mask[..., None], 3, axis=2)
        cells = [fitted(cell, (ROW_PX, width)) for cell in (task.crop, asked, mask, done.image)]
        lines.append(np.hstack([cv2.copyMakeBorder(x, 1, 1, 2, 2, cv2.BORDER_CONSTANT) for x in cells]))
    return np.asarray(np.vstack(lines))


def evaluated(config: DictConfig) -> tuple[dict[str, Any], Image | None]:
    """All numbers, and the sheet where there are crops."""
    torch.set_num_threads(1)
    editors = editors_of(config)
    size = editors[OURS].header.sizes[0]
    crops = crops_of(config, size) if config.source.path is not None else None
    imitator = Imitator.of(BUNDLED if config.pix2pix is None else Path(config.pix2pix))
    rendered: Rendered = made(config, "rendered", sizes=editors[OURS].header.sizes)
    lessons = on_rendered.held_out_lessons(rendered, config.seed + APART, config.pairs)
    report: dict[str, Any] = {
        "weights": weights_file(config.weights).name,
        "images": editors[OURS].header.images,
        "pairs": len(lessons),
        "rendered": on_rendered.scores(editors, imitator, lessons),
    }
    picture = None
    if crops is not None:
        numbers, picture = on_real(config, editors, imitator, lessons, crops)
        report |= numbers
    return report, picture
