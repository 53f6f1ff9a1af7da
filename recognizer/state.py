"""The whole state of a training as one safetensors file, so that stopping anywhere equals not stopping."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
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
    """Networks, moments of the optimiser, counters; whole or not at all. Chance has no state: `reseed`."""
    tensors: dict[str, Tensor] = {f"network.{name}": value for name, value in network.state_dict().items()}
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
        moments = moments_of(part(tensors, "optimizer."), optimizer)
    except (SafetensorError, OSError, LookupError, TypeError, ValueError, RuntimeError) as error:
        reason = str(error).splitlines()[0]
        raise UserError(
            f"{path}: cannot be resumed from ({reason}); start again with resume=false"
        ) from error
    optimizer.load_state_dict({**optimizer.state_dict(), "state": moments})
    return counters


def moments_of(tensors: dict[str, Tensor], optimizer: torch.optim.Optimizer) -> dict[int, dict[str, Tensor]]:
    """The optimiser's state by parameter, each tensor laid out in memory as its parameter is.

    A fused Adam walks through memory and not by index: moments that come back contiguous while the weights
    are channels_last would each go to another weight, without any error.
    """
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    moments: dict[int, dict[str, Tensor]] = {}
    for name, value in tensors.items():
        number, key = name.split(".", 1)
        parameter = parameters[int(number)]
        laid = torch.empty_like(parameter).copy_(value) if value.shape == parameter.shape else value
        moments.setdefault(int(number), {})[key] = laid
    return moments


def reseed(seed: int, images: int, rank: int) -> None:
    """Draw what is random in a step (dropout) from its place alone, so that a resumed run draws the same."""
    torch.manual_seed(int(np.random.SeedSequence((seed, images, rank)).generate_state(1, np.uint64)[0]))


def part(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
