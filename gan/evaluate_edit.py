"""How well does an editor edit? On rendered pairs, whose truth is known, and on real crops it never saw.

    python -m gan.evaluate_edit weights=runs/spg/weights.safetensors source.path=my_plates/
    python -m gan.evaluate_edit weights=runs/spg/weights.safetensors phase1=runs/spg/phase1.safetensors

The protocol. Rendered: `pairs` lessons from a random stream that training has not; PSNR and SSIM where the
characters of either text are, and two pixels around them; overlap of the mask of the new characters with the
true one. Beside the editor: the new text pasted in the mean colours of the plate, and pix2pix in the style
its encoder finds in the source. Real: a fifth of the texts is held out from training by a hash; each of these
crops is given `draws` random legal texts. An outside reader reads them; `old_text` is the share in which it
still reads the old one, or all but one of its characters; `trace` how deep the old characters show on the
new ground, in shares of their contrast (pix2pix, which never saw them, says what comes by chance). FID and
KID on features of the outside reader, against the held-out crops; and once more with each crop given the
text of another: then both sets show the same texts, and what is left is how real they look, not that few of
the crops' provinces are drawn at random. The style probe (`gan.spg.probe`) compares an edit with its crop;
two rendered plates of one capture say how far plates of one style are apart, two crops at random how far
styles are. On the ground free of both texts the two pictures are compared again, since blurred characters
tint what is around them. Speed is of one core.
"""

from __future__ import annotations

import json
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
from synth.app import command, need_positive
from synth.dataset.atomic import disk_errors, write_atomic
from synth.dataset.chart import png
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


def table(report: dict[str, Any]) -> str:
    """For a terminal."""
    lines = ["| rendered pairs | PSNR | SSIM | mask IoU |", "|---|---|---|---|"]
    for name, row in report["rendered"].items():
        masks = f"{row['mask_iou']:.3f}" if "mask_iou" in row else ""
        lines.append(f"| {name} | {row['psnr']:.2f} dB | {row['ssim']:.3f} | {masks} |")
    if "crops" not in report:
        return "\n".join(lines)
    head = (
        "| real crops | exact | characters | old text | trace | FID | 1000 KID | +- | texts exchanged | +- |"
    )
    lines += ["", head, "|" + "---|" * 10]
    for name, row in report["crops"].items():
        read = [
            f"{row[key]:.1%}" if key in row else "" for key in ("exact", "characters", "old_text", "trace")
        ]
        far = (
            [f"{row['fid']:.2f}", *(f"{1000 * row[k]:.3f}" for k in ("kid", "kid_deviation"))]
            if "fid" in row
            else [""] * 3
        )
        swapped = report.get("exchanged", {}).get(name, {})
        near = [f"{1000 * swapped[k]:.3f}" if swapped else "" for k in ("kid", "kid_deviation")]
        lines.append("| " + " | ".join([name, *read, *far, *near]) + " |")
    lines += [
        "",
        "| style | edits | one style | two crops | within | free ground | within |",
        "|" + "---|" * 7,
    ]
    for name, row in report["style"].items():
        numbers = [f"{row[key]:.2f}" for key in ("edits", "one_style", "two_crops")]
        free = [f"{row['beside']:.2f}", f"{row['beside_within']:.1%}"] if "beside" in row else ["", ""]
        lines.append("| " + " | ".join([name, *numbers, f"{row['within']:.1%}", *free]) + " |")
    return "\n".join([*lines, "", f"{report['plates_per_second']:.0f} plates a second on one core"])


@command("evaluate_edit")
def main(config: DictConfig) -> None:
    """Judge an editor."""
    need_positive(config, "pairs", "draws", "shown")
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
    print(table(report))
    out = Path(config.out)
    with disk_errors(out):
        out.mkdir(parents=True, exist_ok=True)
        write_atomic(out / "metrics.json", (json.dumps(report, indent=1) + "\n").encode())
        if picture is not None:
            write_atomic(out / "sheet.png", png(picture))


if __name__ == "__main__":
    main()
