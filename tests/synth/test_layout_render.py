"""Layout and render: boxes, quads, mask, outline and image of every type agree with each other."""

from __future__ import annotations

import functools
import hashlib
import itertools
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from synth.catalogue import load_type, type_names
from synth.errors import UserError
from synth.grammar import grammar_of
from synth.layout import Box, frame, lay_out, row_texts
from synth.render import NOMINAL, Plate, Variation, render
from synth.sample import Sample
from synth.seeding import rng_for
from synth.spec import PlateType
from synth.template import Plan, Template

TYPES = type_names()
SEED, HEIGHT = 5, 96
Mask = NDArray[np.uint8]


@functools.cache
def texts(name: str) -> list[dict[str, str]]:
    """Texts in which every length of every field comes up."""
    grammar = grammar_of(name)
    missing = {(field, n) for field, lengths in grammar.lengths().items() for n in lengths}
    found: list[dict[str, str]] = []
    for ordinal in range(1000):
        fields = grammar.sample("uniform", SEED, ordinal)
        new = {(field, len(value)) for field, value in fields.items()} & missing
        if new or not missing:
            found.append(fields)
            missing -= new
        if not missing and len(found) >= 2:
            break
    return found


@functools.cache
def nominal(name: str, number: int = 0) -> Plate:
    return render(load_type(name), texts(name)[number], HEIGHT)


@functools.cache
def varied(name: str, number: int = 0) -> Plate:
    return render(load_type(name), texts(name)[number], HEIGHT, rng_for(SEED, number, "template"))


def every_frame(plate: PlateType) -> list[tuple[Box, ...]]:
    """The boxes for every combination of field lengths."""
    lengths = grammar_of(plate.id).lengths()
    return [
        frame(plate, combination).boxes for combination in itertools.product(*map(sorted, lengths.values()))
    ]


def digest(*arrays: NDArray[np.generic]) -> str:
    return hashlib.sha256(b"".join(np.ascontiguousarray(a).tobytes() for a in arrays)).hexdigest()


def sample_digest(sample: Sample) -> str:
    return digest(sample.image, sample.mask, sample.char_quads, sample.row_quads) + sample.text  # type: ignore[arg-type]


def region(quads: NDArray[np.float32], shape: tuple[int, ...], grow: float = 0.0) -> NDArray[np.bool_]:
    """The pixels that any of the quads, grown by so many pixels, touches."""
    inside = np.zeros(shape[:2], bool)
    for (x0, y0), _, (x1, y1), _ in quads:
        left, top = int(np.floor(x0 - grow)), int(np.floor(y0 - grow))
        inside[max(0, top) : int(np.ceil(y1 + grow)), max(0, left) : int(np.ceil(x1 + grow))] = True
    return inside


@pytest.mark.parametrize("name", TYPES)
def test_every_box_is_inside_its_plate_and_apart_from_the_others(name: str) -> None:
    plate = load_type(name)
    for boxes in every_frame(plate):
        for box in boxes:
            assert box.x >= 0 and box.y >= 0 and box.w > 0 and box.h > 0
            assert box.x + box.w <= plate.width_mm and box.y + box.h <= plate.height_mm
        for a, b in itertools.combinations(boxes, 2):
            across = min(a.x + a.w, b.x + b.w) - max(a.x, b.x)
            down = min(a.y + a.h, b.y + b.h) - max(a.y, b.y)
            assert across <= 0.01 or down <= 0.01, (a, b)


@pytest.mark.parametrize("name", TYPES)
def test_text_to_layout_to_text(name: str) -> None:
    plate, grammar = load_type(name), grammar_of(name)
    for ordinal in range(60):
        fields = grammar.sample("uniform", SEED, ordinal)
        laid, text = lay_out(plate, fields)
        back = {field.name: "" for field in plate.fields}
        for box, char in zip(laid.boxes, text, strict=True):
            assert box.place == len(back[box.field])
            back[box.field] += char
        assert back == fields == grammar.parse(text)
        assert "".join(row_texts(laid, text)) == text
        assert len(row_texts(laid, text)) == len(plate.rows) == len(laid.rows)
        for box in laid.boxes:
            x0, y0, x1, y1 = laid.rows[box.row]
            assert x0 <= box.x and y0 <= box.y and box.x + box.w <= x1 and box.y + box.h <= y1


