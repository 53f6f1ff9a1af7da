"""Speed of drawing and generating, one core, from a warm cache.

python -m synth.speed                 clean 64-pixel plates a second, per type and all types mixed
python -m synth.speed stages=capture  the same with the camera
"""

from __future__ import annotations

import time

import cv2
from omegaconf import DictConfig

from synth.app import command, need_positive
from synth.pipeline import BATCH, stages_of
from synth.render import render
from synth.sample import Sample, Stage
from synth.seeding import rng_for
from synth.template import Plan, as_sample


def rate(plan: Plan, stages: dict[str, Stage], config: DictConfig, rounds: int = 4) -> float:
    """Plates a second of processor time: the best of some rounds over the same texts, one unmeasured."""
    seed, height_px = config.seed, config.height_px
    plates = [plan.of(seed, index) for index in range(config.count)]

    def drawn(index: int) -> Sample:
        kind, fields = plates[index]
        return as_sample(render(kind, fields, height_px, rng_for(seed, index, "template")), seed, index)

    best = 0.0
    for turn in range(rounds):
        begun = time.process_time()
        for start in range(0, len(plates), BATCH):
            batch = [drawn(index) for index in range(start, min(start + BATCH, len(plates)))]
            for stage in stages.values():
                batch = stage(batch)
        if turn:
            best = max(best, len(plates) / (time.process_time() - begun))
    return best


@command("speed")
def main(config: DictConfig) -> None:
    """Print plates a second of one core."""
    need_positive(config, "count", "height_px")
    cv2.setNumThreads(1)
    names, stages = tuple(config.plates.types), stages_of(config)
    print(f"stages: {', '.join(['template', *stages])}; {config.height_px} pixels high")
    print("| types | plates/s |\n|---|---|")
    for label, types in (*((name, (name,)) for name in names), (f"all {len(names)} mixed", names)):
        print(f"| {label} | {rate(Plan(types, config.balance.mode), stages, config):,.0f} |", flush=True)


if __name__ == "__main__":
    main()
