"""The whole state of a training as one safetensors file, so that stopping anywhere equals not stopping."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from synth.errors import UserError


def save_state(
    path: Path,
    network: nn.Module,
    average: nn.Module,
    optimizer: torch.optim.Optimizer,
    counters: dict[str, int],
) -> None:
    """Networks, moments of the optimiser, random state, counters; whole or not at all."""
    tensors: dict[str, Tensor] = {"random": torch.get_rng_state()}
    tensors |= {f"network.{name}": value for name, value in network.state_dict().items()}
    tensors |= {f"average.{name}": value for name, value in average.state_dict().items()}
    for number, state in optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer.{number}.{key}": torch.as_tensor(value) for key, value in state.items()}
    temporary = path.with_name(f".{path.name}.tmp")
    save_file(
        {k: v.contiguous().clone() for k, v in tensors.items()}, temporary, {"counters": json.dumps(counters)}
    )
    temporary.replace(path)


def load_state(
    path: Path, network: nn.Module, average: nn.Module, optimizer: torch.optim.Optimizer
) -> dict[str, int]:
    """Put everything back; returns the counters."""
    try:
        with safe_open(str(path), framework="pt") as file:
            counters: dict[str, int] = json.loads(file.metadata()["counters"])
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        network.load_state_dict(part(tensors, "network."))
        average.load_state_dict(part(tensors, "average."))
    except (SafetensorError, OSError, KeyError, TypeError, RuntimeError) as error:
        reason = str(error).splitlines()[0]
        raise UserError(
            f"{path}: cannot be resumed from ({reason}); start again with resume=false"
        ) from error
    moments: dict[int, dict[str, Tensor]] = {}
    for name, value in part(tensors, "optimizer.").items():
        number, key = name.split(".", 1)
        moments.setdefault(int(number), {})[key] = value
    optimizer.load_state_dict({**optimizer.state_dict(), "state": moments})
    torch.set_rng_state(tensors["random"])
    return counters


def part(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
