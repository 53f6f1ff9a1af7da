"""Faces: what they hold, and that a glyph is drawn where and as heavy as its source says."""

from __future__ import annotations

import math
import re
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw

import fonts
from synth import strokes
from synth.errors import UserError
from synth.faces import read_faces
from synth.glyphs import FontLayer, StrokeLayer, load_face
from synth.ink import Grid, coverage
from synth.tiles import blurred

PROVINCES = "京津冀晋蒙辽吉黑沪苏浙皖闽赣鲁豫鄂湘粤桂琼渝川贵云藏陕甘青宁新"
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
DIGITS = "0123456789"
KANA = "あいうえかきくけこさすせそたちつてとなにぬねのはひふほまみむめもやゆよらりるれろわを"
NAMES = """
札幌 函館 旭川 室蘭 苫小牧 釧路 知床 帯広 北見 十勝 青森 弘前 八戸 岩手 盛岡 平泉
宮城 仙台 秋田 山形 庄内 福島 会津 郡山 白河 いわき 水戸 土浦 つくば 宇都宮 那須
とちぎ 日光 群馬 高崎 前橋 大宮 川口 熊谷 春日部 越谷 所沢 川越 千葉 成田 習志野
野田 柏 松戸 船橋 市川 袖ヶ浦 市原 品川 世田谷 足立 江東 葛飾 江戸川 練馬 杉並 板橋
多摩 八王子 横浜 川崎 相模 湘南 山梨 富士山 新潟 長岡 上越 長野 松本 諏訪 安曇野
南信州 富山 石川 金沢 福井 静岡 浜松 沼津 伊豆 名古屋 三河 岡崎 豊田 尾張小牧 一宮
春日井 豊橋 岐阜 飛騨 三重 鈴鹿 四日市 伊勢志摩 滋賀 京都 大阪 なにわ 和泉 堺 神戸
姫路 奈良 飛鳥 和歌山 鳥取 島根 出雲 岡山 倉敷 広島 福山 山口 下関 徳島 香川 高松
愛媛 高知 福岡 北九州 筑豊 久留米 佐賀 長崎 佐世保 熊本 大分 宮崎 鹿児島 奄美 沖縄
"""
OFFICES = NAMES.split()

REQUIRED = {
    "cn45x90": PROVINCES + "使学挂港澳警领民航试超应急临" + LETTERS + DIGITS,
    "cn_nev": PROVINCES + LETTERS + DIGITS,
    "cn65x110": LETTERS + DIGITS + "挂学警港澳领使",
    "cn80x60": PROVINCES + LETTERS + DIGITS,
    "cn_tractor_upper": PROVINCES + DIGITS,
    "cn_tractor_lower": LETTERS + DIGITS,
    "cn_motorcycle_upper": PROVINCES + LETTERS,
    "cn_motorcycle_lower": LETTERS + DIGITS + "学警",
    "jp_region": "".join(OFFICES) + "ケが外代領",
    "jp_class": DIGITS + "ACFHKLMPXY",
    "jp_kana": KANA + "EHKMTYAB",
    "jp_serial": DIGITS,
    "jp_small": DIGITS,
}
FACES = list(read_faces(fonts.path("faces.yaml")).faces)
SOURCES = sorted(fonts.path("strokes").glob("*.tsv"))


