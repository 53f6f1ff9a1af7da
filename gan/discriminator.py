"""The patch discriminator: is this part of the picture a photograph of this part of the plate?"""

from __future__ import annotations

from collections.abc import Sequence

import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from gan.blocks import joined


class Patches(nn.Module):
    """Judges patches of about 54 pixels; no norm over the batch, since real and fake go through together."""

    def __init__(self, inputs: int, channels: int, spectral: bool) -> None:
        super().__init__()
        sizes = [(inputs, channels, 4), (channels, 2 * channels, 4), (2 * channels, 4 * channels, 4)]
        sizes += [(4 * channels, 4 * channels, 3), (4 * channels, 1, 3)]
        self.layers = nn.ModuleList()
        for n_in, n_out, kernel in sizes:
            layer = nn.Conv2d(n_in, n_out, kernel, 2 if kernel == 4 else 1, 1)
            self.layers.append(spectral_norm(layer) if spectral else layer)

    def forward(self, x: Tensor) -> list[Tensor]:
        """The features of every layer; the last are the N 1 h w judgements."""
        found: list[Tensor] = []
        for layer in self.layers:
            x = layer(x if not found else F.leaky_relu(x, 0.2))
            found.append(x)
        return found


class Discriminator(nn.Module):
    """One patch discriminator a scale, each at half the size of the one before."""

    def __init__(self, planes: int, channels: int = 32, scales: int = 1, spectral: bool = True) -> None:
        super().__init__()
        self.scales = nn.ModuleList([Patches(3 + planes, channels, spectral) for _ in range(scales)])

    def forward(self, picture: Tensor, condition: Tensor) -> list[list[Tensor]]:
        """A list of features a scale."""
        x = joined(picture, condition)
        found: list[list[Tensor]] = []
        for scale in self.scales:
            found.append(scale(x if not found else F.avg_pool2d(x, 2 ** len(found))))
        return found


def judgements(found: Sequence[Sequence[Tensor]]) -> list[Tensor]:
    return [features[-1].float() for features in found]
