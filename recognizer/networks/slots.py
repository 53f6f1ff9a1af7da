"""The slot head: slot n looks at the whole map for the n-th symbol of the plate.

It looks with several maps at once: a dense character is several cells wide, and one mean of them all would
not say which stroke stood where.

Spread, its scores are a CTC sequence with a sure blank between every two slots, so that decoding, grammar,
calibration and export treat all networks alike; an unused slot is a blank too.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from recognizer.codec import BLANK

NEVER = -30.0  # the score of everything but a blank between two slots


class Slots(nn.Module):
    """N C H W -> N slots classes."""

    def __init__(
        self, channels: int, classes: int, slots: int, cells: tuple[int, int], dropout: float, parts: int = 1
    ) -> None:
        super().__init__()
        self.slots, self.parts = slots, parts
        self.places = nn.Parameter(torch.randn(1, channels, *cells) * 0.02)
        self.look = nn.Conv2d(channels, slots * parts, 1)
        self.gather = nn.Linear(parts * channels, channels) if parts > 1 else nn.Identity()
        self.bias = nn.Parameter(torch.zeros(slots, channels))
        self.mix = nn.Sequential(nn.Linear(channels, channels), nn.ReLU(inplace=True))
        self.classes = nn.Sequential(nn.Dropout(dropout), nn.Linear(channels, classes))
        between = torch.full((1, slots - 1, classes), NEVER)
        between[..., BLANK] = 0.0
        self.register_buffer("between", between, persistent=False)

    def forward(self, x: Tensor, before: Tensor) -> Tensor:  # x: N C H W
        """`before`, N S classes: what speaks for each symbol before anything is looked at."""
        where = self.look(torch.relu(x + self.places)).flatten(2).softmax(2)  # N SP HW
        parts = torch.bmm(where, x.flatten(2).transpose(1, 2))  # N SP C
        seen = self.gather(parts.reshape(-1, self.slots, self.parts * x.shape[1])) + self.bias  # N S C
        scores: Tensor = self.classes(seen + self.mix(seen)) + before
        return scores

    def spread(self, scores: Tensor) -> Tensor:
        """N S classes -> N 2S-1 classes, sure blanks between."""
        between = torch.zeros_like(scores[:, :-1]) + self.between.to(scores.dtype)  # type: ignore[operator]
        pairs = torch.stack([scores[:, :-1], between], dim=2).flatten(1, 2)
        return torch.cat([pairs, scores[:, -1:]], dim=1)


def slots_of(scores: Tensor) -> Tensor:
    """N 2S-1 classes -> N S classes: `spread` undone."""
    return scores[:, ::2]
