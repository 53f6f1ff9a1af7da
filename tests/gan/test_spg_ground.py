"""The ground of a plate: colours that an edit takes over, and shadows it may not leave."""

from __future__ import annotations

import pytest

pytest.importorskip("torch")

import torch
from torch import Tensor

from gan.outline import COUNT, GLYPHS, PLATE
from gan.spg.ground import cast, common, shadow
from gan.spg.network import SPG

SIZE = (32, 128)


def planes(left: int) -> Tensor:
    """1 C H W: a plate over the whole picture with one character, 16 pixels wide."""
    found = torch.full((1, COUNT, *SIZE), -1.0)
    found[:, PLATE] = 1
    found[:, GLYPHS, 8:24, left : left + 16] = 1
    return found


def test_ground_is_where_neither_text_is() -> None:
    masks = (torch.cat([planes(20), planes(80)])[:, GLYPHS][None] + 1) / 2
    ground = common(planes(20)[:, PLATE : PLATE + 1], masks)
    assert float(ground[0, 0, 16, 28]) == float(ground[0, 0, 16, 88]) == 0  # the characters
    assert float(ground[0, 0, 16, 18]) == 0 and float(ground[0, 0, 16, 60]) == 1  # a rim, and beyond


def test_a_cast_is_found_where_it_cannot_be_seen() -> None:
    """Darker by 0.2 on the left, redder by 0.1 on the right; under a character nothing is compared."""
    torch.manual_seed(0)
    picture = torch.rand(1, 3, *SIZE) - 0.5
    drawn = picture.clone()
    drawn[..., :64] -= 0.2
    drawn[:, 0, :, 64:] += 0.1
    ground = torch.ones(1, 1, *SIZE)
    ground[..., 8:24, 20:36] = 0
    drawn[..., 8:24, 20:36] = 5  # whatever is drawn there
    found = cast(picture, drawn, ground)
    assert float(found[0, :, 16, 28].sub(0.2).abs().max()) < 1e-2
    assert found[0, :, 16, 110].tolist() == pytest.approx([-0.1, 0, 0], abs=1e-2)


def test_no_ground_is_no_cast() -> None:
    found = cast(torch.ones(1, 3, *SIZE), torch.zeros(1, 3, *SIZE), torch.zeros(1, 1, *SIZE))
    assert float(found.abs().max()) == 0


def test_a_shadow_counts_by_its_depth_and_not_under_the_new_text() -> None:
    own, asked = planes(20), planes(80)
    crop, clean = own[:, GLYPHS : GLYPHS + 1].repeat(1, 3, 1, 1), torch.full((1, 3, *SIZE), -1.0)
    faint = clean + 0.1 * (crop + 1)
    assert float(shadow(clean, asked, crop, own)) == pytest.approx(0, abs=1e-3)
    assert float(shadow(faint, asked, crop, own)) == pytest.approx(0.1, abs=0.02)
    assert float(shadow(crop, asked, crop, own)) == pytest.approx(1, abs=0.05)
    assert float(shadow(crop, own, crop, own)) == pytest.approx(0, abs=1e-3)  # the same text again


def test_what_is_drawn_takes_the_colours_beside_it() -> None:
    torch.manual_seed(0)
    source, condition, asked = (
        torch.full((2, 3, *SIZE), 0.3),
        *(planes(x).repeat(2, 1, 1, 1) for x in (20, 80)),
    )
    matched, free = (SPG(COUNT, channels=4, style=3, match=match).eval() for match in (True, False))
    free.load_state_dict(matched.state_dict())
    with torch.inference_mode():
        drawn = [net.edit(source, condition, asked).drawn[..., 12:20, 50:60] for net in (matched, free)]
    far = [float((x - 0.3).abs().mean()) for x in drawn]
    assert far[0] < 0.2 * far[1]


def test_an_edit_learns_nothing_from_the_way_back() -> None:
    """Or it hides in dots what stood there before."""
    network = SPG(COUNT, channels=4, style=3)
    given = torch.rand(2, 3, *SIZE), planes(20).repeat(2, 1, 1, 1), planes(80).repeat(2, 1, 1, 1)
    edit, again = network(*given, 1)
    edit.picture.retain_grad()
    again.sum().backward()
    assert edit.picture.grad is None or float(edit.picture.grad.abs().max()) == 0
