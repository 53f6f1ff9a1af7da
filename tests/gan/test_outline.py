"""The drawn condition: its planes, its colours, and lines that neither alias nor vanish."""

from __future__ import annotations

import numpy as np
import pytest

from gan.outline import (
    COUNT,
    EDGES,
    GLYPHS,
    GREY,
    GROUND,
    INK,
    PLANES,
    PLATE,
    condition,
    onto,
    scale_at,
    upright,
)
from synth.grammar import grammar_of
from synth.render import Plate, render
from synth.sample import transform
from synth.spec import PlateType
from synth.template import Plan, Template

SIZES = [(24, 94), (32, 96), (48, 144), (64, 192)]
TYPES = ("cn/blue", "cn/nev_large", "cn/yellow_double", "cn/police", "jp/private", "jp/pictorial")


def plate_of(name: str, text: str = "", height_px: int = 64) -> Plate:
    from synth.catalogue import load_type

    kind: PlateType = load_type(name)
    fields = grammar_of(name).parse(text) if text else grammar_of(name).sample("legal", 0, 3)
    return render(kind, fields, height_px)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", TYPES)
def test_planes(name: str, size: tuple[int, int]) -> None:
    plate = plate_of(name)
    planes = condition(plate, upright(plate, size, 0.15), size)
    assert planes.shape == (*size, COUNT) and planes.dtype == np.uint8 and len(PLANES) == COUNT
    outside, inside = planes[..., PLATE] == 0, planes[..., PLATE] == 255
    assert outside.any() and inside.mean() > 0.4
    assert (planes[outside][:, GROUND] == GREY).mean() > 0.95 and (planes[outside][:, INK] == GREY).all()
    assert not planes[outside][:, GLYPHS].any()


def test_colours_are_those_of_the_type() -> None:
    plate = plate_of("cn/blue")
    planes = condition(plate, upright(plate, (48, 144)), (48, 144))
    inside = planes[..., PLATE] == 255
    assert np.abs(np.median(planes[inside][:, GROUND], axis=0) - plate.type.colours["ground"]).max() <= 1
    assert (planes[inside][:, INK] == plate.type.colours["text"]).all()


def test_a_panel_and_a_red_letter_are_where_they_belong() -> None:
    plate = plate_of("cn/nev_large")
    ground = condition(plate, upright(plate, (48, 144), 0), (48, 144))[..., GROUND]
    assert np.abs(ground[20:28, 12].astype(int) - ground[20:28, 100]).max() > 60
    police = plate_of("cn/police")
    ink = condition(police, upright(police, (48, 144), 0), (48, 144))[..., INK]
    assert (ink[24, 136] == police.type.colours["suffix"]).all()
    assert (ink[24, 60] == police.type.colours["text"]).all()


@pytest.mark.parametrize("height", [24, 32, 48, 64])
def test_no_stroke_vanishes_and_coverage_keeps_its_area(height: int) -> None:
    plate = plate_of("cn/blue", "皖A11B7H")
    size, large = (height, 3 * height), (4 * height, 12 * height)
    small = condition(plate, upright(plate, size), size)
    fine = condition(plate, upright(plate, large), large)
    assert small[..., GLYPHS].mean() == pytest.approx(fine[..., GLYPHS].mean(), rel=0.04)
    assert small[..., PLATE].mean() == pytest.approx(fine[..., PLATE].mean(), rel=0.02)
    for quad in transform(upright(plate, size), plate.char_quads):
        (x0, y0), (x1, y1) = np.floor(quad[0]).astype(int), np.ceil(quad[2]).astype(int)
        assert small[y0:y1, x0:x1, EDGES].max() > 150 and small[y0:y1, x0:x1, GLYPHS].max() > 150


def test_a_motion_by_a_pixel_moves_every_plane_by_a_pixel() -> None:
    plate = plate_of("cn/blue")
    there = upright(plate, (48, 144), 0.1)
    first = condition(plate, there, (48, 144)).astype(int)
    moved = condition(plate, np.array([[1, 0, 1], [0, 1, 0], [0, 0, 1.0]]) @ there, (48, 144)).astype(int)
    assert np.abs(moved[:, 1:] - first[:, :-1]).max() <= 2
    for part in (0.25, 0.5, 0.75):  # between pixels no line comes or goes
        there_and = np.array([[1, 0, part], [0, 1, part], [0, 0, 1.0]]) @ there
        between = condition(plate, there_and, (48, 144)).astype(int)
        assert between[..., GLYPHS].sum() == pytest.approx(first[..., GLYPHS].sum(), rel=0.01)
        assert between[..., EDGES].sum() == pytest.approx(first[..., EDGES].sum(), rel=0.06)


@pytest.mark.parametrize("size", SIZES)
def test_lines_are_a_pixel_wide(size: tuple[int, int]) -> None:
    plate = plate_of("cn/blue")
    planes = condition(plate, upright(plate, size, 0.2), size)
    x = round(0.5 * size[1])  # the rim above the dot's right: no character, no slot
    rim = planes[: round(0.2 * size[0]) + 1, x - 3 : x + 3, EDGES].sum(axis=0) / 255
    assert 0.6 < rim.mean() < 2.2  # the rim and the border inside it, which run together when small


def test_a_large_render_gives_the_same_condition() -> None:
    planes = []
    for height_px in (64, 320):
        plate = plate_of("cn/blue", "皖AY021B", height_px)
        planes.append(condition(plate, upright(plate, (24, 94)), (24, 94)).astype(int))
    assert np.abs(planes[0] - planes[1]).mean() < 3


def test_the_condition_lies_where_the_quad_says() -> None:
    plate = plate_of("cn/blue")
    quad = np.array([(10, 6), (130, 2), (136, 40), (14, 45)], np.float32)
    homography = onto(plate, quad)
    assert transform(homography, plate.quad) == pytest.approx(quad, abs=1e-3)
    inside = condition(plate, homography, (48, 144))[..., PLATE] > 127
    x, y = quad.T
    area = 0.5 * abs(x @ np.roll(y, -1) - y @ np.roll(x, -1))
    assert inside.sum() == pytest.approx(area, rel=0.02)
    assert scale_at(homography, 100, 32) ** 2 * plate.image.shape[0] * plate.image.shape[1] == pytest.approx(
        area, rel=0.1
    )


def test_every_render_of_a_sample_has_a_condition() -> None:
    for sample in Template(Plan(("cn/tractor", "jp/kei_commercial")), 64).batch(1, range(6)):
        planes = condition(sample.plate, upright(sample.plate, (64, 128)), (64, 128))
        assert planes[..., EDGES].mean() > 10 and planes[..., GLYPHS].mean() > 5
