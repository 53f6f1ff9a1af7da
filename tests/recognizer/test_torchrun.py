"""The same loop under torchrun: two processes end cleanly, agree, and equal one with the double batch."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from safetensors.torch import load_file

ROOT = Path(__file__).resolve().parents[2]

# Batch norm sees only its own process's pictures and dropout differs by process, as in any DDP training; so
# equality with one process is checked on a network that has neither, and agreement on one that has both.
SCRIPT = '''
"""Train, and keep the weights of every process."""
import sys
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import nn

from recognizer.checkpoint import Header
from recognizer.codec import codec_of
from recognizer.data import Lesson, Stream
from gan.runtime.distributed import start
from recognizer.loop import Settings, train
from recognizer.networks.plates import PlateNet

MADE = []  # the first is trained, its copies are not made by a call


class Plain(nn.Module):
    def __init__(self, classes, types, height, width):
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(3, 8, 5, 4), nn.ReLU(), nn.Conv2d(8, 16, (7, 1)))
        self.characters, self.kind = nn.Linear(16, classes), nn.Linear(16, types)
        MADE.append(self)

    def forward(self, x):
        columns = self.features(x).squeeze(2).transpose(1, 2)
        return self.characters(columns), self.kind(columns.mean(1))


class Real(PlateNet):
    def __init__(self, **given):
        super().__init__(widths=(4, 8, 8, 8, 16), **given)
        MADE.append(self)


if __name__ == "__main__":
    out, kind, batch, images = sys.argv[1:]
    import two  # this file, by the name that the header gives

    codec = codec_of(["cn/blue", "cn/yellow_double"])
    header = Header({"_target_": f"two.{kind}"}, 32, 96, codec.symbols, codec.types)
    made = {"plates": {"types": list(codec.types)}, "balance": {"mode": "uniform", "ambiguous": False},
            "stages": {}, "height_px": 32, "seed": 0, "texts": None}
    processes = start(1)
    warmup = 1000  # never over, so that the rate does not depend on where the training is to end
    settings = Settings(Path(out), int(images), int(batch), 0.05, warmup, 0.01, 0.9, 5.0, 0, 32, 64, False, 0)
    train(settings, header, lambda window: Stream([Lesson(10**9, made)], codec, (32, 96), window),
          {}, processes, resume=True)
    save_file({n: p.detach().contiguous() for n, p in two.MADE[0].named_parameters()},
              Path(out) / f"rank{processes.rank}.safetensors")
'''


def run(out: Path, processes: int, kind: str, batch: int, images: int) -> Path:
    """Train a network of the script with one process or several, from where `out` stands."""
    script = out.parent / "two.py"
    script.write_text(SCRIPT)
    arguments = (str(out), kind, str(batch), str(images))
    several = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(processes)]
    line = [sys.executable, *(several if processes > 1 else []), str(script), *arguments]
    path = os.pathsep.join((str(ROOT), str(out.parent)))
    environment = {**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
    done = subprocess.run(line, capture_output=True, text=True, env=environment, timeout=240, check=False)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr and "destroy_process_group" not in done.stderr, done.stderr
    return out


def apart(left: Path, right: Path) -> float:
    """The largest difference between two files of weights."""
    mine, theirs = load_file(left), load_file(right)
    assert mine.keys() == theirs.keys() and mine
    return max(float((mine[name].double() - theirs[name].double()).abs().max()) for name in mine)


@pytest.mark.slow
def test_two_processes_equal_one_with_the_double_batch(tmp_path: Path) -> None:
    two = run(tmp_path / "two", 2, "Plain", batch=4, images=160)
    one = run(tmp_path / "one", 1, "Plain", batch=8, images=160)
    assert apart(two / "rank0.safetensors", two / "rank1.safetensors") == 0
    assert apart(two / "rank0.safetensors", one / "rank0.safetensors") < 1e-5
    assert apart(two / "weights.safetensors", one / "weights.safetensors") < 1e-5
    ticks = [[json.loads(line)["images"] for line in (out / "stats.jsonl").open()] for out in (two, one)]
    assert ticks == [[32, 64, 96, 128, 160]] * 2  # rank 0 alone writes


@pytest.mark.slow
def test_two_processes_resume_as_if_not_stopped(tmp_path: Path) -> None:
    whole = run(tmp_path / "whole", 2, "Real", batch=4, images=96)
    assert apart(whole / "rank0.safetensors", whole / "rank1.safetensors") == 0
    for images in (64, 96):
        broken = run(tmp_path / "broken", 2, "Real", batch=4, images=images)
    for name in ("weights.safetensors", "state.safetensors", "rank1.safetensors"):
        assert apart(whole / name, broken / name) == 0, name
