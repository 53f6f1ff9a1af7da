"""What the networks of the readers are made of."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Convolution(nn.Sequential):
    """Convolution, batch norm, ReLU."""

    def __init__(self, inputs: int, outputs: int, kernel: int = 3, stride: tuple[int, int] = (1, 1)) -> None:
        super().__init__(
            nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False),
            nn.BatchNorm2d(outputs),
            nn.ReLU(inplace=True),
        )


class Residual(nn.Module):
    """x + what a narrow 3x3 convolution between two others makes of it."""

    def __init__(self, channels: int, narrow: int, edge: int) -> None:
        super().__init__()
        layers = [Convolution(channels, narrow, edge)]
        if edge == 1:
            layers.append(Convolution(narrow, narrow))
        self.body = nn.Sequential(
            *layers,
            nn.Conv2d(narrow, channels, edge, padding=edge // 2, bias=False),
            nn.BatchNorm2d(channels),
        )

    def forward(self, x: Tensor) -> Tensor:  # x: N C H W
        return torch.relu(x + self.body(x))


class Context(nn.Module):
    """What stands to the left and right: a wide convolution of each channel, then a mix of them."""

    def __init__(self, channels: int, kernel: tuple[int, int]) -> None:
        super().__init__()
        padding = (kernel[0] // 2, kernel[1] // 2)
        self.body = nn.Sequential(
            nn.Conv2d(channels, channels, kernel, padding=padding, groups=channels, bias=False),
            nn.BatchNorm2d(channels),
            nn.Conv2d(channels, channels, 1, bias=False),
            nn.BatchNorm2d(channels),
        )

    def forward(self, x: Tensor) -> Tensor:  # x: N C H W
        return torch.relu(x + self.body(x))


def standardised(x: Tensor) -> Tensor:
    """Each picture by its own mean and deviation: exposure and contrast stop mattering."""
    x = x - x.mean((1, 2, 3), keepdim=True)
    spread = (x * x).mean((1, 2, 3), keepdim=True)  # a sixteenth of torch.std's time
    return x / (spread.clamp_min(1e-12).sqrt() + 1e-2)  # a picture of one colour has a gradient too
