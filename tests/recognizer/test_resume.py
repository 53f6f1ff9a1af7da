"""Stopping a training anywhere and starting it again gives, bit for bit, what not stopping gives."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import nn
from trainings import ALONE, COMMAND, Stopped, assert_equal, stop

from recognizer.checkpoint import Header
from recognizer.loop import MakeData, Settings, train
from synth.errors import UserError

ROOT = Path(__file__).resolve().parents[2]
RIVALS = {
    "plates": {
        "_target_": "recognizer.networks.plates.PlateNet",
        "widths": [4, 8, 8, 8, 16],
        "dropout": 0.3,
    },
    "crnn": {"_target_": "recognizer.networks.crnn.CRNN", "widths": [4, 8, 8, 8, 8], "hidden": 8},
}


def twice(settings: Settings, header: Header, data: MakeData, steps: int) -> None:
    """`steps` steps, a stop, `steps` more; and the same without the stop; and compare."""
    whole = replace(settings, images=2 * steps * settings.batch)
    broken = replace(whole, out=whole.out.with_name("broken"))
    half = steps * settings.batch
    train(whole, header, data, {}, ALONE, resume=True)
    late = replace(broken, keep=half, tick=half + settings.batch)  # a step after the state was saved
    with pytest.raises(Stopped):
        train(late, header, data, {"stop": stop}, ALONE, resume=True)
    assert not (broken.out / "stats.jsonl").exists()
    torch.rand(7)  # whatever else drew numbers in between
    train(broken, header, data, {}, ALONE, resume=True)
    assert_equal(whole.out, broken.out)


@pytest.mark.parametrize("name", RIVALS)
@pytest.mark.parametrize("workers", [0, pytest.param(1, marks=pytest.mark.slow)])
def test_two_halves_are_one_whole(
    name: str, workers: int, settings: Callable[..., Settings], header: Header, clean: MakeData
) -> None:
    twice(settings(workers=workers), replace(header, network=RIVALS[name]), clean, steps=6)


@pytest.mark.slow
def test_two_times_500_steps_are_1000(
    settings: Callable[..., Settings], header: Header, clean: MakeData
) -> None:
    twice(settings(warmup=200), header, clean, steps=500)


def test_the_comparison_can_fail(settings: Callable[..., Settings], header: Header, clean: MakeData) -> None:
    one, other = settings(images=8), settings(images=8, seed=1)
    other = replace(other, out=one.out.with_name("other"))
    for each in (one, other):
        train(each, header, clean, {}, ALONE, resume=False)
    with pytest.raises(AssertionError):
        assert_equal(one.out, other.out)


def test_dropout_is_drawn_anew_at_every_step_and_process(header: Header) -> None:
    from gan.runtime.state import reseed

    drawn = []
    for seed, images, rank in ((0, 0, 0), (0, 32, 0), (0, 0, 1), (1, 0, 0), (0, 0, 0)):
        reseed(seed, images, rank)
        drawn.append(float(torch.rand(())))
    assert drawn[0] == drawn[4] and len(set(drawn)) == 4


def test_moments_come_back_in_the_memory_order_of_their_weights(tmp_path: Path) -> None:
    """A fused Adam on the CPU walks through memory: contiguous moments would go to other weights."""
    from gan.runtime.state import load_state, save_state

    network = nn.Conv2d(3, 8, 3).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimizer = torch.optim.AdamW(network.parameters(), fused=True)
    network(torch.randn(2, 3, 9, 9)).square().sum().backward()
    optimizer.step()
    parts = {"network": network, "optimizer": optimizer}
    save_state(tmp_path / "state", parts, {"images": 1})
    again = torch.optim.AdamW(network.parameters(), fused=True)
    assert load_state(tmp_path / "state", {"network": network, "optimizer": again}) == {"images": 1}
    for key in ("exp_avg", "exp_avg_sq", "step"):
        before, after = optimizer.state[network.weight][key], again.state[network.weight][key]
        assert torch.equal(before, after) and before.stride() == after.stride(), key


def test_the_log_has_every_tick_once(
    settings: Callable[..., Settings], header: Header, clean: MakeData
) -> None:
    plan = settings(images=32, tick=8, keep=16)
    calls: list[int] = []

    def third(network: nn.Module) -> dict[str, float]:
        calls.append(1)
        if len(calls) == 4:
            raise Stopped
        return {"exact": 0.0}

    with pytest.raises(Stopped):
        train(plan, header, clean, {"real": third}, ALONE, resume=True)  # ticks 8, 16, 24; state of 16 or 32
    log = plan.out / "stats.jsonl"
    log.write_text(log.read_text() + '{"images": 30, "re')  # killed while it wrote
    (plan.out / "state.safetensors").unlink()
    train(plan, header, clean, {}, ALONE, resume=True)
    assert [json.loads(line)["images"] for line in log.read_text().splitlines()] == [8, 16, 24, 32]


def test_a_finished_training_is_left_as_it_is(
    settings: Callable[..., Settings], header: Header, clean: MakeData
) -> None:
    plan = settings(images=8, tick=8)
    weights = train(plan, header, clean, {}, ALONE, resume=True)
    files = {path: path.read_bytes() for path in plan.out.iterdir()}
    assert train(plan, header, clean, {}, ALONE, resume=True) == weights
    assert files == {path: path.read_bytes() for path in plan.out.iterdir()}


def test_a_kill_after_a_tick_loses_no_line(
    settings: Callable[..., Settings], header: Header, clean: MakeData, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = settings(images=32, tick=16, keep=16)

    def killed(*_: object) -> None:
        raise Stopped

    with monkeypatch.context() as patch, pytest.raises(Stopped):
        patch.setattr("recognizer.loop.save_state", killed)
        train(plan, header, clean, {}, ALONE, resume=True)
    train(plan, header, clean, {}, ALONE, resume=True)
    lines = (plan.out / "stats.jsonl").read_text().splitlines()
    assert [json.loads(line)["images"] for line in lines] == [16, 32]


def test_a_training_begun_anew_is_not_gone_on_from_the_old_one(
    settings: Callable[..., Settings], header: Header, clean: MakeData
) -> None:
    plan = settings(images=16)
    train(plan, header, clean, {}, ALONE, resume=True)
    with pytest.raises(Stopped):  # before anything of it was saved
        train(replace(plan, tick=8, keep=16), header, clean, {"stop": stop}, ALONE, resume=False)
    assert not {path.name for path in plan.out.iterdir()} & {"state.safetensors", "weights.safetensors"}


@pytest.mark.parametrize("content", [b"", b"garbage" * 99, "other"])
def test_a_state_that_does_not_fit_is_one_line(
    content: bytes | str, settings: Callable[..., Settings], header: Header, clean: MakeData
) -> None:
    plan = settings(images=8)
    if isinstance(content, bytes):
        plan.out.mkdir()
        (plan.out / "state.safetensors").write_bytes(content)
    else:
        train(plan, replace(header, network=RIVALS["crnn"]), clean, {}, ALONE, resume=True)
    begun: list[str] = []
    with pytest.raises(UserError, match=r"state.safetensors: cannot be resumed from .* resume=false"):
        train(plan, header, clean, {}, ALONE, True, lambda: begun.append("resumed"))
    train(plan, header, clean, {}, ALONE, False, lambda: begun.append("anew"))
    assert begun == ["anew"]  # config.yaml is that of the weights beside it


def command(out: Path) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    line = [sys.executable, "-m", "recognizer.train", f"out={out}", *COMMAND]
    return subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)


@pytest.mark.slow
def test_a_killed_training_goes_on_as_if_nothing_had_happened(tmp_path: Path) -> None:
    killed = command(tmp_path / "killed")
    log = tmp_path / "killed" / "stats.jsonl"
    deadline = time.monotonic() + 120
    while not (log.exists() and len(log.read_text().splitlines()) >= 2) and time.monotonic() < deadline:
        time.sleep(0.02)
    killed.kill()
    killed.communicate()
    ticks = [json.loads(line)["images"] for line in log.read_text().splitlines()]
    assert killed.returncode == -9 and 96 <= ticks[-1] < 512
    for out in (tmp_path / "killed", tmp_path / "whole"):
        run = command(out)
        said, complaint = run.communicate(timeout=240)
        assert run.returncode == 0, complaint
        assert f"{out / 'weights.safetensors'}: 512 images" in said
    assert_equal(tmp_path / "killed", tmp_path / "whole")
    lines = [json.loads(line)["images"] for line in log.read_text().splitlines()]
    assert lines == [*range(48, 512, 48), 512]
