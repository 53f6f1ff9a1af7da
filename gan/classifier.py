"""A small network that learns real from synthetic on one half of the texts and is judged on the other."""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import numpy as np
import torch
from torch import nn

from synth.sample import Image


def network() -> nn.Module:
    """N 3 H W in [-1, 1] -> N logits, positive for real."""
    layers: list[nn.Module] = []
    for n_in, n_out in ((3, 16), (16, 32), (32, 64)):
        layers += [nn.Conv2d(n_in, n_out, 3, padding=1, bias=False), nn.BatchNorm2d(n_out)]
        layers += [nn.ReLU(), nn.MaxPool2d(2)]
    head = [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(0.2), nn.Linear(64, 1), nn.Flatten(0)]
    return nn.Sequential(*layers, *head)


def held_out(text: str) -> bool:
    """Every second text, by its hash: all pictures of a text are on one side."""
    return zlib.crc32(text.encode()) % 2 == 1


def shifted(batch: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """N C H W, moved by up to two pixels, so that few pictures teach longer."""
    dx, dy = (torch.randint(-2, 3, (2,), generator=generator)).tolist()
    return torch.roll(batch, (dy, dx), (2, 3))


def classifier_accuracy(
    real: Sequence[Image], synthetic: Sequence[Image], texts: Sequence[str], seed: int, epochs: int = 24
) -> float:
    """Held-out accuracy of a small network at telling real from synthetic; both show `texts`, at one size."""
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed)
    pixels = (
        torch.from_numpy(np.stack([*real, *synthetic])).permute(0, 3, 1, 2).float() / 127.5 - 1
    )  # N 3 H W
    is_real = torch.cat([torch.ones(len(real)), torch.zeros(len(synthetic))])
    test = torch.tensor([held_out(text) for text in texts]).repeat(2)
    x, y = pixels[~test], is_real[~test]
    model = network()
    steps = epochs * (len(x) // 32 + 1)
    optimiser = torch.optim.AdamW(model.parameters(), lr=4e-3, weight_decay=0.02)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 4e-3, total_steps=steps)
    for _ in range(epochs):
        for part in torch.randperm(len(x), generator=generator).split(32):
            loss = nn.functional.binary_cross_entropy_with_logits(model(shifted(x[part], generator)), y[part])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
    model.eval()
    with torch.no_grad():
        return float(((model(pixels[test]) > 0) == (is_real[test] > 0)).float().mean())
