"""The temperature of a reader: found, and kept in the header of its checkpoint."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
import torch
from hydra import compose, initialize_config_module
from tiny_reader import noise, tiny_header

from gan.runtime.weights import save_weights
from recognizer.backends import TorchBackend
from recognizer.calibrate import calibrate, fit_temperature, held_out, lowest, write_temperature
from recognizer.checkpoint import KIND, build, read
from recognizer.codec import Codec


def test_lowest() -> None:
    assert lowest(lambda x: (x - 0.7) ** 2, -1, 2, 20) == pytest.approx(0.7, abs=1e-3)


@pytest.mark.parametrize("truth", [0.6, 1.8])
def test_the_temperature_is_found(truth: float) -> None:
    """One step, two characters: the first is right as often as the scores say at this temperature."""
    rng = np.random.default_rng(0)
    scores = np.zeros((4000, 1, 3), np.float32)
    scores[:, 0, 0] = -50
    scores[:, 0, 1] = np.abs(rng.normal(0, 3, 4000))
    likely = 1 / (1 + np.exp(-scores[:, 0, 1] / truth))
    truths = ["a" if hit else "b" for hit in rng.random(4000) < likely]
    found = fit_temperature((scores, np.zeros((4000, 1), np.float32)), truths, Codec(tuple("ab"), ("x",)))
    assert found == pytest.approx(truth, rel=0.08)


def test_the_temperature_goes_into_the_header(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    save_weights(path, build(tiny_header()).state_dict(), KIND, asdict(tiny_header()), half=True)
    before = {name: tensor.clone() for name, tensor in read(path)[1].items()}
    size = path.stat().st_size
    write_temperature(path, 0.321)
    header, after = read(path)
    assert header.temperature == 0.321 and header.types == tiny_header().types
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert abs(path.stat().st_size - size) < 100  # still 16 bits
    assert calibrate(path, noise(20), ["皖A"] * 20) == TorchBackend(path).legend.temperature != 0.321


def test_held_out_plates_come_from_the_pipeline() -> None:
    with initialize_config_module("conf", version_base="1.3"):
        config = compose("train_recognizer", ["plates=cn7", "stages=template"])
    images, truths = held_out(config, 3)
    assert len(images) == len(truths) == 3 and all(len(text) in (7, 8) for text in truths)
    again, _ = held_out(config, 3)
    assert all((a == b).all() for a, b in zip(images, again, strict=True))
