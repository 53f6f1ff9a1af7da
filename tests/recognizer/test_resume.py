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
from safetensors import safe_open
from torch import Tensor, nn

from gan.runtime.distributed import Processes
from recognizer.checkpoint import Header, build, load, save
from recognizer.loop import MakeData, Settings, train
from recognizer.train import main
from recognizer.training import first_weights
from synth.errors import UserError

ROOT = Path(__file__).resolve().parents[2]
ALONE = Processes(0, 1, torch.device("cpu"))
RIVALS = {
    "plates": {
        "_target_": "recognizer.networks.plates.PlateNet",
        "widths": [4, 8, 8, 8, 16],
        "dropout": 0.3,
    },
    "crnn": {"_target_": "recognizer.networks.crnn.CRNN", "widths": [4, 8, 8, 8, 8], "hidden": 8},
}


class Stopped(Exception):
    """The user pulled the plug."""


def stop(network: nn.Module) -> dict[str, float]:
    raise Stopped


def contents(path: Path) -> dict[str, Tensor]:
    with safe_open(str(path), framework="pt") as file:
        return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118


def assert_equal(left: Path, right: Path) -> None:
    """Averaged weights, and with them network, average and moments of the optimiser."""
    for name in ("weights.safetensors", "state.safetensors"):
        mine, theirs = contents(left / name), contents(right / name)
        assert mine.keys() == theirs.keys()
        assert [key for key in mine if not torch.equal(mine[key], theirs[key])] == [], name


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


def test_a_training_begins_with_the_weights_it_is_given(
    settings: Callable[..., Settings], header: Header, clean: MakeData
) -> None:
    """A hardly moving one stays near them; the next begun with them is not the first gone on with."""
    before = contents(train(settings(images=64), header, clean, {}, ALONE, resume=True))
    still = replace(settings(images=8), learning_rate=1e-9, weight_decay=0.0, out=settings().out / "next")
    after = contents(train(still, header, clean, {}, ALONE, resume=True, first=before))
    moved = [key for key, value in after.items() if value.is_floating_point() and "running" not in key]
    assert moved and all(torch.allclose(after[key], before[key], atol=1e-5) for key in moved)


def test_the_kept_weights_are_a_mean_with_the_first_ones(
    settings: Callable[..., Settings], header: Header, clean: MakeData
) -> None:
    before = contents(train(settings(images=64), header, clean, {}, ALONE, resume=True))
    plans = [replace(settings(images=32), out=settings().out / str(s), start_share=s) for s in (0.0, 0.25)]
    whole, mixed = (contents(train(p, header, clean, {}, ALONE, resume=True, first=before)) for p in plans)
    for key, value in mixed.items():
        if value.is_floating_point():
            assert torch.allclose(value, 0.75 * whole[key] + 0.25 * before[key], atol=1e-4), key


def test_only_the_parts_that_are_named_learn(
    settings: Callable[..., Settings], looking_thrice: Header, cars: MakeData
) -> None:
    header = looking_thrice
    torch.manual_seed(1)
    before = dict(build(header).state_dict())
    plan = replace(settings(images=32), only=("class_look",), weight_decay=0.5)
    after = contents(train(plan, header, cars, {}, ALONE, resume=True, first=before))
    moved = {name.partition(".")[0] for name, value in after.items() if not torch.equal(value, before[name])}
    assert moved == {"class_look"}  # not even means of batch norm do elsewhere
    broken = replace(plan, out=plan.out.with_name("broken"), keep=16)
    with pytest.raises(Stopped):
        late = replace(broken, tick=20)
        train(late, header, cars, {"stop": stop}, ALONE, resume=True, first=before)
    train(broken, header, cars, {}, ALONE, resume=True, first=before)
    assert_equal(plan.out, broken.out)
    with pytest.raises(UserError, match="only: the network has no part 'classlook'; nearest: class_look"):
        train(replace(plan, only=("classlook",)), header, cars, {}, ALONE, resume=False)


COMMAND = (
    "images=512", "batch=4", "warmup=64", "keep=48", "tick=48", "workers=1", "threads=1", "autocast=false",
    "plates=cn7", "stages=template", "height_px=32", "curriculum=[{until: 200}, {until: 100000}]",
    "recognizer.network.widths=[8,16,16,16,32]",
)  # fmt: skip


