"""From entries to the rows of the table: seeds together, synthetic beside real, and the gap."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from recognizer.proof.run import Entry
from recognizer.proof.scores import gap, over_seeds, paired
from recognizer.proof.sets import PlateSet


def rows_of(entries: Sequence[Entry], sets: Sequence[PlateSet], reference: str) -> list[dict[str, Any]]:
    """One row for each data and recognizer, in order of appearance."""
    groups: dict[tuple[str, str], list[Entry]] = {}
    for entry in entries:
        groups.setdefault((entry.data, entry.recognizer), []).append(entry)
    return [row_of(data, recognizer, group, sets, reference) for (data, recognizer), group in groups.items()]


def row_of(
    data: str, recognizer: str, entries: Sequence[Entry], sets: Sequence[PlateSet], reference: str
) -> dict[str, Any]:
    """The seeds that gave a result, together; `problems` are the others'."""
    good = [entry for entry in entries if entry.results]
    problems = [entry.reason for entry in entries if entry.reason]
    row: dict[str, Any] = {"data": data, "recognizer": recognizer, "problems": problems}
    row["seeds"] = [entry.seed for entry in good if entry.seed is not None]
    row["own"] = own_set(data, sets, reference)
    row["sets"] = {}
    for plates in sets if good else ():
        results = [entry.results[plates.name] for entry in good]
        found = over_seeds(results)
        if plates.real:
            found |= gap([entry.results[row["own"]] for entry in good], results)
        row["sets"][plates.name] = found
    return row


def pairs_of(entries: Sequence[Entry], sets: Sequence[PlateSet], baseline: str) -> list[dict[str, Any]]:
    """Each kind of data against the baseline, by the seeds that both have: what it adds on each set."""
    done = {(entry.data, entry.recognizer, entry.seed): entry.results for entry in entries if entry.results}
    rows = []
    for data, recognizer in dict.fromkeys((data, recognizer) for data, recognizer, _ in done):
        seeds = [s for d, r, s in done if (d, r) == (data, recognizer) and (baseline, r, s) in done]
        if data != baseline and seeds:
            ours, others = ([done[name, recognizer, seed] for seed in seeds] for name in (data, baseline))
            found = {
                one.name: paired([r[one.name] for r in ours], [r[one.name] for r in others]) for one in sets
            }
            rows.append({"data": data, "recognizer": recognizer, "seeds": seeds, "sets": found})
    return rows


def own_set(data: str, sets: Sequence[PlateSet], reference: str) -> str:
    """The synthetic set that is made as a reader's training data was, else the one for all."""
    own = f"synthetic-{data}"
    return own if own in {plates.name for plates in sets} else reference


def sets_told(sets: Sequence[PlateSet]) -> list[dict[str, Any]]:
    """What the sets hold, and what they would have held."""
    return [
        {
            "name": one.name,
            "real": one.real,
            "plates": len(one.items),
            "left_out": one.left_out,
            "refused": one.refused,
            "digest": one.digest,
        }
        for one in sets
    ]
