"""What the networks are asked for, each as one small function or class."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gan.discriminator import judgements
from gan.outline import GLYPHS, GROUND, INK, PLATE
from gan.sight import blurred, covering, enlarged, light_and_colour, shrunk, size_of
from synth.errors import UserError

LUMA = (0.299, 0.587, 0.114)
Judged = Sequence[Sequence[Tensor]]  # features of every layer of every scale


def hinge(found: Judged, real: bool) -> Tensor:
    """The discriminator's side: real above 1, fake below -1 (Lim & Ye 2017)."""
    sign = -1 if real else 1
    return mean_of([F.relu(1 + sign * x).mean() for x in judgements(found)])


def hinge_generator(found: Judged) -> Tensor:
    return mean_of([-x.mean() for x in judgements(found)])


def least_squares(found: Judged, real: bool) -> Tensor:
    """The discriminator's side: real at 1, fake at 0 (Mao et al. 2017)."""
    return mean_of([(x - float(real)).square().mean() for x in judgements(found)])


def least_squares_generator(found: Judged) -> Tensor:
    return mean_of([(x - 1).square().mean() for x in judgements(found)])


ADVERSARIAL = {
    "hinge": (hinge, hinge_generator),
    "least_squares": (least_squares, least_squares_generator),
}


def divergence(mean: Tensor, log_variance: Tensor) -> Tensor:
    """KL from the standard normal, summed over the code, mean over the batch."""
    return -0.5 * (1 + log_variance - mean.square() - log_variance.exp()).sum(1).mean()


def feature_matching(fake: Judged, real: Judged) -> Tensor:
    """L1 between the discriminator's features of the pictures and of the crops they redraw (pix2pixHD)."""
    pairs = [
        (mine.float(), theirs.detach().float())
        for f, r in zip(fake, real, strict=True)
        for mine, theirs in zip(f[:-1], r[:-1], strict=True)
    ]
    return mean_of([F.l1_loss(mine, theirs) for mine, theirs in pairs])


def distance(drawn: Tensor, crop: Tensor, smeared: bool) -> Tensor:
    """Mean difference of pictures N 3 H W; `smeared`: of their light, and of colour without its detail."""
    rest = drawn - crop
    if smeared:
        light, colour = light_and_colour(rest)
        rest = light + blurred(blurred(colour, 1), 1)
    return rest.abs().mean()


def likeness(picture: Tensor, planes: Tensor, where: Tensor) -> Tensor:
    """N: correlation of a picture's lightness with that of the clean plate its condition tells, in a region.

    picture: N 3 H W, planes: N C H W of `gan.outline`, both in [-1, 1]; where: N 1 H W, not empty.
    """
    clean = clean_of(planes)
    share = where.float() / where.float().sum((2, 3), keepdim=True)
    mine, theirs = (centred(lightness(x), share) for x in (picture, clean))
    power = (share * mine.square()).sum((1, 2, 3)) * (share * theirs.square()).sum((1, 2, 3))
    return (share * mine * theirs).sum((1, 2, 3)) / (power + 1e-6).sqrt()


def shortfall(
    drawn: Tensor, asked: Tensor, crop: Tensor, condition: Tensor, where: Tensor, beyond: float = 0.0
) -> Tensor:
    """How much less drawings resemble what was asked than crops resemble their own plates, in a region.

    Pictures N 3 H W, planes N C H W, where N 1 H W bool: those that are empty do not count. Crops and their
    planes may be smaller. `beyond`: share of the way from the crop's likeness to a perfect one that is asked
    for too.
    """
    some = where.flatten(1).any(1)
    if not bool(some.any()):
        return drawn.new_zeros(())
    real = likeness(crop[some], condition[some], covering(where, crop)[some])
    wanted = real + beyond * (1 - real)
    return F.relu(wanted - likeness(drawn[some], asked[some], covering(where, drawn)[some])).mean()


def unclear(
    drawn: Tensor,
    asked: Tensor,
    crop: Tensor,
    condition: Tensor,
    plate: Tensor,
    first: Tensor,
    beyond: float = 0.0,
) -> Tensor:
    """How much less clear drawings are than their crops: the whole plate, and its first character again,
    which is asked to be clearer `beyond` the crop's.

    The judge does not see that character: the crops show few, and it would learn that others are drawn.
    """
    whole = shortfall(drawn, asked, crop, condition, plate)
    return mean_of([whole, shortfall(drawn, asked, crop, condition, first, beyond)])


def coarse(drawn: Tensor, asked: Tensor, size: tuple[int, int]) -> Tensor:
    """How far strokes are from as crisp as the crops' pixels let them be: mean over the plates.

    The judge sees drawings at `size`, the crops', and knows nothing of what is finer. That is carried on from
    what they show: a drawing keeps some share of the clean plate's detail of a few of their pixels, and of
    finer detail it is asked for the same share. So a blurred style stays blurred. N 3 H W, N C H W -> scalar.
    """
    inside = (asked[:, PLATE : PLATE + 1] > 0).float()
    fine, seen = parted(lightness(drawn), size)
    clean_fine, clean_seen = parted(lightness(clean_of(asked)), size)
    within = covering(inside > 0.5, seen).float()
    mine, theirs = (
        within * (x - F.avg_pool2d(x, 3, 1, 1, count_include_pad=False)) for x in (seen, clean_seen)
    )
    kept = (mine * theirs).sum((1, 2, 3)) / (theirs.square().sum((1, 2, 3)) + 1e-6)  # N
    wanted = kept.detach().clamp(0, 1)[:, None, None, None] * clean_fine
    return (inside * (fine - wanted)).abs().sum() / inside.sum().clamp(min=1)


