"""What is asked for looks at the source: every place of the new text gathers what it needs from the old."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from gan.blocks import joined, places

WAVES = 4  # octaves in which a place is told


class Attention(nn.Module):
    """Queries gather values from tokens, their own or others' (Vaswani et al. 2017)."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query, self.key_value = nn.Linear(width, width), nn.Linear(width, 2 * width)
        self.out = nn.Linear(width, width)

    def forward(self, x: Tensor, tokens: Tensor) -> Tensor:  # x: N T D, tokens: N U D
        n, count, width = x.shape
        q = self.query(x).view(n, count, self.heads, -1).transpose(1, 2)
        k, v = self.key_value(tokens).view(n, tokens.shape[1], 2, self.heads, -1).permute(2, 0, 3, 1, 4)
        # written out: over a hundred places torch's own is twice as slow on a CPU, there and back
        weights = (q * q.shape[-1] ** -0.5 @ k.transpose(-1, -2)).softmax(-1).to(v.dtype)  # N heads T U
        gathered = weights @ v  # N heads T D/heads
        out: Tensor = self.out(gathered.transpose(1, 2).reshape(n, count, width))
        return out


class Layer(nn.Module):
    """Self-attention among the places asked for, cross-attention to the source, two linear layers."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.norms = nn.ModuleList([nn.LayerNorm(width) for _ in range(3)])
        self.own, self.other = Attention(width, heads), Attention(width, heads)
        self.wide = nn.Sequential(nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width))

    def forward(self, x: Tensor, source: Tensor) -> Tensor:
        near = self.norms[0](x)
        x = x + self.own(near, near)
        x = x + self.other(self.norms[1](x), source)
        out: Tensor = x + self.wide(self.norms[2](x))
        return out


class Transformer(nn.Module):
    """Features of what is asked for and of the source, of one size -> features that know both."""

    def __init__(self, channels: int, layers: int, heads: int) -> None:
        super().__init__()
        told = 2 * 2 * WAVES
        self.asked = nn.Conv2d(channels + told, channels, 1)
        self.source = nn.Conv2d(channels + told, channels, 1)
        self.norm = nn.LayerNorm(channels)
        self.layers = nn.ModuleList([Layer(channels, heads) for _ in range(layers)])

    def forward(self, asked: Tensor, source: Tensor) -> Tensor:  # N D h w each -> N D h w
        where = waves(asked)
        x, seen = (tokens(part(joined(f, where))) for part, f in ((self.asked, asked), (self.source, source)))
        seen = self.norm(seen)
        for layer in self.layers:
            x = layer(x, seen)
        return x.transpose(1, 2).reshape_as(asked)


class Mixed(nn.Module):
    """What stands in for the transformer when it is left out: each place sees the source's same place."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.mixed = nn.Conv2d(2 * channels, channels, 1)

    def forward(self, asked: Tensor, source: Tensor) -> Tensor:
        out: Tensor = self.mixed(joined(asked, source))
        return out


def tokens(x: Tensor) -> Tensor:
    """N D h w -> N hw D."""
    return x.flatten(2).transpose(1, 2)


def waves(x: Tensor) -> Tensor:
    """N 4*WAVES h w: sines and cosines of where each pixel is, for maps of any size."""
    angles = torch.cat([places(x) * (torch.pi * 2**n / 2) for n in range(WAVES)], dim=1)
    return torch.cat([angles.sin(), angles.cos()], dim=1)
