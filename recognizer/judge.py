"""What an outside reader makes of our plates: proof that labels are true and strokes legible.

    python -m recognizer.judge plates=cn7 stages=template count=300
    python -m recognizer.judge plates=cn7 capture=mild stages=capture

reads that many plates of each type with PP-OCRv4 and prints the share read exactly, by type and, after a
camera, by severity. Two-row plates are fed row by row.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from omegaconf import DictConfig

from recognizer.outside import Judge, row_pictures, the_judge, upright
from synth.app import command, need_positive
from synth.grammar import grammar_of
from synth.pipeline import stages_of
from synth.sample import Image, Points, Sample
from synth.template import Plan, Template

SEVERITIES = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)


@dataclass(frozen=True)
class Verdict:
    """What was on a plate, what the outside reader read, and how hard the camera made it."""

    truth: str
    reading: str
    severity: float | None


def judge_samples(
    judge: Judge, name: str, samples: Sequence[Sample], fields: Sequence[str] = (), mode: str = "legal"
) -> list[Verdict]:
    """Read samples of one type; with `fields` only these are asked for (Japanese serials)."""
    grammar = grammar_of(name)
    asked = list(fields) or list(grammar.shown)
    alphabet = "".join(sorted(set().union(*(grammar.characters(field, mode) for field in asked))))
    cut = [asked_pictures(sample, fields) for sample in samples]
    texts = iter(judge.read([picture for pictures in cut for picture in pictures], alphabet))
    return [
        Verdict(
            "".join(sample.fields[field] for field in asked),
            "".join(next(texts) for _ in pictures),
            next((s["severity"] for s in sample.stages if "severity" in s), None),
        )
        for sample, pictures in zip(samples, cut, strict=True)
    ]


def asked_pictures(sample: Sample, fields: Sequence[str]) -> list[Image]:
    """The pictures to feed: each row, or the run of characters of the fields asked for."""
    if not fields:
        return row_pictures(sample.image, sample.row_quads)
    first = sum(len(value) for name, value in sample.fields.items() if name not in fields)
    return [upright(sample.image, hull(sample.char_quads[first:]), 0.12)]


def hull(quads: Points) -> Points:
    """One quad around the quads of neighbouring characters."""
    return np.stack([quads[0, 0], quads[-1, 1], quads[-1, 2], quads[0, 3]])


def matching(truth: str, reading: str) -> int:
    """Characters of the truth found in the reading in order (longest common subsequence)."""
    row = [0] * (len(reading) + 1)
    for a in truth:
        before = 0
        for n, b in enumerate(reading, 1):
            before, row[n] = row[n], before + 1 if a == b else max(row[n], row[n - 1])
    return row[-1]


def type_line(name: str, verdicts: Sequence[Verdict]) -> str:
    """A row of the table: how many were read exactly, how many characters, and the first mistakes."""
    wrong = [v for v in verdicts if v.truth != v.reading]
    characters = float(np.mean([matching(v.truth, v.reading) / len(v.truth) for v in verdicts]))
    shown = ", ".join(f"{v.truth} > {v.reading}" for v in wrong[:4])
    return f"| {name} | {len(verdicts)} | {1 - len(wrong) / len(verdicts):.1%} | {characters:.1%} | {shown} |"


def severity_lines(verdicts: Sequence[Verdict]) -> Iterator[str]:
    """The share read exactly at each severity of the camera."""
    for low, high in pairwise(SEVERITIES):
        mine = [
            v
            for v in verdicts
            if v.severity is not None and (low <= v.severity < high or v.severity == high == 1)
        ]
        if mine:
            yield f"| {low} to {high} | {len(mine)} | {np.mean([v.truth == v.reading for v in mine]):.1%} |"


@command("judge")
def main(config: DictConfig) -> None:
    """Read plates of each type with the outside reader and print the share read exactly."""
    need_positive(config, "count", "height_px")
    stages = stages_of(config)
    every: list[Verdict] = []
    print("| type | plates | exact | characters | wrong (truth > reading) |\n|---|---|---|---|---|")
    for name in config.plates.types:
        plan = Plan((name,), config.balance.mode, config.balance.ambiguous)
        samples = Template(plan, config.height_px).batch(config.seed, range(config.count))
        for stage in stages.values():
            samples = stage(samples)
        asked = config.fields.get(name.split("/")[0]) or []
        verdicts = judge_samples(the_judge(), name, samples, asked, config.balance.mode)
        print(type_line(f"{name} ({'+'.join(asked)})" if asked else name, verdicts), flush=True)
        every += verdicts
    if any(v.severity is not None for v in every):
        print("\n| severity | plates | exact |\n|---|---|---|")
        print("\n".join(severity_lines(every)))


if __name__ == "__main__":
    main()
