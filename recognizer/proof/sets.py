"""Test sets: labelled real plates, and fresh synthetic ones whose texts no training saw."""

from __future__ import annotations

import functools
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path

import cv2
from omegaconf import DictConfig

from gan.pairs import held_out
from recognizer.proof.cache import digest
from synth.dataset.atomic import write_atomic
from synth.dataset.picture import FileBlob, Labelled
from synth.dataset.sources import read_source
from synth.errors import UserError
from synth.pipeline import BATCH, Pipeline, pipeline_of
from synth.sample import Sample

FRUITLESS = 20  # times as many draws as pictures wanted: then the types have too few texts


@dataclass(frozen=True)
class PlateSet:
    """Pictures that every reader is asked to read."""

    name: str
    items: tuple[Labelled, ...]
    real: bool
    left_out: int = 0  # pictures whose text a training saw
    refused: int = 0  # broken pictures and labels

    @functools.cached_property
    def digest(self) -> str:
        return digest([(i.name, i.text, i.type, i.colour, digest(i.blob.read().hex())) for i in self.items])

    @property
    def texts(self) -> set[str]:
        return {item.text for item in self.items}

    def without(self, texts: Collection[str]) -> PlateSet:
        """The set without plates of these texts."""
        kept = tuple(item for item in self.items if item.text not in texts)
        return replace(self, items=kept, left_out=self.left_out + len(self.items) - len(kept))

    def untaught(self) -> PlateSet:
        """The part of a generator's own crops that it was not trained on, under another name."""
        kept = tuple(item for item in self.items if held_out(item.text))
        return replace(self, name=f"{self.name}-held_out", items=kept)


def path_of(item: Labelled) -> Path:
    if not isinstance(item.blob, FileBlob):
        raise UserError(f"{item.name}: not a file of its own; make the set a folder with labels.tsv")
    return item.blob.path


def real_set(name: str, folder: str) -> PlateSet:
    """A labelled folder; pictures that cannot be opened are counted, never asked for."""
    found = read_source("labelled", folder)
    good = tuple(item for item in found.items if opens(item))
    if not good:
        raise UserError(f"tests.{name}: {folder}: none of the {len(found.items)} pictures can be opened")
    return PlateSet(name, good, True, refused=len(found.problems) + len(found.items) - len(good))


def opens(item: Labelled) -> bool:
    try:
        item.image()
    except UserError:
        return False
    return True


def training_texts(config: DictConfig) -> Iterator[str]:
    """What a synthetic training shows, its last batch whole; texts do not depend on the stages."""
    plan = pipeline_of(config).template.plan
    for index in range(-(-config.images // config.batch) * config.batch):
        yield "".join(plan.of(config.seed, index)[1].values())


def synthetic_set(
    name: str, config: DictConfig, number: int, seen: Collection[str], folder: Path
) -> PlateSet:
    """So many fresh plates of this configuration, kept as a labelled folder of PNG files."""
    if not (folder / "labels.tsv").exists():
        lines = ["path\ttext\ttype"]
        for place, sample in enumerate(fresh(pipeline_of(config), number, seen)):
            write_atomic(folder / f"{place:06}.png", encoded(sample))
            lines.append(f"{place:06}.png\t{sample.text}\t{sample.type}")
        write_atomic(folder / "labels.tsv", "\n".join(lines) + "\n")
    return PlateSet(name, tuple(read_source("labelled", folder).items), False)


def fresh(pipeline: Pipeline, number: int, seen: Collection[str]) -> Iterator[Sample]:
    """Samples in order, no text twice, none that is in `seen`."""
    plan, given = pipeline.template.plan, set[str]()
    indices: list[int] = []
    for index in count():
        if index >= FRUITLESS * number:
            raise UserError(
                f"synthetic.count: {number}: these types have too few unseen texts; ask for fewer"
            )
        text = "".join(plan.of(pipeline.seed, index)[1].values())
        if text not in seen and text not in given:
            given.add(text)
            indices.append(index)
        if len(indices) == number:
            break
    for start in range(0, number, BATCH):
        yield from pipeline.samples(indices[start : start + BATCH])


def encoded(sample: Sample) -> bytes:
    good, content = cv2.imencode(".png", cv2.cvtColor(sample.image, cv2.COLOR_RGB2BGR))
    assert good
    return content.tobytes()


def halves(texts: Sequence[str], tested: int) -> tuple[list[str], list[str]]:
    """Texts for training and so many for the test, each text in one of them, by a hash of it.

    The test takes first what generators hold out: then none of it was their style either.
    """
    order = sorted(set(texts), key=lambda text: (not held_out(text), digest(text)))
    return order[tested:], order[:tested]
