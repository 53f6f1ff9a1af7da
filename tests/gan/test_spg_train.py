"""Training the editor: every loss learns, exact resume, weights files, the command from a user's side."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")

import torch
from safetensors import safe_open
from test_train import ALONE, command
from tiny_edits import SIZES, Stopped, batch, course, header, rendered, saved, small_pairs, teaching
from tiny_pairs import settings
from torch import Tensor

from gan.batches import as_pictures
from gan.discriminator import Discriminator
from gan.loop import run
from gan.memory import Memory
from gan.outline import COUNT
from gan.runtime.track import Track
from gan.runtime.window import Window
from gan.spg.batches import Edits, Mixture
from gan.spg.checkpoint import build, load, save
from gan.spg.editor import laid_into
from gan.spg.gallery import EditGallery
from gan.spg.step import edit_step
from gan.step import Players
from synth.errors import UserError

LOSSES = ("adversarial", "l1", "drawn", "mask", "cycle", "likeness", "shadow")


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)
    torch.manual_seed(0)


def players(**network: Any) -> Players[Any]:
    judge = Discriminator(COUNT, channels=4)
    return Players.of(build(header(**network)), judge, (0.003, 0.003), ALONE)


def test_a_step_learns_and_logs_every_loss(tmp_path: Path) -> None:
    both, given = players(), batch().given(ALONE.device)
    track = Track(tmp_path / "stats.jsonl", False, 0)
    logged = [edit_step(both, given, teaching(adversarial=0.0), track) for _ in range(60)]
    assert set(logged[0]) == set(LOSSES) - {"adversarial"}
    for name in set(logged[0]) - {"shadow"}:  # there is hardly any on so small a plate
        assert logged[-1][name] < 0.8 * logged[0][name], (name, logged[0], logged[-1])
    assert set(edit_step(both, given, teaching(), track)) == {"judge", *LOSSES}


@pytest.mark.parametrize("name", LOSSES)
def test_a_loss_left_out_is_not_computed(name: str, tmp_path: Path) -> None:
    given = batch().given(ALONE.device)
    found = edit_step(players(), given, teaching(**{name: 0.0}), Track(tmp_path / "s.jsonl", False, 0))
    assert set(LOSSES) - set(found) == {name} and ("judge" in found) == (name != "adversarial")


def test_edits_are_judged_at_the_size_of_the_crops_as_an_editor_lays_them(tmp_path: Path) -> None:
    mixed = Mixture(rendered(), small_pairs(12, 36), 0.5, 0)
    batches = map(Edits(mixed, Window(4), 0).batch, range(50))
    drawn = next(b for b in batches if b.source.shape[2:] == SIZES[0])
    given = drawn.given(ALONE.device)
    assert given.real == 2 and given.judged == (12, 36) and given.seen.shape == (2, 3, 12, 36)
    right, said = given.right
    assert right.shape == (4, 3, 12, 36) and said.shape == (4, COUNT, 12, 36)
    assert torch.equal(right[2:], given.seen)
    whole, part = torch.rand(4, 3, *SIZES[0]) - 0.5, 0.3 + 0.4 * torch.rand(4, 1, *SIZES[0])
    laid = as_pictures(given.laid(whole, part))
    for number in (2, 3):
        crop, picture = as_pictures(given.seen)[number - 2], as_pictures(whole)[number]
        share = np.asarray(np.rint(255 * part[number, 0].numpy()), np.uint8)
        edited = laid_into(crop, picture, share, share).image.astype(int)
        assert np.abs(edited - laid[number]).max() <= 2  # grey levels: an editor rounds on the way
    edit_step(players(), given, teaching(), Track(tmp_path / "s.jsonl", False, 0))


def test_a_loss_that_is_no_number_ends_the_training(tmp_path: Path) -> None:
    lost = players()
    torch.nn.init.constant_(next(lost.artist.parameters()), float("nan"))
    with pytest.raises(UserError, match="is nan, nothing more is learnt"):
        edit_step(lost, batch().given(ALONE.device), teaching(), Track(tmp_path / "s.jsonl", False, 0))


def test_only_edits_of_crops_are_remembered(tmp_path: Path) -> None:
    both, track = players(), Track(tmp_path / "s.jsonl", False, 0)
    both.memory = Memory(64)
    edit_step(both, batch(real=False).given(ALONE.device), teaching(), track)
    assert both.memory.recall(1) is None
    edit_step(both, batch().given(ALONE.device), teaching(), track)
    assert len(both.memory.pictures) == 4


def test_phase_one_has_no_cycle(tmp_path: Path) -> None:
    given = batch(real=False).given(ALONE.device)
    assert given.real == 0
    assert "cycle" not in edit_step(players(), given, teaching(), Track(tmp_path / "s.jsonl", False, 0))


def contents(path: Path) -> dict[str, Tensor]:
    with safe_open(str(path), framework="pt") as file:
        return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118


def test_stopping_half_way_changes_nothing(tmp_path: Path) -> None:
    run(settings(tmp_path / "whole", images=32), course(), ALONE, True)
    with pytest.raises(Stopped):  # a state is written at 16 images, none at 32
        run(settings(tmp_path / "broken", images=32, keep=16), course(after=32), ALONE, True)
    torch.rand(5)
    run(settings(tmp_path / "broken", images=32), course(), ALONE, True)
    for name in ("weights.safetensors", "state.safetensors"):
        mine, theirs = contents(tmp_path / "whole" / name), contents(tmp_path / "broken" / name)
        assert mine.keys() == theirs.keys()
        assert [key for key in mine if not torch.equal(mine[key], theirs[key])] == [], name


def test_what_a_run_leaves_behind(tmp_path: Path) -> None:
    weights = run(settings(tmp_path, images=16, tick=16), course(begins=0), ALONE, True)
    lines = [json.loads(line) for line in (tmp_path / "stats.jsonl").read_text().splitlines()]
    assert [line["images"] for line in lines] == [16] and {"judge", *LOSSES} <= set(lines[0])
    assert [path.name for path in (tmp_path / "samples").iterdir()] == ["00000016.png"]
    network, found = load(weights)
    assert found.sizes == SIZES and not network.training


def test_the_gallery_is_five_columns_wide() -> None:
    shown = EditGallery([batch(), batch(size=SIZES[1])]).picture(build(header()))
    assert shown.shape == (4 * 16 + 4 * 24, 5 * 48, 3)


def test_a_bad_weights_file_is_one_line(tmp_path: Path) -> None:
    path = saved(tmp_path / "w.safetensors")
    assert load(path)[1].planes == COUNT
    other = replace(header(), planes=4)
    save(path, build(other), other)
    with pytest.raises(UserError, match="drawn from 4 outline planes, this version draws 9; train again"):
        load(path)
    foreign = replace(header(), network={"_target_": "os.system", "command": "true"})
    save(path, build(header()), foreign)
    with pytest.raises(UserError, match=r"refused: its header calls 'os.system'"):
        load(path)
    older = replace(header(), network={**header().network, "depth": 4})
    save(path, build(header()), older)
    with pytest.raises(UserError, match=r"not made by this version .*; train again"):
        load(path)


def test_the_command_trains(tmp_path: Path) -> None:
    done = command(
        tmp_path / "run", "gan=spg", "gan.real.begins=8", "keep=8", "images=16", "plates.types=[cn/blue]"
    )
    assert done.returncode == 0, done.stderr
    said = f"{tmp_path / 'run' / 'weights.safetensors'}: 16 images of rendered plates and 12 crops"
    assert done.stdout.splitlines()[-1] == said
    assert "x: twelve tiny crops" in done.stderr.splitlines()
    assert load(tmp_path / "run" / "weights.safetensors")[1].data["crops"] == 12


def test_features_of_the_bundled_reader_teach_or_their_absence_is_told(tmp_path: Path) -> None:
    keys = ("gan=spg", "gan.real.share=0", "images=4", "plates.types=[cn/blue]")
    done = command(tmp_path / "off", *keys)
    assert "gan.losses: style left out, since gan.perceptual is null; reader=bundled" in done.stderr
    done = command(tmp_path / "on", *keys, "reader=bundled")
    assert done.returncode == 0 and "gan.losses" not in done.stderr, done.stderr
    assert "style" in json.loads((tmp_path / "on" / "stats.jsonl").read_text())


def test_the_weights_that_are_kept_lie_between_both_phases(tmp_path: Path) -> None:
    keys = ("gan=spg", "gan.real.begins=8", "images=24", "keep=8", "plates.types=[cn/blue]")
    found = {}
    for share in (0, 0.25, 1):
        done = command(tmp_path / f"{share}", *keys, f"gan.real.phase1={share}")
        assert done.returncode == 0, done.stderr
        found[share] = contents(tmp_path / f"{share}" / "weights.safetensors")
    first = contents(tmp_path / "0" / "phase1.safetensors")
    for name, value in found[0].items():
        if not value.is_floating_point():  # batches counted
            continue
        assert torch.equal(found[1][name], first[name]), name
        mean = value.float().lerp(first[name].float(), 0.25)
        assert torch.allclose(found[0.25][name].float(), mean, rtol=2e-3, atol=1e-4), name
    assert any(not torch.equal(first[name], value) for name, value in found[0].items())


def test_a_wrong_share_is_one_line(tmp_path: Path) -> None:
    done = command(tmp_path / "run", "gan=spg", "batch=1")
    assert done.returncode == 2 and done.stderr.startswith(
        "error: batch: 1, of which gan.real.share=0.5 is no crop"
    )
    done = command(tmp_path / "run", "gan=spg", "gan.real.share=1")
    assert done.returncode == 2 and done.stderr.startswith("error: gan.real.share: 1 is no share below 1")
    done = command(tmp_path / "run", "gan=spg", "gan.turns=0")
    assert done.returncode == 2 and done.stderr.startswith("error: gan.turns: 0; the judge needs one turn")
    done = command(tmp_path / "run", "gan=spg", "gan.rendered.jitter=abc")
    assert done.returncode == 2 and done.stderr == "error: gan.rendered.jitter: 'abc' is not a number\n"
    done = command(tmp_path / "run", "gan=spg", "reader=mine")
    said = "error: gan.perceptual: 'mine' is not a mapping with _target_\n"
    assert done.returncode == 2 and done.stderr == said
    done = command(tmp_path / "run", "gan=spg", "gan.real.phase1=2")
    assert done.returncode == 2 and done.stderr.startswith("error: gan.real.phase1: 2 is no share between")
