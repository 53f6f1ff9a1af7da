"""The plate made flat: the written-out homography, and what of a picture it shows."""

from __future__ import annotations

import pytest

pytest.importorskip("torch")

import cv2
import numpy as np
import torch

from gan.runtime.window import Window, loader
from recognizer.checkpoint import Header, build
from recognizer.codec import BLANK, codec_of
from recognizer.data import shares
from recognizer.loop import MakeData
from recognizer.networks.close import CELL, GROWN, MOST, Close
from recognizer.networks.finder import (
    BEYOND,
    MARGIN,
    Finder,
    centres,
    cut,
    flattened,
    homography,
    laid,
    placed,
    within,
)
from recognizer.networks.plates import heard
from recognizer.networks.slots import slots_of
from recognizer.places import class_of, class_places, first_places, kana_of, kana_places
from synth.catalogue import load_type
from synth.errors import UserError
from synth.grammar import grammar_of
from synth.layout import lay_out
from synth.template import Plan, Template

SIZE = (48, 128)
TURNED = torch.tensor([[[0.1, 0.2], [0.9, 0.1], [0.95, 0.8], [0.05, 0.95]]])
WHOLE = torch.tensor([[[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]]])


def test_beyond_the_picture_lies_what_is_at_its_border() -> None:
    made = torch.Generator().manual_seed(0)
    picture = torch.rand((2, 3, 16, 40), generator=made)
    corners = torch.cat([TURNED, WHOLE * 1.5 - 0.2])
    part = torch.tensor([[1.5, 0.0, -0.3], [0.0, 1.2, -0.1], [0.0, 0.0, 1.0]])
    places = laid(homography(corners) @ part, centres((12, 20), corners)) * 2 - 1
    assert float(places.abs().max()) > 1.1
    expected = torch.nn.functional.grid_sample(
        picture, places.transpose(1, 2).reshape(2, 12, 20, 2), "bilinear", "border", align_corners=False
    )
    torch.testing.assert_close(cut(picture, corners, part, (12, 20)), expected, atol=1e-5, rtol=0)


def inner() -> np.ndarray:
    """4 2: where a flat picture has the plate's corners."""
    down, across = MARGIN
    return np.array(
        [[across, down], [1 - across, down], [1 - across, 1 - down], [across, 1 - down]], np.float32
    )


def test_the_homography_is_that_of_opencv() -> None:
    for corners in (TURNED, WHOLE):
        known = cv2.getPerspectiveTransform(inner(), corners[0].numpy())
        ours = (homography(corners)[0] @ torch.tensor(within(MARGIN))).numpy()
        assert np.abs(ours / ours[2, 2] - known).max() < 1e-5


def test_corners_of_the_square_are_the_corners() -> None:
    assert torch.allclose(placed(TURNED, WHOLE), TURNED, atol=1e-6)


def test_each_look_mends_the_one_before_in_the_plate_s_own_pose() -> None:
    torch.manual_seed(0)
    finder = Finder(64, 128, looks=3).eval()
    for look in (finder.first, finder.again):
        torch.nn.init.zeros_(look.last.weight)
    pictures = torch.randn(2, 3, 64, 128)
    first, again, _ = finder(pictures).unbind(1)
    assert torch.allclose(first, again, atol=1e-6)  # nothing to mend
    with torch.no_grad():
        finder.first.last.bias.copy_((TURNED[0] - finder.usual).flatten())
        finder.again.last.bias.copy_(torch.tensor([0.1, 0.0] * 4))  # a tenth of the plate to its right
    found = finder(pictures).unbind(1)
    for number, corners in enumerate(found):
        right = placed(TURNED, WHOLE + torch.tensor([0.1 * number, 0.0]))
        assert torch.allclose(corners, right.expand(2, 4, 2), atol=1e-4)


def test_one_look_has_no_second_network() -> None:
    finder = Finder(64, 128, looks=1)
    assert finder(torch.randn(1, 3, 64, 128)).shape == (1, 1, 4, 2)
    assert all(name.startswith("first.") for name, _ in finder.named_parameters())
    with pytest.raises(UserError, match=r"recognizer\.network\.looks: 0 is below 1"):
        Finder(64, 128, looks=0)
    with pytest.raises(UserError, match=r"recognizer\.network\.shrunk: 3 is neither 1 nor 2"):
        Finder(64, 128, shrunk=3)


