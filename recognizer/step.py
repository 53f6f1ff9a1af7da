"""One training step of a reader: forward in bfloat16, losses in float32, average of the weights."""

from __future__ import annotations

import copy

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from recognizer.codec import BLANK
from recognizer.data import Batch, as_input

TYPE_WEIGHT = 0.15


def losses(network: nn.Module, batch: Batch, device: torch.device, autocast: bool) -> tuple[Tensor, Tensor]:
    """CTC loss of the characters and cross entropy of the type, each a mean over the batch."""
    images = as_input(batch.images.to(device, non_blocking=True)).contiguous(
        memory_format=torch.channels_last
    )
    with torch.autocast(device.type, torch.bfloat16, enabled=autocast):
        scores, types = network(images)
    steps = torch.full((len(scores),), scores.shape[1], dtype=torch.int32)
    log_probs = scores.float().log_softmax(2).transpose(0, 1)  # T N C
    text = F.ctc_loss(
        log_probs, batch.targets.to(device), steps, batch.lengths, BLANK, reduction="none", zero_infinity=True
    )
    known = batch.types >= 0
    kind = (
        F.cross_entropy(types[known.to(device)].float(), batch.types[known].to(device))
        if bool(known.any())
        else types.sum() * 0
    )
    return (text / batch.lengths.to(device).clamp(min=1)).mean(), kind


class Average:
    """Exponential moving average of a network's weights, warmed up; the one that is used and saved."""

    def __init__(self, network: nn.Module, decay: float) -> None:
        self.network = copy.deepcopy(network).eval().requires_grad_(False)
        self.decay = decay

    @torch.no_grad()
    def update(self, network: nn.Module, step: int) -> None:
        decay = min(self.decay, (1 + step) / (10 + step))
        for mine, theirs in zip(
            self.network.state_dict().values(), network.state_dict().values(), strict=True
        ):
            if mine.is_floating_point():
                mine.lerp_(theirs.to(mine.dtype), 1 - decay)
            else:
                mine.copy_(theirs)


def learning_rate(peak: float, images: int, warmup: int, total: int) -> float:
    """Linear warm-up, then a cosine down to a hundredth."""
    if images < warmup:
        return peak * (images + 1) / warmup
    share = min(1.0, (images - warmup) / max(1, total - warmup))
    return peak * (0.01 + 0.99 * 0.5 * (1 + float(torch.cos(torch.tensor(share * torch.pi)))))
