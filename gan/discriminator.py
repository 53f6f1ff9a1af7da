"""The patch discriminator: is this part of the picture a photograph of this part of the plate?"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from gan.blocks import joined
from gan.outline import PLATE
from gan.sight import blurred, light_and_colour


class Patches(nn.Module):
    """Judges patches of about 54 pixels after three halvings, of 12 after one.

    No norm over the batch, since real and fake go through together.
    """

    def __init__(self, inputs: int, channels: int, spectral: bool, halvings: int = 3) -> None:
        super().__init__()
        widths = [inputs, *(channels * 2**n for n in range(halvings))]
        sizes = [(n_in, n_out, 4) for n_in, n_out in itertools.pairwise(widths)]
        sizes += [(widths[-1], widths[-1], 3), (widths[-1], 1, 3)]
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
    """One patch discriminator for each number of halvings: shapes for one, grain and edges for another."""

    def __init__(
        self,
        planes: int,
        channels: int = 32,
        halvings: Sequence[int] = (3,),
        spectral: bool = True,
        grain: float = 0.0,
        strokes: bool = True,
        colour: float = 0.0,
    ) -> None:
        super().__init__()
        self.strokes = strokes  # whether it is told where strokes should be: real ones are never quite there
        self.grain = grain  # how often detail of a pixel's size is multiplied: it is small, and tells most
        self.colour = colour  # how often detail of colour of a few pixels is; 0: as that of light
        inputs = (6 if grain else 3) + (planes if strokes else planes - PLATE)
        self.judges = nn.ModuleList([Patches(inputs, channels, spectral, each) for each in halvings])

    def forward(self, picture: Tensor, condition: Tensor) -> list[list[Tensor]]:
        """A list of features a judge."""
        x = joined(picture, condition if self.strokes else condition[:, PLATE:])
        if self.grain:
            x = joined(x, self.detail(picture))
        return [judge(x) for judge in self.judges]

    def detail(self, picture: Tensor) -> Tensor:
        """N 3 H W: what is fine in a picture, or its light's, and what is less fine of its colour."""
        fine = self.grain * (picture - blurred(picture, 1))
        if not self.colour:
            return fine
        _, colour = light_and_colour(picture - blurred(picture, 3))
        return joined(light_and_colour(fine)[0], self.colour * colour[:, 0:1], self.colour * colour[:, 2:3])


def judgements(found: Sequence[Sequence[Tensor]]) -> list[Tensor]:
    return [features[-1].float() for features in found]