def bezier(p: list[tuple[float, float]], steps: int = 40) -> list[tuple[float, float]]:
    weights = [
        ((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3) for t in np.linspace(0, 1, steps + 1)
    ]
    return [
        (
            sum(w * x for w, (x, _) in zip(ws, p, strict=True)),
            sum(w * y for w, (_, y) in zip(ws, p, strict=True)),
        )
        for ws in weights[1:]
    ]


def reference(text: str, usual: float, width: float, height: float, scale: int = 4) -> NDArray[np.bool_]:
    """A second reading of the notation with PIL: quads, and for a round joint a fan on its outer side."""
    k = scale * 8
    image = Image.new("1", (round(width * k), round(height * k)))
    draw = ImageDraw.Draw(image)
    for part in text.split(";"):
        own = re.search(r"w=([\d.]+)", part)
        r = (float(own[1]) if own else usual) / 2
        path: list[tuple[float, float]] = []
        for letter, numbers in re.findall(r"([MLC])\s+([-\d.,]+)", part):
            v = [float(n) for n in numbers.split(",")]
            points = list(zip(v[::2], v[1::2], strict=True))
            path += bezier([path[-1], *points]) if letter == "C" else points
        if part.rstrip().endswith("Z"):
            draw.polygon([(x * k, y * k) for x, y in path], fill=1)
            continue
        path = [q for i, q in enumerate(path) if i == 0 or q != path[i - 1]]
        steps = list(pairwise(path))
        angles = [math.atan2(b[1] - a[1], b[0] - a[0]) for a, b in steps]
        for ((x, y), (u, v)), angle in zip(steps, angles, strict=True):
            dx, dy = -r * math.sin(angle), r * math.cos(angle)
            quad = [(x + dx, y + dy), (u + dx, v + dy), (u - dx, v - dy), (x - dx, y - dy)]
            draw.polygon([(p * k, q * k) for p, q in quad], fill=1)
        bends = list(zip(path[1:-1], angles, angles[1:], strict=False))
        if path[0] == path[-1]:
            bends.append((path[0], angles[-1], angles[0]))
        for (x, y), before, after in bends:
            turn = math.remainder(after - before, math.tau)
            start = before - math.copysign(math.pi / 2, turn)
            fan = [
                (x + r * math.cos(start + turn * i / 16), y + r * math.sin(start + turn * i / 16))
                for i in range(17)
            ]
            draw.polygon([(p * k, q * k) for p, q in [(x, y), *fan]], fill=1)
    area = (
        np.asarray(image, float).reshape(round(height * scale), 8, round(width * scale), 8).mean(axis=(1, 3))
    )
    return area > 0.5


def iou(a: NDArray[np.bool_], b: NDArray[np.bool_]) -> float:
    return float((a & b).sum() / (a | b).sum())


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: p.stem)
def test_every_stroke_glyph_agrees_with_a_second_rasteriser(path: Path) -> None:
    source = strokes.read_source(path)
    width, height = source.cell
    for line in path.read_text(encoding="utf-8").splitlines()[2:]:
        char, usual, text = line.split("\t")
        drawing = strokes.drawing(source.glyphs[char], source.cell, source.cell, 1.0)
        drawn = coverage(drawing, Grid(width, height, 4.0)) > 127
        assert iou(drawn, reference(text, float(usual), width, height)) >= 0.99, char


@pytest.mark.parametrize("name", FACES)
def test_face_holds_what_the_plates_need(name: str) -> None:
    face = load_face(name)
    assert not set(REQUIRED[name]) - face.characters()
    assert all(char in face for char in REQUIRED[name])
    for char in face.characters():
        assert math.isclose(sum(face.variants(char)), 1.0)


@pytest.mark.parametrize("name", FACES)
def test_every_drawing_has_ink_and_paper_in_its_own_cell(name: str) -> None:
    face = load_face(name)
    for char in face.characters():
        for variant in range(len(face.variants(char))):
            ink = face.coverage(char, *face.cell, 0.5, variant=variant) / 255
            assert 0.02 < ink.mean() < 0.85, (char, variant)


def test_all_138_offices_are_drawn_by_every_region_font() -> None:
    face = load_face("jp_region")
    assert len(set(OFFICES)) == 138
    for char in set("".join(OFFICES)):
        assert len(face.variants(char)) == len(face.layers), char


def test_most_province_drawings_come_from_strokes() -> None:
    for name in ("cn45x90", "cn_nev", "cn80x60"):
        face = load_face(name)
        for char in PROVINCES:
            layers = [layer for layer in face.layers if char in layer.characters]
            share = dict(zip([type(layer) for layer in layers], face.variants(char), strict=True))
            assert math.isclose(share[StrokeLayer], 0.8)
            assert sum(isinstance(layer, FontLayer) for layer in layers) == 2


def test_unknown_names_are_told_in_one_line() -> None:
    with pytest.raises(UserError, match=r"cn45x9.*nearest: .*cn45x90"):
        load_face("cn45x9")
    with pytest.raises(UserError, match=r"jp_serial: no glyph for '京'"):
        load_face("jp_serial").coverage("京", 60, 120, 0.5)
    with pytest.raises(UserError, match="has 1 variants"):
        load_face("cn45x90").coverage("A", 45, 90, 0.5, variant=1)


