"""The reader as a library: any picture, any batch, two backends, errors that say what to do."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import onnx
import PIL.Image
import pytest
import torch
from safetensors.torch import save_file
from tiny_reader import NETWORK, ROOT, checkpoint, exported, noise, tiny_header

from recognizer import backends
from recognizer.checkpoint import build, load, save
from recognizer.codec import Codec
from recognizer.decoding import PlateReading, decoded, probability, readings
from recognizer.reader import Reader
from synth.errors import UserError

BACKENDS = ("torch", "onnx")


def reader(backend: str) -> Reader:
    return Reader.from_pretrained(exported() if backend == "onnx" else checkpoint(), backend, threads=1)


def assert_same(left: list[PlateReading], right: list[PlateReading], within: float = 1e-4) -> None:
    assert len(left) == len(right)
    for one, other in zip(left, right, strict=True):
        assert (one.text, one.type) == (other.text, other.type)
        assert one.confidence == pytest.approx(other.confidence, abs=within)
        assert one.characters == pytest.approx(other.characters, abs=within)
        assert one.type_confidence == pytest.approx(other.type_confidence, abs=within)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("grammar", [False, True])
def test_batch_size_changes_nothing(backend: str, grammar: bool) -> None:
    images = noise(129)
    whole = reader(backend).read(images, grammar, batch=128)
    assert len({one.text for one in whole}) > 20  # or the test says nothing
    for size in (1, 7):
        assert_same(reader(backend).read(images, grammar, batch=size), whole)


def test_backends_agree() -> None:
    assert_same(reader("torch").read(noise(20)), reader("onnx").read(noise(20)))


@pytest.mark.parametrize("backend", BACKENDS)
def test_pictures_of_every_kind(backend: str, tmp_path: Path) -> None:
    image = noise(1)[0]
    cv2.imwrite(str(tmp_path / "a.png"), image[:, :, ::-1])
    own = reader(backend)
    expected = own.read(image)
    assert isinstance(expected, PlateReading) and len(expected.characters) == len(expected.text)
    for given in (str(tmp_path / "a.png"), tmp_path / "a.png", PIL.Image.fromarray(image)):
        assert own.read(given) == expected
    assert_same(own.read([image, tmp_path / "a.png"]), [expected, expected])
    assert_same(own.read(np.stack([image, image])), [expected, expected])  # type: ignore[arg-type]
    assert own.read([]) == []
    for odd in (np.zeros((1, 1), np.uint8), np.zeros((8000, 20, 4), np.uint8), np.ones((9, 9), np.uint16)):
        assert isinstance(own.read(odd), PlateReading)
    with pytest.raises(UserError, match=r"absent\.png"):
        own.read([image, tmp_path / "absent.png"])


def test_fields_come_from_the_grammar() -> None:
    plate = PlateReading("皖AY021B", "cn/blue", 1.0, (1.0,) * 7, 1.0)
    assert plate.fields == {"region": "皖", "city": "A", "serial": "Y021B"}
    assert replace(plate, text="皖A").fields == {} and replace(plate, type="my/own").fields == {}
    japanese = PlateReading("品川500さ1234", "jp/private", 1.0, (), 1.0)
    assert japanese.fields == {"region": "品川", "class": "500", "kana": "さ", "serial": "1234"}


def test_the_probability_of_a_text_sums_every_way_to_write_it() -> None:
    probs = np.random.default_rng(0).dirichlet([1, 1, 1], 5).astype(np.float32)  # 5 steps, blank a b
    sums: dict[str, float] = {}
    for path in np.ndindex(*[3] * 5):
        kept = [n for n, before in zip(path, (-1, *path), strict=False) if n != before and n]
        text = "".join(" ab"[n] for n in kept)
        sums[text] = sums.get(text, 0.0) + float(np.prod([probs[t, n] for t, n in enumerate(path)]))
    for text in ("a", "b", "ab", "aa", "aba", "bb"):
        assert probability(probs, [" ab".index(c) for c in text]) == pytest.approx(sums[text], rel=1e-5)


def test_sure_blanks_still_part_repeated_characters() -> None:
    probs = np.full((9, 3), 1e-6, np.float32)
    probs[[0, 1, 2, 4, 5, 6, 8], 0] = 1
    probs[[3, 7], 1] = 1
    assert probability(probs, [1, 1]) == pytest.approx(1)
    assert probability(probs, [1]) < 1e-3
    assert decoded((probs[None], np.ones((1, 1), np.float32)), Codec(tuple("ab"), ("x",)))[0].text == "aa"


def test_a_left_out_character_lowers_the_confidence() -> None:
    scores = np.full((1, 5, 3), -9.0, np.float32)
    scores[0, [0, 2, 3], 0] = 9  # blank
    scores[0, 4, 1] = 9
    scores[0, 1] = (1.0, 0.9, -9.0)  # blank, or nearly as well an `a`
    read = readings((scores, np.zeros((1, 1), np.float32)), Codec(tuple("ab"), ("x",)))[0]
    assert read.text == "a" and read.characters[0] > 0.99 and 0.4 < read.confidence < 0.6


def test_missing_weights_say_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backends, "FOLDER", tmp_path)
    for backend in (*BACKENDS, "auto"):
        with pytest.raises(UserError, match=r"plates\.\w+: the bundled weights are missing; train"):
            Reader.from_pretrained(backend=backend)
    for name in ("x.safetensors", "x.onnx"):
        with pytest.raises(UserError, match="no such weights file; leave weights= out"):
            Reader.from_pretrained(tmp_path / "sub" / name)


def test_wrong_backends() -> None:
    with pytest.raises(UserError, match="backend=tensorflow: unknown"):
        Reader.from_pretrained(backend="tensorflow")
    with pytest.raises(UserError, match=r"backend=onnx reads \.onnx files; make it with plate-export"):
        Reader.from_pretrained(checkpoint(), "onnx")
    with pytest.raises(UserError, match=r"backend=torch reads \.safetensors"):
        Reader.from_pretrained(exported(), "torch")


@pytest.mark.parametrize("ending", ["safetensors", "onnx"])
def test_corrupt_weights(ending: str, tmp_path: Path) -> None:
    source = exported() if ending == "onnx" else checkpoint()
    for name, content in (("junk", b"junk"), ("cut", source.read_bytes()[:3000]), ("empty", b"")):
        path = tmp_path / f"{name}.{ending}"
        path.write_bytes(content)
        with pytest.raises(UserError, match=f"{name}.{ending}: no") as caught:
            Reader.from_pretrained(path)
        assert "\n" not in str(caught.value)


def test_weights_of_another_network(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    wider = {**NETWORK, "widths": [8, 8, 8, 8, 16]}
    save(path, build(tiny_header()), replace(tiny_header(), network=wider))
    with pytest.raises(UserError, match=r"w\.safetensors: weights of another network"):
        Reader.from_pretrained(path)
    for metadata in (
        {},
        {"kind": "platesmith recognizer"},
        {"kind": "platesmith recognizer", "header": "{}"},
    ):
        save_file({"x": torch.zeros(1)}, path, metadata)
        with pytest.raises(UserError, match=r"w\.safetensors: "):
            Reader.from_pretrained(path)


def test_weights_run_no_code_of_their_own(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    reached = "recognizer.networks.plates.torch.load"  # hydra follows attributes of our modules too
    ours = "recognizer.networks.plates.Tints"  # a network, but inside another one nothing is called
    for target in ("os.system", "builtins.eval", reached, ours):
        inside = {**NETWORK, "widths": [{"_target_": target}]}
        for network in [inside] if target == ours else [{"_target_": target}, inside]:
            save(path, build(tiny_header()), replace(tiny_header(), network=network))
            with pytest.raises(UserError, match=f"refused: its header calls '{target}'"):
                Reader.from_pretrained(path)
            with pytest.raises(UserError, match="refused: its header calls"):  # as generators load it
                load(path)


def test_an_onnx_file_of_others(tmp_path: Path) -> None:
    model = onnx.load(exported())
    del model.metadata_props[:]
    onnx.save(model, tmp_path / "other.onnx")
    with pytest.raises(UserError, match=r"other\.onnx: not a plate reader"):
        Reader.from_pretrained(tmp_path / "other.onnx")


def test_reads_without_torch(tmp_path: Path) -> None:
    """In a process where importing torch or safetensors fails, library and command."""
    cv2.imwrite(str(tmp_path / "a.png"), noise(1)[0])
    refuse = (
        "import sys, runpy\n"
        "class Refuse:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name.split('.')[0] in ('torch', 'safetensors'): raise ImportError('refused: ' + name)\n"
        "sys.meta_path.insert(0, Refuse())\n"
    )
    library = (
        "from recognizer.reader import Reader\n"
        f"print(Reader.from_pretrained({str(exported())!r}).read({str(tmp_path / 'a.png')!r}).text)\n"
    )
    command = (
        f"sys.argv = ['read', 'images={tmp_path}', 'weights={exported()}', 'backend=onnx', 'grammar=true']\n"
        "runpy.run_module('recognizer.read', run_name='__main__')\n"
    )
    expected = reader("onnx").read(tmp_path / "a.png")
    for code, shown in ((library, expected.text), (command, "path\ttext\ttype\tconfidence\na.png\t")):
        done = subprocess.run(
            [sys.executable, "-c", refuse + code], cwd=ROOT, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        assert done.stdout.startswith(shown)
    wanted = refuse + (
        "from recognizer.reader import Reader\nfrom synth.errors import UserError\n"
        f"try: Reader.from_pretrained({str(checkpoint())!r})\nexcept UserError as error: print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", wanted], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("torch is not installed; run: pip install -e '.[train]'")
