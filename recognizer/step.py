"""One training step of a reader: forward in bfloat16, losses in float32."""

from __future__ import annotations

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from recognizer.codec import BLANK
from recognizer.data import Batch, as_input
from recognizer.networks.slots import slots_of
from synth.errors import UserError

WEIGHTS = {
    "text": 1.0,
    "type": 0.6,
    "corners": 5.0,  # of the mean distance in shares of the picture; the finder alone learns from it
    "first": 0.5,  # of what the close look makes of the first symbol
    "kana": 0.5,  # and of the kana
    "class": 0.5,  # and of the class
}
FAR = 0.5  # share of the picture beyond which a corner counts by its logarithm: one would decide a whole step
EMPTY_WEIGHT = 0.2  # of an unused slot against a used one
FIRST_WEIGHT = 3.0  # of the first symbol, a province or office, the hardest to read, against the others


def losses(network: nn.Module, batch: Batch, device: torch.device, autocast: bool) -> dict[str, Tensor]:
    """Of text, type and, where the network has them, corners and a close look; each a mean over the batch."""
    images = as_input(batch.images.to(device, non_blocking=True)).contiguous(
        memory_format=torch.channels_last
    )
    plain = getattr(network, "module", network)  # where DDP keeps it
    finds = getattr(plain, "finder", None) is not None
    with torch.autocast(device.type, torch.bfloat16, enabled=autocast):
        scores, types, *more = network(images, apart=True) if finds else network(images)
    text = (slot_loss if getattr(plain, "slotted", False) else ctc_loss)(scores.float(), batch)
    known = batch.types >= 0
    kind = (
        F.cross_entropy(types[known.to(device)].float(), batch.types[known].to(device))
        if bool(known.any())
        else types.sum() * 0
    )
    found = {"text": (text / batch.lengths.to(device).clamp(min=1)).mean(), "type": kind}
    if finds:
        found["corners"] = apart(more[0], batch.corners.to(device))
    if len(more) > 1:
        some = batch.lengths > 0
        first = batch.targets[(batch.lengths.cumsum(0) - batch.lengths)[some]].long().to(device)
        asked = more[1][some.to(device)].float()
        found["first"] = F.cross_entropy(asked, first) if len(first) else asked.sum()
    if len(more) > 2:
        found["kana"] = kana_loss(more[2].float(), batch, list(getattr(plain, "kana", ())))
    if len(more) > 3:
        found["class"] = class_loss(more[3].float(), batch, plain)
    return found


def kana_loss(asked: Tensor, batch: Batch, kana: list[int]) -> Tensor:
    """Cross entropy of the kana, a mean over the plates that show one: N kana."""
    plates = torch.arange(len(batch.lengths)).repeat_interleave(batch.lengths)
    shown = batch.targets[:, None] == torch.tensor(kana)  # symbols kana
    which, what = shown.nonzero().unbind(1)
    if not len(which):
        return asked.sum() * 0
    return F.cross_entropy(asked[plates[which].to(asked.device)], what.to(asked.device))


def class_loss(asked: Tensor, batch: Batch, network: nn.Module) -> Tensor:
    """Cross entropy of the symbols of the class and of its end, of types that have one: N MOST symbols+1."""
    shown = network.class_look.shown[0].cpu()  # type: ignore[union-attr, index]
    there = (batch.types >= 0) & shown[batch.types.clamp(min=0)]
    if not bool(there.any()):
        return asked.sum() * 0
    most, end = asked.shape[1], asked.shape[2] - 1
    longest = max(1 + most, int(batch.lengths.max()))
    texts = torch.full((len(batch.lengths), longest), BLANK)
    texts[torch.arange(longest) < batch.lengths[:, None]] = batch.targets.long()
    which = torch.full((int(max(texts.max(), max(network.class_symbols))) + 1,), end)  # type: ignore[arg-type]
    which[network.class_symbols] = torch.arange(end)  # type: ignore[index]
    wanted = which[texts[:, 1 : 1 + most]]
    wanted = torch.where((wanted == end).cumsum(1) > 0, end, wanted)  # no digit of the serial
    return F.cross_entropy(
        asked[there.to(asked.device)].flatten(0, 1), wanted[there].flatten().to(asked.device)
    )


def total(found: Mapping[str, Tensor]) -> Tensor:
    """What is learnt from."""
    return torch.stack([WEIGHTS[name] * value for name, value in found.items()]).sum()


def apart(corners: Tensor, truth: Tensor) -> Tensor:
    """Mean distance of coordinates, of those that are known: N looks 4 2, N 4 2."""
    known = ~truth.isnan()
    if not bool(known.any()):
        return corners.sum() * 0
    off = (corners - truth[:, None]).transpose(0, 1)[:, known].abs()
    return torch.where(off > FAR, FAR * (1 + (off.clamp(min=FAR) / FAR).log()), off).mean()


def ctc_loss(scores: Tensor, batch: Batch) -> Tensor:
    """CTC loss of N T C scores, one a picture."""
    steps = torch.full((len(scores),), scores.shape[1], dtype=torch.int32)
    targets = batch.targets.to(scores.device)
    log_probs = scores.log_softmax(2).transpose(0, 1)  # T N C
    return F.ctc_loss(log_probs, targets, steps, batch.lengths, BLANK, reduction="none", zero_infinity=True)


def slot_loss(scores: Tensor, batch: Batch) -> Tensor:
    """Cross entropy of the slots, one sum a picture: slot n holds symbol n, the rest are blank."""
    slots = slots_of(scores)  # N S C
    longest = int(batch.lengths.max())
    if longest > slots.shape[1]:
        raise UserError(
            f"recognizer.network.slots: {slots.shape[1]} are too few for a text of {longest} symbols"
        )
    wanted = torch.full(slots.shape[:2], BLANK, dtype=torch.int64)
    wanted[torch.arange(slots.shape[1]) < batch.lengths[:, None]] = batch.targets.long()
    wanted = wanted.to(scores.device)
    each = F.cross_entropy(slots.transpose(1, 2), wanted, reduction="none")  # N S
    weights = torch.where(wanted == BLANK, EMPTY_WEIGHT, 1.0)
    weights[:, 0] *= FIRST_WEIGHT
    return (each * weights).sum(1)


def learning_rate(peak: float, images: int, warmup: int, total: int) -> float:
    """Linear warm-up, then a cosine down to a hundredth."""
    if images < warmup:
        return peak * (images + 1) / warmup
    share = min(1.0, (images - warmup) / max(1, total - warmup))
    return peak * (0.01 + 0.99 * 0.5 * (1 + float(torch.cos(torch.tensor(share * torch.pi)))))
