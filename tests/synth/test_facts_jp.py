"""Japan: every number here is typed in from the fact sheet, not from the YAML it checks."""

from __future__ import annotations

import string
from collections import Counter

import numpy as np
import pytest

from synth.catalogue import load_type, type_names
from synth.charset import load_alphabets
from synth.grammar import grammar_of
from synth.layout import Frame, lay_out

REGION_NAMES = """
札幌 函館 旭川 室蘭 苫小牧 釧路 知床 帯広 北見 十勝
青森 弘前 八戸 岩手 盛岡 平泉 宮城 仙台 秋田 山形 庄内 福島 会津 郡山 白河 いわき
水戸 土浦 つくば 宇都宮 那須 とちぎ 日光 群馬 高崎 前橋 大宮 川口 熊谷 春日部 越谷 所沢 川越 千葉 成田 習志野
野田 柏 松戸 船橋 市川 袖ヶ浦 市原 品川 世田谷 足立 江東 葛飾 江戸川 練馬 杉並 板橋 多摩 八王子
横浜 川崎 相模 湘南 山梨 富士山 新潟 長岡 上越 長野 松本 諏訪 安曇野 南信州 富山 石川 金沢 福井
静岡 浜松 沼津 伊豆 名古屋 三河 岡崎 豊田 尾張小牧 一宮 春日井 豊橋 岐阜 飛騨 三重 鈴鹿 四日市 伊勢志摩
滋賀 京都 大阪 なにわ 和泉 堺 神戸 姫路 奈良 飛鳥 和歌山
鳥取 島根 出雲 岡山 倉敷 広島 福山 山口 下関 徳島 香川 高松 愛媛 高知
福岡 北九州 筑豊 久留米 佐賀 長崎 佐世保 熊本 大分 宮崎 鹿児島 奄美 沖縄
"""
REGIONS = REGION_NAMES.split()
HIRAGANA = "".join(chr(code) for code in range(0x3041, 0x3097))
KANA_PRIVATE = "さすせそたちつてとなにぬねのはひふほまみむめもやゆらりるろ"
KANA_KEI = "あいうえかきくけこさすせそたちつてとなにぬねのはひふほまみむめもやゆよらるろを"
KANA_COMMERCIAL = "あいうえかきくけこを"
KANA = {
    **dict.fromkeys(["private", "illuminated", "pictorial", "large"], KANA_PRIVATE),
    **dict.fromkeys(["commercial", "pictorial_commercial", "large_commercial"], KANA_COMMERCIAL),
    "rental": "われ",
    "us_forces": "よEHKMTY",
    **dict.fromkeys(["kei_private", "kei_white", "pictorial_kei"], KANA_KEI),
    "kei_commercial": "りれ",
    "kei_rental": "わ",
    "us_forces_kei": "AB",
}
MIDDLE = [name for name in KANA if not name.startswith("large")]
GREEN, KEI_BLACK, WHITE_GROUND = (25, 79, 56), (50, 50, 50), (240, 241, 243)
COLOURS = {  # section 4: ground, text
    **dict.fromkeys(
        ["private", "rental", "large", "us_forces", "pictorial", "motorcycle"], (WHITE_GROUND, GREEN)
    ),
    "pictorial_commercial": (WHITE_GROUND, GREEN),
    "motorcycle_light": (WHITE_GROUND, GREEN),
    **dict.fromkeys(
        ["commercial", "large_commercial", "motorcycle_commercial"], ((30, 79, 58), (255, 255, 255))
    ),
    **dict.fromkeys(["kei_private", "kei_rental", "us_forces_kei"], ((227, 183, 35), KEI_BLACK)),
    **dict.fromkeys(["kei_white", "pictorial_kei"], (WHITE_GROUND, KEI_BLACK)),
    "kei_commercial": ((50, 50, 50), (243, 194, 4)),
    "diplomatic": ((30, 80, 160), (250, 250, 250)),
    "consular": (WHITE_GROUND, (30, 80, 160)),
    **dict.fromkeys(["self_defence", "temporary", "dealer"], (WHITE_GROUND, (30, 30, 32))),
    "illuminated": ((236, 239, 238), (36, 255, 165)),
}
SIZES = dict.fromkeys(COLOURS, (330, 165))
SIZES |= {"large": (440, 220), "large_commercial": (440, 220)}
SIZES |= dict.fromkeys(("motorcycle", "motorcycle_light", "motorcycle_commercial"), (230, 125))


