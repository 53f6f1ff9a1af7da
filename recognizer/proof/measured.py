"""A whole measurement of what training data is worth: cells, readers as they are, few crops, the report."""

from __future__ import annotations

import json
import shlex
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from recognizer.backends import FOLDER
from recognizer.proof.cache import file_digest
from recognizer.proof.grid import Cell, cells_of
from recognizer.proof.made import made_by
from recognizer.proof.outside import Outside, outside_readers
from recognizer.proof.page import page
from recognizer.proof.plots import plots
from recognizer.proof.report import markdown
from recognizer.proof.run import Bench, Entry
from recognizer.proof.scarcity import Crops, Point, parted, points_of
from recognizer.proof.scores import over_seeds, read_by
from recognizer.proof.sets import PlateSet
from recognizer.proof.setting import Setting, check, scarcity_of, seeds_of, setting_of
from recognizer.proof.table import pairs_of, rows_of, sets_told
from recognizer.reader import Reader
from synth.dataset.atomic import disk_errors, held, write_atomic
from synth.errors import UserError


def grid(config: DictConfig, setting: Setting) -> list[Entry]:
    """Every cell of the table."""
    cells = cells_of(setting.kinds, seeds_of(config), setting.plan)
    return done(cells, setting.sets, setting.bench, config.jobs)


def done(cells: Sequence[Cell], sets: Iterable[PlateSet], bench: Bench, jobs: int) -> list[Entry]:
    """What became of the cells, so many of them at once, told as they end."""
    sets = tuple(sets)

    def one(place: int) -> Entry:
        return told(bench.cell(cells[place], sets), f"{place + 1} of {len(cells)}")

    with ThreadPoolExecutor(jobs) as pool:  # each trains in a process of its own
        return list(pool.map(one, range(len(cells))))


def told(entry: Entry, where: str) -> Entry:
    print(f"{where}: {entry.line()}", file=sys.stderr, flush=True)
    return entry


def readers(config: DictConfig, setting: Setting, outside: Sequence[Outside]) -> list[Entry]:
    """Readers as they are: the bundled one, and those of others."""
    found = []
    if "plates" in config.readers:
        found.append(told(bundled(setting), "reader"))
    for reader in outside:
        entry = Entry("as it is", reader.name, None)
        found.append(
            told(setting.bench.tested(entry, reader.name, reader.digest, setting.sets, reader.read), "reader")
        )
    return found


def bundled(setting: Setting) -> Entry:
    entry = Entry("as it is", "plates (bundled)", None)
    try:
        weights = FOLDER / "plates.safetensors"
        key = file_digest(weights)
        reader = Reader.from_pretrained(weights, "torch", 1)
    except UserError as error:
        return Entry(entry.data, entry.recognizer, None, reason=f"not available: {error}")
    return setting.bench.tested(entry, "bundled", key, setting.sets, lambda s: read_by(reader, s.items))


def curve(config: DictConfig, setting: Setting) -> dict[str, Any]:
    """The data-scarcity curve as plain data."""
    if config.scarcity.path is None:
        return {"reason": "scarcity.path was not given"}
    settings = scarcity_of(config)
    kind = settings.kind if settings.kind in setting.kinds else next(iter(setting.kinds))
    crops = parted(settings, [one for one in setting.sets if one.real])
    crops = Crops(crops.pool, tuple(one.without(setting.seen) for one in crops.tests))
    chosen = replace(settings, kind=kind)
    points = points_of(chosen, setting.kinds[kind], setting.plan, crops.pool, setting.bench.folder / "sets")
    entries = done([point.cell for point in points], crops.tests, setting.bench, config.jobs)
    return {"kind": kind, "sets": sets_told(crops.tests), "points": curve_points(points, entries, crops)}


def curve_points(points: Sequence[Point], entries: Sequence[Entry], crops: Crops) -> list[dict[str, Any]]:
    """The seeds of a point together."""
    groups: dict[tuple[int, bool], list[Entry]] = {}
    for point, entry in zip(points, entries, strict=True):
        groups.setdefault((point.crops, point.synthetic), []).append(entry)
    return [
        {
            "crops": count,
            "synthetic": synthetic,
            "problems": [entry.reason for entry in group if entry.reason],
            "sets": {
                plates.name: over_seeds([e.results[plates.name] for e in group if e.results])
                for plates in crops.tests
                if any(e.results for e in group)
            },
        }
        for (count, synthetic), group in groups.items()
    ]


def sheets_of(entries: Sequence[Entry], setting: Setting) -> Iterator[tuple[str, bytes]]:
    """Failure sheets of first seeds: of the real sets, or of the synthetic ones where none is given."""
    names = [one.name for one in setting.shown]
    first: dict[tuple[str, str], Entry] = {}
    for entry in entries:
        if entry.sheets:
            first.setdefault((entry.data, entry.recognizer), entry)
    for entry in first.values():
        for name in names:
            if name in entry.sheets:
                yield f"{entry.data}, {entry.recognizer}, {name}", entry.sheets[name].read_bytes()


def write_report(out: Path, report: Mapping[str, Any], sheets: Sequence[tuple[str, bytes]]) -> None:
    write_atomic(out / "report.json", json.dumps(report, ensure_ascii=False, indent=1) + "\n")
    write_atomic(out / "report.md", markdown(report))
    write_atomic(out / "report.html", page(report, list(plots(report)), sheets))


def run(config: DictConfig) -> None:
    """Measure what training data is worth."""
    begun = time.monotonic()
    check(config)
    types = list(config.plates.types)
    wanted = config.reader
    outside = outside_readers(config.readers, wanted.command, wanted.target, wanted.timeout_s, types)
    out = Path(config.out)
    with disk_errors(out):
        setting = setting_of(config)  # nothing is made before all is checked
    with disk_errors(out), held(out, out / "lock"):
        cells, others = grid(config, setting), readers(config, setting, outside)
        scarce = curve(config, setting)
        report = {
            "made": made_by(
                shlex.join(["plate-benchmark", *(word.removeprefix("++") for word in sys.argv[1:])]),
                time.monotonic() - begun,
                out / "cells",
            ),
            "config": OmegaConf.to_container(config, resolve=True),
            "sets": sets_told(setting.sets),
            "reference": setting.reference,
            "rows": rows_of(cells, setting.sets, setting.reference),
            "baseline": config.baseline,
            "paired": pairs_of(cells, setting.shown, config.baseline),
            "readers": rows_of(others, setting.sets, setting.reference),
            "scarcity": scarce,
            "missing": setting.missing | ({"curve": scarce["reason"]} if "reason" in scarce else {}),
        }
        write_report(out, report, list(sheets_of([*cells, *others], setting)))
    print(markdown(report))
    print(f"{out / 'report.html'}")
