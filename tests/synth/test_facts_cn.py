"""China: every number here is typed in from the fact sheet, not from the YAML it checks."""

from __future__ import annotations

import itertools

import pytest

from synth.catalogue import load_type, type_names
from synth.grammar import grammar_of
from synth.layout import Box, Frame, lay_out
from synth.spec import Mark

SEVEN = {  # section 2: type -> label, width, height, characters, a text
    "cn/blue": ("普通蓝牌", 440, 140, 7, "浙G1946Z"),
    "cn/yellow": ("单层黄牌", 440, 140, 7, "粤B12345"),
    "cn/yellow_double": ("双层黄牌", 440, 220, 7, "京EA5331"),
    "cn/black": ("黑色车牌", 440, 140, 7, "晋PND9HJ"),
    "cn/nev_small": ("新能源小型车", 480, 140, 8, "沪AF71017"),
    "cn/nev_large": ("新能源大型车", 480, 140, 8, "皖K01833D"),
    "cn/tractor": ("拖拉机绿牌", 300, 165, 8, "皖1149885"),
}
EXTRA_SIZES = {
    **dict.fromkeys(
        ["police", "army", "armed_police", "embassy", "embassy_old", "consulate", "consulate_old"], (440, 140)
    ),
    **dict.fromkeys(["hongkong_macau", "learner", "test", "oversize", "civil_aviation"], (440, 140)),
    **dict.fromkeys(["police_double", "army_double", "trailer"], (440, 220)),
    **dict.fromkeys(["motorcycle", "motorcycle_light", "temporary"], (220, 140)),
    "emergency": (440, 140),
}
ORDINARY = [15.5, 72.5, 151.5, 208.5, 265.5, 322.5, 379.5]


def laid(name: str, text: str) -> Frame:
    return lay_out(load_type(name), grammar_of(name).parse(text))[0]


def xs(boxes: tuple[Box, ...]) -> list[float]:
    return [box.x for box in boxes]


def mark(frame: Frame, shape: str) -> Mark:
    """The only mark of a shape."""
    (found,) = [m for m in frame.marks if m.shape == shape]
    return found


def within(span: tuple[float, float], low: float, high: float) -> bool:
    return low <= span[0] <= span[1] <= high


@pytest.mark.parametrize("name", SEVEN)
def test_the_seven_types_have_their_label_size_and_length(name: str) -> None:
    label, width, height, length, text = SEVEN[name]
    plate, grammar = load_type(name), grammar_of(name)
    assert (plate.label, plate.width_mm, plate.height_mm) == (label, width, height)
    assert len("".join(grammar.parse(text).values())) == length
    assert all(max(n) == min(n) for n in grammar.lengths().values())
    assert sum(min(n) for n in grammar.lengths().values()) == length
    assert not plate.experimental


@pytest.mark.parametrize("name", EXTRA_SIZES)
def test_the_other_types_have_their_size(name: str) -> None:
    plate = load_type(f"cn/{name}")
    assert (plate.width_mm, plate.height_mm) == EXTRA_SIZES[name]


def test_no_chinese_type_is_left_unchecked_and_those_from_memory_are_experimental() -> None:
    bundled = {name for name in type_names() if name.startswith("cn/")}
    assert bundled == set(SEVEN) | {f"cn/{name}" for name in EXTRA_SIZES}
    for name in ("temporary", "test", "oversize", "motorcycle", "motorcycle_light", "emergency", "army"):
        assert load_type(f"cn/{name}").experimental, name


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("cn/blue", "浙G1946Z", ORDINARY),
        ("cn/yellow", "粤B12345", ORDINARY),
        ("cn/black", "晋PND9HJ", ORDINARY),
        ("cn/learner", "琼A6716学", ORDINARY),
        ("cn/test", "琼A6716试", ORDINARY),
        ("cn/oversize", "琼A6716超", ORDINARY),
        ("cn/hongkong_macau", "粤ZP560港", ORDINARY),
        ("cn/consulate_old", "沪A1639领", ORDINARY),
        ("cn/army", "VA12345", ORDINARY),
        ("cn/civil_aviation", "民航B0150", ORDINARY),
        ("cn/police", "鄂F8888警", [15.5, 94.5, 151.5, 208.5, 265.5, 322.5, 379.5]),
        ("cn/embassy_old", "使014578", [15.5, 72.5, 129.5, 186.5, 265.5, 322.5, 379.5]),
        ("cn/embassy", "014578使", [15.5, 72.5, 129.5, 208.5, 265.5, 322.5, 379.5]),
        ("cn/consulate", "沪01478领", [15.5, 72.5, 129.5, 186.5, 265.5, 322.5, 379.5]),
    ],
)
def test_layout_a_has_seven_cells_of_45_x_90_in_their_places(
    name: str, text: str, expected: list[float]
) -> None:
    frame = laid(name, text)
    assert xs(frame.boxes) == pytest.approx(expected)
    assert {(b.y, b.w, b.h) for b in frame.boxes} == {(25, 45, 90)}
    # 12 mm between cells, 34 at the one split, where the dot stands: 12 + 10 + 12
    gaps = [b - a - 45 for a, b in itertools.pairwise(expected)]
    split = gaps.index(34)
    assert gaps == [12] * split + [34] + [12] * (5 - split)
    (separator,) = frame.marks
    assert (separator.x, separator.y) == (pytest.approx(expected[split] + 45 + 17), 70)