@pytest.mark.parametrize("make", [nominal, varied])
@pytest.mark.parametrize("name", TYPES)
def test_quads_are_inside_the_picture_and_in_order(
    name: str, make: functools._lru_cache_wrapper[Plate]
) -> None:
    for number in range(len(texts(name))):
        plate = make(name, number)
        height, width = plate.image.shape[:2]
        assert plate.char_quads.shape == (len(plate.text), 4, 2)
        assert plate.row_quads.shape == (len(plate.rows), 4, 2) and "".join(plate.rows) == plate.text
        assert plate.quad == pytest.approx(
            np.array([[0, 0], [width, 0], [width, height], [0, height]]), abs=0.51
        )
        for quads in (plate.char_quads, plate.row_quads):
            tl, tr, br, bl = quads.transpose(1, 0, 2)
            assert (tl >= -0.01).all() and (br <= (width + 0.01, height + 0.01)).all()
            assert (tl < br).all() and (tr[:, 0] > tl[:, 0]).all() and (bl[:, 1] > tl[:, 1]).all()
            assert (tr == np.stack([br[:, 0], tl[:, 1]], 1)).all() and (
                bl == np.stack([tl[:, 0], br[:, 1]], 1)
            ).all()
        of_row = [row for row, text in enumerate(plate.rows) for _ in text]
        slack = 2 * plate.scale  # mm: offsets of two neighbours
        for n, (a, b) in enumerate(itertools.pairwise(plate.char_quads)):
            if of_row[n] == of_row[n + 1]:  # right of the last, or below it
                assert b[0, 0] >= a[1, 0] - slack or b[0, 1] >= a[3, 1] - slack
        for row, quad in enumerate(plate.row_quads):  # glyphs stay in the quad of their row
            mine = plate.char_quads[[n for n, r in enumerate(of_row) if r == row]]
            assert (mine[:, 0] >= quad[0] - 3 * slack).all() and (mine[:, 2] <= quad[2] + 3 * slack).all()


@pytest.mark.parametrize("make", [nominal, varied])
@pytest.mark.parametrize("name", TYPES)
def test_ink_in_every_quad_and_nowhere_else(name: str, make: functools._lru_cache_wrapper[Plate]) -> None:
    for number in range(len(texts(name))):
        plate = make(name, number)
        for char, quad in zip(plate.text, plate.char_quads, strict=True):
            (x0, y0), (x1, y1) = quad[0].round().astype(int), quad[2].round().astype(int)
            inked = plate.mask[y0:y1, x0:x1] > 127
            assert inked.mean() > 0.04, (char, inked.mean())
            extent = max(inked.any(1).mean(), inked.any(0).mean())  # 1 is narrow and 一 is flat
            assert extent > 0.5, (char, extent)
        outside = ~region(plate.char_quads, plate.mask.shape, grow=1)
        assert plate.mask[outside].max(initial=0) == 0