def test_malformed_sources_name_file_and_line(tmp_path: Path) -> None:
    bad = tmp_path / "bad.tsv"
    bad.write_text("char\tw\n", encoding="utf-8")
    with pytest.raises(UserError, match=r"bad.tsv: line 1: write `# cell"):
        strokes.read_source(bad)
    worse = tmp_path / "worse.tsv"
    worse.write_text("# cell 45 90 stroke 8\nhead\nA\t8\tM 1,2 L 3,4 Q 5,6\n", encoding="utf-8")
    with pytest.raises(UserError, match=r"worse.tsv: line 3: bad stroke"):
        strokes.read_source(worse)


@pytest.mark.parametrize(("dx", "dy"), [(0.25, 0.0), (0.0, 0.5), (0.7, 0.3)])
def test_shape_and_centroid_follow_the_subpixel_shift(dx: float, dy: float) -> None:
    face = load_face("cn45x90")
    for char, variant in (("8", 0), ("京", 0), ("京", 1)):
        plain = face.coverage(char, 45, 90, 0.457, variant=variant)
        moved = face.coverage(char, 45, 90, 0.457, variant=variant, dx_px=dx, dy_px=dy)
        assert plain.shape == (math.ceil(90 * 0.457), math.ceil(45 * 0.457))
        assert moved.shape == (math.ceil(90 * 0.457 + dy), math.ceil(45 * 0.457 + dx))
        shift = np.subtract(centroid(moved), centroid(plain))
        assert np.allclose(shift, (dy, dx), atol=0.05), char


def centroid(ink: NDArray[np.uint8]) -> tuple[float, float]:
    total = float(ink.sum())
    rows, columns = np.indices(ink.shape)
    return float((rows * ink.astype(float)).sum()) / total, float((columns * ink.astype(float)).sum()) / total


@pytest.mark.parametrize(
    ("name", "char"), [("cn45x90", "5"), ("cn45x90", "京"), ("cn80x60", "鲁"), ("jp_region", "札")]
)
def test_weight_makes_every_drawing_heavier(name: str, char: str) -> None:
    face = load_face(name)
    for variant in range(len(face.variants(char))):
        shares = [
            float(face.coverage(char, *face.cell, 1.0, variant=variant, weight=w).mean())
            for w in (0.8, 0.9, 1.0, 1.08, 1.2)
        ]
        assert shares == sorted(shares)
        assert shares[-1] > 1.1 * shares[0]


def test_coverage_is_true_area_at_plate_size() -> None:
    """A bar 9.4 of 45 mm wide: its ink share is 9.4 / 45 whatever the resolution."""
    for scale in (0.3, 0.457, 1.0, 2.2):
        ink = load_face("cn45x90").coverage("1", 45, 90, scale) / 255
        assert math.isclose(ink.sum() / scale**2, 9.4 * 90, rel_tol=0.02)


def test_one_is_a_bar_in_the_middle_of_any_cell() -> None:
    for name, cell in (
        ("cn45x90", (45, 90)),
        ("cn65x110", (65, 110)),
        ("jp_class", (30, 40)),
        ("jp_serial", (40, 80)),
    ):
        ink = load_face(name).coverage("1", *cell, 4.0)
        assert math.isclose(centroid(ink)[1] + 0.5, cell[0] * 2, abs_tol=0.3)
        assert np.ptp(ink, axis=0).max() == 0


def test_japanese_serial_scales_with_its_stroke() -> None:
    """60 x 120 with stroke 18 and 40 x 80 with stroke 12 are one drawing at two scales."""
    face = load_face("jp_serial")
    for char in DIGITS:
        large = face.coverage(char, 60, 120, 2.0) > 127
        small = face.coverage(char, 40, 80, 3.0) > 127
        assert iou(large, small) > 0.99


def test_spread_blurs_but_keeps_the_ink() -> None:
    face = load_face("cn45x90")
    drawn = face.coverage("1", 45, 90, 1.0)
    sharp, soft = drawn.astype(float), blurred(drawn, 0.8).astype(float)
    assert math.isclose(sharp[20:70].sum(), soft[20:70].sum(), rel_tol=0.01)
    assert np.abs(np.diff(soft, axis=1)).max() < np.abs(np.diff(sharp, axis=1)).max()
