"""How well a reader reads a labelled set: exact plates with an interval, characters, types, regions, fields.

python -m recognizer.evaluate source=labelled source.path=plates/
python -m recognizer.evaluate source=ccpd source.path=CCPD2019/ weights=reader.onnx out=runs/ccpd

It prints a table and writes metrics.json, readings.tsv and failures.png into `out`. A picture that cannot be
read is told and counted; the others are still read, and the exit code is 2.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from omegaconf import DictConfig

from recognizer.changes import CHANGES, Change
from recognizer.decoding import PlateReading
from recognizer.failures import Failure, Failures, write_failures
from recognizer.latency import latency
from recognizer.metrics import FEW, Metrics
from recognizer.reader import Reader
from recognizer.truth import count
from synth.app import command, need_least, need_positive
from synth.dataset.atomic import disk_errors, write_atomic
from synth.dataset.picture import CROPS, Labelled
from synth.dataset.sources import read_source
from synth.errors import UserError, nearest
from synth.progress import Progress
from synth.sample import Image

TIMED = 100  # pictures for the latency


@dataclass
class Trial:
    """Everything learnt about a set while it is read."""

    metrics: Metrics = field(default_factory=Metrics)
    legal: Metrics = field(default_factory=Metrics)  # decoded with the grammar
    failures: Failures = field(default_factory=Failures)
    lines: list[str] = field(default_factory=lambda: ["path\ttruth\ttext\ttype\tconfidence"])
    timed: list[Image] = field(default_factory=list)
    items: list[Labelled] = field(default_factory=list)  # that are pictures
    unreadable: int = 0


def add(trial: Trial, item: Labelled, image: Image, read: PlateReading, legal: PlateReading | None) -> None:
    """Count one plate."""
    for metrics, reading in ((trial.metrics, read), (trial.legal, legal)):
        if reading is not None:
            count(metrics, item, reading.text, reading.type, reading.confidence)
    trial.items.append(item)
    name = item.name.replace("\t", " ")
    trial.lines.append(f"{name}\t{item.text}\t{read.text}\t{read.type}\t{read.confidence:.4f}")
    if read.text != item.text:
        trial.failures.add(Failure(image, item.text, read.text, read.confidence))
    if len(trial.timed) < TIMED:
        trial.timed.append(image.copy())  # a crop alone, without the scene it is a view of


def read_set(
    reader: Reader,
    items: Sequence[Labelled],
    crop: str,
    batch: int,
    grammar: bool,
    change: Change | None = None,
) -> Trial:
    """Read every picture of a set; those that are no pictures are told and counted."""
    trial = Trial()
    with Progress(len(items), 0, "plates") as progress:
        for start in range(0, len(items), batch):
            opened = list(pictures(trial, items[start : start + batch], crop))
            if change is not None:
                opened = [(item, change(image, start + n)) for n, (item, image) in enumerate(opened)]
            images = [image for _, image in opened]
            read = reader.read(images, batch=batch)
            legal = reader.read(images, True, batch) if grammar else [None] * len(images)
            for (item, image), one, other in zip(opened, read, legal, strict=True):
                add(trial, item, image, one, other)
            progress.add(len(items[start : start + batch]))
    return trial


def changed(reader: Reader, items: Sequence[Labelled], crop: str, batch: int) -> dict[str, dict[str, float]]:
    """Exact with and without region of a set that is changed one way after the other."""
    found = {}
    for name, change in CHANGES.items():
        trial = read_set(reader, items, crop, batch, False, change)
        summary = trial.metrics.summary()
        found[name] = {key: summary[key] for key in ("exact", "exact_without_region")}
    return found


def pictures(trial: Trial, items: Sequence[Labelled], crop: str) -> Iterator[tuple[Labelled, Image]]:
    for item in items:
        try:
            yield item, item.cut(crop)[0]
        except UserError as error:
            print(f"error: {error}", file=sys.stderr)
            trial.unreadable += 1


def evaluate(
    reader: Reader,
    items: Sequence[Labelled],
    crop: str,
    batch: int,
    grammar: bool,
    seed: int,
    changes: bool = False,
) -> tuple[Trial, dict[str, Any]]:
    """Read a set; returns what was learnt and the contents of metrics.json."""
    trial = read_set(reader, items, crop, batch, grammar)
    if not trial.metrics.exact:
        raise UserError(f"source.path: none of the {len(items)} pictures can be read")
    summary = trial.metrics.summary(seed) | latency(reader, trial.timed) | {"unreadable": trial.unreadable}
    if grammar:
        legal = trial.legal.summary(seed)
        summary |= {f"{key}_grammar": legal[key] for key in ("exact", "exact_ci", "exact_without_region")}
    if changes:
        summary["by_change"] = changed(reader, trial.items, crop, batch)
    return trial, summary


def table(summary: dict[str, Any]) -> str:
    """The numbers for people, in Markdown."""
    low, high = summary["exact_ci"]
    lines = ["| measure | value |", "|---|---|", f"| plates | {summary['plates']} |"]
    if summary["unreadable"]:
        lines.append(f"| pictures that cannot be read | {summary['unreadable']} |")
    lines.append(f"| exact | {summary['exact']:.2%} ({low:.2%} to {high:.2%}) |")
    names = {
        "exact_grammar": "exact, with grammar",
        "exact_without_region": "exact without region",
        "characters": "characters",
        "type": "type",
        "region_mean": f"mean over regions of {FEW} plates or more",
        "calibration_error": "calibration error",
    }
    lines += [
        f"| {shown} | {summary[key]:.2%} |" for key, shown in names.items() if summary.get(key) is not None
    ]
    lines.append(f"| ms a plate (network) | {summary['ms_per_plate']:.2f} ({summary['ms_network']:.2f}) |")
    lines += [f"| CPU ms a plate, batch {size} | {ms:.2f} |" for size, ms in summary["cpu_ms"].items()]
    counts = summary["plates_by_type"]
    lines += [f"| type {name}, {counts[name]} | {share:.2%} |" for name, share in summary["by_type"].items()]
    lines += [f"| region {n}, {v['plates']} | {v['exact']:.2%} |" for n, v in summary["by_region"].items()]
    lines += [f"| field {name} | {share:.2%} |" for name, share in summary["by_field"].items()]
    lines += [f"| position {place} | {share:.2%} |" for place, share in summary["by_position"].items()]
    lines += [
        f"| {name} | {found['exact']:.2%}, without region {found['exact_without_region']:.2%} |"
        for name, found in summary.get("by_change", {}).items()
    ]
    confused = ", ".join(f"{a or '_'} > {b or '_'} {n}" for a, b, n in summary["confusions"][:10])
    return "\n".join([*lines, f"| confused (truth > reading) | {confused or 'nothing'} |"])


def write_results(out: Path, trial: Trial, summary: dict[str, Any]) -> None:
    """metrics.json, readings.tsv and failures.png."""
    with disk_errors(out):
        write_atomic(out / "metrics.json", json.dumps(summary, ensure_ascii=False, indent=1) + "\n")
        write_atomic(out / "readings.tsv", "\n".join(trial.lines) + "\n")
        write_failures(out / "failures.png", trial.failures)


@command("evaluate")
def main(config: DictConfig) -> int:
    """Evaluate a reader on a labelled set."""
    need_positive(config, "batch")
    need_least(config, 0, "seed")
    if config.source.crop not in CROPS:
        raise UserError(
            f"source.crop={config.source.crop}: unknown; {nearest(str(config.source.crop), CROPS)}"
        )
    found = read_source(config.source.name, config.source.path)
    items = [item for item in found.items if config.split in (None, item.split)]
    if not items:
        splits = ", ".join(sorted({item.split for item in found.items if item.split})) or "none"
        raise UserError(f"split={config.split}: no picture of it in {found.path}; it has: {splits}")
    if found.problems:
        print(found.summary(), file=sys.stderr)
    reader = Reader.from_pretrained(config.weights, config.backend, config.threads)
    if config.out is not None:
        with disk_errors(Path(config.out)):
            Path(config.out).mkdir(parents=True, exist_ok=True)  # or all would be read for nothing
    trial, summary = evaluate(
        reader, items, config.source.crop, config.batch, config.grammar, config.seed, config.changes
    )
    print(table(summary))
    if config.out is not None:
        write_results(Path(config.out), trial, summary)
    return 2 if trial.unreadable else 0


if __name__ == "__main__":
    main()
