"""Pix2Pix: from the outline and the colours of a plate to a photograph of it, in a given style.

A U-Net of any height and width draws. A style encoder sees a real crop beside its outline and says in a few
numbers what the outline does not: light, blur, cast, wear (BicycleGAN, Zhu et al. 2017). With `style` 0 there
is no encoder, and dropout is the only noise: classic pix2pix.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.func import functional_call

from gan.blocks import Down, Styled, Tone, Up, doubled, joined, padded, places
from gan.sight import enlarged, shrunk, size_of

LEVELS = 4  # halvings; sizes inside are multiples of 2 ** LEVELS


class UNet(nn.Module):
    """About 1.5 M parameters and 0.14 GMAC at widths of 32, 48, 96 and 192 and 48 x 144.

    Wide at the top, where the picture is made and narrower costs no less; narrow further down.
    """

    def __init__(self, planes: int, widths: Sequence[int], style: int, dropout: float) -> None:
        super().__init__()
        a, b, c, d = widths
        self.mapping = nn.Sequential(nn.Linear(style, 64), nn.ReLU(inplace=True)) if style else None
        code = 64 if style else 0
        self.tone = Tone(code) if style else None
        inputs = planes + 1  # and one of noise
        self.down = nn.ModuleList([Down(inputs, a), Down(a, b), Down(b, c), Down(c, d)])
        self.middle = nn.ModuleList([Styled(d + 2, d, code), Styled(d, d, code)])  # 2 of place
        self.up = nn.ModuleList([Up(d, c, code, dropout), Up(c, b, code, dropout), Up(b, a, code)])
        self.narrow = nn.Conv2d(a, a // 2, 3, 1, 1)
        self.full = nn.Sequential(
            nn.Conv2d(a // 2 + inputs, a // 2, 3, 1, 1), nn.ReLU(inplace=True), nn.Conv2d(a // 2, 3, 3, 1, 1)
        )

    def forward(self, condition: Tensor, style: Tensor, noise: Tensor) -> Tensor:
        """condition: N C H W, style: N S, noise: N 1 H W -> N 3 H W in [-1, 1]."""
        height, width = condition.shape[2:]
        given = padded(joined(condition, noise), 2**LEVELS)
        code = self.mapping(style) if self.mapping is not None else style
        x, skips = given, []
        for down in self.down:
            x = down(x)
            skips.append(x)
        skips.pop()
        x = joined(x, places(x))
        for middle in self.middle:
            x = middle(x, code)
        for up in self.up:
            x = up(x, skips.pop(), code)
        x = self.full(joined(doubled(self.narrow(x)), given))[:, :, :height, :width]
        return torch.tanh(x if self.tone is None else self.tone(x, code))


class StyleEncoder(nn.Module):
    """A picture and its outline -> mean and log variance of its style."""

    def __init__(self, planes: int, channels: int, style: int) -> None:
        super().__init__()
        a, b, c, d = channels // 2, channels, 2 * channels, 2 * channels
        layers: list[nn.Module] = []
        for n_in, n_out in ((3 + planes, a), (a, b), (b, c), (c, d)):
            layers += [nn.Conv2d(n_in, n_out, 4, 2, 1), nn.LeakyReLU(0.2, inplace=True)]
        self.features = nn.Sequential(*layers)
        self.along = nn.AdaptiveAvgPool2d((1, 3))  # left, middle, right: light is uneven
        self.head = nn.Linear(4 * d, 2 * style)

    def forward(self, picture: Tensor, condition: Tensor) -> tuple[Tensor, Tensor]:
        picture = enlarged(picture, size_of(condition))  # crops may be smaller
        x = self.features(padded(joined(picture, condition), 2**LEVELS))
        spread = x.float().flatten(2).std(2, unbiased=False)  # noise and blur show in it
        pooled = torch.cat([self.along(x).flatten(1).float(), spread], dim=1)
        mean, log_variance = self.head(pooled.to(x.dtype)).float().chunk(2, dim=1)
        return mean, log_variance.clamp(-8, 2)


@dataclass(frozen=True)
class Chance:
    """What is random in one drawing of a batch."""

    noise: Tensor  # N 1 H W
    jitter: Tensor  # N S, standard normal: around the encoded styles
    prior: Tensor  # N S, standard normal: styles of nobody
    borrow: Tensor  # N, whether a style is borrowed from another crop of the batch instead of the prior


@dataclass(frozen=True)
class Drawn:
    """What a training step sees of one drawing: first half in its crop's own style, second in another."""

    fake: Tensor  # N 3 H W, as large as the condition; crops may be smaller
    mean: Tensor  # n S, of the styles of the first half
    log_variance: Tensor  # n S
    wanted: Tensor  # N-n S, the styles given to the second half
    found: Tensor  # N-n S, the same as the encoder reads them from the pictures


class Pix2Pix(nn.Module):
    """The generator and its style encoder, trained and saved together."""

    def __init__(
        self,
        planes: int,
        channels: int = 32,
        style: int = 16,
        dropout: float = 0.0,
        growth: Sequence[float] = (1, 2, 4, 8),
    ) -> None:
        super().__init__()
        self.planes, self.style = planes, style
        widths = [round(channels * times) for times in growth]
        self.generator = UNet(planes, widths, style, dropout)
        self.encoder = StyleEncoder(planes, channels, style) if style else None

    def forward(self, condition: Tensor, crop: Tensor, chance: Chance) -> Drawn:
        if self.encoder is None:
            fake = self.generator(condition, chance.prior, chance.noise)
            none = chance.prior[:0]
            return Drawn(fake, none, none, none, none)
        half = (len(crop) + 1) // 2
        mean, log_variance = self.encoder(crop[:half], condition[:half])
        own = mean + chance.jitter[:half] * torch.exp(log_variance / 2)
        others = own.detach()[: len(crop) - half]
        wanted = torch.where(chance.borrow[half:, None], others, chance.prior[half:])
        fake = self.generator(condition, torch.cat([own, wanted]), chance.noise)
        seen = shrunk(fake[half:], size_of(crop))
        return Drawn(fake, mean, log_variance, wanted, self.reread(seen, condition[half:]))

    def reread(self, fake: Tensor, condition: Tensor) -> Tensor:
        """The style the encoder finds; the generator alone learns from it, or both would agree on a code."""
        assert self.encoder is not None
        frozen = {name: value.detach() for name, value in self.encoder.named_parameters()}
        mean: Tensor = functional_call(self.encoder, frozen, (fake, condition))[0]
        return mean
