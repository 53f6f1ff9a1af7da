"""Differentiable augmentation of what the discriminator sees, real and fake alike (Zhao et al. 2020).

With a few hundred crops the discriminator would know them by heart; changed at every look, they last longer.
Colour and cutout touch the picture alone; a translation moves picture and condition together.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor


@dataclass(frozen=True)
class Augmentation:
    """How far each change goes; 0 leaves it out."""

    brightness: float = 0.4  # of [-1, 1], up or down by half of it
    saturation: float = 0.5  # of 1, up or down
    contrast: float = 0.3
    translation: float = 0.08  # of height and width
    cutout: float = 0.25  # side of the grey square, of height and width

    def __call__(self, picture: Tensor, condition: Tensor) -> tuple[Tensor, Tensor]:
        """N 3 H W and N C H W, each picture changed by numbers of its own."""
        picture = self.coloured(picture)
        if self.cutout:
            picture = cut_out(picture, self.cutout)
        if self.translation:
            planes = moved(torch.cat([picture, condition], dim=1), self.translation)
            picture, condition = planes[:, :3], planes[:, 3:]
        return picture, condition

    def coloured(self, x: Tensor) -> Tensor:
        """Brightness, saturation and contrast in one pass: x * a + grey * b + level * c + d."""
        n = (len(x), 1, 1, 1)
        light, colour, contrast = (torch.rand(n, device=x.device) * 2 - 1 for _ in range(3))
        saturation, contrast = 1 + self.saturation * colour, 1 + self.contrast * contrast
        grey = x.mean(1, keepdim=True)
        x = grey + (x - grey) * saturation
        level = grey.mean((2, 3), keepdim=True)
        return level + (x - level) * contrast + self.brightness / 2 * light


def moved(planes: Tensor, share: float) -> Tensor:
    """Each picture shifted by up to a share of its size; what comes in is 0."""
    height, width = planes.shape[2:]
    dy, dx = int(height * share), int(width * share)
    wide = F.pad(planes, (dx, dx, dy, dy))
    top = torch.randint(0, 2 * dy + 1, (len(planes),)).tolist()
    left = torch.randint(0, 2 * dx + 1, (len(planes),)).tolist()
    return torch.stack(
        [picture[:, y : y + height, x : x + width] for picture, y, x in zip(wide, top, left, strict=True)]
    )


def cut_out(x: Tensor, share: float) -> Tensor:
    """A rectangle of each picture set to 0."""
    n, _, height, width = x.shape
    y, x0 = (torch.rand(n, 1, device=x.device) for _ in range(2))
    rows = (torch.linspace(0, 1, height, device=x.device) - y).abs() < share / 2
    columns = (torch.linspace(0, 1, width, device=x.device) - x0).abs() < share / 2
    hole = rows[:, None, :, None] & columns[:, None, None, :]
    return x.masked_fill(hole, 0.0)
