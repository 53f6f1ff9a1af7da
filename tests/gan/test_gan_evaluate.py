"""The judge of generators: distances that know equal from different, and the whole protocol once."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

pytest.importorskip("torch")

import torch
from test_pairs import write_crops
from tiny_pairs import header

from gan.align_store import Store
from gan.apply import BUNDLED
from gan.checkpoint import Styles, build, load, save
from gan.outside import alphabet_of
from gan.pairs import Pairs, load_pairs, pairs_of
from gan.protocol import need_parts, told_heads
from gan.scores import fid, kid, nearest, similarity, spread
from gan.vary import Vary
from synth.errors import UserError

RNG = np.random.default_rng(0)


def pictures(count: int, seed: int) -> list[np.ndarray]:
    return list(np.random.default_rng(seed).integers(0, 256, (count, 24, 94, 3), dtype=np.uint8))


def test_distances_are_small_for_equal_and_grow_with_the_shift() -> None:
    a, b = RNG.normal(size=(200, 8)), RNG.normal(size=(200, 8))
    assert fid(a, a) == pytest.approx(0, abs=1e-6)
    assert fid(a, b) < fid(a, b + 0.5) < fid(a, b + 1)
    assert abs(kid(a, b).value) < 3 * kid(a, b).deviation + 0.01
    assert kid(a, b).value < kid(a, b + 0.5).value < kid(a, b + 1).value
    assert fid(a, a + 1) == pytest.approx(8, abs=1e-6)  # the squared distance of the means


def test_kid_is_the_same_for_the_same_seed() -> None:
    a, b = RNG.normal(size=(40, 8)), RNG.normal(size=(30, 8))
    assert kid(a, b, 1) == kid(a, b, 1) and kid(a, b, 1).value == kid(a, b, 2).value


def test_spread_and_nearest_are_in_grey_levels() -> None:
    dark, light = np.full((24, 94, 3), 10, np.uint8), np.full((24, 94, 3), 40, np.uint8)
    assert spread([dark, light]) == pytest.approx(30)
    best, distances = nearest([dark + 1, light - 2], [light, dark])
    assert best.tolist() == [1, 0] and distances == pytest.approx([1, 2], abs=0.05)
    assert similarity(dark, dark) == pytest.approx(1) and similarity(*pictures(2, 1)) < 0.2


def test_features_of_an_outside_network() -> None:
    pytest.importorskip("rapidocr_onnxruntime")
    pytest.importorskip("onnx")
    from gan.features import features

    shots = pictures(3, 2)
    found = features(shots)
    assert found.shape == (3, 480) and np.isfinite(found).all()
    assert np.allclose(found[1], features([shots[1]])[0], rtol=1e-3, atol=1e-4)


def test_bolts_are_told_as_in_the_training() -> None:
    assert told_heads(load(BUNDLED)[2]) and not told_heads(header())


@pytest.mark.parametrize(
    ("counts", "message"),
    [
        ((1, 5), "1 held-out crops, two are"),
        ((5, 1), "1 training crops, two are"),
        ((2, 5), "are in one half"),
    ],
)
def test_too_few_crops_are_one_line(counts: tuple[int, int], message: str) -> None:
    with pytest.raises(UserError, match=f"source.path: .*{message}"):
        need_parts(*(tiny(count) for count in counts))


def tiny(count: int) -> Pairs:
    """Crops of one text."""
    blank = np.zeros((24, 94, 3), np.uint8)
    named = (("x",) * count, ("京A12345",) * count, ("cn/blue",) * count)
    store = Store(*named, (blank,) * count, np.stack([np.eye(3)] * count), np.ones(count), 0)
    return pairs_of(store, range(count), (24, 94), (24, 94), Vary(), "")


def test_the_whole_protocol(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("rapidocr_onnxruntime")
    pytest.importorskip("onnx")
    from gan.evaluate import main

    asked: list[bool] = []

    def watched(**keys: Any) -> Pairs:
        asked.append(keys.get("heads", False))
        return load_pairs(**keys)

    monkeypatch.setattr("gan.protocol.load_pairs", watched)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    write_crops(tmp_path / "crops", 40)
    torch.manual_seed(0)
    taught = replace(header(), config={"gan": {"heads": True}})
    save(tmp_path / "w.safetensors", build(header()), Styles(torch.randn(4, 3), torch.ones(4, 3)), taught)
    keys = [
        f"weights={tmp_path / 'w.safetensors'}", f"source.path={tmp_path / 'crops'}",
        f"out={tmp_path / 'out'}",
        "draws=1", "classifier.seeds=1", "classifier.epochs=1", "outlines=2", "styles=2", "judged=2",
        "plates.types=[cn/blue,cn/yellow_double]",
    ]  # fmt: skip
    monkeypatch.setattr("sys.argv", ["plate-evaluate-gan", *keys])
    main()
    said, told = capsys.readouterr()
    assert asked[0]  # the held-out crops
    assert "0 unreadable; " in told and " in part held_out" in told
    assert "| pix2pix |" in said and "| capture |" in said and "real held-out crops" in said
    report = json.loads((tmp_path / "out" / "metrics.json").read_text())
    assert report["held_out"] >= 4 and set(report["likeness"]) == {
        "pix2pix",
        "capture",
        "real training crops",
    }
    assert 0 <= report["likeness"]["pix2pix"]["classifier"] <= 1
    assert set(report["legibility"]) == {"cn/blue", "mean"}  # two rows are not the outside reader's trade
    for name in ("sheet.png", "nearest.png", "types.png"):
        assert cv2.imread(str(tmp_path / "out" / name)) is not None


def test_an_outside_reader_is_asked_for_the_letters_of_a_type() -> None:
    whole, region = alphabet_of("cn/blue"), alphabet_of("cn/blue", ("region",))
    assert set("皖A1") <= set(whole) and "I" not in whole and len(set(whole)) == len(whole)
    assert "皖" in region and "1" not in region and set(region) < set(whole)
