"""Means of weights: the exponential moving one that is used and saved, and that of two networks."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Generic, TypeVar

import torch
from torch import Tensor, nn

Network = TypeVar("Network", bound=nn.Module)


class Average(Generic[Network]):
    """Exponential moving average of a network's weights, warmed up; the one that is used and saved."""

    def __init__(self, network: Network, decay: float) -> None:
        self.network: Network = copy.deepcopy(network).eval().requires_grad_(False)
        self.decay = decay

    @torch.no_grad()
    def update(self, network: nn.Module, step: int) -> None:
        decay = min(self.decay, (1 + step) / (10 + step))
        for mine, theirs in zip(
            self.network.state_dict().values(), network.state_dict().values(), strict=True
        ):
            if mine.is_floating_point():
                mine.lerp_(theirs.to(mine.dtype), 1 - decay)
            else:
                mine.copy_(theirs)


@torch.no_grad()
def mean_with(network: Network, others: Mapping[str, Tensor], share: float) -> Network:
    """A copy whose weights are the mean with others of the same network, which count `share`.

    Means of two ends of one training lie between them in what they do too (Wortsman et al. 2022).
    """
    mean = copy.deepcopy(network)
    for name, value in mean.state_dict().items():
        if value.is_floating_point():
            value.lerp_(others[name].to(value), share)
    return mean
