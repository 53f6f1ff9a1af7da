"""Sheets to look at: one labelled row a type, several samples each.

python -m synth.sheet plates=all out=sheet.png
python -m synth.sheet plates=cn7 stages=capture out=sheet.png
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from omegaconf import DictConfig
from PIL import Image as Pictures

from synth.app import command, need_positive
from synth.catalogue import load_type
from synth.dataset.sheet import contact_sheet
from synth.errors import UserError
from synth.pipeline import read_texts, stages_of
from synth.sample import Image, Sample
from synth.template import Plan, Template

ENDINGS = (".png", ".jpg", ".jpeg", ".webp")


def need_picture(path: str) -> None:
    """Refuses, before anything is drawn, a name that no picture format has."""
    if Path(path).suffix.lower() not in ENDINGS:
        raise UserError(f"out: {path}: not the name of a picture; end it in {', '.join(ENDINGS)}")


def write_picture(path: str, picture: Image) -> None:
    target = Path(path)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        Pictures.fromarray(picture).save(target)
    except OSError as error:
        raise UserError(f"out: {path}: {error.strerror or error}") from error


def columns(rows: Mapping[str, Sequence[Image]], height_px: int, most: int = 24) -> Image:
    """One contact sheet, in as many columns as keep it at most so many rows high."""
    names = list(rows)
    each = math.ceil(len(names) / math.ceil(len(names) / most))
    parts = [
        contact_sheet({name: rows[name] for name in names[start : start + each]}, height_px)
        for start in range(0, len(names), each)
    ]
    height = max(part.shape[0] for part in parts)
    return np.concatenate(
        [np.pad(p, ((0, height - len(p)), (0, 0), (0, 0)), mode="edge") for p in parts], axis=1
    )


def samples_of(name: str, config: DictConfig) -> list[Sample]:
    """The row of one type: the first samples of its own plan."""
    texts, places = read_texts(config.texts)
    plan = Plan((name,), config.balance.mode, config.balance.ambiguous, texts, places=places)
    batch = Template(plan, config.height_px).batch(config.seed, range(config.samples))
    for stage in stages_of(config).values():
        batch = stage(batch)
    return batch


@command("sheet")
def main(config: DictConfig) -> None:
    """Draw several samples of each plate type into one picture."""
    need_positive(config, "samples", "height_px")
    need_picture(config.out)
    Plan(tuple(config.plates.types))
    rows: dict[str, Sequence[Image]] = {}
    for name in config.plates.types:
        plate = load_type(name)
        label = f"{plate.id} (exp.)" if plate.experimental else plate.id
        rows[label] = [sample.image for sample in samples_of(name, config)]
    write_picture(config.out, columns(rows, config.height_px))
    print(f"{config.out}: {len(rows)} types, {config.samples} samples each")


if __name__ == "__main__":
    main()
