"""The finder: where the plate's corners are, and the plate made flat for whoever reads it.

A crop of 94x24 that shows a turned plate leaves few pixels to a province, and convolutions had to know it in
every pose. Known corners make it one pose: even a linear classifier then reads provinces that whole networks
missed (docs/results.md). The corners are learnt from those the pipeline records, not from what is read.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from recognizer.networks.blocks import Convolution

MARGIN = (0.06, 0.03)  # share of the flat picture beyond the plate, above (and below), left (and right)
STRAY = (0.004, 0.012)  # how far corners are put off in training, shares of width and height: on real
#                         plates the finder is a little less sure than on ours


class Finder(nn.Module):
    """N 3 H W, standardised -> N 4 2: corners TL TR BR BL in shares of the picture."""

    def __init__(self, height: int, width: int, widths: tuple[int, ...] = (16, 32, 48, 64)) -> None:
        super().__init__()
        a, b, c, d = widths
        self.features = nn.Sequential(  # H W are those of 64 x 128
            Convolution(3, a, stride=(2, 2)),  # 32 64
            Convolution(a, b, stride=(2, 2)),  # 16 32
            Convolution(b, c, stride=(2, 2)),  # 8 16
            Convolution(c, c),
            Convolution(c, d, stride=(2, 2)),  # 4 8
            nn.Flatten(),
        )
        cells = -(-height // 16) * -(-width // 16)
        self.hidden = nn.Linear(d * cells, d)
        self.last = nn.Linear(d, 8)
        nn.init.normal_(self.last.weight, std=0.01)
        nn.init.zeros_(self.last.bias)
        self.register_buffer("usual", torch.tensor([[0.04, 0.1], [0.96, 0.1], [0.96, 0.9], [0.04, 0.9]]))

    def forward(self, x: Tensor) -> Tensor:
        x = torch.relu(self.hidden(self.features(x)))
        with torch.autocast(x.device.type, enabled=False):  # bfloat16 is too coarse for a corner
            return self.usual + self.last(x.float()).unflatten(1, (4, 2))


def strayed(corners: Tensor) -> Tensor:
    """N 4 2: corners a little off, each on its own."""
    return corners + torch.randn_like(corners) * corners.new_tensor(STRAY)


def flattened(x: Tensor, corners: Tensor, size: tuple[int, int]) -> Tensor:
    """N C H W, N 4 2 -> N C h w: what is within the corners fills the picture, but for MARGIN."""
    return F.grid_sample(x, grid(corners, size), "bilinear", "border", align_corners=False)


def grid(corners: Tensor, size: tuple[int, int]) -> Tensor:
    """N h w 2: places in [-1, 1] of the picture, one a pixel of the flat one.

    The homography from the unit square is written out (Heckbert 1989), since no exported graph solves a
    linear system.
    """
    height, width = size
    v = (torch.arange(height, device=corners.device, dtype=corners.dtype) + 0.5) / height
    u = (torch.arange(width, device=corners.device, dtype=corners.dtype) + 0.5) / width
    v = ((v - MARGIN[0]) / (1 - 2 * MARGIN[0]))[None, :, None]  # 1 h 1
    u = ((u - MARGIN[1]) / (1 - 2 * MARGIN[1]))[None, None, :]  # 1 1 w
    x, y = (corners[..., n, None, None].unbind(1) for n in (0, 1))  # four times N 1 1, each
    skew_x, skew_y = (p[0] - p[1] + p[2] - p[3] for p in (x, y))
    right_x, right_y, low_x, low_y = x[1] - x[2], y[1] - y[2], x[3] - x[2], y[3] - y[2]
    area = (right_x * low_y - low_x * right_y).clamp(max=-1e-3)  # below 0 for corners in their order
    g = (skew_x * low_y - low_x * skew_y) / area
    h = (right_x * skew_y - skew_x * right_y) / area
    depth = (g * u + h * v + 1).clamp(min=0.1)
    across = (x[1] - x[0] + g * x[1]) * u + (x[3] - x[0] + h * x[3]) * v + x[0]
    down = (y[1] - y[0] + g * y[1]) * u + (y[3] - y[0] + h * y[3]) * v + y[0]
    return torch.stack([across / depth, down / depth], dim=3) * 2 - 1