@pytest.mark.parametrize(
    ("name", "text", "centre"),
    [
        ("cn/blue", "浙G1946Z", 134.5),
        ("cn/police", "鄂F8888警", 77.5),
        ("cn/embassy_old", "使014578", 248.5),
    ],
)
def test_layout_a_dot_is_10_to_15_wide(name: str, text: str, centre: float) -> None:
    dot = mark(laid(name, text), "disc")
    assert (dot.x, dot.y) == (centre, 70)
    high = 15 if load_type(name).colour == "white" else 11
    assert within(dot.w, 10, high)


@pytest.mark.parametrize(("name", "text"), [("cn/nev_small", "沪AF71017"), ("cn/nev_large", "皖K01833D")])
def test_layout_b_has_one_cell_of_45_and_seven_of_43(name: str, text: str) -> None:
    frame = laid(name, text)
    assert xs(frame.boxes) == pytest.approx([15.5, 69.5, 161.5, 213.5, 265.5, 317.5, 369.5, 421.5])
    assert [b.w for b in frame.boxes] == [45] + [43] * 7
    assert {(b.y, b.h) for b in frame.boxes} == {(25, 90)}
    emblem = mark(frame, "emblem")
    assert [m.shape for m in frame.marks] == ["emblem"]  # no dot
    assert (emblem.x, emblem.y) == (137, 70)
    assert within(emblem.w, 20, 32)
    assert emblem.opacity[0] <= 0.2 and emblem.opacity[1] <= 0.7  # faint, never a strong logo


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("cn/yellow_double", "京EA5331"),
        ("cn/trailer", "京E5331挂"),
        ("cn/police_double", "京E5331警"),
        ("cn/army_double", "VA12345"),
    ],
)
def test_layout_c_has_two_wide_cells_over_five_tall_ones(name: str, text: str) -> None:
    frame = laid(name, text)
    assert [(b.x, b.y, b.w, b.h) for b in frame.boxes[:2]] == [(110, 15, 80, 60), (250, 15, 80, 60)]
    assert xs(frame.boxes[2:]) == pytest.approx([27.5, 107.5, 187.5, 267.5, 347.5])
    assert {(b.y, b.w, b.h) for b in frame.boxes[2:]} == {(90, 65, 110)}
    dot = mark(frame, "disc")
    assert (dot.x, dot.y) == (220, pytest.approx(45, abs=1))
    assert within(dot.w, 10, 12)


def test_layout_d_is_the_tractor_measured_from_a_photo() -> None:
    frame = laid("cn/tractor", "皖1149885")
    province, *code = frame.boxes[:3]
    assert (province.x, province.x + province.w) == (pytest.approx(65, abs=5), pytest.approx(110, abs=5))
    assert [b.x + b.w / 2 for b in code] == pytest.approx([178, 223], abs=5)
    assert all(30 <= b.w <= 45 for b in code)
    assert {(b.y, b.y + b.h) for b in frame.boxes[:3]} == {(12, 55)}
    assert xs(frame.boxes[3:]) == pytest.approx([11 + 57.5 * k for k in range(5)], abs=1)
    assert all(46 <= b.w <= 50 and 78 <= b.h <= 82 for b in frame.boxes[3:])
    assert all(abs(b.y - 68) <= 5 and abs(b.y + b.h - 150) <= 5 for b in frame.boxes[3:])
    assert not frame.marks  # no separator


