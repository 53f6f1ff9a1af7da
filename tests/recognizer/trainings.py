"""What tests of trainings share: how they are stopped, and how two of them are compared."""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors import safe_open
from torch import Tensor, nn

from gan.runtime.distributed import Processes

ALONE = Processes(0, 1, torch.device("cpu"))
COMMAND = (
    "images=512", "batch=4", "warmup=64", "keep=48", "tick=48", "workers=1", "threads=1", "autocast=false",
    "plates=cn7", "stages=template", "height_px=32", "curriculum=[{until: 200}, {until: 100000}]",
    "recognizer.network.widths=[8,16,16,16,32]",
)  # fmt: skip


class Stopped(Exception):
    """The user pulled the plug."""


def stop(network: nn.Module) -> dict[str, float]:
    raise Stopped


def contents(path: Path) -> dict[str, Tensor]:
    with safe_open(str(path), framework="pt") as file:
        return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118


def assert_equal(left: Path, right: Path) -> None:
    """Averaged weights, and with them network, average and moments of the optimiser."""
    for name in ("weights.safetensors", "state.safetensors"):
        mine, theirs = contents(left / name), contents(right / name)
        assert mine.keys() == theirs.keys()
        assert [key for key in mine if not torch.equal(mine[key], theirs[key])] == [], name
