"""What the benchmark found, as docs/benchmark/ keeps it and as the README shows it."""

from __future__ import annotations

import json
import re
import shlex
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from hydra import compose, initialize_config_module
from kept import ROOT, UNKNOWN, kept, lines_of, loaded, only

from recognizer.proof.made import commit
from recognizer.proof.measured import bundled
from recognizer.proof.plots import plots
from recognizer.proof.report import markdown, percent, with_interval
from recognizer.proof.setting import setting_of
from recognizer.proof.table import rows_of, sets_told

PROOF = ROOT / "docs/benchmark/report.json"
TOLD = ("images", "kinds", "recognizers", "seeds", "seeds_of", "plates", "curriculum", "synthetic", "train")


def take(report_file: Path) -> None:
    """Keep a benchmark's report, with its plots: no crop is shown, no folder told but by its name."""
    report = loaded(report_file)
    made = {**report["made"], "command": named(report["made"]["command"])}
    put({**report, "made": made, "config": only(report["config"], TOLD)})


def put(report: dict[str, Any]) -> None:
    """Write the report, its plots and its page."""
    PROOF.parent.mkdir(parents=True, exist_ok=True)
    kept(PROOF, report)
    drawn = dict(plots(report))
    for title, content in drawn.items():
        (PROOF.parent / plot_name(title)).write_bytes(content)
    (PROOF.parent / "README.md").write_text(page_of(report, drawn), "utf-8")


def read_again(real: Path) -> None:
    """The bundled reader's row, read by today's weights: the one row that nothing was trained for.

    Synthetic plates are drawn by today's code: its scores on them are not of the other rows' pictures, and
    the page says so. Real ones must be the same.
    """
    report = loaded(PROOF)
    sets = [f"+tests.{name}='{real / name}'" for name in ("street", "ccpd")]
    with tempfile.TemporaryDirectory() as out:
        with initialize_config_module("conf", version_base="1.3"):
            config = compose(
                "benchmark", [f"out={out}", "taught=[ccpd]", f"scarcity.path='{real / 'ccpd'}'", *sets]
            )
        setting = setting_of(config)
        need_same_crops(report["sets"], sets_told(setting.sets))
        (row,) = rows_of([bundled(setting)], setting.sets, setting.reference)
    if row["problems"]:
        sys.exit(f"not read: {row['problems'][0]}")
    others = [one for one in report["readers"] if one["recognizer"] != row["recognizer"]]
    put(json.loads(json.dumps({**report, "readers": [row, *others], "read_again": commit()})))


def need_same_crops(before: Sequence[Mapping[str, Any]], now: Sequence[Mapping[str, Any]]) -> None:
    """Refuse real sets that are not those of the report's other rows."""
    digests = {one["name"]: one["digest"] for one in now}
    for one in before:
        if one["real"] and one["digest"] != digests.get(one["name"]):
            sys.exit(f"{one['name']}: other crops than those of {PROOF}; give the folder it was made with")


def named(command: str) -> str:
    """The command with folders by their last names: `out=/a/b` is `out=b`; lists (cn/blue) stay."""
    words = [re.sub(r"=[^\[\]\s]*/(?=[^/])", "=", word) for word in shlex.split(command)]
    return " ".join(word if re.fullmatch(r"[^\s'\"]+", word) else shlex.quote(word) for word in words)


def plot_name(title: str) -> str:
    return re.sub(r"\W+", "-", title.lower()) + ".png"


def page_of(report: Mapping[str, Any], titles: Iterable[str]) -> str:
    """The report as a page, its plots below."""
    shown = (f"![{title}]({plot_name(title)})" for title in titles)
    return "\n\n".join([markdown(report).rstrip(), *again(report), *shown]) + "\n"


def again(report: Mapping[str, Any]) -> list[str]:
    """What is to be said of a row that is younger than the others."""
    if "read_again" not in report:
        return []
    when = f"The row of plates (bundled) was read again at commit {report['read_again']}"
    return [f"{when}, its synthetic plates drawn by the code of that commit."]


def proof() -> Iterator[str]:
    """What the benchmark found: kinds of data by recognizer, what each adds to captures, few real crops."""
    if not PROOF.exists():
        yield UNKNOWN
        return
    report = loaded(PROOF)
    real = [one["name"] for one in report["sets"] if one["real"]]
    rows = {(row["data"], row["recognizer"]): row for row in report["rows"]}
    readers = list(dict.fromkeys(recognizer for _, recognizer in rows))
    seeds = {
        name: max(len(row["seeds"]) for (_, reader), row in rows.items() if reader == name)
        for name in readers
    }
    head = ["trained on", *(f"{name}, seeds: {seeds[name]}" for name in readers)]
    table = [
        [data, *(scores(rows.get((data, reader)), real) for reader in readers)]
        for data in dict.fromkeys(data for data, _ in rows)
    ]
    yield from (f"Plates read without any mistake, in percent, of {', '.join(real)}:", "")
    yield from lines_of(head, table)
    as_they_are = [f"{row['recognizer']} {scores(row, real)}" for row in report["readers"]]
    if as_they_are:
        yield from ("", f"The same of readers as they are: {'; '.join(as_they_are)}.", *again(report))
    base = report["baseline"]
    yield from ("", f"{readers[0]} minus itself trained on {base}, plate by plate, in points:", "")
    ours = [row for row in report["paired"] if row["recognizer"] == readers[0]]
    yield from lines_of(["trained on", *real], [difference(row, real) for row in ours])
    curve = report["scarcity"]
    if curve.get("points"):
        names = [one["name"] for one in curve["sets"]]
        yield from (
            "",
            f"Few real crops ({', '.join(names)}), alone and with our plates ({curve['kind']}):",
            "",
        )
        yield from lines_of(["real crops", "alone", "with ours"], few(curve["points"], names))
    made, images = report["made"], report["config"]["images"]
    yield from (
        "",
        f"`{made['command']}`: {images:,} images a training, {made['machine']}, {made['trainings']}",
    )
    yield f"of one core, reported at commit {made['commit']}."


def scores(row: Mapping[str, Any] | None, names: Sequence[str]) -> str:
    """Exact shares on each set."""
    if row is None or not row["sets"]:
        return "; ".join(row["problems"]) if row else ""
    return ", ".join(percent(row["sets"][name]["exact"]) for name in names)


def difference(row: Mapping[str, Any], names: Sequence[str]) -> list[str]:
    found = [with_interval(row["sets"][name], "difference", "+") for name in names]
    return [row["data"], *found]


def few(points: Sequence[Mapping[str, Any]], names: Sequence[str]) -> Iterator[list[str]]:
    """A row for each number of crops."""
    found = {(point["crops"], point["synthetic"]): point for point in points}
    for crops in dict.fromkeys(count for count, _ in found):
        yield [str(crops), *(scores(found.get((crops, ours)), names) for ours in (False, True))]
