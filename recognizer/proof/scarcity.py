"""The curve that matters to a user: so many real crops for training, with and without our plates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from recognizer.proof.cache import digest
from recognizer.proof.grid import Cell, Kind, Plan, overrides_of, worded
from recognizer.proof.sets import PlateSet, halves, path_of, real_set
from synth.dataset.atomic import write_atomic
from synth.dataset.picture import Labelled
from synth.errors import UserError

HELD_OUT = "held_out"  # the crops of the set that no training gets


@dataclass(frozen=True)
class Scarcity:
    """Real crops, and how they are shared out."""

    path: str
    crops: Sequence[int]
    held_out: int  # texts for the test
    kind: str  # of the synthetic plates
    recognizer: str
    share: float  # of the real crops in a batch with both
    seeds: Sequence[int]


@dataclass(frozen=True)
class Crops:
    """Real crops, parted by text."""

    pool: tuple[Labelled, ...]  # in the order in which trainings get them
    tests: tuple[PlateSet, ...]  # without a text of the pool


@dataclass(frozen=True)
class Point:
    """One training of the curve."""

    crops: int
    synthetic: bool
    cell: Cell


def parted(settings: Scarcity, real: Sequence[PlateSet]) -> Crops:
    """Pool and tests: held-out crops of the set itself, and the real sets without the pool's texts."""
    every = real_set("scarcity.path", settings.path)
    pool_texts, test_texts = halves([item.text for item in every.items], settings.held_out)
    chosen = set(test_texts)
    order = {text: place for place, text in enumerate(pool_texts)}
    pool = sorted((i for i in every.items if i.text in order), key=lambda i: (order[i.text], i.name))
    if len(pool) < max(settings.crops):
        raise UserError(
            f"scarcity.crops: {max(settings.crops)} wanted, {settings.path} has {len(pool)} beside the "
            "held-out ones; ask for fewer or lower scarcity.held_out"
        )
    kept = tuple(pool[: max(settings.crops)])
    trained = {item.text for item in kept}
    held = replace(every, name=HELD_OUT, items=tuple(i for i in every.items if i.text in chosen))
    others = [one.without(trained) for one in real]
    return Crops(kept, (held, *(one for one in others if one.texts - chosen)))  # no set twice


def points_of(
    settings: Scarcity, kind: Kind, plan: Plan, pool: Sequence[Labelled], folder: Path
) -> list[Point]:
    """The trainings of the curve; without crops and without synthetic plates there is nothing to train on."""
    return [
        Point(count, synthetic, cell_of(settings, kind, plan, pool[:count], synthetic, seed, folder))
        for seed in settings.seeds
        for count in settings.crops
        for synthetic in (False, True)
        if count or synthetic
    ]


def cell_of(
    settings: Scarcity,
    kind: Kind,
    plan: Plan,
    crops: Sequence[Labelled],
    synthetic: bool,
    seed: int,
    folder: Path,
) -> Cell:
    """A training on these crops, on synthetic plates, or on both, all of the same number of pictures."""
    words = list(overrides_of(kind, settings.recognizer, seed, plan))
    name = f"real{len(crops)}" + (f"+{settings.kind}" if synthetic else "")
    if crops:
        words += [
            f"data={'blend' if synthetic else 'labelled'}",
            f"data.path={worded(str(listed(crops, folder)))}",
        ]
    if crops and synthetic:
        words.append(f"data.share={settings.share}")
    return Cell(name, settings.recognizer, seed, tuple(words))


def listed(crops: Sequence[Labelled], folder: Path) -> Path:
    """A labelled folder of these crops, named by what is in it, so that the name decides the training."""
    contents = [(item.text, item.type, item.colour, item.blob.read()) for item in crops]
    made = folder / f"crops{len(crops)}.{digest([(*labels, content.hex()) for *labels, content in contents])}"
    if not (made / "labels.tsv").exists():
        lines = ["path\ttext\ttype\tcolour"]
        for number, (text, type_, colour, content) in enumerate(contents):
            name = f"{number:05}{path_of(crops[number]).suffix}"
            write_atomic(made / name, content)
            lines.append(f"{name}\t{text}\t{type_}\t{colour}")
        write_atomic(made / "labels.tsv", "\n".join(lines) + "\n")
    return made.resolve()
