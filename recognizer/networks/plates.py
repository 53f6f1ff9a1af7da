"""PlateNet: one small convolutional reader for one- and two-row plates of every type.

The whole crop becomes a map four cells high; nothing is cut at a fixed height, so tilted two-row plates are
read like any other. Two heads read the map (docs/results.md compares them):

- `slots` (default): one attention map a symbol; the first looks for the province or the Japanese office.
- `lines`: the map shrinks to two rows, which CTC reads as one sequence, upper row first.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from recognizer.networks.slots import Slots


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


class Lines(nn.Module):
    """Two rows of the map, the upper one first, as one sequence for CTC."""

    def __init__(self, channels: int, classes: int, dropout: float) -> None:
        super().__init__()
        self.rows = Convolution(channels, channels, stride=(2, 1))
        self.classes = nn.Sequential(nn.Dropout(dropout), nn.Linear(channels, classes))

    def forward(self, x: Tensor) -> Tensor:  # x: N C 4 W
        scores: Tensor = self.classes(self.rows(x).flatten(2).transpose(1, 2))  # N 2W classes
        return scores


class PlateNet(nn.Module):
    """About 0.5 M parameters and 70 MMAC at 64 x 128 with the default widths and four parts."""

    def __init__(
        self,
        classes: int,
        types: int,
        height: int = 64,
        width: int = 128,
        widths: tuple[int, ...] = (32, 48, 96, 112, 144),
        head: str = "slots",
        slots: int = 12,
        parts: int = 1,
        dropout: float = 0.1,
    ) -> None:
        super().__init__()
        a, b, c, d, e = widths
        self.features = nn.Sequential(  # H W are those of 64 x 128
            Convolution(3, a, stride=(2, 2)),  # 32 64
            Convolution(a, b, stride=(2, 2)),  # 16 32
            Residual(b, 2 * b // 3, 3),
            Convolution(b, c, stride=(2, 1)),  # 8 32
            Residual(c, c // 2, 1),
            Convolution(c, d, stride=(2, 1)),  # 4 32
            Residual(d, d // 2, 1),
            Convolution(d, e, 1),
            Context(e, (3, 11)),
            Context(e, (3, 11)),
        )
        cells = (-(-height // 16), -(-width // 4))
        self.slotted = head == "slots"  # tells the training which loss its scores want
        self.text = (
            Slots(e, classes, slots, cells, dropout, parts) if self.slotted else Lines(e, classes, dropout)
        )
        self.kind = nn.Sequential(nn.Linear(2 * e, 96), nn.ReLU(inplace=True), nn.Linear(96, types))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:  # x: N 3 H W
        x = self.features(standardised(x))  # N E 4 32
        pooled = torch.cat([x.mean((2, 3)), x.amax((2, 3))], dim=1)  # N 2E
        return self.text(x), self.kind(pooled)


def standardised(x: Tensor) -> Tensor:
    """Each picture by its own mean and deviation: exposure and contrast stop mattering."""
    flat = x.flatten(1)
    mean, deviation = flat.mean(1), flat.std(1, unbiased=False)
    return (x - mean[:, None, None, None]) / (deviation[:, None, None, None] + 1e-2)
