"""The report for people and machines: report.md and report.json."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Report = Mapping[str, Any]
CONFUSED = 10  # pairs shown a set


@dataclass(frozen=True)
class Table:
    """A table with its heading, for Markdown and HTML alike."""

    title: str
    note: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]


def tables(report: Report) -> Iterator[Table]:
    """Every table of the report that has a row."""
    every = (
        main_table(report),
        paired_table(report),
        detail_table(report),
        crossed_table(report),
        *(by_table(report, *words) for words in BY),
        confusion_table(report),
        scarcity_table(report),
        sets_table(report),
        missing_table(report),
    )
    yield from (table for table in every if table.rows)


def markdown(report: Report) -> str:
    lines = ["# Plate benchmark", "", *(f"- {key}: {value}" for key, value in report["made"].items())]
    for table in tables(report):
        lines += ["", f"## {table.title}", "", table.note, "", "| " + " | ".join(table.head) + " |"]
        lines += ["|" + "---|" * len(table.head)]
        lines += ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in table.rows]
    return "\n".join(lines) + "\n"


def percent(share: float, sign: str = "") -> str:
    return f"{100 * share:{sign}.1f}"


def with_interval(found: Mapping[str, Any], key: str = "exact", sign: str = "") -> str:
    """`43.2 (40.1 to 46.0)`, in percent."""
    low, high = found[f"{key}_ci"]
    return f"{percent(found[key], sign)} ({percent(low, sign)} to {percent(high, sign)})"


def real_names(report: Report) -> list[str]:
    return [one["name"] for one in report["sets"] if one["real"]]


def all_rows(report: Report) -> list[Mapping[str, Any]]:
    return [*report["rows"], *report["readers"]]


def good_rows(report: Report) -> list[Mapping[str, Any]]:
    return [row for row in all_rows(report) if row["sets"]]


def titled(row: Mapping[str, Any]) -> list[str]:
    return [row["data"], row["recognizer"]]


def main_table(report: Report) -> Table:
    """Synthetic, real, gap."""
    names = real_names(report)
    head = ["training data", "recognizer", "seeds", "synthetic"]
    for name in names:
        head += [name, f"gap to {name}"]
    rows = []
    for row in all_rows(report):
        cells = [*titled(row), str(len(row["seeds"])) if row["seeds"] else "-"]
        if not row["sets"]:
            rows.append([*cells, "; ".join(row["problems"]), *[""] * (2 * len(names))])
            continue
        cells.append(with_interval(row["sets"][row["own"]]))
        for name in names:
            cells += [with_interval(row["sets"][name]), with_interval(row["sets"][name], "gap")]
        rows.append(cells)
    note = (
        "Exact whole plates in percent, mean over seeds, 95 % interval over plates. `synthetic` is fresh "
        "plates of unseen texts, made as the reader's training data was (for outside readers: "
        f"{report['reference']}). The gap is synthetic minus real."
    )
    if not names:
        note += " No real set was given (tests.NAME=FOLDER), so there is no real score and no gap."
    return Table("Result", note, head, rows)


def paired_table(report: Report) -> Table:
    """What each kind of data adds to the baseline."""
    rows = [
        [
            *titled(row),
            name,
            str(found["plates"]),
            with_interval(found, "difference", "+"),
            " ".join(percent(one, "+") for one in found["by_seed"]),
            f"{found['more']} / {found['less']}",
        ]
        for row in report["paired"]
        for name, found in row["sets"].items()
    ]
    note = (
        "Exact plates in points, minus those of the same recognizer and seeds trained on "
        f"{report['baseline']}. Both read the same plates, and the 95 % interval resamples these pairs; it "
        "does not know the luck of a training, which `by seed` shows. `more / less`: plates that more or "
        "fewer trainings read right."
    )
    head = ["training data", "recognizer", "set", "plates", "difference", "by seed", "more / less"]
    return Table(f"Against {report['baseline']}", note, head, rows)


def detail_table(report: Report) -> Table:
    """Characters, without region, the seeds apart."""
    rows = []
    for row in good_rows(report):
        for name in [row["own"], *real_names(report)]:
            found = row["sets"][name]
            seeds = " ".join(percent(share) for share in found["exact_by_seed"])
            shares = [percent(found[key]) for key in ("exact", "characters", "exact_without_region")]
            rows.append([*titled(row), name, str(found["plates"]), *shares, seeds])
    head = [
        "training data",
        "recognizer",
        "set",
        "plates",
        "exact",
        "characters",
        "without region",
        "by seed",
    ]
    note = "Percent. `without region` counts a plate whose first field alone is wrong as right."
    return Table("Characters and regions", note, head, rows)


def crossed_table(report: Report) -> Table:
    """Every reader on every kind of synthetic plates."""
    names = [one["name"] for one in report["sets"] if not one["real"]]
    rows = [
        [*titled(row), *(percent(row["sets"][name]["exact"]) for name in names)] for row in good_rows(report)
    ]
    return Table(
        "Synthetic sets",
        "Exact plates in percent on each kind of fresh plates.",
        ["training data", "recognizer", *names],
        rows,
    )


BY = (("By type", "by_type", "Exact plates"), ("By position", "by_position", "Characters right"))


def by_table(report: Report, title: str, key: str, note: str) -> Table:
    """One column a type or position, one row a reader and set."""
    found = [
        (row, name, row["sets"][name][key])
        for row in good_rows(report)
        for name in [row["own"], *real_names(report)]
    ]
    columns = list(dict.fromkeys(column for *_, groups in found for column in groups))
    rows = [
        [*titled(row), name, *(percent(groups[c]) if c in groups else "" for c in columns)]
        for row, name, groups in found
    ]
    return Table(title, f"{note}, in percent.", ["training data", "recognizer", "set", *columns], rows)


def confusion_table(report: Report) -> Table:
    rows = []
    for row in good_rows(report):
        for name in real_names(report) or [row["own"]]:
            pairs = row["sets"][name]["confusions"][:CONFUSED]
            shown = ", ".join(f"{a or '_'} > {b or '_'} {n}" for a, b, n in pairs)
            rows.append([*titled(row), name, shown or "nothing"])
    note = "Truth > reading and how often, over all seeds; _ is a missing or an added character."
    return Table("Confusions", note, ["training data", "recognizer", "set", "confused"], rows)


def scarcity_table(report: Report) -> Table:
    curve = report["scarcity"]
    names = [one["name"] for one in curve.get("sets", [])]
    rows = []
    for point in curve.get("points", []):
        shown = [with_interval(point["sets"][name]) if point["sets"] else "" for name in names]
        ours = "with" if point["synthetic"] else "without"
        rows.append([str(point["crops"]), ours, *shown, "; ".join(point["problems"])])
    note = (
        "Exact plates in percent by the number of real crops for training; no text is in training and test."
    )
    head = ["real crops", "our synthetic data", *names, "problems"]
    return Table("Few real crops", note, head, rows)


def sets_table(report: Report) -> Table:
    sets = [*report["sets"], *report["scarcity"].get("sets", [])]
    rows = [
        [one["name"], "real" if one["real"] else "synthetic", *(str(one[k]) for k in COUNTS), one["digest"]]
        for one in sets
    ]
    note = (
        "`left out`: the text is in a training set. `refused`: broken pictures or labels. `NAME-held_out`: "
        "of a set that taught the generators, the part that they were not trained on."
    )
    return Table("Sets", note, ["set", "what", "plates", "left out", "refused", "digest"], rows)


COUNTS = ("plates", "left_out", "refused")


def missing_table(report: Report) -> Table:
    rows = [[name, reason] for name, reason in report["missing"].items()]
    rows += [[" ".join(titled(row)), reason] for row in all_rows(report) for reason in row["problems"]]
    return Table("Not in the table", "What was asked for and could not be had.", ["what", "why"], rows)
