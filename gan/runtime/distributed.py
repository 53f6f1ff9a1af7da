"""One process or many: the same loop under `torchrun`, with DistributedDataParallel alone."""

from __future__ import annotations

import os
import sys
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.distributed as dist
from torch import nn

from synth.dataset.atomic import held
from synth.errors import UserError


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

    def agree(self, done: int) -> None:
        """Every process goes on from the same image; one that saw another state would wait for ever."""
        if self.count == 1:
            return
        most = torch.tensor([done, -done], device=self.device)
        dist.all_reduce(most, dist.ReduceOp.MAX)
        if int(most[0]) != -int(most[1]):
            raise UserError("out: not every process sees its state; use a folder that all machines share")

    def hold(self, out: Path) -> AbstractContextManager[None]:
        """Keeps a second training out of the folder: they would write over each other's states."""
        return held(out, out / "lock") if self.first else nullcontext()

    def finish(self) -> None:
        if self.count > 1:
            dist.barrier()  # before the group is destroyed, or slow processes lose their peers
            dist.destroy_process_group()


def tell(line: str) -> None:
    """One line on standard error, whatever the number of processes."""
    if os.environ.get("RANK", "0") == "0":
        print(line, file=sys.stderr)


def start(threads: int | None = None) -> Processes:
    """Join what torchrun started, if it did; CUDA when there is some."""
    rank, count = int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1"))
    local = int(os.environ.get("LOCAL_RANK", "0"))
    cuda = torch.cuda.is_available()
    if cuda:
        torch.cuda.set_device(local)  # or NCCL's barrier takes the first one for every process
    if count > 1:
        dist.init_process_group("nccl" if cuda else "gloo")
    if threads:
        torch.set_num_threads(threads)
    return Processes(rank, count, torch.device("cuda", local) if cuda else torch.device("cpu"))
