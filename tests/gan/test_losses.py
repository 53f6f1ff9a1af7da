"""Losses with known answers, and augmentation that treats picture and condition alike."""

from __future__ import annotations

import math
from dataclasses import dataclass

import pytest

pytest.importorskip("torch")

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d

from gan.augment import Augmentation, cut_out, moved
from gan.losses import (
    ADVERSARIAL,
    Reading,
    Weights,
    clean_of,
    coarse,
    distance,
    divergence,
    feature_matching,
    likeness,
    weighted,
)
from gan.outline import COUNT, GLYPHS, GROUND, INK, PLATE
from gan.sight import enlarged, shrunk
from synth.errors import UserError


def judged(value: float) -> list[list[Tensor]]:
    return [[torch.zeros(1, 2, 3, 3), torch.full((1, 1, 2, 2), value)]]


@pytest.mark.parametrize(
    ("kind", "value", "real", "fake", "artist"),
    [
        ("hinge", 2.0, 0.0, 3.0, -2.0),
        ("hinge", 0.0, 1.0, 1.0, 0.0),
        ("least_squares", 1.0, 0.0, 1.0, 0.0),
        ("least_squares", -1.0, 4.0, 1.0, 4.0),
    ],
)
def test_adversarial_losses(kind: str, value: float, real: float, fake: float, artist: float) -> None:
    judge, generator = ADVERSARIAL[kind]
    assert float(judge(judged(value), True)) == real
    assert float(judge(judged(value), False)) == fake
    assert float(generator(judged(value))) == artist


def test_divergence_from_the_prior() -> None:
    assert float(divergence(torch.zeros(4, 3), torch.zeros(4, 3))) == 0
    assert float(divergence(torch.ones(4, 3), torch.zeros(4, 3))) == pytest.approx(1.5)
    wide = 0.5 * (math.e - 1 - 1)
    assert float(divergence(torch.zeros(1, 1), torch.ones(1, 1))) == pytest.approx(wide)


def test_features_are_compared_but_not_the_judgement() -> None:
    one, other = judged(5.0), judged(-5.0)
    assert float(feature_matching(one, other)) == 0
    one[0][0] += 2
    assert float(feature_matching(one, other)) == 2


def test_likeness_is_of_shapes_whatever_the_light_and_only_where_asked() -> None:
    planes = torch.full((2, COUNT, 8, 16), -1.0)
    planes[:, GLYPHS, 2:6, 3:5] = 1
    planes[:, INK] = 1
    planes[:, GROUND] = -0.5
    cover = (planes[:, GLYPHS : GLYPHS + 1] + 1) / 2
    where = torch.zeros(2, 1, 8, 16, dtype=torch.bool)
    where[..., :8] = True
    like = cover.repeat(1, 3, 1, 1)
    dull, dark_light, stained = 0.1 * like - 0.4, -like, like.clone()
    stained[..., 8:] = 5.0
    for picture, wanted in ((like, 1), (dull, 1), (stained, 1), (dark_light, -1), (0 * like, 0)):
        assert likeness(picture, planes, where).tolist() == pytest.approx([wanted] * 2, abs=1e-2)


def test_fine_colour_is_left_out_where_it_may_be_smeared() -> None:
    crop, chequers = torch.zeros(1, 3, 16, 32), torch.zeros(16, 32)
    chequers[::2, ::2], chequers[1::2, 1::2] = 0.2, 0.2
    coloured = torch.stack((-chequers, 0.299 / 0.587 * chequers, 0 * chequers))[None]
    coloured = coloured - coloured.mean((2, 3), keepdim=True)
    exact, smeared = (float(distance(coloured, crop, how)) for how in (False, True))
    assert smeared < 0.1 * exact
    grey = (chequers - chequers.mean()).expand(1, 3, 16, 32)
    exact, smeared = (float(distance(grey, crop, how)) for how in (False, True))
    assert smeared == pytest.approx(exact, rel=1e-4)
    tinted = torch.tensor((0.3, 0.0, -0.1)).view(1, 3, 1, 1).expand(1, 3, 16, 32)
    assert float(distance(tinted, crop, True)) == pytest.approx(
        float(distance(tinted, crop, False)), rel=1e-4
    )


