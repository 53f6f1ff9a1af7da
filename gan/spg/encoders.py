"""What is seen of the source and of what is asked for, at four scales, and the source's style as a code."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from gan.blocks import Down, Styled

LEVELS = 3  # halvings; sizes inside are multiples of 2 ** LEVELS
STYLE_LEVELS = 4


class Pyramid(nn.Module):
    """Planes -> features at a half, a quarter and an eighth of their size.

    One class for two parts: the source encoder (picture and a hint of its characters) and the encoder of the
    target text's layout (the planes of `gan.outline`).
    """

    def __init__(self, inputs: int, channels: int) -> None:
        super().__init__()
        self.down = nn.ModuleList(
            [
                Down(inputs, channels),
                Down(channels, 2 * channels),
                Down(2 * channels, 4 * channels),
            ]
        )
        self.mixed = Styled(4 * channels, 4 * channels, 0)

    def forward(self, x: Tensor) -> list[Tensor]:
        """N C H W -> N c H/2 W/2, N 2c H/4 W/4, N 4c H/8 W/8."""
        found: list[Tensor] = []
        for down in self.down:
            x = down(x)
            found.append(x)
        found[-1] = self.mixed(x, x)
        return found


class StyleEncoder(nn.Module):
    """A picture -> its style: light from left to right, and how much everything varies (noise, blur)."""

    def __init__(self, channels: int, style: int) -> None:
        super().__init__()
        a, b = channels // 2, channels
        layers: list[nn.Module] = []
        for n_in, n_out in ((3, a), (a, b), (b, 2 * b), (2 * b, 2 * b)):
            layers += [nn.Conv2d(n_in, n_out, 4, 2, 1), nn.LeakyReLU(0.2, inplace=True)]
        self.features = nn.Sequential(*layers)
        self.along = nn.AdaptiveAvgPool2d((1, 3))
        self.head = nn.Linear(8 * b, style)

    def forward(self, picture: Tensor) -> Tensor:
        """N 3 H W -> N S."""
        x = self.features(picture)
        spread = x.float().flatten(2).std(2, unbiased=False).to(x.dtype)
        code: Tensor = self.head(torch.cat([self.along(x).flatten(1), spread], dim=1))
        return code
