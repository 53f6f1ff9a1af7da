"""Lay the clean render on real crops with known text: a homography, a score, corners and character masks.

    python -m gan.align source.path=my_plates/ out=aligned/

writes alignments.tsv (path, text, type, score, corners, size of the crop, width of the plate in its heights)
and overlays.png. Poor fits are refused and counted.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from omegaconf import DictConfig

from gan.align_fit import Float, Matrix
from gan.align_search import search
from gan.outline import warped
from synth.app import command, need_positive
from synth.catalogue import load_type
from synth.dataset.atomic import disk_errors, need_no_data_set, write_atomic
from synth.dataset.chart import png
from synth.dataset.picture import Labelled
from synth.dataset.sources import read_source
from synth.errors import UserError
from synth.grammar import candidates, grammar_of
from synth.progress import Progress
from synth.render import Plate, render
from synth.sample import Image, Points, transform

DRAWN_PX = 64  # height of the clean render
WORK_PX = 48  # higher crops are shrunk to it
FILL = (0.95, 0.85)  # share of the crop's width and height that a plate takes up, about
ACCEPT = 0.7  # score from which an alignment is taken for right
HEADER = "path\ttext\ttype\tscore\tx0\ty0\tx1\ty1\tx2\ty2\tx3\ty3\twidth\theight\tshape"


@dataclass(frozen=True)
class Alignment:
    """Where a clean plate lies in a crop."""

    plate: Plate
    homography: Matrix  # pixels of the plate -> pixels of the crop
    score: float  # correlation of plate and crop, 1 is perfect
    size: tuple[int, int]  # height, width of the crop

    @property
    def corners(self) -> Points:
        """4 2: the plate's corners in the crop, TL TR BR BL."""
        return transform(self.homography, self.plate.quad)

    @property
    def mask(self) -> Image:
        """H W: coverage of the characters in the crop."""
        return warped(self.plate.mask, self.homography, self.size, 0)


@functools.lru_cache(maxsize=1024)
def nominal(type_: str, text: str) -> Plate:
    """The clean plate of a text, every variation at its middle."""
    return render(load_type(type_), grammar_of(type_).parse(text), DRAWN_PX)


def align(crop: Image, plate: Plate) -> Alignment:
    """The best homography that lays a clean plate on a crop showing its text."""
    height, width = crop.shape[:2]
    shrink = min(1.0, WORK_PX / height)
    size = max(8, round(width * shrink)), max(8, round(height * shrink))
    work = signed(cv2.resize(crop, size, interpolation=cv2.INTER_AREA), plate)
    shape = max(8, round(size[0] * FILL[0])), max(8, round(size[1] * FILL[1]))
    drawn = signed(cv2.resize(plate.image, shape, interpolation=cv2.INTER_AREA), plate)
    x, y = (float(value) / 2 for value in plate.quad[2])  # the plate's centre
    pose, score = search(work, drawn, x / y)
    to_unit = np.array([[1 / y, 0, -x / y], [0, 1 / y, -1], [0, 0, 1]])
    to_crop = np.diag((width / size[0], height / size[1], 1.0))
    return Alignment(plate, to_crop @ pose @ to_unit, score, (height, width))


def signed(image: Image, plate: Plate) -> Float:
    """H W: the picture along the type's way from ground to ink: ink is bright whatever the colours."""
    ink = np.array(plate.type.colours[plate.type.rows[-1].ink], np.float32)
    ground = plate.ground.image[plate.alpha > 127].mean(axis=0)
    axis = (ink - ground) / max(float(np.abs(ink - ground).sum()), 1.0)
    return np.asarray(cv2.transform(image.astype(np.float32), axis[None].astype(np.float32)))


def align_text(crop: Image, text: str, types: Sequence[str]) -> Alignment:
    """The best alignment among the types that can show the text."""
    return max((align(crop, nominal(name, text)) for name in types), key=lambda found: found.score)


def types_for(item: Labelled, types: Sequence[str]) -> tuple[str, ...]:
    """Which of `types` a crop may be: the one it names, or those of its colour that can show its text."""
    named = [name for name in types if item.type in (name, load_type(name).label)]
    coloured = [name for name in types if item.colour in ("", load_type(name).colour)]
    return tuple(name for name, _ in candidates(item.text, named or coloured))


@dataclass(frozen=True)
class Aligned:
    """A labelled crop and its alignment; None where no type can show the text."""

    item: Labelled
    crop: Image
    found: Alignment | None


def aligned(items: Sequence[Labelled], types: Sequence[str]) -> Iterator[Aligned]:
    """Every crop aligned, in order; one that cannot be read is told and left out."""
    cv2.setNumThreads(1)
    with Progress(len(items), 0, "crops aligned") as progress:
        for item in items:
            progress.add(1)
            try:
                crop, names = item.plate(straight=False), types_for(item, types)
            except UserError as error:
                print(f"left out: {error}", file=sys.stderr)
                continue
            yield Aligned(item, crop, align_text(crop, item.text, names) if names else None)


def line(one: Aligned) -> str:
    """A row of alignments.tsv."""
    assert one.found is not None
    corners = "\t".join(f"{value:.2f}" for value in one.found.corners.ravel())
    height, width = one.found.size
    kind, score = one.found.plate.type, f"{one.found.score:.3f}"
    shape = f"{kind.width_mm / kind.height_mm:.5f}"
    return "\t".join((one.item.name, one.item.text, kind.id, score, corners, str(width), str(height), shape))


@command("align")
def main(config: DictConfig) -> None:
    """Align the crops of a source and show how well."""
    from gan.align_sheet import grid, overlay
    from gan.pairs import in_part, need_part

    need_positive(config, "shown")
    need_part(config.part, "part")
    if not 0 < config.accept < 1:
        raise UserError(f"accept: {config.accept} is no correlation; give a number between 0 and 1")
    need_no_data_set(Path(config.out))
    read = read_source(config.source.name, str(config.source.path))
    print(read.summary())
    items = [item for item in read.items if in_part(item.text, config.part)]
    if not items:
        raise UserError(f"part={config.part}: none of the {len(read.items)} crops is in it; leave part= out")
    lines, right, unknown = [HEADER], 0, 0
    pictures: list[Image] = []
    for one in aligned(items, config.plates.types):
        if one.found is None:
            unknown += 1
            continue
        accepted = one.found.score >= config.accept
        right += accepted
        lines.append(line(one))
        if len(pictures) < config.shown:
            pictures.append(overlay(one.crop, one.found, accepted, f"{len(lines) - 1} {one.found.score:.2f}"))
    if not pictures:
        raise UserError(
            f"plates.types: none of {', '.join(config.plates.types)} can show {items[0].text!r}; "
            "name the crops' types"
        )
    out = Path(config.out)
    with disk_errors(out):
        write_atomic(out / "alignments.tsv", "\n".join(lines) + "\n")
        write_atomic(out / "overlays.png", png(grid(pictures)))
    total = len(items)
    print(f"{out}: {right} of {total} aligned ({right / total:.1%}), {unknown} of no type in plates.types")


if __name__ == "__main__":
    main()
