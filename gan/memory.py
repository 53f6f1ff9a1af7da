"""Earlier drawings, which the judge sees again.

An artist that moves from texture to texture is always one step ahead of a judge that sees only today's
drawings: after a thousand steps the judge was at chance, while a fresh one told drawings from crops after 80.
A judge that has to know yesterday's too cannot be led around in a circle (Shrivastava et al. 2017).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn


class Memory(nn.Module):
    """Up to `most` drawings and their conditions, as the judge sees them; new ones take the place of any."""

    pictures: Tensor  # M 3 h w
    told: Tensor  # M C h w

    def __init__(self, most: int) -> None:
        super().__init__()
        self.most = most
        for name in ("pictures", "told"):
            self.register_buffer(name, torch.zeros(0))

    def keep(self, pictures: Tensor, told: Tensor) -> None:
        """Remember these, N 3 h w and N C h w."""
        for name, new in (("pictures", pictures), ("told", told)):
            old = getattr(self, name)
            setattr(self, name, torch.cat([old, new.half()]) if len(old) else new.half())
        if len(self.pictures) > self.most:
            stay = torch.randperm(len(self.pictures))[: self.most].to(pictures.device)
            self.pictures, self.told = self.pictures[stay], self.told[stay]

    def recall(self, count: int) -> tuple[Tensor, Tensor] | None:
        """So many at random, if there are some."""
        if not len(self.pictures):
            return None
        chosen = torch.randint(len(self.pictures), (count,)).to(self.pictures.device)
        return self.pictures[chosen].float(), self.told[chosen].float()

    def load_state_dict(
        self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False
    ) -> Any:
        """As many as were kept: sizes follow the state."""
        device = self.pictures.device
        self.pictures, self.told = state_dict["pictures"].to(device), state_dict["told"].to(device)