def parted(light: Tensor, size: tuple[int, int]) -> tuple[Tensor, Tensor]:
    """What is finer than the pixels of a smaller picture, and that picture: N 1 H W, N 1 h w."""
    seen = shrunk(light, size)
    return light - enlarged(seen, size_of(light)), seen


def clean_of(planes: Tensor) -> Tensor:
    """N 3 H W: the plate that a condition tells, in its own colours; grey around it."""
    cover = (planes[:, GLYPHS : GLYPHS + 1] + 1) / 2
    return planes[:, GROUND] + cover * (planes[:, INK] - planes[:, GROUND])


def lightness(picture: Tensor) -> Tensor:
    """N 1 H W of N 3 H W."""
    return (picture * picture.new_tensor(LUMA)[:, None, None]).sum(1, keepdim=True)


def centred(picture: Tensor, share: Tensor) -> Tensor:
    return picture - (share * picture).sum((2, 3), keepdim=True)


def mean_of(values: Sequence[Tensor]) -> Tensor:
    return torch.stack(list(values)).mean()


class Codec(Protocol):
    def encode(self, text: str) -> list[int]: ...


class Legend(Protocol):
    """What a reader says about itself."""

    height: int
    width: int

    @property
    def codec(self) -> Codec: ...


class Reading:
    """How badly a frozen CTC reader (N T C scores, blank 0) reads the pictures; nothing below `enough`."""

    def __init__(self, reader: tuple[nn.Module, Legend], enough: float, most: float) -> None:
        self.network, self.legend = reader
        self.network.eval().requires_grad_(False)
        self.enough, self.most = enough, most  # nats a character

    def __call__(self, fake: Tensor, texts: Sequence[str]) -> Tensor:
        """Mean loss a character of the pictures; what cannot be read at all is given up at `most`."""
        size = (self.legend.height, self.legend.width)
        resized = F.interpolate(fake, size, mode="bilinear", align_corners=False)
        self.network.to(fake.device)
        scores, _ = self.network(resized.contiguous(memory_format=torch.channels_last))
        encoded = [self.legend.codec.encode(text) for text in texts]
        lengths = torch.tensor([len(text) for text in encoded], dtype=torch.int32)
        targets = torch.tensor([code for text in encoded for code in text], dtype=torch.int32)
        steps = torch.full((len(scores),), scores.shape[1], dtype=torch.int32)
        log_probs = scores.float().log_softmax(2).transpose(0, 1)  # T N C
        loss = F.ctc_loss(
            log_probs, targets.to(fake.device), steps, lengths, 0, reduction="none", zero_infinity=True
        )
        nats = loss / lengths.to(fake.device).clamp(min=1)
        return (nats.clamp(max=self.most) - self.enough).clamp(min=0).mean()


@dataclass(frozen=True)
class Weights:
    """How much each loss counts; 0 leaves one out."""

    adversarial: str = "hinge"
    l1: float = 10.0
    smeared: bool = False  # l1: fine colour is left to the judge; cameras and JPEG smear it at random
    features: float = 0.0
    latent: float = 0.5
    kl: float = 0.01
    reading: float = 0.0
    likeness: float = 0.0
    beyond: float = 0.0  # likeness of the first character: share of the way from the crop's to a perfect one
    detail: float = 0.0  # strokes as crisp at the size drawn as the smaller crops let one think

    def __post_init__(self) -> None:
        if self.adversarial not in ADVERSARIAL:
            raise UserError(
                f"gan.losses.adversarial: {self.adversarial!r} is unknown; use {' or '.join(ADVERSARIAL)}"
            )
        for name in ("l1", "features", "latent", "kl", "reading", "likeness", "beyond", "detail"):
            if getattr(self, name) < 0:
                raise UserError(f"gan.losses.{name}: {getattr(self, name)} is below 0; 0 leaves it out")


def weighted(parts: Mapping[str, Tensor], weights: Weights) -> Tensor:
    """The generator's whole loss."""
    total = parts["adversarial"]
    for name, value in parts.items():
        if name != "adversarial":
            total = total + getattr(weights, name) * value
    return total


def logged(parts: Mapping[str, Tensor]) -> dict[str, Any]:
    return {name: float(value.detach()) for name, value in parts.items()}


def finite(values: dict[str, float]) -> dict[str, float]:
    """Values to log; one that is no number ends the training before the state is written over."""
    for name, value in values.items():
        if not math.isfinite(value):
            raise UserError(
                f"gan.losses: {name} is {value}, nothing more is learnt; what was kept last stays. "
                "Train with a lower learning_rate and judge_rate, in another out"
            )
    return values
