"""One step: losses that can be trusted, the average of the weights, the learning rate."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from gan.runtime.average import Average
from gan.runtime.distributed import Processes
from gan.runtime.track import crossed
from gan.runtime.window import Window, loader
from recognizer.checkpoint import Header, build
from recognizer.data import Batch, collate
from recognizer.loop import MakeData, Settings, step
from recognizer.step import apart, class_loss, kana_loss, learning_rate, losses, slot_loss, total
from synth.errors import UserError

CPU = torch.device("cpu")
NOWHERE = np.full((4, 2), np.nan, np.float32)
UNKNOWN = torch.full((2, 4, 2), torch.nan)  # corners of two pictures


@pytest.fixture
def batch(clean: MakeData) -> Batch:
    return next(loader(clean(Window(6)), 0))


class Sure(nn.Module):
    """Gives these scores, whatever it sees."""

    def __init__(self, text: Tensor, kind: Tensor) -> None:
        super().__init__()
        self.text, self.kind = nn.Parameter(text), nn.Parameter(kind)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return self.text, self.kind


def test_a_slot_holds_the_symbol_of_its_number() -> None:
    slots = torch.full((2, 3, 4), -20.0)  # 2 pictures, 3 slots, 4 classes
    for picture, numbers in enumerate([(1, 2, 2), (3, 0, 0)]):
        for slot, number in enumerate(numbers):
            slots[picture, slot, number] = 20.0
    scores = torch.zeros(2, 5, 4)
    scores[:, ::2] = slots
    texts = torch.tensor([1, 2, 2, 3]).int()
    batch = Batch(
        torch.zeros(2, 3, 4, 4, dtype=torch.uint8), texts, torch.tensor([3, 1]).int(), torch.zeros(2), UNKNOWN
    )
    assert float(slot_loss(scores, batch).max()) < 1e-6
    shifted = replace(batch, targets=torch.tensor([1, 1, 2, 3]).int())
    assert slot_loss(scores, shifted).tolist() == pytest.approx([40.0, 0.0], abs=1e-4)
    with pytest.raises(UserError, match=r"network.slots: 3 are too few for a text of 4 symbols"):
        slot_loss(
            scores, replace(batch, targets=torch.tensor([1, 2, 2, 3]).int(), lengths=torch.tensor([4, 0]))
        )


@pytest.mark.parametrize("autocast", [False, True])
def test_losses_are_finite_and_reach_the_network(batch: Batch, header: Header, autocast: bool) -> None:
    torch.manual_seed(0)
    network = build(header).train()
    text, kind = losses(network, batch, CPU, autocast).values()
    assert text.dtype == kind.dtype == torch.float32
    assert math.isfinite(float(text.detach())) and float(text.detach()) > 1
    assert float(kind.detach()) == pytest.approx(math.log(2), abs=0.5)  # two types, nothing learnt
    (text + kind).backward()
    assert all(p.grad is not None and bool(torch.isfinite(p.grad).all()) for p in network.parameters())


def test_the_right_text_costs_nothing() -> None:
    batch = Batch(torch.zeros(2, 3, 4, 4, dtype=torch.uint8), torch.tensor([1, 2, 2]).int(),
                  torch.tensor([2, 1]).int(), torch.tensor([0, -1]), UNKNOWN)  # fmt: skip
    text = torch.full((2, 4, 3), -20.0)
    for place, number in ((0, 1), (1, 0), (2, 2), (3, 2)):
        text[0, place, number] = 20
        text[1, place, 2 if place == 1 else 0] = 20
    kind = torch.tensor([[20.0, -20.0], [-20.0, 20.0]])
    read, named = losses(Sure(text, kind), batch, CPU, False).values()
    assert float(read.detach()) < 1e-6
    assert float(named.detach()) < 1e-6  # the second type is not known and does not count
    wrong = losses(Sure(text.flip(0), kind), batch, CPU, False)
    assert float(wrong["text"].detach()) > 5


def test_no_type_known(header: Header, batch: Batch) -> None:
    unknown = replace(batch, types=torch.full_like(batch.types, -1))
    text, kind = losses(build(header), unknown, CPU, False).values()
    assert float(kind.detach()) == 0
    (text + kind).backward()


def test_the_finder_learns_from_corners_alone(finding: Header, batch: Batch) -> None:
    network = build(finding).train()
    found = losses(network, batch, CPU, False)
    assert set(found) == {"text", "type", "corners"}
    (found["text"] + found["type"]).backward(retain_graph=True)
    assert isinstance(network.finder, nn.Module)
    assert all(p.grad is None for p in network.finder.parameters())
    found["corners"].backward()
    assert all(p.grad is not None for p in network.finder.parameters())


def test_the_close_look_learns_the_first_symbol_on_its_own(looking: Header, batch: Batch) -> None:
    network = build(looking).train()
    found = losses(network, batch, CPU, False)
    assert set(found) == {"text", "type", "corners", "first"}
    found["text"].backward(retain_graph=True)
    assert isinstance(network.close, nn.Module)
    assert all(p.grad is None for p in network.close.parameters())
    network.zero_grad(set_to_none=True)
    found["first"].backward()
    touched = {name.split(".")[0] for name, p in network.named_parameters() if p.grad is not None}
    assert touched == {"close", "habit"}


def test_the_kana_is_learnt_from_by_the_close_look_alone(looking_twice: Header) -> None:
    codec = looking_twice.codec
    pictures = [np.full((looking_twice.height, looking_twice.width, 3), 40 * n, np.uint8) for n in range(3)]
    texts = ["皖A12345", "品川330さ1234", "柏11め5"]
    some = collate(pictures, texts, ["cn/blue", "jp/private", "jp/private"], codec, [NOWHERE] * 3)
    network = build(looking_twice).train()
    found = losses(network, some, CPU, False)
    assert set(found) == {"text", "type", "corners", "first", "kana"}
    assert float(total({"kana": found["kana"]}).detach()) == pytest.approx(
        0.5 * float(found["kana"].detach())
    )
    found["kana"].backward()
    assert {name.split(".")[0] for name, p in network.named_parameters() if p.grad is not None} == {"close"}


def test_the_close_look_learns_kana_where_there_is_one() -> None:
    kana = [5, 7, 9]
    targets = torch.tensor([1, 7, 2, 1, 2]).int()  # of the first of two plates
    some = Batch(torch.zeros(2, 3, 4, 4), targets, torch.tensor([3, 2]).int(), torch.zeros(2), UNKNOWN)
    asked = torch.zeros(2, 3, requires_grad=True)
    with torch.no_grad():
        asked[0, 1] = 9.0
    found = kana_loss(asked, some, kana)
    assert float(found.detach()) < 1e-3
    found.backward()
    assert asked.grad is not None and not asked.grad[1].any()
    none = replace(some, targets=torch.tensor([1, 2, 2, 1, 2]).int())
    assert float(kana_loss(asked, none, kana).detach()) == 0


def test_the_class_is_learnt_from_by_its_look_alone(looking_thrice: Header) -> None:
    codec = looking_thrice.codec
    pictures = [np.full((looking_thrice.height, looking_thrice.width, 3), 40 * n, np.uint8) for n in range(4)]
    texts, types = ["皖A12345", "品川330さ1234", "柏11め5", "柏2A3め5"], ["cn/blue", *["jp/private"] * 3]
    some = collate(pictures, texts, types, codec, [NOWHERE] * 4)
    network = build(looking_thrice).train()
    found = losses(network, some, CPU, False)
    assert set(found) == {"text", "type", "corners", "first", "kana", "class"}
    found["class"].backward()
    touched = {name.split(".")[0] for name, p in network.named_parameters() if p.grad is not None}
    assert touched == {"class_look"}
    symbols = network.class_symbols
    asked = torch.zeros(4, 3, len(symbols) + 1, requires_grad=True)
    with torch.no_grad():
        for plate, text in enumerate(("330", "11", "2A3"), 1):
            for place in range(3):
                number = symbols.index(codec.numbers[text[place]]) if place < len(text) else len(symbols)
                asked[plate, place, number] = 20.0
    right = class_loss(asked, some, network)
    assert float(right.detach()) < 1e-6
    right.backward()
    assert asked.grad is not None and not asked.grad[0].any()  # a type without a class
    unknown = replace(some, types=torch.tensor([0, -1, -1, -1]))
    assert float(class_loss(asked, unknown, network).detach()) == 0


def test_a_corner_that_is_nowhere_does_not_decide_a_step() -> None:
    found = torch.zeros(2, 3, 4, 2, requires_grad=True)
    truth = torch.full((2, 4, 2), 0.1)
    with torch.no_grad():
        found[1, 2, 0, 0] = 1000.0
    loss = apart(found, truth)
    loss.backward()
    assert float(loss.detach()) == pytest.approx((47 * 0.1 + 0.5 * (1 + math.log(999.9 / 0.5))) / 48)
    assert found.grad is not None
    assert 0 < float(found.grad[1, 2, 0, 0]) < 0.001 * abs(float(found.grad[0, 0, 0, 0]))


def test_unknown_corners_do_not_count(finding: Header, batch: Batch) -> None:
    unknown = replace(batch, corners=torch.full_like(batch.corners, torch.nan))
    assert float(losses(build(finding), unknown, CPU, False)["corners"].detach()) == 0
    half = batch.corners.clone()
    half[::2] = torch.nan
    assert math.isfinite(
        float(losses(build(finding), replace(batch, corners=half), CPU, False)["corners"].detach())
    )


def test_a_step_lowers_the_loss_on_its_batch(
    header: Header, batch: Batch, settings: Callable[..., Settings]
) -> None:
    torch.manual_seed(0)
    network = build(header)
    optimizer = torch.optim.AdamW(network.parameters(), 1.0, fused=True)
    values = [step(network, optimizer, batch, 0.01, settings(), Processes(0, 1, CPU)) for _ in range(15)]
    assert optimizer.param_groups[0]["lr"] == 0.01
    assert values[-1]["text"] < 0.7 * values[0]["text"]
    assert all(math.isfinite(value) for line in values for value in line.values())


def test_the_average_warms_up_then_follows_slowly() -> None:
    network = nn.Linear(1, 1, bias=False)
    average = Average(network, decay=0.9)
    begun = network.weight.item()
    network.weight.data.add_(1)
    average.update(network, 1)  # decay 2 / 11: nearly all of it at once
    assert next(average.network.parameters()).item() == pytest.approx(begun + 9 / 11, abs=1e-6)
    network.weight.data.add_(1)
    average.update(network, 10_000)
    assert next(average.network.parameters()).item() == pytest.approx(
        begun + 0.9 * 9 / 11 + 0.1 * 2, abs=1e-6
    )
    assert not average.network.training and not any(p.requires_grad for p in average.network.parameters())


def test_the_average_takes_counters_and_statistics_too() -> None:
    network = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2))
    average = Average(network, decay=0.5)
    network.train()(torch.randn(4, 1, 5, 5) + 3)
    average.update(network, 100)
    mine, theirs = dict(average.network.named_buffers()), dict(network.named_buffers())
    assert torch.equal(mine["1.num_batches_tracked"], theirs["1.num_batches_tracked"])
    assert torch.allclose(mine["1.running_mean"], theirs["1.running_mean"] / 2)


def test_learning_rate() -> None:
    rates = [learning_rate(0.002, images, 1000, 10_000) for images in range(0, 12_000, 50)]
    assert 0 < rates[0] < 0.002 / 500
    top = rates.index(max(rates))
    assert top * 50 == 1000 and max(rates) == pytest.approx(0.002)
    assert all(a < b for a, b in itertools.pairwise(rates[: top + 1]))
    assert all(a >= b for a, b in itertools.pairwise(rates[top:]))
    assert rates[-1] == pytest.approx(0.00002, rel=1e-3)
    assert learning_rate(0.002, 5500, 1000, 10_000) == pytest.approx(0.002 * 0.505, rel=1e-3)
    assert learning_rate(0.002, 0, 0, 10) == pytest.approx(0.002)


def test_crossed_sees_every_multiple_once() -> None:
    assert [done for done in range(48, 1000, 48) if crossed(done, 48, 100)] == [144, 240, 336, 432, 528, 624,
                                                                                 720, 816, 912]  # fmt: skip
    assert sum(crossed(done, 32, 320) for done in range(32, 3201, 32)) == 10
