"""One step: who learns from what, and that a few of them make the pictures better."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("torch")

import torch
import torch.nn.functional as F
from tiny_pairs import batch, data, header, judge, teaching
from torch import Tensor

from gan.batches import Batch
from gan.checkpoint import build
from gan.runtime.distributed import Processes
from gan.runtime.track import Track
from gan.runtime.window import Window
from gan.step import Players, Teaching, correct_judge, step

ALONE = Processes(0, 1, torch.device("cpu"))


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)
    torch.manual_seed(0)


def players(rate: float = 0.003, **network: object) -> Players:
    return Players.of(build(header(**network)), judge(), (rate, rate), ALONE)


def one(players: Players, taught: Teaching, tmp_path: Path, count: int = 4) -> dict[str, float]:
    return step(players, batch(count).given(ALONE.device), taught, Track(tmp_path / "s", False, 0))


def weights(network: torch.nn.Module) -> list[Tensor]:
    return [parameter.detach().clone() for parameter in network.parameters()]


@pytest.mark.parametrize("losses", [{}, {"features": 1.0, "adversarial": "least_squares"}])
@pytest.mark.parametrize("network", [{}, {"style": 0, "dropout": 0.5}])
def test_both_networks_learn(losses: dict[str, object], network: dict[str, object], tmp_path: Path) -> None:
    both = players(**network)
    before = weights(both.artist), weights(both.judge)
    values = one(both, teaching(**losses), tmp_path, count=5)
    after = weights(both.artist), weights(both.judge)
    assert all(not torch.equal(a, b) for a, b in zip(before[1], after[1], strict=True))
    moved = [not torch.equal(a, b) for a, b in zip(before[0], after[0], strict=True)]
    assert all(moved)
    expected = {"judge", "adversarial", "l1"} | ({"kl", "latent"} if not network else set())
    assert set(values) == expected | ({"features"} if "features" in losses else set())
    assert all(torch.isfinite(torch.tensor(list(values.values()))))


def test_the_judge_learns_nothing_from_the_artists_turn(tmp_path: Path) -> None:
    both = players()
    both.judge_optimizer.step = lambda: None  # type: ignore[method-assign,assignment]
    one(both, teaching(), tmp_path)
    learnt = [p.grad for p in both.judge.parameters() if p.grad is not None]
    own = [grad.clone() for grad in learnt]
    assert own and not any(p.requires_grad for p in both.judge.parameters())


def test_drawings_larger_than_the_crops_are_judged_at_their_size(tmp_path: Path) -> None:
    both, given = players(), batch(6)
    crops = torch.nn.functional.interpolate(given.crop.float(), (8, 24)).to(torch.uint8)
    hidden = torch.zeros(6, 1, 8, 24, dtype=torch.uint8)
    hidden[3:, :, 2:6, 2:6] = 255
    smaller = replace(given, crop=crops, hidden=hidden).given(ALONE.device)
    assert smaller.told.shape[2:] == (8, 24)
    values = step(
        both, smaller, teaching(likeness=1.0, beyond=0.3, detail=1.0), Track(tmp_path / "s", False, 0)
    )
    assert (
        values["likeness"] > 0
        and values["detail"] > 0
        and all(torch.isfinite(torch.tensor(list(values.values()))))
    )


def test_the_judge_tells_real_from_fake() -> None:
    both, taught = players(rate=0.01), teaching()
    given = batch(8).given(ALONE.device)
    losses = [correct_judge(both, given, torch.zeros_like(given.crop), taught) for _ in range(40)]
    assert losses[0] == pytest.approx(2.0, abs=0.6) and sum(losses[-5:]) / 5 < 0.7


def endless(size: int) -> Iterator[Batch]:
    for drawn in data(Window(size)):
        yield drawn.given(ALONE.device)


def test_a_tiny_gan_learns_to_redraw(tmp_path: Path) -> None:
    both, taught, track = players(channels=8), teaching(), Track(tmp_path / "s", False, 0)
    rows = endless(8)
    l1 = [step(both, next(rows), taught, track)["l1"] for _ in range(100)]
    assert sum(l1[-10:]) / 10 < 0.55 * sum(l1[:5]) / 5
    given = next(rows)
    condition, crop = given.condition, given.crop
    assert both.artist.encoder is not None
    both.artist.eval()
    with torch.no_grad():
        style = both.artist.encoder(crop, condition)[0]
        own = both.artist.generator(condition, style, torch.zeros(8, 1, *crop.shape[2:]))
        other = both.artist.generator(condition, style.flip(0), torch.zeros(8, 1, *crop.shape[2:]))
    assert float(F.l1_loss(own, crop)) < float(F.l1_loss(other, crop))  # the style says whose light it is


def test_time_is_told_by_phase(tmp_path: Path) -> None:
    track = Track(tmp_path / "s", False, 0)
    step(players(), batch().given(ALONE.device), teaching(), track)
    assert {"ms_draw", "ms_judge", "ms_read", "ms_learn"} <= set(track.sums)
