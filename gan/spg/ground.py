"""The ground of a plate, where neither text is: what an edit must not change, and what it is matched to."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from gan.losses import lightness
from gan.outline import GLYPHS, PLATE

RIM = 2  # pixels around a character that are not ground: blur, and the edge of a mask
NEAR = (15, 31)  # rows and columns over which colours are compared
FEW = 0.02  # share of ground nearby below which the whole plate's difference counts as much


def common(plate: Tensor, masks: Tensor) -> Tensor:
    """N 1 H W: share of each pixel that is ground before and after; plate in [-1, 1], masks N 2 H W."""
    inside = F.relu(plate)
    return inside * (1 - spread(masks.amax(1, keepdim=True).to(plate.dtype), RIM))


def cast(picture: Tensor, drawn: Tensor, ground: Tensor) -> Tensor:
    """N 3 H W: how much lighter, redder, ... the picture is than what is drawn, on the ground nearby."""
    apart = ground * (picture - drawn)
    whole = apart.mean((2, 3), keepdim=True) / (ground.mean((2, 3), keepdim=True) + 1e-6)
    return (nearby(apart) + FEW * whole) / (nearby(ground) + FEW)


def nearby(x: Tensor) -> Tensor:
    """Means over NEAR, columns and rows one after the other; what lies beyond the picture does not count."""
    rows, columns = NEAR
    x = F.avg_pool2d(x, (rows, 1), 1, (rows // 2, 0), count_include_pad=False)
    return F.avg_pool2d(x, (1, columns), 1, (0, columns // 2), count_include_pad=False)


def spread(mask: Tensor, rim: int) -> Tensor:
    """N 1 H W: shares spread over `rim` pixels."""
    return F.max_pool2d(mask, 2 * rim + 1, 1, rim)


def shadow(drawn: Tensor, asked: Tensor, crop: Tensor, condition: Tensor) -> Tensor:
    """How deep the old characters still show on the ground of the new plate, for their contrast before.

    Pictures N 3 H W, planes N C H W, all in [-1, 1]. Slopes of lightness against coverage by the old text.
    """
    plate, new = (asked[:, n : n + 1] for n in (PLATE, GLYPHS))
    old = (condition[:, GLYPHS : GLYPHS + 1] + 1) / 2
    ground = F.relu(plate) * (1 - spread((new + 1) / 2, RIM))
    after = slope(lightness(drawn), old, ground)
    before = slope(lightness(crop), old, F.relu(condition[:, PLATE : PLATE + 1]))
    return (after / before.abs().clamp(min=0.1)).abs().clamp(max=1).mean()


def slope(values: Tensor, against: Tensor, where: Tensor) -> Tensor:
    """N: least squares of N 1 H W values over others, weighted."""
    share = where / where.sum((2, 3), keepdim=True).clamp(min=1)
    x = against - (share * against).sum((2, 3), keepdim=True)
    y = values - (share * values).sum((2, 3), keepdim=True)
    return (share * x * y).sum((1, 2, 3)) / ((share * x * x).sum((1, 2, 3)) + 1e-3)
