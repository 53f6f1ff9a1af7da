"""Alignment: within a pixel on captures whose quad is known, blind to light, and honest about misfits."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from hydra import compose, initialize_config_module
from hydra.utils import instantiate

from gan.align import ACCEPT, HEADER, Alignment, align, align_text, nominal, types_for
from gan.outline import onto
from gan.pairs import held_out
from synth.dataset.picture import FileBlob, Labelled
from synth.sample import Sample, transform
from synth.template import Plan, Template


def captures(
    count: int, types: tuple[str, ...] = ("cn/blue",), size: tuple[int, int] = (94, 24), seed: int = 5
) -> list[Sample]:
    with initialize_config_module("conf", version_base="1.3"):
        config = compose("realism", ["source.path=x", "capture=phone"])
    capture = instantiate(config.capture, size=list(size), _convert_="all")
    return list(capture(Template(Plan(types), 64).batch(seed, range(count))))


def away(found: Alignment, sample: Sample) -> float:
    """Mean distance of the four corners from the true ones."""
    return float(np.linalg.norm(found.corners - sample.quad, axis=1).mean())


@pytest.fixture(scope="module")
def blue() -> list[Sample]:
    return captures(40)


@pytest.fixture(scope="module")
def found(blue: list[Sample]) -> list[Alignment]:
    return [align(sample.image, nominal(sample.type, sample.text)) for sample in blue]


def test_corners_are_found_within_a_pixel(blue: list[Sample], found: list[Alignment]) -> None:
    errors = [away(one, sample) for one, sample in zip(found, blue, strict=True)]
    assert np.median(errors) < 0.6 and np.percentile(errors, 90) < 1.5, np.percentile(errors, [50, 90])
    assert np.mean([one.score >= ACCEPT for one in found]) > 0.9
    assert all(error < 3 for error, one in zip(errors, found, strict=True) if one.score >= ACCEPT)


def test_the_mask_is_that_of_the_characters(blue: list[Sample], found: list[Alignment]) -> None:
    for one, sample in list(zip(found, blue, strict=True))[:20]:
        if one.score < ACCEPT:
            continue
        true = onto(sample.plate, sample.quad)
        expected = cv2.warpPerspective(sample.plate.mask, true, one.size[::-1]) > 100
        both = (expected & (one.mask > 100)).sum() / max((expected | (one.mask > 100)).sum(), 1)
        assert one.mask.shape == one.size and both > 0.4


@pytest.mark.parametrize("change", ["dark", "bright", "gradient", "swapped channels"])
def test_light_does_not_move_it(blue: list[Sample], found: list[Alignment], change: str) -> None:
    moved = []
    for one, sample in list(zip(found, blue, strict=True))[:12]:
        picture = sample.image.astype(np.float32)
        ramp = np.linspace(0.5, 1.0, picture.shape[1])[None, :, None]
        altered = {
            "dark": picture * 0.35,
            "bright": picture * 0.6 + 100,
            "gradient": picture * ramp,
            "swapped channels": picture[..., ::-1],
        }[change]
        again = align(np.clip(altered, 0, 255).astype(np.uint8), one.plate)
        moved.append(np.linalg.norm(again.corners - one.corners, axis=1).mean())
    assert np.median(moved) < 0.5


@pytest.mark.parametrize(
    ("name", "size"), [("cn/yellow", (94, 24)), ("cn/nev_small", (136, 36)), ("jp/private", (96, 48))]
)
def test_other_types(name: str, size: tuple[int, int]) -> None:
    samples = captures(8, (name,), size)
    errors = [away(align(sample.image, nominal(name, sample.text)), sample) for sample in samples]
    assert np.median(errors) < 0.035 * size[1]


def test_a_wrong_text_does_not_fit(blue: list[Sample]) -> None:
    wrong = [
        align(sample.image, nominal("cn/blue", other.text)).score
        for sample, other in zip(blue[:15], blue[15:30], strict=True)
    ]
    assert np.mean([score >= ACCEPT for score in wrong]) < 0.1


def test_a_larger_crop_has_the_same_alignment(blue: list[Sample], found: list[Alignment]) -> None:
    best = max(range(len(found)), key=lambda n: found[n].score)
    large = cv2.resize(blue[best].image, None, fx=5, fy=5, interpolation=cv2.INTER_CUBIC)
    again = align(large, found[best].plate)
    assert again.size == large.shape[:2]
    assert again.corners / 5 == pytest.approx(found[best].corners, abs=0.7)


def test_the_right_type_is_chosen_by_fit() -> None:
    [sample] = captures(1, ("cn/yellow_double",), (96, 48))
    fields = sample.text
    chosen = align_text(sample.image, fields, ["cn/yellow", "cn/yellow_double"])
    assert chosen.plate.type.id == "cn/yellow_double"
    assert transform(chosen.homography, chosen.plate.quad) == pytest.approx(chosen.corners)


def test_types_that_a_crop_may_be() -> None:
    types = ("cn/blue", "cn/yellow", "cn/yellow_double", "jp/private")

    def of(text: str, type_: str, colour: str) -> tuple[str, ...]:
        return types_for(Labelled(text, "x", FileBlob(Path("x")), type=type_, colour=colour), types)

    assert of("皖AY021B", "single", "blue") == ("cn/blue",)
    assert set(of("皖AY021B", "", "yellow")) == {"cn/yellow", "cn/yellow_double"}
    assert of("皖AY021B", "cn/yellow", "blue") == ("cn/yellow",)
    assert of("ABC123", "", "") == ()


def run(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "gan.align", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_app(tmp_path: Path, blue: list[Sample]) -> None:
    folder, out = tmp_path / "crops", tmp_path / "out"
    folder.mkdir()
    lines = ["path\ttext\ttype\tcolour"]
    for number, sample in enumerate(blue[:4]):
        cv2.imwrite(str(folder / f"{number}.png"), cv2.cvtColor(sample.image, cv2.COLOR_RGB2BGR))
        lines.append(f"{number}.png\t{sample.text}\tsingle\tblue")
    (folder / "4.png").write_bytes(b"no picture")
    lines.append("4.png\t京A12345\tsingle\tblue")
    (folder / "labels.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    done = run(f"source.path={folder}", f"out={out}")
    assert done.returncode == 0, done.stderr
    assert "left out: 4.png: not a picture that can be decoded" in done.stderr
    rows = (out / "alignments.tsv").read_text(encoding="utf-8").splitlines()
    assert rows[0] == HEADER and len(rows) == 5 and all(len(row.split("\t")) == 15 for row in rows)
    assert cv2.imread(str(out / "overlays.png")).shape[0] > 200 and "of 5 aligned" in done.stdout
    texts = [*(sample.text for sample in blue[:4]), "京A12345"]
    for part in ("train", "held_out"):
        asked = [text for text in texts if held_out(text) == (part == "held_out")]
        done = run(f"source.path={folder}", f"out={tmp_path / part}", f"part={part}")
        assert f"of {len(asked)} aligned" in done.stdout if asked else f"part={part}: none of" in done.stderr
    for words, said in (
        (["plates.types=[jp/private]"], "plates.types"),
        (["accept=2"], "accept"),
        (["part=tarin"], "part: unknown part 'tarin'"),
    ):
        failed = run(f"source.path={folder}", f"out={out}", *words)
        lines = [line for line in failed.stderr.splitlines() if not line.startswith("left out: 4.png")]
        assert failed.returncode == 2 and said in failed.stderr and len(lines) <= 2


@pytest.mark.slow
def test_nine_in_ten_real_crops_align() -> None:
    base = os.environ.get("PLATESMITH_REAL")
    if not base:
        pytest.skip("PLATESMITH_REAL is not set")
    from synth.dataset.sources import read_source

    items = read_source("labelled", Path(base) / "ccpd").items[:100]
    scores = [align(item.image(), nominal("cn/blue", item.text)).score for item in items]
    assert np.mean([score >= ACCEPT for score in scores]) >= 0.9


@pytest.mark.parametrize("module", ["align", "evaluate", "evaluate_edit", "realism"])
def test_a_folder_may_be_called_by_a_number(
    module: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("torch")
    monkeypatch.setattr("sys.argv", [module, "source.path=2024", f"out={tmp_path / 'out'}"])
    with pytest.raises(SystemExit):
        importlib.import_module(f"gan.{module}").main()
    assert capsys.readouterr().err.startswith("error: 2024: no such folder or file")
