"""The networks: any size, what style and noise do, nothing leaks between the pictures of a batch."""

from __future__ import annotations

import pytest

pytest.importorskip("torch")

import torch
from tiny_pairs import SIZE, batch, header

from gan.batches import as_input, as_pictures
from gan.blocks import folded
from gan.checkpoint import build
from gan.discriminator import Discriminator
from gan.outline import COUNT, PLATE
from gan.pix2pix import Chance, Pix2Pix
from gan.step import chance_of

CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)
    torch.manual_seed(0)


def network(**changes: object) -> Pix2Pix:
    made = build(header(**changes))
    for module in made.modules():  # styles say something from the start
        if isinstance(module, torch.nn.Linear):
            torch.nn.init.normal_(module.weight, std=0.5)
    return made


def given(count: int, height: int, width: int) -> tuple[torch.Tensor, Chance]:
    return torch.rand(count, COUNT, height, width) * 2 - 1, chance_of(count, (height, width), 3, 0.5, CPU)


@pytest.mark.parametrize("size", [(48, 144), (64, 128), (33, 97), (16, 16), (50, 31)])
def test_any_height_and_width(size: tuple[int, int]) -> None:
    condition, chance = given(2, *size)
    drawn = network()(condition, torch.rand(2, 3, *size), chance)
    assert drawn.fake.shape == (2, 3, *size) and bool((drawn.fake.abs() <= 1).all())


@pytest.mark.parametrize("changes", [{}, {"style": 0, "dropout": 0.5}, {"channels": 8}])
def test_every_weight_learns(changes: dict[str, object]) -> None:
    net = network(**changes)
    condition = as_input(batch().condition)
    chance = chance_of(4, SIZE, net.style, 0.5, CPU)
    drawn = net(condition, as_input(batch().crop), chance)
    loss = drawn.fake.square().mean() + drawn.mean.sum() + drawn.log_variance.sum() + drawn.found.sum()
    loss.backward()
    assert [name for name, p in net.named_parameters() if p.grad is None] == []


def test_style_and_noise_change_the_picture() -> None:
    net = network().eval()
    condition, chance = given(1, *SIZE)
    plain = net.generator(condition, chance.prior, chance.noise)
    assert not torch.allclose(plain, net.generator(condition, -chance.prior, chance.noise), atol=1e-3)
    assert not torch.allclose(plain, net.generator(condition, chance.prior, -chance.noise), atol=1e-3)
    assert torch.equal(plain, net.generator(condition, chance.prior, chance.noise))


def test_the_classic_one_has_only_dropout() -> None:
    net = network(style=0, dropout=0.5).eval()
    condition, chance = given(1, *SIZE)
    assert net.encoder is None
    one, other = (net.generator(condition, chance.prior[:, :0], chance.noise) for _ in range(2))
    assert not torch.allclose(one, other, atol=1e-4)


def test_the_second_half_is_drawn_in_borrowed_or_drawn_styles() -> None:
    net = network()
    condition, crop = as_input(batch().condition), as_input(batch().crop)
    chance = chance_of(4, SIZE, 3, 0.0, CPU)
    assert torch.equal(net(condition, crop, chance).wanted, chance.prior[2:])
    borrowed = Chance(chance.noise, torch.zeros(4, 3), chance.prior, torch.ones(4, dtype=torch.bool))
    drawn = net(condition, crop, borrowed)
    assert torch.equal(drawn.wanted, drawn.mean) and not drawn.wanted.requires_grad


def test_rereading_a_style_teaches_the_generator_alone() -> None:
    net = network().eval()  # batch norm would tie both halves together
    condition, chance = given(4, *SIZE)
    drawn = net(condition, torch.rand(4, 3, *SIZE), chance)
    drawn.found.sum().backward()
    assert net.encoder is not None
    assert all(p.grad is None or not p.grad.any() for p in net.encoder.parameters())
    assert any(p.grad is not None and bool(p.grad.any()) for p in net.generator.parameters())


def test_pictures_of_a_batch_know_nothing_of_each_other() -> None:
    net = network().eval()
    condition, chance = given(3, *SIZE)
    together = net.generator(condition, chance.prior, chance.noise)
    alone = net.generator(condition[1:2], chance.prior[1:2], chance.noise[1:2])
    assert torch.allclose(together[1:2], alone, atol=1e-5)


def test_folding_batch_norms_changes_nothing() -> None:
    net = network().train()
    condition, chance = given(8, *SIZE)
    for _ in range(3):
        net.generator(condition, chance.prior, chance.noise)
    net.eval()
    fast = folded(net.generator)
    assert not [m for m in fast.modules() if isinstance(m, torch.nn.BatchNorm2d)]
    assert [m for m in net.modules() if isinstance(m, torch.nn.BatchNorm2d)]
    expected = net.generator(condition, chance.prior, chance.noise)
    assert torch.allclose(fast(condition, chance.prior, chance.noise), expected, atol=1e-4)


@pytest.mark.parametrize("halvings", [(3,), (3, 1)])
def test_the_discriminator_judges_patches_of_every_size(halvings: tuple[int, ...]) -> None:
    found = Discriminator(COUNT, 4, halvings)(torch.rand(2, 3, 48, 144), torch.rand(2, COUNT, 48, 144))
    assert [judge[-1].shape for judge in found] == [(2, 1, 6, 18), (2, 1, 24, 72)][: len(halvings)]


def test_a_judge_may_be_left_without_the_strokes() -> None:
    picture, told = torch.rand(2, 3, 24, 94), torch.rand(2, COUNT, 24, 94)
    others = told.clone()
    others[:, :PLATE] = torch.rand(2, PLATE, 24, 94)
    for strokes in (True, False):
        judge = Discriminator(COUNT, 4, (1,), strokes=strokes).eval()
        assert torch.equal(judge(picture, told)[0][-1], judge(picture, others)[0][-1]) != strokes


def test_a_judge_sees_fine_light_and_less_fine_colour_apart() -> None:
    judge = Discriminator(COUNT, 4, (1,), grain=5.0, colour=2.0)
    stripes = torch.zeros(24, 96)
    stripes[:, ::2] = 0.1
    grey = stripes.expand(1, 3, 24, 96)
    light, red, blue = judge.detail(grey)[0]
    assert float(light.abs().mean()) > 0.2 and float(torch.stack((red, blue)).abs().max()) < 1e-5
    blocks = torch.zeros(24, 96)
    blocks[:, (torch.arange(96) // 3) % 2 == 0] = 0.1
    coloured = torch.stack((-blocks, 0.299 / 0.587 * blocks, 0 * blocks))[None]  # as bright everywhere
    light, red, _ = judge.detail(coloured)[0]
    assert float(light.abs().max()) < 1e-5 and float(red.abs().mean()) > 0.05
    assert not torch.allclose(
        Discriminator(COUNT, 4, (1,), grain=5.0).detail(coloured), judge.detail(coloured)
    )


def test_pixels_come_back() -> None:
    pictures = torch.arange(256, dtype=torch.uint8).repeat(3).view(1, 3, 16, 16)
    assert torch.equal(torch.from_numpy(as_pictures(as_input(pictures))).permute(0, 3, 1, 2), pictures)