def laid(name: str, text: str) -> Frame:
    name = f"jp/{name}"
    return lay_out(load_type(name), grammar_of(name).parse(text))[0]


def legal(name: str, text: str) -> bool:
    return grammar_of(f"jp/{name}").problem(text) is None


@pytest.mark.parametrize("name", SIZES)
def test_size_and_colours(name: str) -> None:
    plate = load_type(f"jp/{name}")
    assert (plate.width_mm, plate.height_mm) == SIZES[name]
    for ink, expected in zip(("ground", "text"), COLOURS[name], strict=True):
        assert np.abs(np.subtract(plate.colours[ink], expected)).max() <= 6, ink


def test_no_japanese_type_is_left_unchecked() -> None:
    assert {name for name in type_names() if name.startswith("jp/")} == {f"jp/{name}" for name in SIZES}


@pytest.mark.parametrize(
    ("name", "radius", "rim"), [("private", (8, 10), (4.7, 6)), ("large", (10, 13), (6, 8))]
)
def test_corners_and_pressed_rim(name: str, radius: tuple[float, float], rim: tuple[float, float]) -> None:
    plate = load_type(f"jp/{name}")
    assert radius[0] <= plate.corner_radius_mm <= radius[1]
    (border,) = plate.borders
    assert rim[0] <= border.inset[0] <= border.inset[1] <= rim[1]
    # no printed line: hardly told from the ground
    assert np.abs(np.subtract(plate.colours[border.ink], plate.colours["ground"])).max() <= 40


@pytest.mark.parametrize("name", MIDDLE)
def test_middle_plate_330_x_165(name: str) -> None:
    kana = KANA[name][0]
    boxes = laid(name, f"品川500{kana}1234").boxes
    region, numbers, letter, serial = boxes[:2], boxes[2:5], boxes[5], boxes[6:]
    assert [(b.w, b.h) for b in region] == [(40, 40)] * 2
    assert region[1].x - region[0].x - 40 == pytest.approx(7, abs=1)
    assert region[0].x == pytest.approx(83, abs=1)
    assert all(b.y == pytest.approx(16.5, abs=0.5) for b in boxes[:5])
    assert [(b.w, b.h) for b in numbers] == [(20, 40)] * 3
    assert [b.x for b in numbers] == pytest.approx([182, 208.5, 235], abs=0.5)
    assert numbers[-1].x + 20 == pytest.approx(255, abs=0.5)
    assert (letter.x, letter.w, letter.h) == (22.5, 40, 40)
    assert letter.y + 20 == pytest.approx(111, abs=2)
    assert [b.x for b in serial] == pytest.approx([77.5, 132.5, 212.5, 267.5])
    assert {(b.y, b.w, b.h) for b in serial} == {(71, 40, 80)}


@pytest.mark.parametrize("name", ["large", "large_commercial"])
def test_large_plate_440_x_220(name: str) -> None:
    boxes = laid(name, f"品川100{KANA[name][0]}1234").boxes
    region, numbers, letter, serial = boxes[:2], boxes[2:5], boxes[5], boxes[6:]
    assert [(b.w, b.h) for b in region] == [(40, 40)] * 2  # as on the middle plate
    assert [b.x for b in region] == pytest.approx([110, 157], abs=1.5)
    assert all(b.y == pytest.approx(22, abs=1.5) for b in boxes[:5])
    assert [(b.w, b.h) for b in numbers] == [(30, 40)] * 3
    assert [b.x for b in numbers] == pytest.approx([208, 242, 276], abs=1.5)
    assert (letter.x, letter.w, letter.h) == (25, 40, 40)  # the kana does not grow
    assert letter.y + 20 == pytest.approx(139, abs=1.5)
    assert [b.x for b in serial] == pytest.approx([82.5, 162.5, 275, 355])
    assert {(b.y, b.w, b.h) for b in serial} == {(78, 60, 120)}


