"""One training step of the editor: edit (and edit back), judge and correct the judge, then the artist."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from gan.augment import Augmentation
from gan.losses import ADVERSARIAL, Reading, finite, logged, unclear
from gan.outline import PLATE
from gan.runtime.track import Track
from gan.spg.batches import EditBatch
from gan.spg.ground import shadow
from gan.spg.losses import EditWeights, Perceptual, focused, mask_loss, perceptual_loss, style_loss
from gan.spg.network import SPG, Edit
from gan.step import Players, Shown, precision, taught

# Of the way from the crop's first character to a perfectly clear one: most others have more strokes, and are
# lost in the same blur.
CLEARER = 0.4


@dataclass(frozen=True)
class EditTeaching:
    """How a step teaches."""

    weights: EditWeights
    augmentation: Augmentation
    reading: Reading | None
    perceptual: Perceptual | None
    autocast: bool
    turns: int = 1  # of the judge, for one of the artist


def edit_step(
    players: Players[SPG], batch: EditBatch, teaching: EditTeaching, track: Track
) -> dict[str, float]:
    """A batch as `given` to the networks; returns the values to log."""
    players.drawing.train()
    back = batch.real if teaching.weights.cycle else 0
    with track.phase("draw"), precision(batch.source, teaching.autocast):
        edit, again = players.drawing(batch.source, batch.condition, batch.asked, back)
    fake = edit.picture.float()
    values: dict[str, float] = {}
    seen = batch.laid(edit.drawn, edit.new) if teaching.weights.adversarial else None
    if seen is not None:
        with track.phase("judge"):
            values["judge"] = correct_judge(players, batch, seen.detach(), teaching)
    with track.phase("learn"):
        parts = asked_of(batch, edit, fake, again.float(), teaching)
        if seen is not None:
            parts["adversarial"] = judged(players, batch, seen, teaching)
        players.artist_optimizer.zero_grad(set_to_none=True)
        teaching.weights.total(parts).backward()
        players.artist_optimizer.step()
    return finite(values | logged(parts))


def asked_of(
    batch: EditBatch, edit: Edit, fake: Tensor, again: Tensor, teaching: EditTeaching
) -> dict[str, Tensor]:
    """All losses but the judge's; those that count nothing are not computed."""
    weights, true = teaching.weights, len(batch.target)
    parts: dict[str, Tensor] = {}
    if weights.l1:
        parts["l1"] = focused(fake[:true], batch.target, batch.masks)
    if weights.drawn:
        parts["drawn"] = focused(edit.drawn[:true].float(), batch.target, batch.masks)
    if weights.mask:
        parts["mask"] = mask_loss(edit.masks[:true].float(), batch.masks)
    if len(again):
        parts["cycle"] = F.l1_loss(again, batch.source[true:])
    if weights.likeness and batch.real:
        parts["likeness"] = unlike(batch, fake)
    if weights.shadow and batch.real:
        real = slice(true, None)
        parts["shadow"] = shadow(fake[real], batch.asked[real], batch.source[real], batch.condition[real])
    if weights.reading and teaching.reading is not None:
        with precision(fake, teaching.autocast):
            parts["reading"] = teaching.reading(fake, batch.texts)
    if teaching.perceptual is not None and (weights.perceptual or weights.style):
        parts |= seen_by(teaching.perceptual, batch, fake, teaching)
    return parts


def unlike(batch: EditBatch, fake: Tensor) -> Tensor:
    """How much less clear the new texts of real crops are than their own."""
    real = slice(len(batch.target), None)
    crop, own, drawn, asked = (x[real] for x in (batch.source, batch.condition, fake, batch.asked))
    plate = own[:, PLATE : PLATE + 1] > 0
    return unclear(drawn, asked, crop, own, plate, batch.hidden[real], CLEARER)


def seen_by(
    perceptual: Perceptual, batch: EditBatch, fake: Tensor, teaching: EditTeaching
) -> dict[str, Tensor]:
    """Features against the truth's, style against the truth's or, of a real crop, its own."""
    true, weights = len(batch.target), teaching.weights
    with precision(fake, teaching.autocast):
        mine = perceptual(fake)
        with torch.no_grad():
            theirs = perceptual(torch.cat([batch.target, batch.source[true:]]))
    parts: dict[str, Tensor] = {}
    if weights.perceptual:
        parts["perceptual"] = perceptual_loss([x[:true] for x in mine], [x[:true] for x in theirs])
    if weights.style:
        parts["style"] = style_loss(mine, theirs)
    return parts


def open_to(batch: EditBatch, picture: Tensor, told: Tensor) -> Shown:
    """What the judge may see of pictures and conditions: not what is hidden."""
    return picture.masked_fill(batch.hidden, 0), told.masked_fill(batch.hidden, 0)


def correct_judge(players: Players[SPG], batch: EditBatch, seen: Tensor, teaching: EditTeaching) -> float:
    """The judge's turns; it remembers edits where there are crops: what is rendered has a truth."""
    real, edited = open_to(batch, *batch.right), open_to(batch, seen, batch.told_asked)
    return taught(
        players, real, edited, teaching.weights.kind, teaching, players.memory if batch.real else None
    )


def judged(players: Players[SPG], batch: EditBatch, seen: Tensor, teaching: EditTeaching) -> Tensor:
    """The artist's side, through a judge that learns nothing from it."""
    _, loss_of = ADVERSARIAL[teaching.weights.kind]
    players.judge.requires_grad_(False)
    with precision(seen, teaching.autocast):
        found = players.judge(*teaching.augmentation(*open_to(batch, seen, batch.told_asked)))
    return loss_of(found)
