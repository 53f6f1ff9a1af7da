"""An editor on rendered pairs, where the true edit is known: PSNR, SSIM, overlap of the masks."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray
from skimage.metrics import structural_similarity

from gan.spg.editor import Edited, Editor, Planned, laid_into
from gan.spg.imitator import Imitator, pasted
from gan.spg.probe import Numbers, probe
from gan.spg.rendered import Lesson, Rendered
from synth.sample import Image

RIM = np.ones((5, 5), np.uint8)  # two pixels around the characters belong to the edit
SAME = 1e-9  # squared grey levels: no error at all


def held_out_lessons(rendered: Rendered, seed: int, count: int) -> list[Lesson]:
    """Lessons of a stream of their own, as many of each size as it has types."""
    groups = rendered.groups()
    found: list[Lesson] = []
    for size, names in groups.items():
        share = round(count * len(names) / len(rendered.types))
        found += [rendered.lesson(seed, place, size) for place in range(share)]
    return found


def edited_lessons(editor: Editor, lessons: Sequence[Lesson]) -> list[Edited]:
    """In their order."""
    found: list[Edited] = []
    for lesson in lessons:
        plan = Planned(lesson.source, lesson.condition, lesson.asked)
        found.append(laid_into(lesson.source, *editor.drawn([plan])[0]))
    return found


def region(lesson: Lesson) -> NDArray[np.bool_]:
    """Where an edit changes the picture: the characters of both texts, and their rim."""
    return np.asarray(cv2.dilate(lesson.masks.max(axis=2), RIM) > 25)


def closeness(pictures: Sequence[Image], lessons: Sequence[Lesson]) -> dict[str, float]:
    """PSNR in dB and SSIM to the truth, of the edited region alone; means over the pictures."""
    ratios, likenesses = [], []
    for picture, lesson in zip(pictures, lessons, strict=True):
        where = region(lesson)
        if not where.any():
            continue  # a plate beyond its picture
        error = float(np.mean((picture[where].astype(np.float64) - lesson.target[where]) ** 2))
        ratios.append(10 * np.log10(255**2 / max(error, SAME)))
        _, each = structural_similarity(picture, lesson.target, channel_axis=2, full=True)
        likenesses.append(float(each[where].mean()))
    return {"psnr": float(np.mean(ratios)), "ssim": float(np.mean(likenesses))}


def overlap(masks: Sequence[Image], lessons: Sequence[Lesson]) -> float:
    """Mean intersection over union with the true masks of the new characters, cut at a half."""
    found = []
    for mask, lesson in zip(masks, lessons, strict=True):
        mine, true = mask > 127, lesson.masks[..., 1] > 127
        found.append((mine & true).sum() / max(1, (mine | true).sum()))
    return float(np.mean(found))


def scores(
    editors: dict[str, Editor], imitator: Imitator | None, lessons: Sequence[Lesson]
) -> dict[str, dict[str, float]]:
    """A row an editor, one of pasted plates, and one of pix2pix if there is any."""
    report: dict[str, dict[str, float]] = {}
    for name, editor in editors.items():
        edited = edited_lessons(editor, lessons)
        report[name] = closeness([one.image for one in edited], lessons)
        report[name]["mask_iou"] = overlap([one.mask for one in edited], lessons)
    report["pasted"] = closeness([pasted(x.source, x.condition, x.asked) for x in lessons], lessons)
    if imitator is not None:
        drawn = [imitator.drawn([x.source], [x.condition], [x.asked])[0] for x in lessons]
        report["pix2pix"] = closeness(drawn, lessons)
    return report


def one_style(lessons: Sequence[Lesson]) -> list[Numbers]:
    """How far the probes of two plates of one style are apart: the same capture, two texts."""
    return [probe(x.target, x.asked) - probe(x.source, x.condition) for x in lessons]
