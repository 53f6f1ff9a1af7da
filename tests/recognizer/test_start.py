"""What a training begins with, which parts of it learn, and mistakes that are told before it begins."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from trainings import ALONE, COMMAND, Stopped, assert_equal, contents, stop

from recognizer.checkpoint import Header, build, load, save
from recognizer.loop import MakeData, Settings, train
from recognizer.start import first_weights
from recognizer.train import main
from synth.errors import UserError


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