@pytest.mark.parametrize(("name", "centre", "number"), [("private", 169, "500"), ("large", 208, "100")])
@pytest.mark.parametrize(("region", "width"), [("柏", 40), ("品川", 40), ("習志野", 30), ("尾張小牧", 23)])
def test_row_1_keeps_its_centre_and_the_region_its_width(
    name: str, centre: float, number: str, region: str, width: float
) -> None:
    for digits in (number, number[:2]):
        boxes = laid(name, f"{region}{digits}さ1234").boxes
        row = boxes[: len(region + digits)]
        assert (row[0].x + row[-1].x + row[-1].w) / 2 == pytest.approx(centre, abs=0.5)
        cells = row[: len(region)]
        assert all(b.w == pytest.approx(width, abs=1.5) and b.h == 40 for b in cells)
        if len(region) > 2:
            assert 90 <= cells[-1].x + cells[-1].w - cells[0].x <= 95
    assert [(b.w, b.h) for b in row[len(region) :]] == [(30, 40)] * 2  # two digits: wide, gap about 8
    assert row[-1].x - row[-2].x - 30 == pytest.approx(8, abs=1)


HYPHENS = {"private": (192.5, 111, 20, 12), "large": (248.75, 138, 22.5, 15)}
DOTS = {"private": ([97.5, 152.5, 232.5], 111, 12), "large": ([112.5, 192.5, 305], 138, 18)}


@pytest.mark.parametrize("name", ["private", "large"])
@pytest.mark.parametrize("serial", ["1", "12", "123", "1234"])
def test_hyphen_with_four_digits_dots_for_missing_ones(name: str, serial: str) -> None:
    frame = laid(name, f"品川{'500' if name == 'private' else '100'}さ{serial}")
    full = laid(name, f"品川{'500' if name == 'private' else '100'}さ1234")
    shapes = Counter(mark.shape for mark in frame.marks)
    assert shapes["bar"] == (len(serial) == 4) and shapes["disc"] == 4 - len(serial)
    assert [b.x for b in frame.boxes[-len(serial) :]] == [b.x for b in full.boxes[-len(serial) :]]
    for mark in frame.marks:
        if mark.shape == "bar":
            assert (mark.x, mark.y, *mark.w, *mark.h) == pytest.approx(
                [HYPHENS[name][n] for n in (0, 1, 2, 2, 3, 3)], abs=1
            )
    centres, y, size = DOTS[name]
    discs = [mark for mark in frame.marks if mark.shape == "disc"]
    assert [mark.x for mark in discs] == pytest.approx(centres[: 4 - len(serial)], abs=0.5)
    assert all(mark.y == pytest.approx(y, abs=1.5) and mark.w == (size, size) for mark in discs)


def test_bolts_and_the_seal() -> None:
    left, right = load_type("jp/private").holes
    assert [left.x, right.x] == pytest.approx([60, 270], abs=4)
    assert right.x - left.x == pytest.approx(210, abs=4)
    assert all(22 <= h.y <= 30 and 13 <= h.w <= 14 and h.w == h.h for h in (left, right))
    assert (left.kind, right.kind) == ("seal", "bolt")
    assert all(28 <= d <= 31 for d in left.diameter) and all(10 <= d <= 14 for d in right.diameter)
    left, right = load_type("jp/large").holes
    assert [left.x, right.x] == pytest.approx([70, 347], abs=4)
    assert left.y == right.y == pytest.approx(35, abs=4)
    for name in (
        "kei_private",
        "kei_commercial",
        "kei_white",
        "kei_rental",
        "us_forces_kei",
        "pictorial_kei",
    ):
        assert {hole.kind for hole in load_type(f"jp/{name}").holes} == {"bolt"}, name


