"""The real-or-synthetic comparison: its measures mean what they say, its classifier is fair."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

pytest.importorskip("torch")

from gan.classifier import classifier_accuracy, held_out
from gan.realism import (
    captures,
    distributions,
    main,
    read_crops,
    sheet,
    side_by_side,
    slope,
)
from synth.errors import UserError
from synth.template import Plan, Template


def plates(count: int, seed: int = 0) -> tuple[list[np.ndarray], list[str]]:
    samples = Template(Plan(("cn/blue",)), 32).batch(seed, range(count))
    return [cv2.resize(sample.image, (94, 24)) for sample in samples], [sample.text for sample in samples]


def test_measures() -> None:
    images, _ = plates(40)
    clean = distributions(images)
    dark = distributions([cv2.convertScaleAbs(image, alpha=0.5) for image in images])
    soft = distributions([cv2.GaussianBlur(image, (0, 0), 1.5) for image in images])
    assert (
        dark["brightness"][2] < 0.6 * clean["brightness"][2]
        and dark["contrast"][2] < 0.6 * clean["contrast"][2]
    )
    assert soft["sharpness"][2] < 0.5 * clean["sharpness"][2]
    assert clean["ground hue"][2] == pytest.approx(219, abs=6) and clean["fill"][2] > 80
    tilted = [
        cv2.warpAffine(image, np.float32([[1, 0, 0], [0.05, 1, -2.35]]), (94, 24), borderMode=1)
        for image in images
    ]
    assert np.median([slope(image) for image in tilted]) > np.median([slope(image) for image in images]) + 1.5
    assert "brightness" in side_by_side(clean, dark)


def test_classifier_tells_different_from_same() -> None:
    images, texts = plates(120)
    noisy = [
        np.clip(i + np.random.default_rng(n).normal(0, 25, i.shape), 0, 255).astype(np.uint8)
        for n, i in enumerate(images)
    ]
    assert classifier_accuracy(images, noisy, texts, seed=0, epochs=8) > 0.9
    first, second = images[:60], images[60:]
    assert 0.2 < classifier_accuracy(first, second, texts[:60], seed=0, epochs=4) < 0.8


def test_split_is_by_text() -> None:
    texts = plates(200)[1]
    assert 60 < sum(map(held_out, texts)) < 140
    assert all(held_out(text) == held_out(str(text)) for text in texts)


def test_reading_and_errors(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(UserError, match=r"labels\.tsv"):
        read_crops(tmp_path, "single", "blue")
    images, texts = plates(24)
    for number, image in enumerate(images):
        cv2.imwrite(str(tmp_path / f"{number}.png"), image)
    lines = [f"{number}.png\t{text}\tsingle\tblue" for number, text in enumerate(texts)]
    table = tmp_path / "labels.tsv"
    table.write_text("\n".join(["path\ttext\ttype\tcolour", *lines]) + "\n", encoding="utf-8-sig")
    read, names = read_crops(tmp_path, "single", "blue")
    assert len(read) == 24 and names == texts and np.array_equal(read[0][..., ::-1], images[0])
    with pytest.raises(UserError, match="0 rows"):
        read_crops(tmp_path, "double", "blue")
    assert sheet(read, read, count=4).shape[2] == 3
    table.write_text("\n".join(["path\ttext\ttype\tcolour", *lines, "../x.png\tA\tsingle\tblue"]), "utf-8")
    assert len(read_crops(tmp_path, "single", "blue")[0]) == 24 and "leads out" in capsys.readouterr().err
    (tmp_path / "3.png").write_bytes(b"no picture")
    with pytest.raises(UserError, match=r"3\.png"):
        read_crops(tmp_path, "single", "blue")


def test_the_command_writes_and_a_folder_that_cannot_be_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    crops = tmp_path / "2024"
    crops.mkdir()
    images, texts = plates(20)
    lines = [f"{number}.png\t{text}\tsingle\tblue" for number, text in enumerate(texts)]
    for number, image in enumerate(images):
        cv2.imwrite(str(crops / f"{number}.png"), image)
    (crops / "labels.tsv").write_text("\n".join(["path\ttext\ttype\tcolour", *lines]), "utf-8")
    monkeypatch.chdir(tmp_path)
    keys = ["plate-realism", "source.path=2024", "capture=mild", "classifier.enabled=false"]
    monkeypatch.setattr("sys.argv", [*keys, "out=found"])
    main()
    assert cv2.imread(str(tmp_path / "found" / "realism.png")) is not None
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setattr("sys.argv", [*keys, "out=file"])
    with pytest.raises(SystemExit):
        main()
    assert capsys.readouterr().err.startswith("error: file")


def test_captures_have_the_asked_size() -> None:
    from hydra import compose, initialize_config_module

    with initialize_config_module("conf", version_base="1.3"):
        config = compose("realism", ["source.path=x", "capture=mild"])
    assert {image.shape for image in captures(config, plates(3)[1], (94, 24))} == {(24, 94, 3)}