@pytest.mark.parametrize("name", TYPES)
def test_image_agrees_with_the_mask(name: str) -> None:
    plate = nominal(name)
    boxes = lay_out(plate.type, plate.fields)[0].boxes
    for box, quad in zip(boxes, plate.char_quads, strict=True):
        inside = region(quad[None], plate.mask.shape) & (
            cv2.erode(plate.mask, np.ones((3, 3), np.uint8)) > 200
        )
        if not inside.any():
            inside = region(quad[None], plate.mask.shape) & (plate.mask > 240)
        far = np.abs(plate.image[inside].astype(int) - plate.type.colours[box.ink]).max(axis=1)
        assert np.percentile(far, 90) <= 40, (box.field, far.mean())
    blank = plate.mask == 0
    blank[:] = cv2.erode(blank.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0  # away from pressed edges
    assert (plate.image[blank] == plate.ground.image[blank]).all()


@pytest.mark.parametrize("make", [nominal, varied])
@pytest.mark.parametrize("name", TYPES)
def test_outline_sits_on_edges_and_covers_those_of_the_glyphs(
    name: str, make: functools._lru_cache_wrapper[Plate]
) -> None:
    plate = make(name)
    lines = plate.outline > 127
    assert plate.outline.shape == plate.mask.shape and 0.02 < lines.mean() < 0.5
    three = np.ones((3, 3), np.uint8)
    steps = np.zeros(lines.shape, bool)
    for coverage in (plate.mask, plate.ground.structure, np.pad(plate.alpha, 1)):
        change = cv2.subtract(cv2.dilate(coverage, three), cv2.erode(coverage, three)) > 100
        steps |= change[1:-1, 1:-1] if change.shape != lines.shape else change
    assert (lines <= (cv2.dilate(steps.astype(np.uint8), three) > 0)).all()
    ink = (plate.mask > 127).astype(np.uint8)
    contour = (ink > 0) & (cv2.erode(ink, three) == 0)
    near = cv2.dilate((plate.outline > 60).astype(np.uint8), three) > 0
    assert near[contour].mean() > 0.97
    assert (
        lines[HEIGHT // 2, 0] and lines[HEIGHT // 2, -1] and lines[0, lines.shape[1] // 2]
    )  # the plate's edge


@pytest.mark.parametrize("name", TYPES)
def test_the_smallest_picture(name: str) -> None:
    plate = render(load_type(name), texts(name)[0], 16, rng_for(1, 1, "template"))
    width = round(16 * plate.type.width_mm / plate.type.height_mm)
    assert plate.image.shape == (16, width, 3) and plate.image.dtype == np.uint8
    assert plate.mask.shape == plate.alpha.shape == plate.outline.shape == (16, width)


@pytest.mark.parametrize("height_px", [17, 23, 31, 48, 61, 64, 77, 97, 128, 161, 199, 240, 300])
@pytest.mark.parametrize("name", ["cn/blue", "cn/yellow_double", "cn/tractor", "jp/large_commercial"])
def test_any_height(name: str, height_px: int) -> None:
    plate = render(load_type(name), texts(name)[0], height_px, rng_for(1, 2, "template"))
    width = round(height_px * plate.type.width_mm / plate.type.height_mm)
    assert plate.image.shape == (height_px, width, 3)
    assert plate.quad[2] == pytest.approx(np.array([width, height_px]), abs=0.51)
    assert plate.mask[~region(plate.char_quads, plate.mask.shape, 1)].max(initial=0) == 0
    assert plate.mask.max() > 150


def test_the_nominal_plate_needs_no_stream_and_no_variation_is_it() -> None:
    for name in ("cn/blue", "cn/tractor", "jp/private"):
        plate, fields = load_type(name), texts(name)[0]
        first, second = render(plate, fields, 64), render(plate, fields, 64, None, Variation())
        still = render(plate, fields, 64, rng_for(3, 3, "template"), replace(NOMINAL))
        assert digest(first.image, first.mask) == digest(second.image, second.mask)
        boxes = lay_out(plate, fields)[0].boxes
        for box, quad in zip(boxes, first.char_quads, strict=True):  # within a third of a pixel
            assert quad[0] == pytest.approx(np.array([box.x, box.y]) * first.scale, abs=0.34)
            assert quad[2] - quad[0] == pytest.approx(np.array([box.w, box.h]) * first.scale, abs=1e-3)
        assert digest(first.image, first.mask) == digest(still.image, still.mask), name


SAMPLED = ("cn/blue", "cn/nev_small", "cn/yellow_double", "jp/private", "jp/pictorial")


def test_same_seed_and_index_same_bytes_in_any_order_and_process() -> None:
    template = Template(Plan(SAMPLED), 48)
    batch = [sample_digest(sample) for sample in template.batch(SEED, range(12))]
    assert len(set(batch)) == 12  # a different index differs
    backwards = [sample_digest(sample) for sample in template.batch(SEED, range(11, -1, -1))]
    assert backwards[::-1] == batch
    assert sample_digest(template.draw(SEED + 1, 3)) != batch[3]
    code = (
        "from test_layout_render import *\n"
        "t = Template(Plan(SAMPLED), 48)\n"
        "print(','.join(sample_digest(t.draw(SEED, i)).encode().hex() for i in (7, 2, 11)))"
    )
    paths = os.pathsep.join([str(Path(__file__).parent), *filter(None, sys.path)])
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"PYTHONPATH": paths, "PYTHONHASHSEED": "99"},
    )
    assert [bytes.fromhex(h).decode() for h in done.stdout.strip().split(",")] == [
        batch[7],
        batch[2],
        batch[11],
    ]


