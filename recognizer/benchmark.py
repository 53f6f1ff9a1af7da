"""What is training data worth? Readers trained on each kind of it, tested on real and fresh synthetic plates.

python -m recognizer.benchmark experiment=smoke out=smoke
python -m recognizer.benchmark out=proof tests.street=street/ tests.ccpd=ccpd/ scarcity.path=crops/
python -m recognizer.benchmark out=mine tests.mine=crops/ readers=[command] reader.command="python read.py"

Writes report.md, report.json and report.html. Everything finished is kept in `out`: the same command goes on
where it was, and one with another test set trains nothing again.
"""

from __future__ import annotations

import json
import shlex
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

from omegaconf import DictConfig, OmegaConf

from gan.spg.editor import weights_file
from recognizer.backends import FOLDER
from recognizer.proof.cache import VERSION, digest, file_digest
from recognizer.proof.grid import Cell, Kind, Plan, cells_of, overrides_of
from recognizer.proof.made import made_by
from recognizer.proof.outside import Outside, outside_readers
from recognizer.proof.page import page
from recognizer.proof.plots import plots
from recognizer.proof.recipe import composed, digest_of, reason_against
from recognizer.proof.report import markdown
from recognizer.proof.run import Bench, Entry
from recognizer.proof.scarcity import Crops, Point, Scarcity, parted, points_of
from recognizer.proof.scores import over_seeds, read_by
from recognizer.proof.sets import PlateSet, real_set, synthetic_set, training_texts
from recognizer.proof.table import pairs_of, rows_of, sets_told
from recognizer.reader import Reader
from synth.app import command, need_positive
from synth.dataset.atomic import disk_errors, write_atomic
from synth.dataset.optional import need
from synth.errors import UserError, nearest


@dataclass(frozen=True)
class Setting:
    """The benchmark of a configuration, with what can be made and what cannot."""

    bench: Bench
    plan: Plan
    kinds: dict[str, Kind]  # those that can be made
    missing: dict[str, str]  # the others, and why
    sets: tuple[PlateSet, ...]
    seen: frozenset[str]  # texts of all synthetic trainings
    reference: str  # the synthetic set of outside readers

    @property
    def shown(self) -> list[PlateSet]:
        """The sets that decide: real ones, or the reference where none is given."""
        return [one for one in self.sets if one.real] or [s for s in self.sets if s.name == self.reference]


def plan_of(config: DictConfig) -> Plan:
    plain: Any = OmegaConf.to_container(config, resolve=True)
    return Plan(plain["images"], plain["plates"], plain["curriculum"], plain["train"])


def recipes_of(config: DictConfig) -> dict[str, Kind]:
    """The kinds of data that the configuration asks for."""
    described: Any = OmegaConf.to_container(config.recipes, resolve=True)
    if unknown := [name for name in config.kinds if name not in described]:
        raise UserError(f"kinds: {unknown[0]!r} is no kind; {nearest(unknown[0], described)}")
    return {name: described[name] for name in config.kinds}


def with_styles(config: DictConfig, plan: Plan) -> DictConfig:
    """Configuration with crops that the editor writes on; where none are given, the generator's plates."""
    wanted = "spg" in config.kinds and config.weights.spg_styles is None
    if not (wanted and weights_file(config.weights.spg).is_file()):
        return config
    kind: Any = OmegaConf.to_container(config.recipes.pix2pix, resolve=True)
    words = (*overrides_of(kind, "plates", config.styles.seed, plan), "capture.size=null")
    if reason_against(words):
        return config  # the editor will say what it lacks
    folder = Path(config.out) / "sets" / f"styles.{digest([digest_of(words), config.styles.count])}"
    synthetic_set("styles", composed(words), config.styles.count, (), folder)
    return cast(DictConfig, OmegaConf.merge(config, {"weights": {"spg_styles": str(folder.resolve())}}))


def seeds_of(config: DictConfig) -> dict[str, list[int]]:
    """The seeds of each recognizer's trainings."""
    return {name: list(config.seeds_of.get(name, config.seeds)) for name in config.recognizers}


def kinds_of(config: DictConfig, plan: Plan) -> tuple[dict[str, Kind], dict[str, str]]:
    """The kinds of data that can be made, and why the others cannot."""
    every = recipes_of(config)
    reasons = {name: reason_against(overrides_of(kind, "plates", 0, plan)) for name, kind in every.items()}
    missing = {f"data {name}": f"not available: {reason}" for name, reason in reasons.items() if reason}
    kinds = {name: kind for name, kind in every.items() if not reasons[name]}
    if not kinds:
        raise UserError(f"kinds: none of them can be made; {'; '.join(missing.values())}")
    return kinds, missing


