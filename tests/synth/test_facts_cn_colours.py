"""China, colours and surface: every number is typed in from the fact sheet, not from the YAML it checks."""

from __future__ import annotations

import numpy as np
import pytest

from synth.catalogue import load_type
from synth.grammar import grammar_of
from synth.ground import ground_of
from synth.layout import Frame, lay_out

WHITE_TEXT, BLACK_TEXT, RED = (245, 247, 250), (20, 22, 22), (200, 30, 40)
COLOURS = {  # section 4: ground, text
    "cn/blue": ((24, 72, 160), WHITE_TEXT),
    "cn/yellow": ((240, 180, 20), BLACK_TEXT),
    "cn/yellow_double": ((240, 180, 20), BLACK_TEXT),
    "cn/learner": ((240, 180, 20), BLACK_TEXT),
    "cn/trailer": ((240, 180, 20), BLACK_TEXT),
    "cn/motorcycle": ((240, 180, 20), BLACK_TEXT),
    "cn/motorcycle_light": ((24, 72, 160), WHITE_TEXT),
    "cn/black": ((22, 22, 24), WHITE_TEXT),
    "cn/hongkong_macau": ((22, 22, 24), WHITE_TEXT),
    "cn/embassy": ((22, 22, 24), WHITE_TEXT),
    "cn/consulate": ((22, 22, 24), WHITE_TEXT),
    "cn/tractor": ((20, 120, 80), WHITE_TEXT),
    "cn/civil_aviation": ((15, 90, 75), WHITE_TEXT),
    "cn/police": ((245, 245, 243), BLACK_TEXT),
    "cn/police_double": ((245, 245, 243), BLACK_TEXT),
    "cn/army": ((245, 245, 243), BLACK_TEXT),
    "cn/armed_police": ((245, 245, 243), BLACK_TEXT),
    "cn/nev_large": ((60, 205, 120), BLACK_TEXT),
}


def laid(name: str, text: str) -> Frame:
    return lay_out(load_type(name), grammar_of(name).parse(text))[0]


@pytest.mark.parametrize("name", COLOURS)
def test_colours_are_the_clean_base(name: str) -> None:
    plate = load_type(name)
    ground, text = COLOURS[name]
    assert plate.colours["ground"] == ground
    assert np.abs(np.subtract(plate.colours["text"], text)).max() <= 12


@pytest.mark.parametrize(
    ("name", "text", "red"),
    [
        ("cn/police", "鄂F8888警", "警"),
        ("cn/police_double", "鄂F8888警", "警"),
        ("cn/consulate", "沪01478领", "领"),
        ("cn/consulate_old", "沪A1639领", "领"),
        ("cn/emergency", "沪X1639应急", "应急"),
        ("cn/armed_police", "WJ鄂12345", "WJ"),
        ("cn/army", "VA12345", "V"),
        ("cn/hongkong_macau", "粤ZP560港", ""),
        ("cn/embassy", "014578使", ""),
        ("cn/learner", "琼A6716学", ""),
        ("cn/test", "琼A6716试", ""),
        ("cn/trailer", "琼A6716挂", ""),
    ],
)
def test_red_characters(name: str, text: str, red: str) -> None:
    plate = load_type(name)
    boxes, chars = laid(name, text).boxes, "".join(grammar_of(name).parse(text).values())
    coloured = [
        c for box, c in zip(boxes, chars, strict=True) if plate.colours[box.ink] != plate.colours["text"]
    ]
    assert "".join(coloured) == red
    assert all(plate.colours[box.ink] == RED for box, c in zip(boxes, chars, strict=True) if c in red)
    if name == "cn/emergency":
        assert plate.colours[plate.borders[0].ink] == RED


def test_small_nev_fades_from_almost_white_to_mid_green() -> None:
    """A photo's column, top to bottom."""
    measured = [
        (233, 243, 232),
        (212, 241, 222),
        (184, 234, 204),
        (149, 221, 178),
        (127, 226, 166),
        (118, 225, 158),
    ]
    measured.append((111, 222, 150))
    plate = load_type("cn/nev_small")
    image = ground_of(plate, laid("cn/nev_small", "沪AF71017"), 1.0, None).image
    rows = np.linspace(8, 131, len(measured)).round().astype(int)  # inside the border line
    assert np.abs(image[rows, 240].astype(int) - measured).max() <= 24
    assert np.abs(image[8, 240].astype(int) - measured[0]).max() <= 12
    assert np.ptp(image[114:132, 240].astype(int), axis=0).max() <= 2  # flat last 20 %


def test_large_nev_is_split_behind_the_emblem() -> None:
    plate = load_type("cn/nev_large")
    left, right = plate.ground
    assert left.x0 == 0 and right.x1 in (None, 480)
    assert left.x1 == right.x0 and 138 <= right.x0 <= 141
    image = ground_of(plate, laid("cn/nev_large", "皖K01833D"), 1.0, None).image
    assert np.abs(image[110, 100].astype(int) - (245, 165, 25)).max() <= 3
    assert np.abs(image[110, 200].astype(int) - (60, 205, 120)).max() <= 3


def test_embossed_unless_hot_stamped_or_printed() -> None:
    assert 1.0 <= load_type("cn/blue").emboss_mm <= 1.5
    assert 1.0 <= load_type("cn/yellow_double").emboss_mm <= 1.5
    assert load_type("cn/nev_small").emboss_mm == load_type("cn/nev_large").emboss_mm == 0
    assert load_type("cn/temporary").emboss_mm == 0
