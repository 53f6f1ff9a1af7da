"""What the demo page shows, without the page: a text at every stage, and what a reader makes of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from recognizer.pictures import Picture
from recognizer.reader import Reader
from synth.api import draw, word
from synth.errors import UserError
from synth.sample import Image, Sample

STAGES = ("template", "capture", "pix2pix", "spg")
GAP = 8  # px between the pictures of a panel
NO_CROPS = "`spg` writes on crops of yours: start the page with `crops=FOLDER`, which has a labels.tsv."
BOX = (255, 40, 200)  # colour of quads, on no plate


@dataclass(frozen=True)
class Wish:
    """What the page's controls say."""

    type: str
    text: str
    seed: int = 0
    count: int = 3  # pictures a stage, with seeds from `seed` on
    severity: float = 0.3
    capture: str = "default"
    boxes: bool = False
    height_px: int = 96
    pix2pix: str | None = None  # weights of one's own
    crops: str | None = None  # a labelled folder that spg writes on


@dataclass(frozen=True)
class Panel:
    """The pictures of one stage below one another, or in words why there are none."""

    picture: Image | None
    said: str


def panel(stage: str, wish: Wish, reader: Reader) -> Panel:
    """One stage's pictures, with what the reader reads in each of them."""
    if stage == "spg" and wish.crops is None:
        return Panel(None, NO_CROPS)
    try:
        samples = [drawn(stage, wish, wish.seed + n) for n in range(wish.count)]
    except UserError as error:
        return Panel(None, str(error))
    shown = [boxed(sample) if wish.boxes else sample.image for sample in samples]
    return Panel(stacked(shown), verdicts(samples, reader))


def drawn(stage: str, wish: Wish, seed: int) -> Sample:
    own: list[str] = []
    if stage == "pix2pix" and wish.pix2pix is not None:
        own = [word("stages.pix2pix.weights", wish.pix2pix)]
    if stage == "spg" and wish.crops is not None:
        own = [word("stages.spg.path", wish.crops)]
    hard = f"capture.severity=[{wish.severity},{wish.severity}]"  # other stages take theirs from the capture
    return draw(
        wish.type,
        wish.text,
        seed=seed,
        stages=stage,
        capture=wish.capture,
        height_px=wish.height_px,
        overrides=[hard, f"capture.height_px={wish.height_px}", *own],
    )


def any_text(type: str, seed: int) -> str:
    """A number that an authority could issue."""
    return draw(type, seed=seed).text


def boxed(sample: Sample) -> Image:
    """The picture with the quads of plate and characters drawn in."""
    quads = [np.round(quad).astype(np.int32) for quad in (sample.quad, *sample.char_quads)]
    return np.asarray(cv2.polylines(sample.image.copy(), quads, True, BOX, 1, cv2.LINE_AA), np.uint8)


def stacked(images: Sequence[Image]) -> Image:
    """Pictures below one another on white, as wide as the widest."""
    width = max(image.shape[1] for image in images)
    padded = [
        np.pad(image, ((0, GAP), (0, width - image.shape[1]), (0, 0)), constant_values=255)
        for image in images
    ]
    return np.concatenate(padded)[:-GAP]


def verdicts(samples: Sequence[Sample], reader: Reader) -> str:
    """A line a picture: what is read, and whether it is what was drawn."""
    found = reader.read([sample.image for sample in samples])
    return "\n".join(
        f"- {'read' if one.text == sample.text else '**misread** as'} `{one.text}` ({one.confidence:.2f})"
        for one, sample in zip(found, samples, strict=True)
    )


def told(picture: Picture | None, reader: Reader) -> str:
    """What stands on an uploaded crop, as Markdown."""
    if picture is None:
        return "Upload the crop of a plate."
    found = reader.read(picture)
    rows = "".join(f"| {name} | {value} |\n" for name, value in found.fields.items())
    sure = " ".join(f"{c} {p:.2f}" for c, p in zip(found.text, found.characters, strict=False))
    kind = f"{found.type} ({found.type_confidence:.2f}), whole text {found.confidence:.2f}"
    return f"## {found.text or 'nothing'}\n\n{kind}\n\n{sure}\n\n" + (
        f"| field | |\n|---|---|\n{rows}" if rows else ""
    )
