"""What an outside reader makes of our plates: proof that labels are true and strokes legible.

    python -m recognizer.judge plates=cn7 stages=template count=300
    python -m recognizer.judge plates=cn7 capture=mild stages=capture

reads that many plates of each type with PP-OCRv4 and prints the share read exactly, by type and, after a
camera, by severity. Two-row plates are fed row by row.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np
from omegaconf import DictConfig

from gan.outside import Verdict, judge_samples, matching, the_judge
from synth.app import command, need_positive
from synth.pipeline import stages_of
from synth.template import Plan, Template

SEVERITIES = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)


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
