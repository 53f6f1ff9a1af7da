"""Other people's data sets, built here by their published rules."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from synth.dataset.real.ccpd import PROVINCES, SERIAL, decode_text, parse_name
from synth.dataset.rectify import box_quad, crop, in_order, natural_size, rectify
from synth.dataset.sources import detect, read_source

# The example of CCPD's own description, one in the way of 2018 with small tilts, one of CCPD-Green.
EXAMPLE = "025-95_113-154&383_386&473-386&473_177&454_154&383_363&402-0_0_22_27_27_33_16-37-15"
OLD = "0019-1_1-340&500_404&526-404&524_340&526_340&502_404&500-0_0_11_26_25_28_17-66-3"
GREEN = "04-90_267-158&448_542&553-541&553_162&551_158&450_542&448-12_1_3_24_27_33_30_24-99-116"


def scene(path: Path, width: int = 720, height: int = 600) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), np.full((height, width, 3), 128, np.uint8))


def test_ccpd_name_of_the_publisher() -> None:
    name = parse_name(EXAMPLE)
    assert name.text == "皖AY339S"
    assert name.box == (154, 383, 386, 473)
    assert name.quad.tolist() == [[154, 383], [363, 402], [386, 473], [177, 454]]
    assert (name.tilt, name.brightness, name.blur) == ((95, 113), 37, 15)


def test_ccpd_names_of_2018_and_green() -> None:
    assert (parse_name(OLD).text, parse_name(OLD).tilt) == ("皖AM214T", (1, 1))
    assert parse_name(GREEN).text == "京BD03960"
    assert in_order(parse_name(GREEN).quad).tolist() == parse_name(GREEN).quad.tolist()


def test_ccpd_tables() -> None:
    assert (len(PROVINCES), len(SERIAL), len(set(SERIAL))) == (34, 35, 35)
    assert decode_text([0, 0, 0, 0, 0, 0, 34]) == "皖AAAAA"  # O is "no character"
    assert decode_text([32, 23, 33, 24, 25, 26, 27]) == "学Z90123"


@pytest.mark.parametrize(
    ("stem", "why"),
    [
        ("0001", "1 fields"),
        (EXAMPLE.replace("0_0_22", "34_0_22"), "character 1: index 34"),
        (EXAMPLE.replace("0_0_22", "0_22"), "6 characters"),
        (EXAMPLE.replace("0_0_22", "-0_22"), "8 fields"),
        (EXAMPLE.replace("386&473_177", "386_177"), "not points"),
        (EXAMPLE.replace("386&473_177&454", "386&473"), "not 4 points"),
        (EXAMPLE.replace("95_113", "x_113"), "not numbers"),
        (EXAMPLE.replace("0_0_22_27_27_33_16", "33_24_34_34_34_34_34"), "no character"),
    ],
)
def test_ccpd_names_that_are_none(stem: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        parse_name(stem)


def test_ccpd_folder(tmp_path: Path) -> None:
    scene(tmp_path / "ccpd_base" / f"{EXAMPLE}.jpg")
    scene(tmp_path / "ccpd_green" / "test" / f"{GREEN}.jpg")
    scene(tmp_path / "ccpd_np" / "0001.jpg")
    (tmp_path / "splits").mkdir()
    (tmp_path / "splits" / "val.txt").write_text(f"ccpd_base/{EXAMPLE}.jpg\n")
    assert detect(tmp_path) == "ccpd"
    result = read_source("ccpd", tmp_path)
    assert [(item.text, item.split, item.region) for item in result.items] == [
        ("皖AY339S", "val", "皖"),
        ("京BD03960", "test", "京"),
    ]
    assert [(p.kind, p.where) for p in result.problems] == [("name", "ccpd_np/0001.jpg")]
    assert result.items[0].plate(straight=False).shape == (90, 232, 3)
    straight = result.items[0].plate()
    assert straight.shape[:2][::-1] == natural_size(parse_name(EXAMPLE).quad)


UFPR = """camera: GoPro Hero4 Silver
position_vehicle: 804 367 279 244
\ttype: car
\tyear: 2009
plate: AQY-6388
{place}
\tchar 1: 912 491 9 15
\tchar 2: 930 492 9 15
"""


def test_ufpr_three_ways_of_saying_where(tmp_path: Path) -> None:
    places = {
        "1": "corners: 909,483 986,484 987,507 909,507",
        "2": "position_plate: 909 483 77 24",
        "3": "",
        "4": "corners: 909,483 986,484",
    }
    for name, place in places.items():
        base = tmp_path / "training" / f"track000{name}" / f"track000{name}[01]"
        scene(base.with_suffix(".png"), 1920, 1080)
        base.with_suffix(".txt").write_text(UFPR.format(place=place))
    (tmp_path / "testing").mkdir()
    (tmp_path / "testing" / "a.txt").write_text(UFPR.format(place=places["2"]))
    (tmp_path / "testing" / "b.txt").write_text("camera: none\n")
    (tmp_path / "testing" / "c.txt").write_bytes(b"plate: \xff\n")
    assert detect(tmp_path) == "ufpr"
    result = read_source("ufpr", tmp_path)
    assert {(item.text, item.split) for item in result.items} == {("AQY6388", "train")}
    assert [item.quad.tolist() for item in result.items if item.quad is not None] == [
        [[909, 483], [986, 484], [987, 507], [909, 507]],
        [[909, 483], [986, 483], [986, 507], [909, 507]],
        [[912, 491], [939, 491], [939, 507], [912, 507]],
    ]
    assert sorted(problem.kind for problem in result.problems) == ["encoding", "line", "line", "missing"]


def test_openalpr(tmp_path: Path) -> None:
    scene(tmp_path / "eu" / "test_041.jpg", 640, 480)
    (tmp_path / "eu" / "test_041.txt").write_text("test_041.jpg\t331\t370\t62\t20\tLM 633-BD\n")
    (tmp_path / "eu" / "x.txt").write_text(
        "gone.jpg\t1\t2\t3\t4\tA1\nx.jpg\t1\t2\n../../y.jpg\t1\t2\t3\t4\tA1\n"
    )
    assert detect(tmp_path) == "openalpr"
    result = read_source("openalpr", tmp_path)
    (item,) = result.items
    assert (item.text, item.split, item.name) == ("LM633BD", "", "eu/test_041.jpg")
    assert item.plate(straight=False).shape == (20, 62, 3)
    assert [problem.kind for problem in result.problems] == ["missing", "line", "path"]


def test_named(tmp_path: Path) -> None:
    for stem in ("京A12345", "京A12345_2", "train/皖BD03960-1", "val/沪C·1234学 (3)", "???"):
        scene(tmp_path / f"{stem}.jpg", 94, 24)
    assert detect(tmp_path) == "named"
    result = read_source("named", tmp_path)
    assert sorted((item.text, item.split) for item in result.items) == [
        ("京A12345", ""),
        ("京A12345", ""),
        ("沪C1234学", "val"),
        ("皖BD03960", "train"),
    ]
    assert [problem.kind for problem in result.problems] == ["name"]


def test_corners_in_any_order() -> None:
    quad = np.array([[10, 12], [90, 2], [95, 40], [12, 55]], np.float32)
    for turn in range(4):
        assert in_order(np.roll(quad, turn, axis=0)).tolist() == quad.tolist()
    assert in_order(quad[::-1]).tolist() == quad.tolist()


def test_rectify_undoes_a_homography() -> None:
    noise = np.random.default_rng(0).integers(0, 255, (6, 18, 3), np.uint8)
    plate = np.asarray(cv2.resize(noise, (180, 60)), np.uint8)
    quad = np.array([[40, 30], [250, 50], [240, 130], [30, 95]], np.float32)
    source = box_quad(0, 0, 180, 60) - 0.5
    matrix = cv2.getPerspectiveTransform(source, quad - 0.5)
    scene_image = np.asarray(cv2.warpPerspective(plate, matrix, (300, 160)), np.uint8)
    back = rectify(scene_image, quad, 180, 60)
    inner = np.s_[4:-4, 4:-4]
    assert np.abs(back[inner].astype(int) - plate[inner].astype(int)).mean() < 3
    assert rectify(scene_image, quad, 94, 24, margin=0.1).shape == (24, 94, 3)


def test_crop_stays_inside() -> None:
    image = np.zeros((50, 100, 3), np.uint8)
    assert crop(image, box_quad(-10, -10, 60, 30)).shape == (20, 50, 3)
    assert crop(image, box_quad(300, 300, 5, 5)).size > 0