def texts_seen(kinds: Mapping[str, Kind], plan: Plan, seeds: Sequence[int], folder: Path) -> frozenset[str]:
    """Every text that a synthetic training shows, kept in a file: counting them takes minutes."""
    seen: set[str] = set()
    for kind in kinds.values():
        for seed in sorted(set(seeds)):
            config = composed(overrides_of(kind, "plates", seed, plan))
            deciding = [OmegaConf.to_container(config[key], resolve=True) for key in ("plates", "balance")]
            key = digest([VERSION, *deciding, config.texts, seed, config.images, config.batch])
            path = folder / "texts" / f"{key}.txt"
            if not path.exists():
                write_atomic(path, "\n".join(sorted(set(training_texts(config)))) + "\n")
            seen.update(path.read_text("utf-8").split())
    return frozenset(seen)


def sets_of(
    config: DictConfig, real: Sequence[PlateSet], kinds: Mapping[str, Kind], plan: Plan, seen: frozenset[str]
) -> Iterator[PlateSet]:
    """Real sets without texts of the trainings, their untaught parts, then fresh plates of each kind."""
    for every in real:
        found = every.without(seen)
        if not found.items:
            raise UserError(f"tests.{every.name}: no plate in it whose text no training saw")
        yield found
        if every.name in config.taught:
            yield found.untaught()
    for name, kind in kinds.items():
        words = (*overrides_of(kind, "plates", config.synthetic.seed, plan), "capture.size=null")
        made = composed(words)
        key = digest([digest_of(words), config.synthetic.count, sorted(seen)])
        folder = Path(config.out) / "sets" / f"synthetic-{name}.{key}"
        yield synthetic_set(f"synthetic-{name}", made, config.synthetic.count, seen, folder)


def setting_of(config: DictConfig) -> Setting:
    plan = plan_of(config)
    real = [real_set(str(name), folder) for name, folder in config.tests.items()]  # may be refused
    kinds, missing = kinds_of(with_styles(config, plan), plan)
    out = Path(config.out)
    trained = {seed for seeds in seeds_of(config).values() for seed in seeds}
    seen = texts_seen(kinds, plan, [*config.seeds, *config.scarcity.seeds, *trained], out)
    sets = tuple(sets_of(config, real, kinds, plan, seen))
    wanted = config.synthetic.reference
    reference = f"synthetic-{wanted if wanted in kinds else next(iter(kinds))}"
    return Setting(Bench(out), plan, kinds, missing, sets, seen, reference)


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


def scarcity_of(config: DictConfig) -> Scarcity:
    plain: Any = OmegaConf.to_container(config.scarcity, resolve=True)
    return Scarcity(**plain)


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


@command("benchmark")
def main(config: DictConfig) -> None:
    """Measure what training data is worth."""
    begun = time.monotonic()
    check(config)
    types = list(config.plates.types)
    wanted = config.reader
    outside = outside_readers(config.readers, wanted.command, wanted.target, wanted.timeout_s, types)
    out = Path(config.out)
    with disk_errors(out):
        setting = setting_of(config)
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


def check(config: DictConfig) -> None:
    """Mistakes that would come to light hours later."""
    need("matplotlib", "benchmark")
    need_positive(config, "images")
    need_positive(config, "jobs")
    need_positive(config.synthetic, "count")
    need_positive(config.styles, "count")
    recipes_of(config)
    named = {f"seeds_of.{name}": seeds for name, seeds in config.seeds_of.items()}
    for key, value in ({key: config[key] for key in ("kinds", "recognizers", "seeds")} | named).items():
        if not value:
            raise UserError(f"{key}: empty; name at least one")
    if absent := [name for name in config.taught if name not in config.tests]:
        raise UserError(f"taught: {absent[0]!r} is not among tests; give tests.{absent[0]}=FOLDER")
    for name in (*config.recognizers, *config.seeds_of):
        composed([f"recognizer={name}"])
    for recognizer, seeds in seeds_of(config).items():
        if len(set(seeds)) < len(seeds):
            raise UserError(f"seeds: {seeds} of {recognizer}: one is there twice; leave it out")
    for key, value in (("baseline", config.baseline), ("scarcity.kind", config.scarcity.kind)):
        if value not in config.recipes:
            raise UserError(f"{key}: {value!r} is no kind; {nearest(value, list(config.recipes))}")
    if config.scarcity.path is not None:
        composed([f"recognizer={config.scarcity.recognizer}"])
        need_positive(config.scarcity, "held_out")
        if not config.scarcity.crops:
            raise UserError("scarcity.crops: empty; give numbers of real crops, such as [0, 50]")
        parted(scarcity_of(config), ())


if __name__ == "__main__":
    main()
