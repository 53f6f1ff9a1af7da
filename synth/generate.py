"""Generate a labelled data set; killed at any point, the same command goes on where it was.

python -m synth.generate plates=cn7 count=1000 out=plates/
python -m synth.generate plates=jp stages=capture capture=hard format=lmdb out=jp/
python -m synth.generate -m hydra/launcher=submitit_slurm part='range(8)' parts=8 out=big/
python -m synth.generate parts=8 out=big/     once all parts are made: finishes the folder
"""

from __future__ import annotations

import itertools
import math
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from omegaconf import DictConfig, OmegaConf

from synth import __version__, api
from synth.app import command, need_positive
from synth.catalogue import load_type
from synth.contents import contents, refresh
from synth.dataset.finish import all_done, finish
from synth.dataset.formats import format_named
from synth.dataset.manifest import claim, config_sha, read_manifest, unclaim
from synth.dataset.shards import (
    Format,
    Item,
    ShardDone,
    check_labels,
    clear_leftovers,
    clear_shards,
    hold,
    read_done,
    write_shard,
)
from synth.dataset.split import check_fractions, split_of
from synth.engine import Engine
from synth.errors import UserError
from synth.lazy import also_called
from synth.pipeline import BATCH, Pipeline, pipeline_of
from synth.progress import Progress
from synth.record import Quad, Record
from synth.sample import Sample
from synth.targets import made

JPEG_QUALITY = 92  # where no stage drew one
PLACE = (
    "engine",
    "out",
    "part",
    "parts",
    "capture",
)  # keys that change no byte; stages hold what they use of capture


@dataclass
class ShardWork:
    """Makes and writes one shard; goes to workers as plain data and builds its pipeline there."""

    config: dict[str, Any]
    root: Path
    sha: str

    def __call__(self, shard: int) -> ShardDone:
        first = shard * self.config["shard_size"]
        indices = range(first, min(first + self.config["shard_size"], self.config["count"]))
        form = format_named(self.config["format"])
        self.pipeline()  # reads types of one's own afresh, before their fields are asked for
        fields = field_names(self.config["plates"]["types"])
        return write_shard(self.root, form, shard, self.items(form, indices), fields)

    def items(self, form: Format, indices: range) -> Iterator[Item]:
        pipeline, fractions, seed = self.pipeline(), self.config["split"], self.config["seed"]
        for start in range(0, len(indices), pipeline.ahead):
            drawn = pipeline.samples(indices[start : start + pipeline.ahead], BATCH)
            samples = [fitted(sample, form.size) for sample in drawn]
            jpegs = [encoded(sample) for sample in samples]
            records = [
                record_of(sample, quads, split_of(sample.text, fractions, seed), self.sha)
                for sample, quads in zip(samples, rounded(samples), strict=True)
            ]
            yield from zip(records, jpegs, strict=True)

    def pipeline(self) -> Pipeline:
        """Built once a process: to turn the configuration into one costs as much as a hundred plates."""
        if _built.get("sha") != self.sha:
            refresh(self.config)
            _built.update(sha=self.sha, pipeline=pipeline_of(OmegaConf.create(self.config)))
        return _built["pipeline"]


_built: dict[str, Any] = {}


def field_names(types: Iterable[str]) -> list[str]:
    """The names that the fields of these types have."""
    return sorted({field.name for name in types for field in load_type(name).fields})


def fitted(sample: Sample, size: tuple[int, int] | None) -> Sample:
    """The sample at exactly this size, its quads moved with the pixels."""
    height, width = sample.image.shape[:2]
    if size is None or size == (width, height):
        return sample
    shrinks = size[0] * size[1] < width * height
    image = cv2.resize(sample.image, size, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC)
    scaled = sample.moved(np.diag([size[0] / width, size[1] / height, 1.0]))
    return replace(scaled, image=np.asarray(image, np.uint8))


def encoded(sample: Sample) -> bytes:
    """The picture as JPEG, of the quality that a stage drew."""
    done, data = cv2.imencode(
        ".jpg", cv2.cvtColor(sample.image, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, quality_of(sample)]
    )
    if not done:
        raise UserError(f"sample {sample.index}: cannot be coded as JPEG ({sample.image.shape})")
    return data.tobytes()


def quality_of(sample: Sample) -> int:
    """The JPEG quality that the last stage with one drew for the writer, so that a picture is coded once."""
    return next((int(s["quality"]) for s in reversed(sample.stages) if "quality" in s), JPEG_QUALITY)


def record_of(sample: Sample, quads: list[Quad], split: str, sha: str) -> Record:
    kind, rows = sample.plate.type, 1 + len(sample.row_quads)
    return Record(
        id=f"{sample.index:09d}",
        index=sample.index,
        seed=sample.seed,
        text=sample.text,
        type=sample.type,
        country=kind.country,
        region=sample.fields.get("region", ""),
        rows=list(sample.rows),
        width=sample.image.shape[1],
        height=sample.image.shape[0],
        quad=quads[0],
        row_quads=quads[1:rows],
        char_quads=quads[rows:],
        split=split,
        stages=list(sample.stages),
        config_sha=sha,
        version=__version__,
        label=kind.label,
        fields=sample.fields,
    )