def test_later_looks_at_half_the_size_mend_the_same() -> None:
    torch.manual_seed(0)
    fine, coarse = Finder(64, 128).eval(), Finder(64, 128, shrunk=2).eval()
    coarse.load_state_dict(fine.state_dict())  # of the same shapes: a training may begin with either
    blurred = torch.nn.functional.interpolate(torch.randn(2, 3, 8, 16), size=(64, 128), mode="bilinear")
    assert coarse.again.features(torch.zeros(1, 1, 24, 64)).shape == (1, 96 * 3 * 8)
    assert coarse(blurred).shape == fine(blurred).shape == (2, 3, 4, 2)


def test_a_first_look_far_beyond_the_picture_is_looked_at_within_reach() -> None:
    finder = Finder(64, 128).eval()
    for look in (finder.first, finder.again):
        torch.nn.init.zeros_(look.last.weight)
    with torch.no_grad():
        finder.first.last.bias.fill_(50.0)
    first, again, last = finder(torch.randn(1, 3, 64, 128)).unbind(1)
    assert float(first.detach().min()) > 50 and bool(torch.isfinite(last).all())
    assert float(again.detach().max()) <= 1 + BEYOND + 1e-4


def test_corners_in_no_order_give_a_finite_picture() -> None:
    torch.manual_seed(0)
    picture = torch.rand(64, 3, 16, 32)
    corners = torch.rand(64, 4, 2) * 3 - 1
    corners[0] = 0.5
    assert bool(torch.isfinite(flattened(picture, corners, SIZE)).all())


def test_a_plate_made_flat_is_the_plate() -> None:
    sample = Template(Plan(("cn/blue",)), 48).batch(3, range(1))[0]
    to = np.array([[0.1, 0.2], [0.9, 0.1], [0.95, 0.8], [0.05, 0.95]], np.float32) * (256, 96)
    posed = cv2.warpPerspective(
        sample.image, cv2.getPerspectiveTransform(sample.quad, to.astype(np.float32)), (256, 96)
    )
    picture = torch.from_numpy(posed).permute(2, 0, 1)[None].float()
    found = flattened(picture, torch.from_numpy(to / np.float32((256, 96)))[None].float(), SIZE)[0]
    (down, across), (rows, columns) = MARGIN, SIZE
    inside = found[
        :, round(down * rows) : -round(down * rows), round(across * columns) : -round(across * columns)
    ]
    clean = cv2.resize(sample.image, inside.shape[:0:-1], interpolation=cv2.INTER_AREA)
    assert np.corrcoef(inside.permute(1, 2, 0).numpy().ravel(), clean.ravel())[0, 1] > 0.95


def test_corners_come_with_what_is_made(clean: MakeData) -> None:
    batch = next(loader(clean(Window(6)), 0))
    assert (
        batch.corners.shape == (6, 4, 2)
        and bool((batch.corners >= 0).all())
        and bool((batch.corners <= 1).all())
    )
    sample = Template(Plan(("cn/blue",)), 48).batch(3, range(1))[0]
    assert np.allclose(shares(sample.image, sample.quad)[2], sample.quad[2] / sample.image.shape[1::-1])
    assert np.isnan(shares(sample.image, None)).all()


def test_the_corners_come_apart_for_the_training(finding: Header) -> None:
    network = build(finding).eval()
    picture = torch.rand(2, 3, finding.height, finding.width)
    text, kind, corners = network(picture, apart=True)
    assert corners.shape == (2, 3, 4, 2)
    same = network(picture)
    assert torch.equal(same[0], text) and torch.equal(same[1], kind)


def test_a_close_look_is_half_of_what_is_said_of_the_first_symbol(looking: Header) -> None:
    network = build(looking).eval()
    picture = torch.rand(2, 3, looking.height, looking.width)
    text, _, _, first = network(picture, apart=True)
    together, _ = network(picture)
    assert torch.allclose(together[:, 0], (text[:, 0] + first) / 2) and not torch.equal(text[:, 0], first)
    assert torch.equal(together[:, 1:], text[:, 1:])