def test_strokes_are_asked_to_be_as_crisp_as_the_crops_pixels_let_one_think() -> None:
    planes = torch.full((1, COUNT, 48, 96), -1.0)
    planes[:, PLATE] = 1
    planes[:, INK] = 1
    planes[:, GROUND] = -0.5
    for left in range(6, 90, 12):
        planes[:, GLYPHS, 9:39, left : left + 3] = 1
        planes[:, GLYPHS, 20:23, left : left + 9] = 1
    size = (24, 48)
    crisp = 0.4 * clean_of(planes) - 0.2  # a dull light
    soft = enlarged(shrunk(crisp, size), (48, 96))  # all that crops of this size can teach
    blurred = avg_pool2d(soft, 7, 1, 3)
    wanted = {name: float(coarse(x, planes, size)) for name, x in (("crisp", crisp), ("soft", soft))}
    assert wanted["crisp"] < 0.02 * wanted["soft"]
    asked = soft.clone().requires_grad_(True)
    coarse(asked, planes, size).backward()
    step = -0.1 * asked.grad.sign() * (asked.grad != 0)
    assert float((crisp - soft).flatten() @ step.flatten()) > 0  # towards the crisp one
    assert float(coarse(blurred, planes, size)) < 0.4 * wanted["soft"]  # blurred styles stay blurred
    planes[:, PLATE] = -1
    assert float(coarse(soft, planes, size)) == 0


def test_weights_are_checked_and_used() -> None:
    parts = {"adversarial": torch.tensor(1.0), "l1": torch.tensor(2.0), "kl": torch.tensor(100.0)}
    assert float(weighted(parts, Weights(l1=3.0, kl=0.0))) == 7.0
    with pytest.raises(UserError, match=r"gan.losses.adversarial: 'wgan' is unknown; use hinge"):
        Weights(adversarial="wgan")
    with pytest.raises(UserError, match=r"gan.losses.l1: -1"):
        Weights(l1=-1)


@dataclass
class Letters:
    """A reader's legend for the letters A and B."""

    height: int = 4
    width: int = 8
    codec: object = None

    def encode(self, text: str) -> list[int]:
        return ["_AB".index(letter) for letter in text]


class SeesColour(nn.Module):
    """Reads A where the picture is red and B where it is not."""

    def __init__(self) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.tensor(8.0))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:  # N 3 4 8
        red = x[:, 0].mean(1) * self.gain  # N T
        return torch.stack([torch.full_like(red, -9.0), red, -red], dim=2), x


def reading(enough: float = 0.0, most: float = 99.0) -> Reading:
    legend = Letters()
    legend.codec = legend
    return Reading((SeesColour(), legend), enough, most)


def test_the_reading_loss_tells_the_right_text_from_a_wrong_one() -> None:
    picture = torch.full((1, 3, 8, 16), -1.0)
    picture[:, 0, :, :8] = 1.0  # red, then not
    assert float(reading()(picture, ["AB"])) < 0.01 < 1 < float(reading()(picture, ["BA"]))
    assert float(reading(enough=0.5)(picture, ["AB"])) == 0
    assert float(reading(most=3.0)(picture, ["BA"])) == pytest.approx(3.0)


def test_the_reader_is_frozen_and_the_picture_learns() -> None:
    picture = torch.zeros(2, 3, 8, 16, requires_grad=True)
    loss = reading()
    loss(picture, ["AB", "A"]).backward()
    assert picture.grad is not None and bool(picture.grad.any())
    assert all(parameter.grad is None for parameter in loss.network.parameters())


def test_translation_moves_picture_and_condition_together() -> None:
    torch.manual_seed(1)
    picture = torch.rand(6, 3, 20, 40)
    alone = Augmentation(0, 0, 0, translation=0.2, cutout=0)
    moved_picture, moved_condition = alone(picture, picture.clone())
    assert torch.allclose(moved_picture, moved_condition, atol=1e-6)
    assert not torch.allclose(moved_picture, picture)
    assert torch.equal(moved(picture, 0.01), picture)  # less than a pixel


def test_colour_and_cutout_leave_the_condition_alone() -> None:
    torch.manual_seed(1)
    picture, condition = torch.rand(6, 3, 20, 40), torch.rand(6, 9, 20, 40)
    changed, same = Augmentation(translation=0)(picture, condition)
    assert torch.equal(same, condition) and not torch.allclose(changed, picture)
    share = (cut_out(torch.ones(64, 1, 40, 40), 0.5) == 0).float().mean()
    assert 0.1 < float(share) < 0.25  # a quarter, less what lies beyond the rim


def test_augmentation_that_changes_nothing() -> None:
    picture, condition = torch.rand(2, 3, 8, 8), torch.rand(2, 9, 8, 8)
    same = Augmentation(0, 0, 0, 0, 0)(picture, condition)
    assert torch.allclose(same[0], picture, atol=1e-6) and torch.equal(same[1], condition)
