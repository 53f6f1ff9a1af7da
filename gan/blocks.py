"""What the plate networks are built of: halving and doubling convolutions, style, padding."""

from __future__ import annotations

import copy

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval


class Down(nn.Sequential):
    """Half the height and width."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__(
            nn.Conv2d(inputs, outputs, 4, 2, 1, bias=False),
            nn.BatchNorm2d(outputs),
            nn.LeakyReLU(0.2, inplace=True),
        )


class Styled(nn.Module):
    """3x3 convolution, batch norm, then scale and shift of every channel by the style (FiLM), ReLU."""

    def __init__(self, inputs: int, outputs: int, style: int) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(inputs, outputs, 3, 1, 1, bias=False)
        self.norm = nn.BatchNorm2d(outputs)
        self.film = nn.Linear(style, 2 * outputs) if style else None
        if self.film is not None:  # begins as no style at all
            nn.init.normal_(self.film.weight, std=0.02)
            nn.init.zeros_(self.film.bias)

    def forward(self, x: Tensor, style: Tensor) -> Tensor:  # x: N C H W, style: N S
        x = self.norm(self.convolution(x))
        if self.film is not None:
            scale, shift = self.film(style)[:, :, None, None].chunk(2, dim=1)
            x = torch.addcmul(shift, x, 1 + scale)
        return F.relu(x)


class Up(nn.Module):
    """Twice the height and width by resizing, then a convolution: no checkerboard (Odena et al. 2016).

    The channels are brought down before the resizing and the skip is added, not appended: half the work.
    """

    def __init__(self, inputs: int, outputs: int, style: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.narrow = nn.Conv2d(inputs, outputs, 3, 1, 1)
        self.styled = Styled(outputs, outputs, style)
        self.dropout = LiveDropout(dropout) if dropout else nn.Identity()

    def forward(self, x: Tensor, skip: Tensor, style: Tensor) -> Tensor:
        x = doubled(self.narrow(x))
        return self.dropout(self.styled(x + skip, style))


class LiveDropout(nn.Module):
    """Dropout that is on in use too: the noise of a generator without a style code."""

    def __init__(self, share: float) -> None:
        super().__init__()
        self.share = share

    def forward(self, x: Tensor) -> Tensor:
        return F.dropout(x, self.share, training=True)


class Tone(nn.Module):
    """One affine change of colour for the whole picture, told by the style: exposure and white balance."""

    def __init__(self, style: int) -> None:
        super().__init__()
        self.told = nn.Linear(style, 12)
        nn.init.zeros_(self.told.weight)  # begins as no change
        nn.init.zeros_(self.told.bias)

    def forward(self, x: Tensor, style: Tensor) -> Tensor:  # x: N 3 H W
        told = self.told(style)
        matrix = torch.eye(3, device=x.device, dtype=told.dtype) + told[:, :9].view(-1, 3, 3)
        return torch.baddbmm(told[:, 9:, None], matrix, x.flatten(2)).view_as(x)


def doubled(x: Tensor) -> Tensor:
    """Twice as high and wide. Bilinear: nearest leaves a grid on flat paint."""
    return F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)


def padded(x: Tensor, multiple: int) -> Tensor:
    """Repeats the last row and column until height and width are multiples."""
    right, bottom = -x.shape[3] % multiple, -x.shape[2] % multiple
    return F.pad(x, (0, right, 0, bottom), mode="replicate") if right or bottom else x


def places(x: Tensor) -> Tensor:
    """N 2 H W: where each pixel is, -1 to 1 in width and height."""
    height, width = x.shape[2:]
    down = torch.linspace(-1, 1, height, device=x.device, dtype=x.dtype).view(1, 1, height, 1)
    along = torch.linspace(-1, 1, width, device=x.device, dtype=x.dtype).view(1, 1, 1, width)
    grid = torch.cat([along.expand(1, 1, height, width), down.expand(1, 1, height, width)], dim=1)
    return grid.expand(len(x), 2, height, width)


def joined(*parts: Tensor) -> Tensor:
    """Planes side by side, channels last, in the type of autocast where it is on."""
    kind = parts[0].device.type
    working = torch.get_autocast_dtype(kind) if torch.is_autocast_enabled(kind) else parts[0].dtype
    # by the last dimension: with a single plane among the parts torch would lay all of them out anew, twice
    return torch.cat([part.to(working).permute(0, 2, 3, 1) for part in parts], dim=3).permute(0, 3, 1, 2)


def folded(network: nn.Module) -> nn.Module:
    """A copy in eval mode whose batch norms are part of the convolutions before them."""
    network = copy.deepcopy(network).eval()
    for module in list(network.modules()):
        before: tuple[str, nn.Conv2d] | None = None
        for name, child in list(module.named_children()):
            if isinstance(child, nn.BatchNorm2d) and before is not None:
                setattr(module, before[0], fuse_conv_bn_eval(before[1], child))
                setattr(module, name, nn.Identity())
            before = (name, child) if isinstance(child, nn.Conv2d) else None
    return network