def test_a_close_look_is_half_of_which_kana_it_is_and_nothing_else(looking_twice: Header) -> None:
    network = build(looking_twice).eval()
    text = torch.randn(2, 23, looking_twice.codec.classes) * 3
    kana = kana_of(looking_twice.codec)
    seen = torch.randn(2, len(kana)) * 3
    both = heard(text, seen[:, None], network.of_kana)  # type: ignore[arg-type]
    others = [n for n in range(text.shape[2]) if n not in kana]
    assert torch.equal(both[..., others], text[..., others])
    text[:, 4, kana[0]] = 30.0  # surely a kana
    text[:, 4, kana[1]] = 29.0
    seen = torch.full((2, len(kana)), -9.0)
    seen[:, 1] = 5.0  # and it looks like the other one
    both = heard(text, seen[:, None], network.of_kana)  # type: ignore[arg-type]
    assert (both[:, 4].argmax(1) == kana[1]).all()
    text[:, 5] = -9.0
    text[:, 5, [kana[0], 1]] = 4.0  # as likely something else
    both = heard(text, seen[:, None], network.of_kana)  # type: ignore[arg-type]
    mass, before = both.softmax(2)[..., kana].sum(2), text.softmax(2)[..., kana].sum(2)
    assert torch.allclose(mass, before, atol=1e-4)  # as sure as before that it is one


def test_two_close_looks_reach_the_text(looking_twice: Header) -> None:
    network = build(looking_twice).eval()
    picture = torch.rand(2, 3, looking_twice.height, looking_twice.width)
    text, kind, _, first, kana = network(picture, apart=True)
    assert kana.shape == (2, len(kana_of(looking_twice.codec)))
    together, also = network(picture)
    assert torch.equal(kind, also) and torch.allclose(together[:, 0], (text[:, 0] + first) / 2)
    assert torch.allclose(together[:, 1:], heard(text[:, 1:], kana[:, None], network.of_kana))  # type: ignore[arg-type]


def test_a_close_look_is_half_of_the_class(looking_thrice: Header) -> None:
    """Of which digits and letters it has, as far as the plate has a class and the class a third one."""
    network = build(looking_thrice).eval()
    codec = looking_thrice.codec
    symbols, end = class_of(codec), len(class_of(codec))
    assert codec.spell(symbols) == "0123456789ACFHKLMPXY"
    three, eight, kana = (codec.numbers[symbol] for symbol in "38さ")
    rest = torch.full((1, 5, codec.classes), -9.0)  # 3, 3, a kana, and what follows
    for place, number in enumerate((three, three, kana, three, BLANK)):
        rest[0, place, number] = 5.0
    rest[0, 0, eight] = 4.0
    asked = torch.full((1, 3, end + 1), -9.0)
    asked[0, 0, symbols.index(eight)] = asked[0, 1, symbols.index(three)] = asked[0, 2, end] = 9.0
    both = network.with_class(rest, asked, torch.ones(1))  # type: ignore[operator]
    assert both.argmax(2).tolist() == [[eight, three, kana, three, BLANK]]
    assert torch.equal(both[:, MOST:], rest[:, MOST:])
    assert torch.allclose(both[:, 2], rest[:, 2], atol=1e-4)  # where the class has ended it says nothing
    nowhere = network.with_class(rest, asked, torch.zeros(1))  # type: ignore[operator]
    assert torch.allclose(nowhere, rest, atol=1e-5)  # of a type without a class


def test_three_close_looks_reach_the_text(looking_thrice: Header) -> None:
    network = build(looking_thrice).eval()
    picture = torch.rand(2, 3, looking_thrice.height, looking_thrice.width)
    text, kind, _, first, kana, asked = network(picture, apart=True)
    assert asked.shape == (2, MOST, len(class_of(looking_thrice.codec)) + 1)
    rest = heard(slots_of(text)[:, 1:], kana[:, None], network.of_kana)  # type: ignore[arg-type]
    rest = network.with_class(rest, asked, kind.softmax(1)[:, 1])  # type: ignore[operator]
    together, _ = network(picture)
    assert torch.allclose(together[:, 0], (text[:, 0] + first) / 2)
    assert torch.allclose(slots_of(together)[:, 1:], rest, atol=1e-5)
    assert (together[:, 1::2].argmax(2) == BLANK).all()


def test_places_of_classes() -> None:
    codec = codec_of(("cn/blue", "jp/private", "jp/large", "jp/motorcycle", "jp/us_forces", "jp/dealer"))
    blue, car, large, motorcycle, forces, dealer = class_places(codec)
    assert car[0] > 0.4 and car[2] < 0.8 and car[3] < 0.4 and large[3] < 0.3  # right in the upper row
    assert not blue and not motorcycle and not dealer  # have none
    assert not forces  # their kana are letters, as in classes: nobody could say where the class ends


