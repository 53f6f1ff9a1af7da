"""The ONNX file: equal to torch, any batch, its own legend, small, and whole or absent."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from tiny_reader import checkpoint, exported, noise, tiny_header

from recognizer import export
from recognizer.backends import OnnxBackend, TorchBackend
from recognizer.checkpoint import Header, build, save
from recognizer.decoding import Legend
from recognizer.pictures import fit
from synth.errors import UserError


def fitted(count: int) -> np.ndarray:
    return np.stack([fit(image, 32, 96) for image in noise(count, seed=5)])


@pytest.mark.parametrize("count", [1, 2, 7, 128])
def test_equal_to_torch(count: int) -> None:
    images = fitted(count)
    ours, theirs = (
        OnnxBackend(exported()).probabilities(images),
        TorchBackend(checkpoint()).probabilities(images),
    )
    for one, other in zip(ours, theirs, strict=True):
        assert one.shape == other.shape and one.dtype == np.float32
        np.testing.assert_allclose(one, other, atol=1e-4, rtol=0)
        np.testing.assert_allclose(one.sum(-1), 1, atol=1e-4)
    assert np.ptp(ours[0]) > 0.5  # not all alike, or the comparison says nothing


def test_close_looks_are_the_same(tmp_path: Path, looking_thrice: Header) -> None:
    save(tmp_path / "three.safetensors", build(looking_thrice), looking_thrice)
    assert export.export(tmp_path / "three.safetensors", tmp_path / "three.onnx") < 1e-4


@pytest.mark.parametrize("japanese", [-30.0, 30.0])
def test_what_only_some_plates_need_is_a_branch(
    tmp_path: Path, looking_thrice: Header, japanese: float
) -> None:
    """And both sides of it are the same as torch's."""
    network = build(looking_thrice)
    network.kind[-1].bias.data[1] = japanese  # type: ignore[index, union-attr]
    save(tmp_path / "three.safetensors", network, looking_thrice)
    assert export.export(tmp_path / "three.safetensors", tmp_path / "three.onnx") < 1e-4
    graph = onnx.load(tmp_path / "three.onnx").graph
    (choice,) = (node for node in graph.node if node.op_type == "If")
    inside = {one.name: len(one.g.node) for one in choice.attribute}
    assert inside["then_branch"] > 50 and inside["else_branch"] == 1
    assert "Conv" in {node.op_type for one in choice.attribute for node in one.g.node}
    assert not any(node.op_type == "Where" for node in graph.node)


def test_the_legend_travels_with_it() -> None:
    header = tiny_header()
    expected = Legend(32, 96, header.symbols, header.types, header.temperature)
    assert OnnxBackend(exported()).legend == TorchBackend(checkpoint()).legend == expected
    metadata = {prop.key: prop.value for prop in onnx.load(exported()).metadata_props}
    assert json.loads(metadata["header"])["types"] == list(header.types)


def test_it_names_no_file_of_the_machine_it_was_made_on() -> None:
    assert b".py" not in exported().read_bytes()


def test_anybody_can_use_it() -> None:
    """uint8 pictures in, probabilities out: nothing else to get wrong."""
    session = onnxruntime.InferenceSession(str(exported()), providers=["CPUExecutionProvider"])
    (given,) = session.get_inputs()
    assert (given.name, given.type, given.shape[1:]) == ("images", "tensor(uint8)", [32, 96, 3])
    assert [out.name for out in session.get_outputs()] == ["text", "type"]
    onnx.checker.check_model(str(exported()))


def test_a_difference_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export, "TOLERANCE", -1.0)
    with pytest.raises(UserError, match=r"r\.onnx: not written: it differs from torch by"):
        export.export(checkpoint(), tmp_path / "r.onnx")
    assert not list(tmp_path.iterdir())


def test_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "new" / "r.onnx"
    monkeypatch.setattr(sys, "argv", ["plate-export", f"weights={checkpoint()}", f"out={out}"])
    export.main()
    said = capsys.readouterr()
    assert said.out.startswith(f"{out}: ") and "differs from torch by" in said.out
    assert said.out.count("\n") == 1 and [path.name for path in out.parent.iterdir()] == ["r.onnx"]
    for words, why in (([f"out={tmp_path}/r.pt"], "must end in .onnx"), ([], "out: must be given")):
        monkeypatch.setattr(sys, "argv", ["plate-export", f"weights={checkpoint()}", *words])
        with pytest.raises(SystemExit) as stop:
            export.main()
        assert stop.value.code == 2 and why in capsys.readouterr().err
