"""The whole state of a training as one safetensors file, so that stopping anywhere equals not stopping."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from gan.runtime.weights import write
from synth.errors import UserError

Part = nn.Module | torch.optim.Optimizer


def save_state(path: Path, parts: Mapping[str, Part], counters: dict[str, int]) -> None:
    """Networks, moments of optimisers, counters; whole or not at all. Chance has no state: `reseed`."""
    tensors: dict[str, Tensor] = {}
    for name, part in parts.items():
        tensors |= {f"{name}.{key}": value for key, value in tensors_of(part).items()}
    write(path, {k: v.contiguous().clone() for k, v in tensors.items()}, {"counters": json.dumps(counters)})


def forget(*paths: Path) -> None:
    """Remove what a training left that is begun anew: nobody may go on from it beside another config.yaml."""
    for path in paths:
        path.unlink(missing_ok=True)


def tensors_of(part: Part) -> dict[str, Tensor]:
    """A network's weights, or an optimiser's moments by the number of their parameter."""
    if isinstance(part, nn.Module):
        return dict(part.state_dict())
    moments = part.state_dict()["state"]
    return {
        f"{n}.{key}": torch.as_tensor(value) for n, state in moments.items() for key, value in state.items()
    }


def load_state(path: Path, parts: Mapping[str, Part]) -> dict[str, int]:
    """Put everything back; returns the counters."""
    try:
        with safe_open(str(path), framework="pt") as file:
            counters: dict[str, int] = json.loads(file.metadata()["counters"])
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        moments = {}
        for name, part in parts.items():
            mine = below(tensors, f"{name}.")
            if isinstance(part, nn.Module):
                part.load_state_dict(mine)
            else:
                moments[name] = moments_of(mine, part)
    except (SafetensorError, OSError, LookupError, TypeError, ValueError, RuntimeError) as error:
        reason = str(error).splitlines()[0]
        raise UserError(
            f"{path}: cannot be resumed from ({reason}); start again with resume=false"
        ) from error
    for name, found in moments.items():
        optimizer = parts[name]
        optimizer.load_state_dict({**optimizer.state_dict(), "state": found})
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


def below(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
