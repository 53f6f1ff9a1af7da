"""PlateNet: one small convolutional reader for one- and two-row plates of every type.

The feature map ends two rows high. Its upper row is read from left to right, then its lower row, as one
sequence for CTC: a two-row plate puts each line of text in its row, and a one-row plate learns to use one of
them. Nothing is cut at a fixed height, so tilted two-row plates are read from the whole crop.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Convolution(nn.Sequential):
    """3x3 convolution, batch norm, ReLU."""

    def __init__(self, inputs: int, outputs: int, stride: tuple[int, int] = (1, 1), kernel: int = 3) -> None:
        super().__init__(
            nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False),
            nn.BatchNorm2d(outputs),
            nn.ReLU(inplace=True),
        )


class Residual(nn.Module):
    """x + two convolutions of x."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.body = nn.Sequential(Convolution(channels, channels), Convolution(channels, channels))

    def forward(self, x: Tensor) -> Tensor:  # x: N C H W
        return x + self.body(x)


class PlateNet(nn.Module):
    """About 0.9 M parameters at the default widths, 0.15 GMAC at 48 x 168."""

    def __init__(
        self,
        classes: int,
        types: int,
        height: int = 48,
        width: int = 168,
        widths: tuple[int, ...] = (24, 48, 72, 96, 128, 160),
        dropout: float = 0.1,
    ) -> None:
        super().__init__()
        self.height, self.width = height, width
        a, b, c, d, e, f = widths
        self.features = nn.Sequential(  # H W are those of 48 x 168
            Convolution(3, a, (2, 2)),  # 24 84
            Convolution(a, b, (2, 2)),  # 12 42
            Residual(b),
            Convolution(b, c),
            Convolution(c, d, (2, 1)),  # 6 42
            Residual(d),
            Convolution(d, e),
            Convolution(e, f, (height // 16, 1)),  # 2 42
        )
        self.context = nn.Sequential(  # along the lines
            nn.Conv2d(f, f, (1, 7), padding=(0, 3), groups=f, bias=False),
            nn.BatchNorm2d(f),
            nn.Conv2d(f, f, 1),
            nn.ReLU(inplace=True),
        )
        self.dropout = nn.Dropout(dropout)
        self.characters = nn.Linear(f, classes)
        self.kind = nn.Sequential(nn.Linear(2 * f, 96), nn.ReLU(inplace=True), nn.Linear(96, types))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:  # x: N 3 H W
        x = standardised(x)
        x = self.features(x)  # N F 2 42
        x = x + self.context(x)
        rows = x.flatten(2).transpose(1, 2)  # N 84 F: upper row, then lower row
        pooled = torch.cat([rows.mean(1), rows.amax(1)], dim=1)  # N 2F
        return self.characters(self.dropout(rows)), self.kind(pooled)


def standardised(x: Tensor) -> Tensor:
    """Each picture by its own mean and deviation: exposure and contrast stop mattering."""
    flat = x.flatten(1)
    mean, deviation = flat.mean(1), flat.std(1, unbiased=False)
    return (x - mean[:, None, None, None]) / (deviation[:, None, None, None] + 1e-2)
