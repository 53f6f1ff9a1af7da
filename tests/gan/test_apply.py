"""The stage: labels and quads kept, styles seeded, chance from each sample's own stream, checks counted."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")

import torch
from tiny_pairs import SIZE, header, stage_config

from gan.apply import Check, Redraw, view_of_plane
from gan.checkpoint import Styles, build, save
from gan.outline import GROUND
from synth.errors import UserError
from synth.pipeline import Pipeline, pipeline_of
from synth.sample import Image, Sample

TYPES = {"plates": {"types": ["cn/blue", "cn/yellow_double"]}}


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    """Untrained, with a bank of four styles that do something."""
    torch.manual_seed(3)
    network = build(header())
    for module in network.modules():
        if isinstance(module, torch.nn.Linear):
            torch.nn.init.normal_(module.weight, std=0.8)
    styles = Styles(torch.randn(4, 3) * 2, torch.full((4, 3), 0.1))
    save(tmp_path / "w.safetensors", network, styles, header())
    return tmp_path / "w.safetensors"


def pipeline(weights: Path, **changes: Any) -> Pipeline:
    from omegaconf import OmegaConf

    return pipeline_of(OmegaConf.merge(stage_config(weights, **changes), TYPES))


def differing(one: Sample, other: Sample) -> float:
    return float(np.abs(one.image.astype(int) - other.image.astype(int)).mean())


def test_a_drawn_plate_keeps_its_label_and_says_how_it_was_drawn(weights: Path) -> None:
    for sample in pipeline(weights).samples(range(8)):
        height, width = sample.image.shape[:2]
        assert height == 64 and sample.alpha.shape == (64, width) and sample.mask is not None
        assert sample.text == sample.plate.text and len(sample.char_quads) == len(sample.plate.char_quads)
        entry = sample.stages[-1]
        assert entry["name"] == "pix2pix" and 0 <= entry["style"] < 4 and 80 <= entry["quality"] <= 96
        assert {"pose", "crop", "severity"} <= set(entry)
        middle = sample.char_quads.mean(axis=(0, 1))
        assert 0 < middle[0] < width and 0 < middle[1] < height


def test_weights_that_change_are_read_again(weights: Path) -> None:
    before = pipeline(weights).samples([0])
    network = build(header())
    save(weights, network, Styles(torch.zeros(4, 3), torch.zeros(4, 3)), header())
    os.utime(weights, ns=(0, weights.stat().st_mtime_ns + 1))  # however coarse the file system's clock is
    assert differing(before[0], pipeline(weights).samples([0])[0]) > 1


def test_plates_lie_as_those_of_the_crops(tmp_path: Path) -> None:
    network = build(header())
    corners = torch.tensor([[(0.1, 0.05), (0.9, 0.2), (0.92, 0.95), (0.08, 0.8)]])
    save(tmp_path / "w", network, Styles(torch.zeros(1, 3), torch.zeros(1, 3), corners), header())
    for posed, sample in (
        (p, s) for p in (0.0, 1.0) for s in pipeline(tmp_path / "w", posed=p).samples(range(6))
    ):
        height, width = sample.image.shape[:2]
        far = np.abs(sample.quad / (width, height) - corners[0].numpy()).max()
        assert ("crop" in sample.stages[-1]["pose"]) == bool(posed) and (far < 0.06) == bool(posed)


def test_plates_lie_between_those_of_two_crops(tmp_path: Path) -> None:
    network, none = build(header()), torch.zeros(2, 3)
    corners = torch.tensor([(0.1, 0.1), (0.9, 0.1), (0.9, 0.9), (0.1, 0.9)]).repeat(2, 1, 1)
    corners[1, :, 1] += torch.tensor((0.4, 0, 0, 0.4))
    save(tmp_path / "w", network, Styles(none, none, corners), header())
    for sample in pipeline(tmp_path / "w", posed=1.0, between=0.5).samples(range(24)):
        pose = sample.stages[-1]["pose"]
        lies = corners[pose["crop"]] + pose["way"] * (corners[pose["other"]] - corners[pose["crop"]])
        assert 0 <= pose["way"] <= 0.5 and np.abs(np.array(pose["corners"]) - lies.numpy()).max() < 0.05


def test_bolts_come_with_the_style(tmp_path: Path) -> None:
    network, heads = build(header()), torch.zeros(2, 4, 4)
    heads[1] = torch.tensor((250.0, 20.0, 20.0, 1.0))
    save(tmp_path / "w", network, Styles(torch.zeros(2, 3), torch.zeros(2, 3), heads=heads), header())
    made = pipeline(tmp_path / "w")
    (stage,), drawn = made.stages.values(), made.samples(range(12))
    assert {s.stages[-1]["bolts"] for s in drawn} == {0, 1}
    assert all(s.stages[-1]["bolts"] == s.stages[-1]["style"] for s in drawn)
    for sample in made.template.batch(made.seed, range(12)):
        plan = stage.plan(sample)
        red = plan.condition[..., GROUND.start].astype(int) - plan.condition[..., GROUND.stop - 1]
        assert bool(plan.params["bolts"]) == (red.max() > 60) or sample.type != "cn/blue"


def test_plates_may_go_through_the_size_of_the_crops(tmp_path: Path) -> None:
    network, styles = build(header()), Styles(torch.zeros(1, 3), torch.zeros(1, 3))
    save(tmp_path / "w", network, styles, replace(header(), seen=(8, 24)))
    for stored in (0.0, 1.0):
        for sample in pipeline(tmp_path / "w", stored=stored).samples(range(4)):
            entry = sample.stages[-1]
            assert entry.get("stored") == ([8, 24] if stored else None) and sample.image.shape[0] == 64
    for wrong in ({"posed": 2.0}, {"stored": -0.1}):
        with pytest.raises(UserError, match=f"{next(iter(wrong))}: .* is no share"):
            pipeline(tmp_path / "w", **wrong).samples(range(1))


def test_quads_move_with_the_plate(weights: Path) -> None:
    """The middle of each character lies on the character."""
    for sample in pipeline(weights).samples(range(12)):
        assert sample.mask is not None
        for quad in sample.char_quads:
            x0, y0, x1, y1 = [*quad.min(axis=0).round().astype(int), *quad.max(axis=0).round().astype(int)]
            inside = sample.mask[max(0, y0) : y1 + 1, max(0, x0) : x1 + 1]
            assert inside.size == 0 or inside.max() > 100
        outside = sample.mask.copy()
        x, y = sample.char_quads[..., 0], sample.char_quads[..., 1]
        outside[max(0, int(y.min()) - 3) : int(y.max()) + 4, max(0, int(x.min()) - 3) : int(x.max()) + 4] = 0
        assert outside.max() < 60


def test_the_same_numbers_give_the_same_plates(weights: Path) -> None:
    one, other = pipeline(weights).samples(range(6)), pipeline(weights).samples(range(6))
    assert all(
        np.array_equal(a.image, b.image) and a.stages == b.stages for a, b in zip(one, other, strict=True)
    )
    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    third = pipeline(weights).samples(range(6))
    torch.set_num_threads(threads)
    assert all(np.array_equal(a.image, b.image) for a, b in zip(one, third, strict=True))


def test_labels_and_geometry_do_not_depend_on_the_batch(weights: Path) -> None:
    made = pipeline(weights, precision="float32")
    together, alone = made.samples(range(4, 10)), made.samples([7])[0]
    assert together[3].stages == alone.stages and np.array_equal(together[3].quad, alone.quad)
    assert differing(together[3], alone) < 0.1


def test_styles_and_seeds_differ(weights: Path) -> None:
    samples = pipeline(weights).samples(range(24))
    assert {sample.stages[-1]["style"] for sample in samples} == {0, 1, 2, 3}
    drawn = pipeline(weights, prior=1.0).samples(range(4))
    assert {sample.stages[-1]["style"] for sample in drawn} == {-1}


def test_two_rows_are_drawn_at_their_own_shape(weights: Path) -> None:
    stage = pipeline(weights).stages["pix2pix"]
    assert isinstance(stage, Redraw)
    plain = Pipeline(pipeline(weights).template, {}, 0).samples(range(8))
    shapes = {sample.type: stage.plan(sample).condition.shape[:2] for sample in plain}
    assert shapes == {"cn/blue": SIZE, "cn/yellow_double": (32, 64)}


def test_bfloat16_is_close_to_float32(weights: Path) -> None:
    exact = pipeline(weights, precision="float32").samples(range(6))
    fast = pipeline(weights, precision="bfloat16").samples(range(6))
    assert np.mean([differing(a, b) for a, b in zip(exact, fast, strict=True)]) < 2


@dataclass
class Stubborn:
    """Reads wrongly so many times in a row, then rightly; knows the texts from the start."""

    texts: list[str]
    wrong: int
    calls: int = 0

    def read(self, image: list[Image]) -> list[Any]:
        self.calls += 1
        right = self.calls > self.wrong
        return [type("Reading", (), {"text": self.texts[n] if right else "?"}) for n in range(len(image))]


@pytest.mark.parametrize(("wrong", "redrawn"), [(0, 0), (1, 1), (9, 2)])
def test_wrong_readings_are_drawn_again_at_most_twice(weights: Path, wrong: int, redrawn: int) -> None:
    stage = pipeline(weights).stages["pix2pix"]
    assert isinstance(stage, Redraw)
    batch = Pipeline(pipeline(weights).template, {}, 0).samples(range(16))
    plans = [stage.plan(sample) for sample in batch]
    middle = float(np.median([plan.params["pose"]["view_deg"] for plan in plans]))
    easy = [n for n, plan in enumerate(plans) if Check(Stubborn([], 0), middle).easy(plan)]
    check = Check(Stubborn([batch[n].text for n in easy], wrong), middle)
    done = replace(stage, check=check)(batch)
    found = [sample.stages[-1].get("redrawn") for sample in done]
    assert {sample.stages[-1].get("misread") for sample in done} == {None, wrong > 2}
    assert 0 < len(easy) < len(batch)
    assert found == [redrawn if n in easy else None for n in range(len(batch))]
    plain = stage(batch)
    for n, (one, other) in enumerate(zip(done, plain, strict=True)):
        assert np.array_equal(one.quad, other.quad)
        assert (n in easy and redrawn > 0) or np.array_equal(one.image, other.image)


def test_missing_weights_are_one_line(tmp_path: Path) -> None:
    with pytest.raises(
        UserError, match=r"stages.pix2pix: weights: .*none.safetensors: no such file; give the"
    ):
        pipeline(tmp_path / "none.safetensors")
    with pytest.raises(UserError, match=r"stages.pix2pix: precision: 'int8' is unknown"):
        pipeline(weights_of(tmp_path), precision="int8")


def weights_of(tmp_path: Path) -> Path:
    path = tmp_path / "w.safetensors"
    save(path, build(header()), Styles.none(3), header())
    return path


@pytest.mark.parametrize("name", ["pix2pix_phone", "pix2pix_street"])
def test_harms_change_the_picture_and_nothing_else(weights: Path, name: str) -> None:
    from hydra import compose, initialize_config_module

    keys = ["out=x", f"stages={name}", f"stages.pix2pix.weights={weights}", "stages.pix2pix.check=null"]
    with initialize_config_module("conf", version_base="1.3"):
        stage = pipeline_of(compose("generate", [*keys, "capture.severity=[0.9,1]"])).stages["pix2pix"]
    assert isinstance(stage, Redraw) and stage.harms
    batch = pipeline(weights).template.batch(0, range(8))
    harmed, calm = stage(batch), replace(stage, harms={})(batch)
    recorded = [sample.stages[-1]["harms"] for sample in harmed]
    assert set().union(*recorded) <= set(stage.harms) and sum(map(bool, recorded)) >= 6
    assert all("harms" not in sample.stages[-1] for sample in calm)
    for one, other, harms in zip(harmed, calm, recorded, strict=True):
        assert one.text == other.text and np.array_equal(one.char_quads, other.char_quads)
        assert harms or np.array_equal(one.image, other.image)
    changed = [not np.array_equal(a.image, b.image) for a, b in zip(harmed, calm, strict=True)]
    assert sum(changed) >= 5  # a blur of a tenth of a pixel changes nothing
    assert all(np.array_equal(a.image, b.image) for a, b in zip(harmed, stage(batch), strict=True))


@pytest.mark.parametrize("angle", [0, 20, 45, 60])
def test_a_plate_turned_away_is_seen_under_that_angle(angle: float) -> None:
    quad = np.array([(0, 0), (440, 0), (440, 140), (0, 140)], np.float32)
    turn, roll = np.deg2rad((angle, 30))
    rolled = np.array(((np.cos(roll), -np.sin(roll), 9), (np.sin(roll), np.cos(roll), 5), (0, 0, 1)))
    away = np.diag((np.cos(turn), 1.0, 1.0))
    assert view_of_plane(rolled @ away, quad) == pytest.approx(angle, abs=0.1)
