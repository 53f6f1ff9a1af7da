"""Losses of the editor: what is right costs nothing, what is wrong costs more."""

from __future__ import annotations

import pytest

pytest.importorskip("torch")

import torch
from torch import Tensor, nn

from gan.spg.losses import (
    EditWeights,
    Perceptual,
    balanced,
    dice,
    focused,
    gram,
    laplacian,
    mask_loss,
    perceptual_loss,
    style_loss,
)
from synth.errors import UserError


def squares(shift: int = 0) -> Tensor:
    x = torch.zeros(2, 2, 16, 48)
    x[:, :, 4:12, 6 + shift : 16 + shift] = 1
    return x


@pytest.mark.parametrize("loss", [dice, laplacian])
def test_a_mask_that_is_right_costs_nothing_and_further_off_costs_more(loss: object) -> None:
    assert callable(loss)
    right, near, far = (float(loss(squares(shift), squares())) for shift in (0, 2, 8))
    assert right < 1e-3 < near < far


def test_a_character_weighs_more_than_what_is_around_it() -> None:
    truth, masks = torch.zeros(2, 3, 16, 48), squares()
    inside = masks[:, :1].expand_as(truth)
    wrong_inside, wrong_around = (float(focused(x, truth, masks)) for x in (inside, 1 - inside))
    share = float(inside.mean())
    assert wrong_inside / share == pytest.approx(5 * wrong_around / (1 - share), rel=1e-4)
    assert wrong_inside + wrong_around == pytest.approx(1)


def test_mask_loss_of_logits() -> None:
    sure = 20 * (2 * squares() - 1)
    assert float(mask_loss(sure, squares())) < 1e-2 < float(mask_loss(-sure, squares()))


def test_few_pixels_of_characters_weigh_as_much_as_many_around_them() -> None:
    truth = squares()
    nothing, everything = torch.full_like(truth, -3.0), torch.full_like(truth, 3.0)
    assert float(balanced(nothing, truth)) == pytest.approx(float(balanced(everything, truth)), rel=1e-3)


def test_style_does_not_ask_where() -> None:
    x = torch.randn(2, 3, 8, 8)
    turned = x.flip(3)
    assert torch.allclose(gram(x), gram(turned), atol=1e-5)
    assert float(style_loss([turned], [x])) < 1e-5 < float(perceptual_loss([turned], [x]))


class Legend:
    height, width, codec = 8, 16, None


class Reader(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Conv2d(4, 4, 3))

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.features(x)
        return out


def test_features_of_a_frozen_reader() -> None:
    perceptual = Perceptual((Reader(), Legend()), layers=(0, 2))  # type: ignore[arg-type]
    picture = torch.randn(2, 3, 16, 48, requires_grad=True)
    found = perceptual(picture)
    assert [tuple(x.shape) for x in found] == [(2, 4, 6, 14), (2, 4, 4, 12)]
    perceptual_loss(found, [x.detach() + 1 for x in found]).backward()
    assert picture.grad is not None and all(p.grad is None for p in perceptual.network.parameters())


def test_a_reader_without_features_is_one_line() -> None:
    with pytest.raises(UserError, match="perceptual: its network has no such `features`"):
        Perceptual((nn.Linear(2, 2), Legend()))  # type: ignore[arg-type]


def test_weights_are_checked() -> None:
    with pytest.raises(UserError, match=r"gan.losses.kind: 'wgan' is unknown; use hinge"):
        EditWeights(kind="wgan")
    with pytest.raises(UserError, match=r"gan.losses.mask: -1 is below 0"):
        EditWeights(mask=-1)
    parts = {"l1": torch.tensor(2.0), "mask": torch.tensor(1.0)}
    assert float(EditWeights(l1=10, mask=3).total(parts)) == 23
