"""One process or many: the same loop under `torchrun`, with DistributedDataParallel alone."""

from __future__ import annotations

import os
from dataclasses import dataclass

import torch
import torch.distributed as dist
from torch import nn


@dataclass(frozen=True)
class Processes:
    """This process among its fellows."""

    rank: int
    count: int
    device: torch.device

    @property
    def first(self) -> bool:
        return self.rank == 0

    def wrap(self, network: nn.Module) -> nn.Module:
        """Gradients averaged over all processes."""
        if self.count == 1:
            return network
        return nn.parallel.DistributedDataParallel(network)

    def finish(self) -> None:
        if self.count > 1:
            dist.barrier()  # before the group is destroyed, or slow processes lose their peers
            dist.destroy_process_group()


def start(threads: int | None = None) -> Processes:
    """Join what torchrun started, if it did; CUDA when there is some."""
    rank, count = int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1"))
    local = int(os.environ.get("LOCAL_RANK", "0"))
    cuda = torch.cuda.is_available()
    if count > 1:
        dist.init_process_group("nccl" if cuda else "gloo")
    if threads:
        torch.set_num_threads(threads)
    return Processes(rank, count, torch.device("cuda", local) if cuda else torch.device("cpu"))
