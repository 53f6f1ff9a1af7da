"""LPRNet (Zherzdev and Gruzdev, 2018): a light convolutional reader of one-row plates, here as a rival.

The layout is the one everybody benchmarks: 24 x 94 in, 18 steps out, small basic blocks, global context
taken at four depths. Three things differ. The 3-D poolings, which also drop channels, are 2-D poolings of
every n-th channel (equal bit for bit, and fit for channels_last). The context is scaled picture by picture,
so that a reading does not depend on what else is in the batch. A second output names the type.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from synth.errors import UserError

SHAPE = (24, 94)  # the poolings below fit together for this one alone
SMALLEST_POWER = 1e-4  # a feature that is dead in a whole picture gives 0, not 0 / 0


class SmallBasicBlock(nn.Sequential):
    """A 3x3 convolution taken apart: 1x1 to a quarter, 3x1, 1x3, 1x1 back (the paper's table 2)."""

    def __init__(self, inputs: int, outputs: int) -> None:
        inner = outputs // 4
        super().__init__(
            nn.Conv2d(inputs, inner, 1),
            nn.ReLU(inplace=True),
            nn.Conv2d(inner, inner, (3, 1), padding=(1, 0)),
            nn.ReLU(inplace=True),
            nn.Conv2d(inner, inner, (1, 3), padding=(0, 1)),
            nn.ReLU(inplace=True),
            nn.Conv2d(inner, outputs, 1, bias=False),
        )


class Pool(nn.Module):
    """MaxPool3d((1, 3, 3), stride=(channels, 1, columns)) over C H W, as a 2-D pooling."""

    def __init__(self, channels: int, columns: int) -> None:
        super().__init__()
        self.channels, self.columns = channels, columns

    def forward(self, x: Tensor) -> Tensor:  # x: N C H W
        return F.max_pool2d(x[:, :: self.channels], 3, (1, self.columns))


class LPRNet(nn.Module):
    """0.45 M parameters with the 68 classes of the well-known port; 1.27 M with the 263 of all bundled types,
    because two of its layers grow with the vocabulary.
    """

    def __init__(
        self,
        classes: int,
        types: int,
        height: int = SHAPE[0],
        width: int = SHAPE[1],
        dropout: float = 0.1,
    ) -> None:
        super().__init__()
        if (height, width) != SHAPE:
            raise UserError(f"recognizer: LPRNet reads {SHAPE[0]} x {SHAPE[1]}, not {height} x {width}")
        self.height, self.width = height, width
        self.stem = nn.Sequential(nn.Conv2d(3, 64, 3, bias=False), *normed(64))  # 64 22 92
        self.near = nn.Sequential(Pool(1, 1), SmallBasicBlock(64, 128), *normed(128))  # 128 20 90
        self.middle = nn.Sequential(  # 256 18 44
            Pool(2, 2), SmallBasicBlock(64, 256), *normed(256), SmallBasicBlock(256, 256), *normed(256)
        )
        self.far = nn.Sequential(  # 256 16 18
            Pool(4, 2), nn.Dropout(dropout), nn.Conv2d(64, 256, (1, 4), bias=False), *normed(256)
        )
        self.letters = nn.Sequential(  # classes 4 18
            nn.Dropout(dropout), nn.Conv2d(256, classes, (13, 1), bias=False), *normed(classes)
        )
        self.characters = nn.Conv2d(64 + 128 + 256 + classes, classes, 1)
        self.kind = nn.Linear(2 * 256, types)
        self.apply(initialise)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:  # x: N 3 24 94
        stem = self.stem(x)
        near = self.near(stem)
        middle = self.middle(near)
        far = self.far(middle)
        context = [
            F.avg_pool2d(stem, 5, 5),
            F.avg_pool2d(near, 5, 5),
            F.avg_pool2d(middle, (4, 10), (4, 2)),
            self.letters(far),
        ]  # each N C 4 18
        seen = torch.cat([scaled(part) for part in context], dim=1)
        scores = self.characters(seen).mean(2).transpose(1, 2)  # N 18 classes
        pooled = torch.cat([far.mean((2, 3)), far.amax((2, 3))], dim=1)  # N 512
        return scores, self.kind(pooled)


def scaled(x: Tensor) -> Tensor:
    """Features over their mean square; of each picture, where the port takes that of the whole batch."""
    power = x.float().square().mean((1, 2, 3), keepdim=True)
    return x / (power + SMALLEST_POWER).to(x.dtype)


def normed(channels: int) -> tuple[nn.Module, nn.Module]:
    return nn.BatchNorm2d(channels), nn.ReLU(inplace=True)


def initialise(module: nn.Module) -> None:
    """He et al. for every convolution: the inside of a small block has no normalisation to rescue it."""
    if isinstance(module, nn.Conv2d):
        nn.init.kaiming_normal_(module.weight, mode="fan_in", nonlinearity="relu")
        if module.bias is not None:
            nn.init.zeros_(module.bias)