def test_motorcycles_have_two_rows_of_small_cells() -> None:
    frame = laid("cn/motorcycle", "沪AN9241")
    assert [b.row for b in frame.boxes] == [0, 0, 1, 1, 1, 1, 1]
    assert all(abs(b.w - 55) <= 5 and abs(b.h - 45) <= 5 for b in frame.boxes[:2])
    assert all(abs(b.w - 35) <= 5 and abs(b.h - 60) <= 5 for b in frame.boxes[2:])


def test_armed_police_carry_a_small_province_between_wj_and_five_digits() -> None:
    frame = laid("cn/armed_police", "WJ鄂12345")
    province = frame.boxes[2]
    assert all(b.h == 90 for b in frame.boxes if b is not province)
    assert province.h < 60 and province.w < 30
    assert [b.ink == "suffix" for b in frame.boxes] == [True, True] + [False] * 6


def test_rows_types_and_cells_use_faces_of_their_own() -> None:
    """Single row, NEV, double upper and double lower: four different faces."""
    faces = {laid(name, SEVEN[name][4]).boxes[-1].face for name in ("cn/blue", "cn/nev_small")}
    double = laid("cn/yellow_double", "京EA5331").boxes
    assert len(faces | {double[0].face, double[-1].face}) == 4
    assert (
        laid("cn/nev_large", "皖K01833D").boxes[-1].face == laid("cn/nev_small", "沪AF71017").boxes[-1].face
    )


@pytest.mark.parametrize(
    ("name", "size", "centres"),
    [
        ("cn/blue", (22.5, 8.5), [(110, 14), (330, 14), (110, 126), (330, 126)]),
        ("cn/yellow", (22.5, 8.5), [(110, 14), (330, 14), (110, 126), (330, 126)]),
        ("cn/black", (22.5, 8.5), [(110, 14), (330, 14), (110, 126), (330, 126)]),
        ("cn/police", (22.5, 8.5), [(110, 14), (330, 14), (110, 126), (330, 126)]),
        ("cn/nev_small", (22.5, 8.5), [(126, 14), (350, 14), (126, 126), (350, 126)]),
        ("cn/nev_large", (22.5, 8.5), [(126, 14), (350, 14), (126, 126), (350, 126)]),
        ("cn/yellow_double", (22, 8.3), [(91, 12), (350, 12), (91, 207), (350, 207)]),
    ],
)
def test_slots_and_bolts(name: str, size: tuple[float, float], centres: list[tuple[float, float]]) -> None:
    holes = load_type(name).holes
    assert [(h.x, h.y) for h in holes] == [
        (pytest.approx(x, abs=1), pytest.approx(y, abs=1)) for x, y in centres
    ]
    assert {(h.w, h.h) for h in holes} == {size}
    assert all(within(h.diameter, 12, 18) for h in holes)


def test_tractors_and_motorcycles_have_holes_only_in_the_upper_corners() -> None:
    left, right = load_type("cn/tractor").holes
    assert (left.x, left.y, right.y) == (pytest.approx(45, abs=2), pytest.approx(14, abs=2), left.y)
    assert 255 <= right.x <= 270
    left, right = load_type("cn/motorcycle").holes
    assert left.x + right.x == 220 and left.x < 45 and left.y < 30


@pytest.mark.parametrize(
    ("name", "inset", "width"),
    [
        (
            "cn/blue",
            (1.5, 4),
            (1.5, 3.5),
        ),  # 1.5 to 2 by the standard; photographs: 3 to 5 inside, and stronger
        ("cn/yellow", (1.5, 4), (1.5, 3.5)),
        ("cn/police", (1.5, 4), (1.5, 3.5)),
        ("cn/black", (2.5, 3), (1.5, 2)),
        ("cn/nev_small", (2.8, 4), (1.5, 4)),
        ("cn/nev_large", (2.8, 4), (1.5, 4)),
        ("cn/yellow_double", (3.2, 3.8), (2.2, 2.8)),  # 3.5 and 2.5, measured
        ("cn/tractor", (2.5, 3.5), (1.5, 2.5)),  # about 3 and about 2
    ],
)
def test_borders_and_corners(name: str, inset: tuple[float, float], width: tuple[float, float]) -> None:
    plate = load_type(name)
    (border,) = plate.borders
    assert within(border.inset, *inset)
    assert within(border.width, *width)
    assert 8 <= plate.corner_radius_mm <= 12
    assert plate.colours[border.ink] == plate.colours["text"]  # white on white text, black on black