def test_the_first_symbol_is_cut_out_where_its_type_has_it() -> None:
    codec = codec_of(("cn/blue", "cn/yellow_double"))
    close = Close([first_places(codec)], codec.classes, 0.0)
    for number, name in enumerate(codec.types):
        plate = Template(Plan((name,)), 140).batch(3, range(1))[0]
        grey = torch.from_numpy(plate.plate.mask)[None, None].float() / 255
        corners = torch.from_numpy(plate.quad / plate.image.shape[1::-1])[None].float()
        cell = close.cell(grey, corners, torch.eye(2)[None, number], 0)
        assert cell.shape[2:] == CELL and 0.1 < float(cell.mean()) < 0.6
        assert float(cell[..., 3:-3, 4:-4].sum() / cell.sum()) > 0.95  # whole, and nothing but it


def test_a_type_without_kana_does_not_pull_the_place_of_others() -> None:
    codec = codec_of(("cn/blue", "jp/private", "jp/motorcycle"))
    close = Close([first_places(codec), kana_places(codec)], codec.classes, 0.0)
    grey, corners = torch.rand(4, 1, 64, 128), torch.tensor([[0.0, 0.0], [1, 0], [1, 1], [0, 1]])
    blue, car, both, none = torch.tensor([[1.0, 0, 0], [0, 1, 0], [0.5, 0.5, 0], [0, 0, 0]])
    grey[:] = grey[:1]
    sure = torch.stack([blue, car, both, none])
    cells = close.cell(grey, corners.expand(4, 4, 2), sure, 1)
    assert torch.allclose(cells[1], cells[2], atol=1e-3)  # half a blue plate: still where cars have it
    assert cells.isfinite().all()
    offices = close.cell(grey, corners.expand(4, 4, 2), sure, 0)
    assert not torch.allclose(offices[1], offices[2], atol=1e-2)  # both show a first symbol


def test_a_place_holds_every_office() -> None:
    codec = codec_of(("cn/blue", "jp/private"))
    (left, top, right, bottom), office = first_places(codec)
    assert (left, top, right, bottom) == pytest.approx(
        (15.5 / 440, 25 / 140, 60.5 / 440, 115 / 140), abs=1e-3
    )
    assert office[2] - office[0] > 0.25 and office[3] < 0.4  # up to four characters of the upper row


@pytest.mark.parametrize("name", ["jp/private", "jp/motorcycle", "jp/motorcycle_light", "jp/large"])
def test_every_kana_and_office_lies_in_its_place(name: str) -> None:
    codec = codec_of((name,))
    kana = set(kana_of(codec))
    first, place = first_places(codec)[0], kana_places(codec)[0]
    plate, grammar = load_type(name), grammar_of(name)
    for number in range(1000, 1200):
        frame, text = lay_out(plate, grammar.sample("uniform", 0, number))
        numbers = codec.encode(text)
        for n, (left, _, right, _) in (
            (0, first),
            (next(i for i, c in enumerate(numbers) if c in kana), place),
        ):
            before, after = (len(codec.spell(numbers[:end])) for end in (n, n + 1))
            for box in frame.boxes[before:after]:
                grown = GROWN * (right - left)
                assert left - grown < box.x / plate.width_mm
                assert (box.x + box.w) / plate.width_mm < right + grown


def test_a_place_of_kana() -> None:
    codec = codec_of(("cn/blue", "jp/private", "jp/motorcycle"))
    blue, car, motorcycle = kana_places(codec)
    assert not blue  # has none
    assert car[2] < 0.25 and 0.4 < car[1] < car[3] < 1  # left in the lower row
    assert motorcycle[0] > 0.5 and motorcycle[3] < 0.4  # right in the upper row


def test_nobody_looks_for_a_kana_where_no_plate_can_have_one(
    looking_thrice: Header, monkeypatch: pytest.MonkeyPatch
) -> None:
    network = build(looking_thrice).eval()
    pictures = torch.rand(4, 3, looking_thrice.height, looking_thrice.width)
    sure = torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0 - 1e-4, 1e-4], [0.5, 0.5]])
    rest = torch.randn(4, 11, looking_thrice.codec.classes) * 3
    corners = torch.tensor([[[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]]]).expand(4, 4, 2)
    given = (rest, pictures[:, :1], corners, sure)
    heard_ = network.with_later(*given)  # type: ignore[operator]
    changed = (heard_ != rest).flatten(1).any(1)
    assert changed.tolist() == [False, True, False, True]
    for n in range(4):  # what a plate is read as never depends on the others
        alone = network.with_later(*(part[n : n + 1] for part in given))  # type: ignore[operator]
        torch.testing.assert_close(alone[0], heard_[n], atol=1e-5, rtol=0)
    monkeypatch.setattr(network, "looked", None)  # would fail if it were asked
    assert network.with_later(*(part[::2] for part in given)) is not None  # type: ignore[operator]
