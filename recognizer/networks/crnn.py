"""CRNN (Shi, Bai and Yao, 2015): convolutions, a bidirectional LSTM along the line, CTC; here as a rival.

The columns of the picture become a sequence, so it reads one line well and has to learn by heart how two
lines above each other come out as one text.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from recognizer.networks.blocks import Convolution, standardised
from synth.errors import UserError

HEAD = 1 / 3  # deviation of its first weights: with an eighth of it, CTC stands still for 50,000 plates


class CRNN(nn.Module):
    """About 0.97 M parameters at the default widths; 42 steps at 48 x 168."""

    def __init__(
        self,
        classes: int,
        types: int,
        height: int = 48,
        width: int = 168,
        widths: tuple[int, ...] = (32, 64, 96, 128, 160),
        hidden: int = 96,
        dropout: float = 0.1,
    ) -> None:
        super().__init__()
        if height % 16 or width % 4:
            raise UserError(
                f"recognizer: CRNN reads heights of 16 n and widths of 4 n, not {height} x {width}"
            )
        self.height, self.width = height, width
        a, b, c, d, e = widths
        self.features = nn.Sequential(  # H W are those of 48 x 168
            Convolution(3, a),
            nn.MaxPool2d(2),  # 24 84
            Convolution(a, b),
            nn.MaxPool2d(2),  # 12 42
            Convolution(b, c),
            Convolution(c, c),
            nn.MaxPool2d((2, 1)),  # 6 42
            Convolution(c, d),
            nn.MaxPool2d((2, 1)),  # 3 42
            nn.Conv2d(d, e, (height // 16, 3), padding=(0, 1), bias=False),  # 1 42
            nn.BatchNorm2d(e),
            nn.ReLU(inplace=True),
        )
        self.context = nn.LSTM(e, hidden, num_layers=2, batch_first=True, bidirectional=True)
        initialise(self.context)
        self.dropout = nn.Dropout(dropout)
        self.characters = nn.Linear(2 * hidden, classes)
        nn.init.normal_(self.characters.weight, std=HEAD)
        self.kind = nn.Sequential(nn.Linear(2 * e, 96), nn.ReLU(inplace=True), nn.Linear(96, types))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:  # x: N 3 H W
        x = self.features(standardised(x))  # N E 1 42
        columns = x.squeeze(2).transpose(1, 2)  # N 42 E
        pooled = torch.cat([columns.mean(1), columns.amax(1)], dim=1)  # N 2E
        line, _ = self.context(columns)  # N 42 2*hidden
        return self.characters(self.dropout(line)), self.kind(pooled)


def initialise(lstm: nn.LSTM) -> None:
    """Orthogonal recurrence, gates that remember at first: 200 plates are learnt in half of the images."""
    for name, weight in lstm.named_parameters():
        gates = weight.data.chunk(4)  # input, forget, cell, output
        for gate in gates:
            if name.startswith("weight_hh"):
                nn.init.orthogonal_(gate)
            elif name.startswith("weight_ih"):
                nn.init.xavier_uniform_(gate)
            else:
                nn.init.zeros_(gate)
        if name.startswith("bias_ih"):
            nn.init.ones_(gates[1])