def test_138_regions() -> None:
    regions = load_alphabets("jp").words["regions"]
    assert len(REGIONS) == len(set(REGIONS)) == 138
    assert sorted(regions) == sorted(REGIONS)
    assert Counter(map(len, regions)) == {1: 2, 2: 109 + 2, 3: 20 + 3, 4: 2}
    assert len(set("".join(regions))) == 194
    assert set(load_alphabets("jp").weights["regions"]) == set(REGIONS)
    for never in ("厚木", "平塚", "今治", "松江", "那覇", "彦根"):
        assert not legal("private", f"{never}500さ1234")


@pytest.mark.parametrize(
    ("written", "normal"),
    [
        ("袖ケ浦500さ1234", "袖ヶ浦500さ1234"),
        ("袖が浦500さ1234", "袖ヶ浦500さ1234"),
        ("飛驒500さ1234", "飛騨500さ1234"),
        ("品川 ５００ さ １２-３４", "品川500さ1234"),
        ("品川 500 さ ・・12", "品川500さ12"),
        ("品川 33a さ ・・・1", "品川33Aさ1"),
    ],
)
def test_spellings_fold_to_one(written: str, normal: str) -> None:
    assert "".join(grammar_of("jp/private").parse(written).values()) == normal


@pytest.mark.parametrize("name", KANA)
def test_kana_of_each_use(name: str) -> None:
    number = (
        "100" if name.startswith("large") else "580" if name.startswith(("kei", "pictorial_kei")) else "500"
    )
    found = [c for c in HIRAGANA + string.ascii_uppercase if legal(name, f"品川{number}{c}1234")]
    assert sorted(found) == sorted(KANA[name])


@pytest.mark.parametrize(
    ("own", "others"), [("private", ("rental", "us_forces")), ("kei_private", ("kei_rental",))]
)
def test_no_plate_is_of_two_types(own: str, others: tuple[str, ...]) -> None:
    """Plates for hire and of the forces differ from private ones in their kana alone."""
    kana = grammar_of(f"jp/{own}").characters("kana")
    for other in others:
        assert not kana & grammar_of(f"jp/{other}").characters("kana")


def test_42_kana_and_four_that_never_appear() -> None:
    shown: set[str] = set()
    for name in type_names():
        if name.startswith("jp/") and any(f.name == "kana" for f in load_type(name).fields):
            kana = grammar_of(name).characters("kana")
            assert not kana & set("おしへんゐゑ"), name
            shown |= kana & set(HIRAGANA)
    assert len(shown) == 42 == len(set(KANA_PRIVATE + KANA_KEI + KANA_COMMERCIAL + "われりよ"))


def test_class_numbers() -> None:
    for letter in string.ascii_uppercase:
        expected = letter in "ACFHKLMPXY"
        assert legal("private", f"品川30{letter}さ1234") == expected, letter
        assert legal("private", f"品川3{letter}0さ1234") == expected, letter
        assert not legal("private", f"品川{letter}00さ1234"), letter
    for seen in ["30A", "32H", "33A", "33C", "30F", "34P", "58A", "59C", "3P0", "3X0", "300", "33", "5"]:
        assert legal("private", f"品川{seen}さ1234"), seen
    for digit in "0123456789":
        assert legal("private", f"品川{digit}00さ1234"), digit
        assert legal("large", f"品川{digit}00さ1234") == (digit in "128"), digit
        assert legal("kei_private", f"品川{digit}80さ1234") == (digit in "45678"), digit
        assert legal("kei_private", f"品川{digit}0さ1234") == (digit in "458"), digit


