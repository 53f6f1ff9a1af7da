"""The target generator: from what source and layout say, in the source's style, to the new picture."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from gan.blocks import Styled, Tone, Up, doubled, joined, places


class TargetGenerator(nn.Module):
    """A U-Net's upper half; beside the picture it says where the source is to be left as it is."""

    def __init__(self, channels: int, style: int, inputs: int, keep: bool) -> None:
        super().__init__()
        a, b, c = channels, 2 * channels, 4 * channels
        self.middle = nn.ModuleList([Styled(2 * c + 2, 2 * c, style), Styled(2 * c, 2 * c, style)])
        self.up = nn.ModuleList([Up(2 * c, b, style), Up(b, a, style)])
        self.narrow = nn.Conv2d(a, a // 2, 3, 1, 1)
        self.full = nn.Sequential(
            nn.Conv2d(a // 2 + inputs, a // 2, 3, 1, 1), nn.ReLU(inplace=True), nn.Conv2d(a // 2, 4, 3, 1, 1)
        )
        self.tone = Tone(style) if style else None
        self.keep = keep

    def forward(
        self, fused: Tensor, source: Sequence[Tensor], layout: Sequence[Tensor], given: Tensor, code: Tensor
    ) -> tuple[Tensor, Tensor]:
        """fused: N 4c h w, given: N I H W, code: N S -> picture N 3 H W, share of it that is new N 1 H W."""
        x = joined(fused, source[2], places(fused))
        for middle in self.middle:
            x = middle(x, code)
        for up, skip in zip(self.up, (1, 0), strict=True):
            x = up(x, source[skip] + layout[skip], code)
        planes = self.full(joined(doubled(self.narrow(x)), given))
        picture, new = planes[:, :3], planes[:, 3:]
        picture = torch.tanh(picture if self.tone is None else self.tone(picture, code))
        return picture, torch.sigmoid(new + 1) if self.keep else torch.ones_like(new)