def test_one_text_is_drawn_differently_for_each_index() -> None:
    template = Template(Plan(("cn/blue",), texts=("京A12345",)), 48)
    first, second = template.batch(SEED, (0, 1))
    assert first.text == second.text == "京A12345"
    assert digest(first.image) != digest(second.image) and digest(first.char_quads) != digest(
        second.char_quads
    )


def colour_in(plate: Plate, number: int) -> NDArray[np.float64]:
    """The mean colour of the ink of one character."""
    inside = region(plate.char_quads[number][None], plate.mask.shape) & (plate.mask > 240)
    return np.asarray(plate.image[inside].mean(axis=0))


@pytest.mark.parametrize(
    ("name", "text", "red"),
    [
        ("cn/police", "鄂F8888警", [6]),
        ("cn/police_double", "鄂F8888警", [6]),
        ("cn/consulate", "沪01478领", [6]),
        ("cn/emergency", "沪X1639应急", [6, 7]),
        ("cn/armed_police", "WJ鄂12345", [0, 1]),
        ("cn/army", "VA12345", [0]),
        ("cn/blue", "浙G1946Z", []),
        ("cn/hongkong_macau", "粤ZP560港", []),
    ],
)
def test_red_characters_are_red(name: str, text: str, red: list[int]) -> None:
    plate = render(load_type(name), grammar_of(name).parse(text), 140)
    for number in range(len(plate.text)):
        r, g, b = colour_in(plate, number)
        assert (r > g + 100 and r > b + 100) == (number in red), (plate.text[number], r, g, b)


def test_grounds_of_new_energy_plates() -> None:
    small = render(
        load_type("cn/nev_small"), grammar_of("cn/nev_small").parse("沪AF71017"), 140
    ).image.astype(int)
    column = small[10:130, 209]  # between the third and the fourth character
    green = column[:, 1] - (column[:, 0] + column[:, 2]) / 2
    assert (np.diff(green) >= -1).all() and green[-1] > green[0] + 60
    large = render(
        load_type("cn/nev_large"), grammar_of("cn/nev_large").parse("皖K01833D"), 140
    ).image.astype(int)
    left, right = large[115:135, 10:120].mean((0, 1)), large[117:133, 160:330].mean((0, 1))
    assert left[0] > left[1] > left[2] + 60 and left[0] > left[2] + 150  # yellow
    assert right[1] > right[0] + 60 and right[1] > right[2] + 40  # green


def test_bolts_stand_at_the_slots_right_over_characters_2_and_6() -> None:
    plate, fields = load_type("cn/blue"), grammar_of("cn/blue").parse("皖B18118")
    near, changed = set(), np.zeros((140, 440), bool)
    for index in range(40):
        drawn = render(plate, fields, 140, rng_for(index, 0, "template"))
        bare = render(plate, fields, 140, rng_for(index, 0, "template"), Variation(bolts=False))
        assert (drawn.mask == bare.mask).all() and (drawn.char_quads == bare.char_quads).all()
        bolted = (drawn.image != bare.image).any(2)
        near |= {n for n, q in enumerate(drawn.char_quads) if bolted[region(q[None], bolted.shape, 3)].any()}
        changed |= bolted
    assert near == {1, 5}
    ys, xs = np.nonzero(
        changed
    )  # slots 22.5 x 8.5 at x = 110 and 330, y = 14 and 126; heads of at most 18 slide in them
    assert set(np.sign(xs - 220)) == set(np.sign(ys - 70)) == {-1, 1}
    assert np.minimum(abs(xs - 110), abs(xs - 330)).max() <= 18
    assert np.minimum(abs(ys - 14), abs(ys - 126)).max() <= 12


def test_a_missing_glyph_names_type_and_character() -> None:
    plate, fields = load_type("cn/blue"), {"region": "京", "city": "A", "serial": "1234é"}
    with pytest.raises(UserError, match=r"cn/blue.*cn45x90.*no glyph for 'é'") as caught:
        render(plate, fields, 32)
    assert "\n" not in str(caught.value)
