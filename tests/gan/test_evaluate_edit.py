"""The judge of editors: numbers that know right from wrong, and the whole protocol once on tiny networks."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

pytest.importorskip("torch")

import torch
from omegaconf import OmegaConf
from test_gan_evaluate import tiny
from test_pairs import write_crops
from tiny_edits import rendered, saved
from tiny_pairs import header

from gan.align import Alignment, nominal
from gan.checkpoint import Styles, build, save
from gan.outline import COUNT, GLYPHS, PLATE, onto, warped
from gan.spg.editor import task_of
from gan.spg.imitator import pasted
from gan.spg.on_crops import trace
from gan.spg.on_rendered import closeness, held_out_lessons, one_style, overlap, region
from gan.spg.probe import MEASURES, OF_GROUND, beside, kept, probe
from gan.spg.rendered import Lesson
from synth.errors import UserError

BIG = ((32, 128), (48, 96))


@pytest.fixture(scope="module")
def lessons() -> list[Lesson]:
    return held_out_lessons(rendered(BIG), 5, 12)


def test_lessons_are_shared_out_by_types(lessons: list[Lesson]) -> None:
    assert [lesson.source.shape[:2] for lesson in lessons] == [(32, 128)] * 8 + [(48, 96)] * 4


def test_the_truth_beats_the_paste_and_the_paste_the_source(lessons: list[Lesson]) -> None:
    noisy = [np.clip(x.target.astype(int) + 3, 0, 255).astype(np.uint8) for x in lessons]
    paste = [pasted(x.source, x.condition, x.asked) for x in lessons]
    best, middle, worst = (closeness(found, lessons) for found in (noisy, paste, [x.source for x in lessons]))
    assert best["psnr"] > 35 and best["psnr"] > middle["psnr"] > worst["psnr"]
    assert best["ssim"] > middle["ssim"] > worst["ssim"]


def test_only_the_edited_region_counts(lessons: list[Lesson]) -> None:
    """PSNR alone: the windows of SSIM reach beyond it."""
    changed = [np.where(region(x)[..., None], x.target, 0).astype(np.uint8) for x in lessons]
    assert closeness(changed, lessons)["psnr"] == closeness([x.target for x in lessons], lessons)["psnr"]


def test_overlap_is_of_the_new_characters(lessons: list[Lesson]) -> None:
    assert overlap([x.masks[..., 1] for x in lessons], lessons) == 1
    assert overlap([x.masks[..., 0] for x in lessons], lessons) < 0.6
    assert overlap([np.zeros_like(x.masks[..., 0]) for x in lessons], lessons) == 0


@pytest.mark.parametrize(
    ("measure", "change"),
    [
        ("lightness", lambda x: np.clip(x.astype(int) + 40, 0, 255).astype(np.uint8)),
        ("contrast", lambda x: (x // 2 + 60).astype(np.uint8)),
        ("sharpness", lambda x: cv2.GaussianBlur(x, (0, 0), 2)),
        (
            "noise",
            lambda x: np.clip(x + np.random.default_rng(0).normal(0, 25, x.shape), 0, 255).astype(np.uint8),
        ),
    ],
)
def test_the_probe_sees_a_change_and_not_the_text(lessons: list[Lesson], measure: str, change) -> None:  # type: ignore[no-untyped-def]
    number = MEASURES.index(measure)
    wide = lessons[:8]
    moved = [probe(change(x.target), x.asked) - probe(x.source, x.condition) for x in wide]
    own = [probe(x.source, x.condition) for x in wide]
    free = [beside(x.source, change(x.target), x.condition, x.asked) for x in wide]
    report = kept(moved, one_style(wide), own, free)
    fair = kept(one_style(wide), one_style(wide), own, one_style(wide))
    assert fair[measure]["within"] > 0.8 > report[measure]["within"], (report, fair)
    if measure in OF_GROUND:
        assert fair[measure]["beside_within"] > 0.8 > report[measure]["beside_within"], (report, fair)
    assert np.median([abs(x[number]) for x in moved]) > 0


def test_ground_free_of_both_texts_is_compared_alone() -> None:
    """Another text in the second picture changes nothing there; a tint does."""
    own, asked = (np.zeros((24, 96, COUNT), np.uint8) for _ in range(2))
    for planes, left in ((own, 10), (asked, 60)):
        planes[..., PLATE] = 255
        planes[6:18, left : left + 20, GLYPHS] = 255
    before, after = (np.full((24, 96, 3), 90, np.uint8) for _ in range(2))
    before[own[..., GLYPHS] > 0] = after[asked[..., GLYPHS] > 0] = 250
    colours = [MEASURES.index(name) for name in OF_GROUND]
    assert np.abs(beside(before, after, own, asked)[colours]).max() < 0.5
    assert np.abs(beside(before, np.clip(after + 20, 0, 255).astype(np.uint8), own, asked)[0]) > 5


@pytest.mark.parametrize(
    ("shown", "low", "high"), [("old", 0.9, 1.0), ("new", 0.0, 0.1), ("both", 0.35, 0.65)]
)
def test_a_trace_is_what_is_left_of_the_old_text(shown: str, low: float, high: float) -> None:
    """`both`: half of each."""
    size, old = (48, 188), nominal("cn/blue", "皖A12345")
    lay = onto(old, np.array([(4, 4), (184, 4), (184, 44), (4, 44)], np.float32))
    task = task_of(warped(old.image, lay, size, 128), Alignment(old, lay, 1.0, size), "苏E6789K")
    new = warped(task.plate.image, lay, size, 128)
    half = np.asarray(np.rint(0.5 * task.crop + 0.5 * new), np.uint8)
    picture = {"old": task.crop, "new": new, "both": half}[shown]
    assert low <= trace([task], [picture]) <= high


def keys(folder: Path, *more: str) -> list[str]:
    torch.manual_seed(0)
    generator = replace(header(), network={**header().network})
    save(folder / "p.safetensors", build(generator), Styles(torch.randn(4, 3), torch.ones(4, 3)), generator)
    return [
        "plate-evaluate-edit",
        f"weights={saved(folder / 'w.safetensors')}",
        f"pix2pix={folder / 'p.safetensors'}",
        f"out={folder / 'out'}",
        "pairs=6",
        "draws=1",
        "shown=5",
        "plates.types=[cn/blue,cn/yellow_double]",
        *more,
    ]


def test_rendered_pairs_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from gan.evaluate_edit import main

    monkeypatch.setattr("sys.argv", keys(tmp_path))
    main()
    said = capsys.readouterr().out
    report = json.loads((tmp_path / "out" / "metrics.json").read_text())
    assert set(report["rendered"]) == {"spg", "pasted", "pix2pix"} and "crops" not in report
    assert 0 <= report["rendered"]["spg"]["mask_iou"] <= 1 and "| pasted |" in said


@pytest.mark.parametrize(
    ("count", "message"),
    [(1, "1 held-out crops, two are"), (3, "0 held-out crops that can take each other's")],
)
def test_too_few_crops_are_one_line(count: int, message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from gan.spg.protocol import crops_of

    monkeypatch.setattr("gan.spg.protocol.load_pairs", lambda **_: tiny(count))
    config = {"source": {"name": "labelled", "path": "x"}, "plates": {"types": []}, "draws": 2, "seed": 0}
    with pytest.raises(UserError, match=f"source.path: {message}"):
        crops_of(OmegaConf.create(config), (24, 94))


def test_the_whole_protocol(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("rapidocr_onnxruntime")
    pytest.importorskip("onnx")
    from gan.evaluate_edit import main

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    write_crops(tmp_path / "crops", 40)
    other = saved(tmp_path / "one.safetensors", transformer=False)
    more = (f"source.path={tmp_path / 'crops'}", f"phase1={other}")
    monkeypatch.setattr("sys.argv", keys(tmp_path, *more))
    main()
    said, told = capsys.readouterr()
    assert "0 unreadable; " in told and " in part held_out" in told
    report = json.loads((tmp_path / "out" / "metrics.json").read_text())
    rows = report["crops"]
    assert set(rows) == {"spg", "phase 1 alone", "pix2pix", "held-out crops", "training crops"}
    for name in ("spg", "phase 1 alone", "pix2pix"):
        assert 0 <= rows[name]["old_text"] <= 1 and "kid" in rows[name]
    assert set(report["style"]) == set(MEASURES) and report["plates_per_second"] > 0
    assert "plates a second on one core" in said and "| phase 1 alone |" in said
    height, width = cv2.imread(str(tmp_path / "out" / "sheet.png")).shape[:2]
    assert height == 5 * 50 and width == 4 * (188 + 4)
