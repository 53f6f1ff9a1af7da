"""Measures against cases done by hand, and the command's contract."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from tiny_reader import checkpoint, exported, noise, tiny_header

from recognizer.changes import CHANGES, GREY
from recognizer.evaluate import main
from recognizer.failures import CROP, HEIGHT, Failure, Failures, draw_failures, font_of
from recognizer.metrics import Metrics, aligned, bootstrap, calibration_error, fields_right, without_region
from recognizer.reader import Reader
from recognizer.truth import group_of, true_fields, type_of, types_named
from synth.catalogue import type_names
from synth.dataset.picture import FileBlob, Labelled

KEYS = ("plates", "exact", "exact_ci", "characters", "exact_without_region", "by_type", "ms_per_plate")
JAPANESE = {"region": 2, "class": 3, "kana": 1, "serial": 4}


def test_alignment() -> None:
    assert aligned("皖A12", "皖A12") == [("皖", "皖"), ("A", "A"), ("1", "1"), ("2", "2")]
    assert aligned("皖A12", "A12")[0] == ("皖", "")
    assert aligned("A12", "A132") == [("A", "A"), ("1", "1"), ("", "3"), ("2", "2")]
    assert aligned("", "A") == [("", "A")] and aligned("", "") == []


def test_without_the_region() -> None:
    assert without_region("皖A12345", "苏A12345", 1) and without_region("皖A12345", "A12345", 1)
    assert without_region("品川500さ1234", "尾張小牧500さ1234", 2)
    assert not without_region("皖A12345", "皖A12346", 1) and not without_region("皖A12345", "皖A1234", 1)
    assert not without_region("A12345", "B12345", 0)


def test_fields_by_alignment() -> None:
    def right(reading: str) -> list[str]:
        found = fields_right(aligned("品川500さ1234", reading), JAPANESE)
        return [name for name, good in found.items() if good]

    assert right("品川500さ1234") == ["region", "class", "kana", "serial"]
    assert right("品500さ1234") == ["class", "kana", "serial"]
    assert right("品川500さ12345") == ["region", "class", "kana"]
    assert right("A品川500さ1234") == ["class", "kana", "serial"]
    assert right("") == []


def test_a_set_done_by_hand() -> None:
    metrics = Metrics()
    fields = {"region": 1, "city": 1, "serial": 5}
    for truth, reading, group, type_right, confidence in (
        ("皖A12345", "皖A12345", "blue", True, 0.9),
        ("皖A12345", "桂A12345", "blue", True, 0.8),
        ("苏B8888D", "苏B88880", "yellow", False, 0.3),
        ("苏B8888D", "苏B8888", "yellow", None, 0.2),
    ):
        metrics.update(truth, reading, group, 1, fields, type_right, confidence)
    found = metrics.summary()
    assert (found["plates"], found["exact"], found["exact_without_region"]) == (4, 0.25, 0.5)
    assert found["characters"] == 25 / 28 and found["type"] == 2 / 3
    assert found["by_type"] == {"blue": 0.5, "yellow": 0.0}
    assert found["plates_by_type"] == {"blue": 2, "yellow": 2}
    assert found["by_region"]["皖"] == {"exact": 0.5, "plates": 2} and found["region_mean"] is None
    assert found["by_field"] == {"region": 0.75, "city": 1.0, "serial": 0.5}
    assert found["by_position"]["1"] == 0.75 and found["by_position"]["7"] == 0.5
    assert sorted(found["confusions"]) == sorted([["皖", "桂", 1], ["D", "0", 1], ["D", "", 1]])
    assert found["calibration_error"] == pytest.approx((0.1 + 0.8 + 0.3 + 0.2) / 4)  # a plate a bin
    assert Metrics().summary()["exact"] == 0.0


def test_the_mean_over_regions_leaves_out_rare_ones() -> None:
    metrics = Metrics()
    for truth, right in [("皖A1", True)] * 90 + [("苏A1", False)] * 5 + [("京A1", False)] * 4:
        metrics.update(truth, truth if right else truth + "X")
    metrics.update("使1", "使2", region=0)  # no region at all
    assert metrics.summary()["region_mean"] == 0.5
    assert set(metrics.summary()["by_region"]) == {"皖", "苏", "京"}


def test_a_region_need_not_come_first() -> None:
    metrics = Metrics()
    for reading in ("WJ京12345", "WJ沪12345", "WJ12345", "WA京12345"):
        metrics.update("WJ京12345", reading, lengths={"force": 2, "region": 1, "serial": 5})
    assert metrics.without_region == [True, True, True, False] and set(metrics.regions) == {"京"}
    metrics.update("945673", "945674", lengths={"branch": 2, "serial": 4})
    assert metrics.without_region[-1] is False and metrics.regions[-1] == ""


def test_the_interval() -> None:
    low, high = bootstrap([True] * 880 + [False] * 120, 0)
    assert low == pytest.approx(0.86, abs=0.003) and high == pytest.approx(
        0.9, abs=0.003
    )  # 0.88 +- 1.96 s.e.
    assert bootstrap([True] * 9, 0) == [1.0, 1.0] and bootstrap([], 0) == [0.0, 0.0]
    assert bootstrap([True, False] * 500_000, 1) == bootstrap([True, False] * 500_000, 1)


def test_calibration_error() -> None:
    assert calibration_error([0.75] * 4, [True, True, True, False]) == 0
    assert calibration_error([1.0] * 4, [True, True, True, False]) == 0.25
    assert calibration_error([0.0, 1.0], [False, True]) == 0 and calibration_error([], []) == 0


def item(**values: Any) -> Labelled:
    return Labelled(**{"text": "皖AY021B", "name": "a", "blob": FileBlob(Path("a")), **values})


def test_groups_types_and_fields() -> None:
    assert group_of(item(type="single", colour="blue")) == "blue"
    assert group_of(item(type="nev_small", colour="green")) == "nev_small"
    assert group_of(item(type="single")) == "single" and group_of(item()) == "unknown"
    assert types_named("blue") == types_named("cn/blue") == types_named("普通蓝牌") == {"cn/blue"}
    assert types_named("single") == frozenset()
    assert type_of(item(type="single", colour="blue")) == type_of(item(type="普通蓝牌")) == "cn/blue"
    assert type_of(item(type="company")) == "company" and type_of(item()) == ""
    assert true_fields(item(), "blue", "cn/black") == {"region": "皖", "city": "A", "serial": "Y021B"}
    assert true_fields(item(text="品川500さ1234"), "unknown", "cn/blue")["region"] == "品川"
    assert true_fields(item(text="??"), "blue", "cn/blue") == {}
    sorted_by_name = {"city": "A", "region": "皖", "serial": "Y021B"}
    assert list(true_fields(item(fields=sorted_by_name), "blue", "")) == ["region", "city", "serial"]
    assert true_fields(item(text="??", fields={"region": "?", "rest": "?"}), "x", "")["rest"] == "?"
    assert true_fields(item(text="?!", fields={"rest": "!", "region": "?"}), "x", "") == {}


@pytest.fixture
def plates(tmp_path: Path) -> Path:
    """Eight pictures: labels are what the tiny reader reads, the last two are wrong."""
    images = noise(8)
    read = Reader.from_pretrained(checkpoint()).read(images)
    rows = ["path\ttext\ttype\tcolour"]
    for n, (image, reading) in enumerate(zip(images, read, strict=True)):
        cv2.imwrite(str(tmp_path / f"{n}.png"), image[:, :, ::-1])
        colour = "blue" if n % 2 else "yellow"
        rows.append(f"{n}.png\t{reading.text if n < 6 else '皖AY021B'}\tsingle\t{colour}")
    (tmp_path / "labels.tsv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return tmp_path


def run(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    monkeypatch.setattr(sys, "argv", ["plate-evaluate", *words])
    try:
        main()
    except SystemExit as stop:
        return int(stop.code or 0)
    return 0


@pytest.mark.parametrize("backend", ["torch", "onnx"])
def test_the_command(
    backend: str, plates: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    weights = exported() if backend == "onnx" else checkpoint()
    words = ("source=labelled", f"source.path={plates}", f"weights={weights}", f"out={plates / 'out'}")
    assert run(monkeypatch, *words, f"backend={backend}", "grammar=true", "batch=3", "changes=true") == 0
    found = json.loads((plates / "out" / "metrics.json").read_text(encoding="utf-8"))
    assert set(KEYS) <= set(found)
    assert (found["plates"], found["exact"], found["unreadable"]) == (8, 0.75, 0)
    assert found["by_type"] == {"blue": 0.75, "yellow": 0.75}
    assert 0 <= found["exact_ci"][0] <= 0.75 <= found["exact_ci"][1] <= 1
    assert found["ms_per_plate"] > found["ms_network"] > 0
    assert set(found["cpu_ms"]) == {"1", "32"} and min(found["cpu_ms"].values()) > 0
    assert "exact_grammar" in found and set(found["by_change"]) == set(CHANGES)
    assert all(
        0 <= each["exact"] <= each["exact_without_region"] <= 1 for each in found["by_change"].values()
    )
    assert "| exact | 75.00% (" in capsys.readouterr().out
    assert len((plates / "out" / "readings.tsv").read_text(encoding="utf-8").splitlines()) == 9
    assert cv2.imread(str(plates / "out" / "failures.png")) is not None


def test_pictures_that_are_none_are_counted(
    plates: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (plates / "0.png").write_bytes(b"nothing")
    words = (f"source.path={plates}", f"weights={checkpoint()}", f"out={plates / 'out'}")
    assert run(monkeypatch, *words) == 2
    said = capsys.readouterr()
    assert "0.png" in said.err and "| pictures that cannot be read | 1 |" in said.out
    found = json.loads((plates / "out" / "metrics.json").read_text(encoding="utf-8"))
    assert (found["plates"], found["unreadable"]) == (7, 1) and "exact_grammar" not in found
    assert "by_change" not in found
    for picture in plates.glob("*.png"):
        picture.write_bytes(b"nothing")
    assert run(monkeypatch, *words) == 2


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["source=labelled"], "source.path: must be given"),
        (["source.path=absent"], "absent: no such folder"),
        (["source.path=.", "split=test"], "split=test: no picture of it"),
        (["source.path=.", "source.crop=round"], "source.crop=round: unknown"),
        (["source.path=.", "weights=absent.onnx"], "absent.onnx: no such weights file"),
        (["source=nonsense"], "nonsense"),
    ],
)
def test_errors_are_one_line(
    words: list[str],
    said: str,
    plates: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(plates)
    assert run(monkeypatch, *words) == 2
    errors = capsys.readouterr().err.splitlines()
    assert len(errors) == 1 and errors[0].startswith("error: ") and said in errors[0]


@pytest.mark.parametrize("name", CHANGES)
def test_changes_are_the_same_every_time_and_leave_their_crop_alone(name: str) -> None:
    picture = noise(1)[0]
    before, change = picture.copy(), CHANGES[name]
    found = change(picture, 3)
    assert found.dtype == np.uint8 and found.ndim == 3 and found.shape[2] == 3
    assert found.shape != picture.shape or (found != picture).any()
    assert (found == change(picture, 3)).all() and (picture == before).all()
    for height, width in ((1, 1), (1, 300), (40, 2)):
        assert change(np.zeros((height, width, 3), np.uint8), 0).size > 0


def test_what_changes_do() -> None:
    flat = np.full((30, 90, 3), 100, np.uint8)
    assert CHANGES["0.6 of the size"](flat, 0).shape == (18, 54, 3)
    assert CHANGES["1.6 times as bright"](flat, 0).max() == 160
    rimmed = CHANGES["0.3 heights of grey around"](flat, 0)
    assert rimmed.shape == (48, 108, 3) and (rimmed[:9] == GREY).all() and (rimmed[9:39, 9:99] == 100).all()
    assert abs(CHANGES["noise of 12 levels"](flat, 0).astype(float).std() - 12) < 0.5
    assert (CHANGES["noise of 12 levels"](flat, 0) != CHANGES["noise of 12 levels"](flat, 1)).any()
    red = flat * np.array([1, 0, 0], np.uint8)
    assert len(np.unique(CHANGES["in grey"](red, 0))) == 1


def test_the_surest_failures_are_kept_and_no_scenes() -> None:
    scene = np.zeros((400, 400, 3), np.uint8)
    failures = Failures()
    for number in range(400):
        failures.add(Failure(scene[:20, :60], "a", "b", number / 400))
    shown = failures.surest()
    assert failures.total == 400 and len(failures.kept) <= 300
    assert [round(400 * failure.confidence) for failure in shown] == [*range(399, 249, -1)]
    assert all(not np.shares_memory(failure.image, scene) for failure in shown)


def test_the_failure_sheet_draws_every_character() -> None:
    characters = {c for name in type_names() for c in tiny_header().symbols} | set("领使学警挂港澳鄂闽")
    box = {char: font_of(char, 20).getmask(char).getbbox() for char in characters}
    assert all(box.values())
    pictures = [
        Failure(image, "皖A12345", "皖A1245", 0.5) for image in (*noise(3), np.zeros((1, 900, 3), np.uint8))
    ]
    sheet = draw_failures(pictures, 4)
    assert sheet.shape[0] > 2 * HEIGHT and sheet.shape[1] > 3 * CROP[0]
    assert draw_failures([], 0).ndim == 3  # nothing was wrong