def rounded(samples: Sequence[Sample]) -> Iterator[list[Quad]]:
    """Of each, the quads of plate, rows and characters as plain numbers, to hundredths of a pixel."""
    parts = [part for s in samples for part in (s.quad[None], s.row_quads, s.char_quads)]
    quads = iter(np.concatenate(parts, dtype=np.float64).round(2).tolist())
    for sample in samples:
        yield list(itertools.islice(quads, 1 + len(sample.row_quads) + len(sample.char_quads)))


def settings(config: DictConfig) -> dict[str, Any]:
    """The whole configuration as plain data, checked where Hydra does not."""
    plain = OmegaConf.to_container(config, resolve=True, throw_on_missing=True)
    assert isinstance(plain, dict)
    need_positive(config, "count", "shard_size", "height_px", "parts")
    if not -(2**63) <= plain["seed"] < 2**63:
        raise UserError(f"seed: {plain['seed']} is too large; give one of at most 18 digits")
    if plain["texts"] is not None and not isinstance(plain["texts"], str):
        raise UserError(
            f"texts: {plain['texts']!r} is not the name of a file; give texts=FILE, one text a line"
        )
    if plain["part"] is not None and plain["part"] not in range(plain["parts"]):
        raise UserError(
            f"part: {plain['part']!r} is not one of 0 to {plain['parts'] - 1}; parts count from 0"
        )
    check_fractions(plain["split"])
    return {str(key): value for key, value in plain.items()}


def generate(config: DictConfig, words: Sequence[str] | None = None) -> tuple[Path, bool]:
    """Make, or go on making, the data set of a configuration; returns its folder and whether it is whole.

    The card shows the command with these words, those of the command line when not given.
    """
    plain = settings(config)
    if isinstance(plain["plates"]["types"], str):
        raise UserError(f"plates.types: give a list, [{plain['plates']['types']}]")
    root, form = Path(plain["out"]), format_named(plain["format"])
    refresh(plain)
    check_labels(form, {name: load_type(name).label for name in plain["plates"]["types"]})
    pipeline_of(config)  # every error of configuration is told before a file is written
    engine = engine_of(plain["engine"])
    identity = identity_of(plain)
    shards = math.ceil(plain["count"] / plain["shard_size"])
    new, mine, parts = not root.exists(), plain["part"] is not None, plain["parts"]
    finishes = parts > 1 and not mine
    if finishes and new:
        raise UserError(f"{root}: no such folder; make the parts first, part=0 to part={parts - 1}")
    claim(root, identity)
    if read_manifest(root) is not None:
        clear_shards(root)
        return root, True
    if finishes:  # before the lock, which running parts have: what is missing says more than that they run
        all_done(root, shards, parts)
    with hold(root, shared=mine):
        if not mine:
            clear_leftovers(root)
        done = read_done(root)
        todo = [n for n in range(shards) if n not in done and (not mine or n % parts == plain["part"])]
        try:
            work = ShardWork(plain, root.resolve(), config_sha(identity))
            make(work, engine, [] if finishes else todo, sum(d.count for d in done.values()))
        except Exception:  # a mistake that only the first plates show
            if new and not mine:
                unclaim(root)
            raise
        if mine:
            return root, False
        command = command_line(sys.argv[1:] if words is None else words)
        finish(root, form, shards, identity, __version__, command)
    return root, True


def identity_of(plain: dict[str, Any]) -> dict[str, Any]:
    """What decides the plates: keys, and what the files hold that they name."""
    held = contents(plain)
    keys = {key: value for key, value in plain.items() if key not in PLACE}
    return {**keys, "contents": held} if held else keys


def engine_of(described: dict[str, Any]) -> Engine:
    engine: Engine = made(described, "engine")
    return engine


def make(work: ShardWork, engine: Engine, shards: list[int], before: int) -> None:
    """Run the engine over the shards that are missing."""
    with Progress(work.config["count"], before, "plates") as progress:
        for done in engine.map(work, shards):
            progress.add(done.count)


def command_line(words: Sequence[str]) -> str:
    """The command without what only says where and by whom it ran: the card must not depend on that."""
    said = [word for word in words if word.split("=")[0].split(".")[0].lstrip("+") not in (*PLACE[:4],)]
    return " ".join(["python -m synth.generate", *said, "out=..."])


@command("generate")
def main(config: DictConfig) -> None:
    """Generate a labelled data set of synthetic plates."""
    there = read_manifest(Path(config.out)) is not None
    root, whole = generate(config)
    if whole:
        said = "finished already, " if there else ""
        print(f"{root}: {said}{config.count} plates; contact sheet {root / 'sheet.png'}, numbers in card.md")
    else:
        print(f"{root}: shards of part {config.part} are there; when all parts are, run it without part=")


also_called(__name__, api.generate)

if __name__ == "__main__":
    main()
