"""Stage spg: real crops show the sample's text; labels, quads and masks lie where the crop's plate lies."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

pytest.importorskip("torch")

import torch
from hydra import compose, initialize_config_module
from omegaconf import OmegaConf
from tiny_edits import saved

from synth.errors import UserError
from synth.pipeline import Pipeline, pipeline_of
from synth.template import Plan, Template

TYPES = ["cn/blue", "cn/yellow_double"]


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    torch.set_num_threads(1)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def crops(tmp_path: Path) -> Path:
    """Three labelled crops a type."""
    folder, lines = tmp_path / "crops", ["path\ttext\ttype\tcolour"]
    folder.mkdir()
    for kind in TYPES:
        for sample in Template(Plan((kind,), "legal"), 32).batch(3, range(2)):
            image = cv2.copyMakeBorder(sample.image, 2, 2, 3, 3, cv2.BORDER_CONSTANT, value=(90, 90, 90))
            cv2.imencode(".png", image[..., ::-1])[1].tofile(folder / f"{sample.text}.png")
            lines.append(f"{sample.text}.png\t{sample.text}\t{kind}\t")
    (folder / "labels.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


def pipeline(crops: Path | None, types: list[str] = TYPES, **changes: Any) -> Pipeline:
    with initialize_config_module("conf", version_base="1.3"):
        config = compose("generate", ["stages=spg", "out=x", "balance=legal"])
    given: dict[str, Any] = {"path": None if crops is None else str(crops), "precision": "float32"}
    if crops is not None:
        given["weights"] = str(saved(crops.parent / "w.safetensors"))
    settings = {"plates": {"types": types}, "stages": {"spg": {**given, **changes}}}
    return pipeline_of(OmegaConf.merge(config, settings))


def test_a_sample_is_laid_on_a_crop_of_its_type(crops: Path) -> None:
    made = pipeline(crops)
    samples = made.samples(range(6))
    assert {sample.stages[-1]["name"] for sample in samples} == {"spg"}
    for sample in samples:
        height, width = sample.image.shape[:2]
        assert height == 64 and sample.mask is not None and sample.mask.shape == (height, width)
        assert len(sample.char_quads) == len(sample.text) and 80 <= sample.stages[-1]["quality"] <= 96
        quads = sample.char_quads.reshape(-1, 2)
        assert (quads > -2).all() and (quads < np.array([width, height]) + 2).all()
        for quad in sample.char_quads:  # untrained masks are the nominal characters in their places
            x, y = quad.mean(axis=0)
            around = sample.mask[max(0, int(y) - 12) : int(y) + 13, max(0, int(x) - 8) : int(x) + 9]
            assert around.max() > 128
    shapes = {sample.type: sample.image.shape for sample in samples}
    assert set(shapes) == set(TYPES) and len(set(shapes.values())) == 2
    again = pipeline(crops).samples([3])[0]
    assert again.stages == samples[3].stages and np.array_equal(again.quad, samples[3].quad)
    assert np.abs(again.image.astype(int) - samples[3].image).max() <= 1


def test_a_type_without_crops_is_one_line(crops: Path) -> None:
    with pytest.raises(
        UserError, match=r"no crop of cn/nev_small with as many characters as .*leave the type"
    ):
        pipeline(crops, ["cn/blue", "cn/nev_small"]).samples(range(4))


def test_what_is_not_given_is_asked_for(crops: Path) -> None:
    with pytest.raises(UserError, match=r"stages.spg: path: none; give a folder"):
        pipeline(crops, path=None)
    with pytest.raises(UserError, match=r"stages.spg: weights: .*none.safetensors: no such file"):
        pipeline(crops, weights=str(crops / "none.safetensors"))
