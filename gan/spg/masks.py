"""The character-mask decoder: where the source's characters are, and where the new ones will be."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from gan.blocks import Up, doubled, joined
from gan.spg.ground import spread

HINTS = 3.0  # logits of a place that the alignment says is surely a character


class MaskDecoder(nn.Module):
    """Features of source, layout and both -> the two masks, as corrections of what the alignment hints."""

    def __init__(self, channels: int, inputs: int) -> None:
        super().__init__()
        a, b, c = channels, 2 * channels, 4 * channels
        self.up = nn.ModuleList([Up(2 * c, b, 0), Up(b, a, 0)])
        self.narrow = nn.Conv2d(a, a // 2, 3, 1, 1)
        self.full = nn.Sequential(
            nn.Conv2d(a // 2 + inputs, a // 2, 3, 1, 1), nn.ReLU(inplace=True), nn.Conv2d(a // 2, 2, 3, 1, 1)
        )
        last = self.full[2]
        assert isinstance(last, nn.Conv2d)
        nn.init.zeros_(last.weight)  # begins as the hints themselves
        assert last.bias is not None
        nn.init.zeros_(last.bias)

    def forward(
        self, fused: Tensor, source: Sequence[Tensor], layout: Sequence[Tensor], given: Tensor, hints: Tensor
    ) -> Tensor:
        """fused: N 4c h w, given: N I H W, hints: N 2 H W in [-1, 1] -> logits N 2 H W (source, target)."""
        x = joined(fused, source[2])
        for up, skip in zip(self.up, (1, 0), strict=True):
            x = up(x, source[skip] + layout[skip], x)
        out: Tensor = self.full(joined(doubled(self.narrow(x)), given))
        return out + HINTS * hints


def hinted(hints: Tensor) -> Tensor:
    """The masks without a decoder: the alignment's own coverage, N 2 H W in [-1, 1], as probabilities."""
    return (hints + 1) / 2


def shares(logits: Tensor) -> Tensor:
    return torch.sigmoid(logits)


def grown(mask: Tensor, rim: int = 4) -> Tensor:
    """N 1 H W: shares spread over `rim` pixels, further than blur carries a character.

    Strokes run together in it: with two pixels the rim of what is kept still spelt the old text.
    """
    return spread(mask, rim)
