"""Speed of drawing and generating, one core, from a warm cache.

python -m synth.speed                 clean 64-pixel plates a second, per type and all types mixed
python -m synth.speed stages=capture  the same with the camera
"""

from __future__ import annotations

import time

import cv2
from omegaconf import DictConfig

from synth.app import command
from synth.pipeline import BATCH, stages_of
from synth.template import Plan, Template


def rate(template: Template, stages: DictConfig, seed: int, count: int, rounds: int = 3) -> float:
    """Plates a second of processor time: the best of some rounds over the same plates, one unmeasured."""
    after = stages_of(stages)
    best = 0.0
    for turn in range(rounds + 1):
        begun = time.process_time()
        for start in range(0, count, BATCH):
            batch = template.batch(seed, range(start, min(start + BATCH, count)))
            for stage in after.values():
                batch = stage(batch)
        if turn:
            best = max(best, count / (time.process_time() - begun))
    return best


@command("speed")
def main(config: DictConfig) -> None:
    """Print plates a second of one core."""
    cv2.setNumThreads(1)
    names = tuple(config.plates.types)
    print(f"stages: template{''.join(', ' + name for name in config.stages)}; {config.height_px} pixels high")
    print("| types | plates/s |\n|---|---|")
    for label, types in (*((name, (name,)) for name in names), (f"all {len(names)} mixed", names)):
        plan = Plan(types, config.balance.mode)
        speed = rate(Template(plan, config.height_px), config, config.seed, config.count)
        print(f"| {label} | {speed:,.0f} |", flush=True)


if __name__ == "__main__":
    main()
