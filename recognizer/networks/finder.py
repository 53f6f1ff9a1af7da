"""The finder: where the plate's corners are, and the plate made flat for whoever reads it.

A crop of 94x24 that shows a turned plate leaves few pixels to a province, and convolutions had to know it in
every pose. Known corners make it one pose: even a linear classifier then reads provinces that whole networks
missed (docs/results.md). The corners are learnt from those the pipeline records, not from what is read.

It looks at the crop, and then at the plate as the look before makes it flat, where what is left to mend is
small and the same in every pose: one network, asked as often as one likes.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gan.losses import lightness
from recognizer.networks.blocks import Convolution, standardised
from synth.errors import UserError

MARGIN = (0.06, 0.03)  # share of the flat picture beyond the plate, above (and below), left (and right)
STRAY = (0.004, 0.012)  # how far corners are put off in training, shares of width and height: on real
#                         plates the finder is a little less sure than on ours
AGAIN = (48, 128)  # rows and columns of the flat picture that later looks see, in grey, shrunk by 1
AGAIN_WIDTHS = (16, 32, 64, 96)
AGAIN_MARGIN = (0.16, 0.08)  # wider: the corners that it looks for may lie beyond those found
BEYOND = 0.5  # of the picture: no corner is sought farther away
AGAIN_STRAY = (0.01, 0.03)  # before the second look; before those after it, STRAY


class Finder(nn.Module):
    """N 3 H W, standardised -> N looks 4 2: corners TL TR BR BL in shares of the picture, of every look."""

    def __init__(self, height: int, width: int, looks: int = 3, shrunk: int = 1) -> None:
        super().__init__()
        if looks < 1:
            raise UserError(f"recognizer.network.looks: {looks} is below 1")
        if shrunk not in (1, 2):
            raise UserError(f"recognizer.network.shrunk: {shrunk} is neither 1 nor 2")
        self.looks, self.shrunk = looks, shrunk
        self.size = (AGAIN[0] // shrunk, AGAIN[1] // shrunk)
        self.first = Look(3, height, width)
        self.again = Look(1, *AGAIN, AGAIN_WIDTHS, shrunk) if looks > 1 else nn.Identity()
        self.register_buffer("usual", torch.tensor([[0.04, 0.1], [0.96, 0.1], [0.96, 0.9], [0.04, 0.9]]))
        self.register_buffer("square", torch.tensor([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]]))

    def forward(self, x: Tensor) -> Tensor:
        found = [self.usual + self.first(x)]
        grey = lightness(x)
        if self.shrunk > 1:
            grey = F.avg_pool2d(grey, self.shrunk)
        for number in range(1, self.looks):
            known = found[-1].detach().clamp(-BEYOND, 1 + BEYOND)
            if self.training:
                known = strayed(known, AGAIN_STRAY if number == 1 else STRAY)
            flat = standardised(flattened(grey, known, self.size, AGAIN_MARGIN))
            found.append(placed(known.float(), self.square + self.again(flat)))
        return torch.stack(found, dim=1)


class Look(nn.Module):
    """N C H W -> N 4 2: how far each corner is from where it is thought to be; nowhere at first.

    Its pictures are `height` by `width`, or shrunk already by 2.
    """

    def __init__(
        self,
        channels: int,
        height: int,
        width: int,
        widths: tuple[int, ...] = (16, 32, 48, 64),
        shrunk: int = 1,
    ) -> None:
        super().__init__()
        a, b, c, d = widths
        self.features = nn.Sequential(  # H W are those of 64 x 128
            Convolution(channels, a, stride=(2 // shrunk, 2 // shrunk)),  # 32 64
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

    def forward(self, x: Tensor) -> Tensor:
        x = torch.relu(self.hidden(self.features(x)))
        with torch.autocast(x.device.type, enabled=False):  # bfloat16 is too coarse for a corner
            moved: Tensor = self.last(x.float()).unflatten(1, (4, 2))
        return moved


def strayed(corners: Tensor, stray: tuple[float, float] = STRAY) -> Tensor:
    """N 4 2: corners a little off, each on its own."""
    return corners + torch.randn_like(corners) * corners.new_tensor(stray)


def flattened(
    x: Tensor, corners: Tensor, size: tuple[int, int], margin: tuple[float, float] = MARGIN
) -> Tensor:
    """N C H W, N 4 2 -> N C h w: what is within the corners fills the picture, but for the margin."""
    return cut(x, corners, corners.new_tensor(within(margin)), size)


def within(margin: tuple[float, float]) -> list[list[float]]:
    """The matrix from the unit square of a picture to that of the plate in it."""
    (down, across), (high, wide) = margin, (1 - 2 * side for side in margin)
    return [[1 / wide, 0, -across / wide], [0, 1 / high, -down / high], [0, 0, 1]]


def cut(x: Tensor, corners: Tensor, part: Tensor, size: tuple[int, int]) -> Tensor:
    """N C H W, N 4 2, 3 3 or N 3 3 from a picture's unit square to the plate's -> N C h w, that picture.

    Beyond `x` lies what is at its border. Places are kept within it instead of asking for that, which is the
    same: only for pictures without a border ONNX Runtime has a fast way, four times as fast.
    """
    height, width = x.shape[2:]
    ends = x.new_tensor([[1 - 1 / width], [1 - 1 / height]])  # the middles of the outer pixels
    with torch.autocast(x.device.type, enabled=False):  # bfloat16 is too coarse for a place
        to_places = corners.new_tensor([[2.0, 0, -1], [0, 2, -1], [0, 0, 1]])  # from shares to [-1, 1]
        places = laid(to_places @ homography(corners) @ part, centres(size, corners))  # N 2 hw
    places = torch.minimum(torch.maximum(places, -ends), ends).transpose(1, 2).unflatten(1, size)
    return F.grid_sample(x, places, "bilinear", "zeros", align_corners=False)


def centres(size: tuple[int, int], like: Tensor) -> Tensor:
    """3 hw: x, y and 1 of the middles of all pixels of the unit square."""
    y, x = ((torch.arange(side, device=like.device, dtype=like.dtype) + 0.5) / side for side in size)
    down, across = torch.meshgrid(y, x, indexing="ij")
    return torch.stack([across, down, torch.ones_like(down)]).flatten(1)


def placed(corners: Tensor, points: Tensor) -> Tensor:
    """N 4 2, P 2 or N P 2 -> N P 2: points of the unit square in shares of the picture."""
    one = torch.cat([points, torch.ones_like(points[..., :1])], dim=-1).transpose(-1, -2)
    with torch.autocast(corners.device.type, enabled=False):
        return laid(homography(corners), one).transpose(1, 2)


def laid(matrix: Tensor, points: Tensor) -> Tensor:
    """N 3 3, 3 P or N 3 P -> N 2 P."""
    x = matrix @ points
    return x[:, :2] / x[:, 2:].clamp(min=0.1)


def homography(corners: Tensor) -> Tensor:
    """N 4 2 -> N 3 3: from the unit square to the corners.

    Written out (Heckbert 1989), since no exported graph solves a linear system.
    """
    a, b, c, d = corners.unbind(1)
    skew, right, low = a - b + c - d, b - c, d - c
    area = crossed(right, low).clamp(max=-1e-3)  # below 0 for corners in their order
    g, h = crossed(skew, low) / area, crossed(right, skew) / area
    columns = [(b - a + g * b, g), (d - a + h * d, h), (a, torch.ones_like(g))]
    return torch.stack([torch.cat(column, dim=1) for column in columns], dim=2)


def crossed(a: Tensor, b: Tensor) -> Tensor:
    """N 2, N 2 -> N 1."""
    return a[:, :1] * b[:, 1:] - a[:, 1:] * b[:, :1]