def command(out: Path) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    line = [sys.executable, "-m", "recognizer.train", f"out={out}", *COMMAND]
    return subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("watch.mine=absent", "absent: no such folder"),
        ("watch=crops", "watch: 'crops' is not a mapping, as in watch.NAME=..."),
        ("watch.text=crops", "watch.text=crops: the log has a text already; give it another name"),
        ("watch.mine=null", "watch.mine=None: give a folder"),
        ("workers=-1", "workers: -1 is not a number from 0 on"),
        ("seed=-1", "seed: -1 is not a number from 0 on"),
        ("calibration=-1", "calibration: -1 is not a number from 0 on"),
        ("threads=two", "threads: 'two' is not a whole number above 0"),
        ("learning_rate=-1", "learning_rate: -1 is not above 0"),
        ("data=labelled", "data.path: must be given"),
        ("recognizer.network.slots=many", "PlateNet"),
        ("start=absent.safetensors", "start: absent.safetensors: no such weights file"),
        ("start_share=0.5", "start_share: 0.5: give start="),
        ("only=[close]", "only: ['close']: the other parts would stay as drawn; give start="),
        ("start_parts.finder=bundled", "start_parts: {'finder': 'bundled'}: the others would be drawn; give"),
    ],
)
def test_a_mistake_leaves_no_folder(
    word: str,
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(sys, "argv", ["plate-train-recognizer", f"out={tmp_path / 'run'}", *COMMAND, word])
    with pytest.raises(SystemExit, match="2"):
        main()
    errors = capsys.readouterr().err.splitlines()
    assert len(errors) == 1 and errors[0].startswith("error: ") and said in errors[0]
    assert not (tmp_path / "run").exists()


def test_a_start_of_another_network_lends_what_fits(
    header: Header, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save(tmp_path / "start.safetensors", build(header), header)
    path = str(tmp_path / "start.safetensors")
    wider = replace(header, network={**header.network, "flat": [32, 64]})
    first, again = (first_weights(path, wider, seed=3) for _ in range(2))
    lent = load(tmp_path / "start.safetensors")[0].state_dict()
    assert first is not None and again is not None
    assert first.keys() == build(wider).state_dict().keys()
    assert all(torch.equal(first[name], again[name]) for name in first)  # what is drawn, by the seed
    assert torch.equal(first["habit"], lent["habit"]) and "finder.usual" not in lent
    assert "tensors are drawn anew" in capsys.readouterr().out
    with pytest.raises(UserError, match=r"start_share: 0\.5: .* lacks \w+.* of this network"):
        first_weights(path, wider, share=0.5)
    other = replace(header, network={"_target_": "recognizer.networks.crnn.CRNN"})
    with pytest.raises(UserError, match="another network than that of recognizer"):
        first_weights(path, other)


def test_parts_may_begin_with_files_of_their_own(looking_thrice: Header, tmp_path: Path) -> None:
    header, files = looking_thrice, [str(tmp_path / f"{name}.safetensors") for name in ("one", "other")]
    for seed, file in enumerate(files):
        torch.manual_seed(seed)
        save(Path(file), build(header), header)
    one, other = (first_weights(file, header) for file in files)
    both = first_weights(files[0], header, parts={"finder": files[1]})
    assert one is not None and other is not None and both is not None
    for name, value in both.items():
        assert torch.equal(value, (other if name.startswith("finder.") else one)[name]), name
    assert not torch.equal(one["finder.first.last.weight"], other["finder.first.last.weight"])
    with pytest.raises(UserError, match=r"start_parts\.find: the network has no such part; nearest: finder"):
        first_weights(files[0], header, parts={"find": files[1]})
    with pytest.raises(UserError, match=r"start_parts\.close: .*absent.*: no such weights file"):
        first_weights(files[0], header, parts={"close": "absent"})
    narrow = replace(header, network={**header.network, "looks": 1})
    save(tmp_path / "narrow.safetensors", build(narrow), narrow)
    with pytest.raises(UserError, match=r"start_parts\.finder: .* lacks finder\.again.* of this network"):
        first_weights(files[0], header, parts={"finder": str(tmp_path / "narrow.safetensors")})


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