@pytest.mark.parametrize("name", ["private", "kei_private", "large", "motorcycle"])
def test_serials_are_1_to_9999_without_leading_zeros(name: str) -> None:
    start = {
        "private": "品川500さ",
        "kei_private": "品川580さ",
        "large": "品川100さ",
        "motorcycle": "品川さ",
    }[name]
    assert all(legal(name, f"{start}{n}") for n in (1, 9, 10, 42, 49, 100, 358, 999, 1000, 4242, 9999))
    assert not any(legal(name, start + bad) for bad in ("0", "01", "012", "0123", "12345", "", "12A4"))


def test_motorcycles() -> None:
    plate = load_type("jp/motorcycle")
    boxes = laid("motorcycle", "大宮あ1234").boxes
    assert [b.row for b in boxes] == [0, 0, 0, 1, 1, 1, 1]
    assert all(25 <= b.h <= 30 for b in boxes[:3])
    assert all((b.w, b.h) == (pytest.approx(30, abs=3), pytest.approx(60, abs=3)) for b in boxes[3:])
    (border,) = plate.borders
    assert np.mean(border.width) == pytest.approx(5, abs=0.5) and plate.colours[border.ink] == GREEN
    commercial = load_type("jp/motorcycle_commercial")
    assert commercial.colours[commercial.borders[0].ink] == (255, 255, 255)
    light = load_type("jp/motorcycle_light")
    assert light.colours[light.borders[0].ink] != GREEN
    assert legal("motorcycle_light", "2大宮あ1234") and legal("motorcycle_light", "1大宮あ1234")


def test_special_plates() -> None:
    assert legal("diplomatic", "外1234") and legal("diplomatic", "代1234") and legal("consular", "領1234")
    assert not legal("diplomatic", "品川1234") and not legal("consular", "外1234")
    forces = laid("self_defence", "12-3456")
    assert [b.row for b in forces.boxes] == [0] * 6
    (hyphen,) = forces.marks
    assert forces.boxes[1].x + forces.boxes[1].w < hyphen.x < forces.boxes[2].x  # 2 + 4
    temporary = load_type("jp/temporary")
    (band,) = [mark for mark in temporary.marks if mark.shape == "polygon"]
    assert temporary.colours[band.ink] == (252, 60, 60) and 0.7 <= np.mean(band.opacity) <= 0.9
    assert {(330, 0), (0, 165)} <= {tuple(p) for p in band.points}  # bottom left to top right
    vertical = [b for b in laid("temporary", "習志野1234").boxes if b.field == "region"]
    assert len({b.x for b in vertical}) == 1 and vertical[0].y < vertical[1].y < vertical[2].y
    dealer = load_type("jp/dealer")
    (frame,) = dealer.borders
    assert dealer.colours[frame.ink] == (252, 60, 60) and np.mean(frame.width) == pytest.approx(10, abs=0.5)
    assert not any(mark.shape == "polygon" for mark in dealer.marks)
    green, yellow = load_type("jp/pictorial_commercial"), load_type("jp/pictorial_kei")
    assert max(green.colours[green.borders[0].ink]) == green.colours[green.borders[0].ink][1]
    red, mid, blue = yellow.colours[yellow.borders[0].ink]
    assert min(red, mid) > blue + 100


def test_the_diagonal_of_temporary_plates_is_25_high() -> None:
    (band,) = [mark for mark in load_type("jp/temporary").marks if mark.shape == "polygon"]
    points = np.array(band.points)
    for x in (82.5, 165.0, 247.5):  # where the polygon's outline crosses this x
        crossed = [
            a[1] + (b[1] - a[1]) * (x - a[0]) / (b[0] - a[0])
            for a, b in zip(points, np.roll(points, -1, axis=0), strict=True)
            if min(a[0], b[0]) < x < max(a[0], b[0])
        ]
        assert max(crossed) - min(crossed) == pytest.approx(25, abs=1)
        assert np.mean(crossed) == pytest.approx(165 - x / 2, abs=1)


def test_everything_is_embossed_but_the_illuminated_plate() -> None:
    assert load_type("jp/illuminated").emboss_mm == 0
    for name in SIZES:
        if name != "illuminated":
            assert 1.0 <= load_type(f"jp/{name}").emboss_mm <= 1.5, name
