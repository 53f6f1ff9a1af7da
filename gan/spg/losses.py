"""What an edit is asked for beyond `gan.losses`: masks, features, style."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gan.losses import ADVERSARIAL, Legend, mean_of
from synth.errors import UserError

FOCUS = 4.0  # more weight of a character's pixel in L1
LEVELS = 3  # of the Laplacian pyramid
BLUR = (1.0, 4.0, 6.0, 4.0, 1.0)  # binomial, as in Burt & Adelson 1983


@dataclass(frozen=True)
class EditWeights:
    """How much each loss counts; 0 leaves one out, and what it needs with it."""

    kind: str = "hinge"  # of the adversarial loss
    adversarial: float = 1.0
    l1: float = 10.0  # to the true edit
    drawn: float = 2.0  # the same before anything is kept: or what is kept would never be learnt
    mask: float = 3.0
    cycle: float = 5.0  # real crops, edited back from an edit
    likeness: float = 4.0  # real crops: the new text as clear as the old one was
    shadow: float = 2.0  # real crops: nothing of the old text on the new ground
    perceptual: float = 1.0  # these two need `perceptual`
    style: float = 1.0
    reading: float = 1.0  # needs `reader`

    def __post_init__(self) -> None:
        if self.kind not in ADVERSARIAL:
            raise UserError(f"gan.losses.kind: {self.kind!r} is unknown; use {' or '.join(ADVERSARIAL)}")
        for field in fields(self):
            if field.name != "kind" and getattr(self, field.name) < 0:
                raise UserError(
                    f"gan.losses.{field.name}: {getattr(self, field.name)} is below 0; 0 leaves it out"
                )

    def total(self, parts: Mapping[str, Tensor]) -> Tensor:
        return torch.stack([getattr(self, name) * value for name, value in parts.items()]).sum()


def focused(picture: Tensor, truth: Tensor, masks: Tensor) -> Tensor:
    """L1, where characters of either text are weighing more: most of an edit is to stay as it is."""
    weight = 1 + FOCUS * masks.amax(1, keepdim=True)
    return (weight * (picture - truth).abs()).mean() / weight.mean()


def mask_loss(logits: Tensor, truth: Tensor) -> Tensor:
    """N C H W logits against coverage in [0, 1]: overlap, each pixel, and edges at several scales."""
    shares = torch.sigmoid(logits)
    return dice(shares, truth) + balanced(logits, truth) + laplacian(shares, truth)


def dice(shares: Tensor, truth: Tensor) -> Tensor:
    """1 less the overlap (Milletari et al. 2016), for each mask alone."""
    both = 2 * (shares * truth).sum((2, 3)) + 1
    return (1 - both / (shares.square().sum((2, 3)) + truth.square().sum((2, 3)) + 1)).mean()


def balanced(logits: Tensor, truth: Tensor) -> Tensor:
    """Binary cross-entropy, characters weighing as much as what is around them."""
    share = truth.mean((2, 3), keepdim=True).clamp(0.05, 0.95)
    weight = truth * (0.5 / share) + (1 - truth) * (0.5 / (1 - share))
    return F.binary_cross_entropy_with_logits(logits, truth, weight)


def laplacian(shares: Tensor, truth: Tensor) -> Tensor:
    """L1 between Laplacian pyramids, coarse levels weighing more (Bojanowski et al. 2018)."""
    difference = shares - truth  # the pyramid is linear
    parts = []
    for level in range(LEVELS):
        low = blurred(difference)
        parts.append(2**level * (difference - low).abs().mean())
        difference = low[:, :, ::2, ::2]
    parts.append(2**LEVELS * difference.abs().mean())
    return torch.stack(parts).sum() / 2**LEVELS


def blurred(x: Tensor) -> Tensor:
    """Each plane smoothed; its rim repeated."""
    count = x.shape[1]
    line = torch.tensor(BLUR, device=x.device, dtype=x.dtype) / sum(BLUR)
    kernel = (line[:, None] * line[None, :]).expand(count, 1, -1, -1)
    return F.conv2d(F.pad(x, (2, 2, 2, 2), mode="replicate"), kernel, groups=count)


def gram(x: Tensor) -> Tensor:
    """N C C: how channels go together wherever they are (Gatys et al. 2016)."""
    flat = x.flatten(2)
    return flat @ flat.transpose(1, 2) / flat.shape[2]


class Perceptual:
    """Features of a frozen reader: what it sees (perceptual), and how often (style)."""

    def __init__(self, reader: tuple[nn.Module, Legend], layers: Sequence[int] = (1, 3, 5)) -> None:
        self.network, legend = reader
        self.size = (legend.height, legend.width)
        features = getattr(self.network, "features", None)
        if not isinstance(features, nn.Sequential) or max(layers) >= len(features):
            raise UserError(
                "perceptual: its network has no such `features`; give a PlateNet or perceptual=null"
            )
        self.network.eval().requires_grad_(False)
        self.found: list[Tensor] = []
        for layer in layers:
            features[layer].register_forward_hook(self.keep)

    def keep(self, module: nn.Module, inputs: Any, output: Tensor) -> None:
        self.found.append(output)

    def __call__(self, picture: Tensor) -> list[Tensor]:
        """N 3 H W -> its features, a tensor a layer."""
        self.found = []
        resized = F.interpolate(picture, self.size, mode="bilinear", align_corners=False)
        self.network.to(picture.device)
        self.network(resized.contiguous(memory_format=torch.channels_last))
        found, self.found = self.found, []
        return [x.float() for x in found]


def perceptual_loss(mine: Sequence[Tensor], theirs: Sequence[Tensor]) -> Tensor:
    """L1 between features, each layer in units of its own mean."""
    pairs = zip(mine, theirs, strict=True)
    return mean_of([F.l1_loss(a, b) / b.abs().mean().clamp(min=1e-3) for a, b in pairs])


def style_loss(mine: Sequence[Tensor], theirs: Sequence[Tensor]) -> Tensor:
    """L1 between Gram matrices, each layer in units of its own mean."""
    grams = [(gram(a), gram(b)) for a, b in zip(mine, theirs, strict=True)]
    return mean_of([F.l1_loss(a, b) / b.abs().mean().clamp(min=1e-3) for a, b in grams])
