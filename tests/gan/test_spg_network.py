"""The editor's parts alone and together: shapes at any size, switches, what each part may know."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("torch")

import torch
from torch import Tensor

from gan.blocks import folded
from gan.outline import COUNT, GLYPHS
from gan.spg.encoders import Pyramid, StyleEncoder
from gan.spg.masks import MaskDecoder, shares
from gan.spg.network import SPG
from gan.spg.transformer import Transformer


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)
    torch.manual_seed(0)


def given(count: int, size: tuple[int, int]) -> tuple[Tensor, Tensor, Tensor]:
    return tuple(torch.rand(count, planes, *size) * 2 - 1 for planes in (3, COUNT, COUNT))  # type: ignore[return-value]


@pytest.mark.parametrize("size", [(24, 94), (48, 144), (64, 128), (33, 65)])
def test_any_height_and_width(size: tuple[int, int]) -> None:
    edit, again = SPG(COUNT, channels=4, style=3)(*given(3, size), back=1)
    assert edit.picture.shape == edit.drawn.shape == (3, 3, *size)
    assert edit.masks.shape == (3, 2, *size) and edit.new.shape == (3, 1, *size)
    assert again.shape == (1, 3, *size) and float(edit.picture.detach().abs().max()) <= 1


SWITCHES: list[dict[str, Any]] = [
    *({name: False} for name in ("source", "transformer", "masks", "keep", "hint", "erase", "match")),
    {"style": 0},
]


@pytest.mark.parametrize("switch", SWITCHES)
def test_every_part_can_be_left_out_and_all_that_is_left_learns(switch: dict[str, Any]) -> None:
    network = SPG(COUNT, **{"channels": 4, "style": 3, **switch})
    edit, again = network(*given(4, (16, 48)), back=2)
    (edit.picture.sum() + edit.masks.sum() + again.sum()).backward()
    assert [name for name, value in network.named_parameters() if value.grad is None] == []


def test_without_keep_everything_is_drawn() -> None:
    edit = SPG(COUNT, channels=4, keep=False).edit(*given(2, (16, 48)))
    assert bool((edit.new == 1).all()) and torch.allclose(edit.picture, edit.drawn, atol=1e-6)


def test_nothing_is_kept_where_the_old_characters_are() -> None:
    """Nor four pixels around them; without `erase` the generator alone decides."""
    source, condition, asked = given(1, (16, 48))
    condition[:, GLYPHS] = -1
    condition[:, GLYPHS, 6:10, 20:24] = 1
    erases, keeps = (SPG(COUNT, channels=4, masks=False, erase=erase).eval() for erase in (True, False))
    around = (slice(None), slice(None), slice(2, 14), slice(16, 28))
    assert bool((erases.edit(source, condition, asked).new[around] > 0.99).all())
    assert bool((keeps.edit(source, condition, asked).new[around] < 0.99).any())


def test_a_source_left_out_is_not_seen() -> None:
    network = SPG(COUNT, channels=4, style=0, source=False).eval()
    source, condition, asked = given(2, (16, 48))
    one, other = network.edit(source, condition, asked), network.edit(-source, condition, asked)
    assert torch.equal(one.picture, other.picture)


def test_masks_begin_as_what_the_alignment_hints() -> None:
    network = SPG(COUNT, channels=4)
    source, condition, asked = given(2, (16, 48))
    masks = shares(network.edit(source, condition, asked).masks)
    for number, planes in enumerate((condition, asked)):
        assert torch.equal(masks[:, number] > 0.5, planes[:, GLYPHS] > 0)


def test_the_transformer_looks_everywhere() -> None:
    part = Transformer(8, layers=1, heads=2)
    asked, source = torch.randn(1, 8, 2, 6), torch.randn(1, 8, 2, 6, requires_grad=True)
    part(asked, source)[0, :, 0, 0].sum().backward()
    assert source.grad is not None and bool((source.grad.abs().sum(1) > 0).all())


def test_encoders_and_mask_decoder_alone() -> None:
    pyramid = Pyramid(4, 8)
    found = pyramid(torch.randn(2, 4, 16, 48))
    assert [tuple(x.shape[1:]) for x in found] == [(8, 8, 24), (16, 4, 12), (32, 2, 6)]
    assert StyleEncoder(8, 5)(torch.randn(2, 3, 16, 48)).shape == (2, 5)
    hints = torch.rand(2, 2, 16, 48) * 2 - 1
    assert MaskDecoder(8, 3)(found[2], found, found, torch.randn(2, 3, 16, 48), hints).shape == (2, 2, 16, 48)


def test_folded_and_unfolded_draw_the_same() -> None:
    network = SPG(COUNT, channels=4, style=3)
    network(*given(4, (16, 48)))  # statistics of the batch norms
    fast, planes = folded(network.eval()), given(2, (16, 48))
    assert isinstance(fast, SPG)
    assert torch.allclose(network.edit(*planes).picture, fast.edit(*planes).picture, atol=1e-4)


def test_about_three_million_parameters() -> None:
    assert 2e6 < sum(value.numel() for value in SPG(COUNT).parameters()) < 4e6
