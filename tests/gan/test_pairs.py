"""Pairs: held out by text, kept once aligned, moved and recoloured together, the same for the same stream."""

from __future__ import annotations

import pickle
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

import gan.align_store as store
from gan.dress import dressed, dressed_plate, paint_of
from gan.outline import EDGES, GLYPHS, GREY, GROUND, INK, PLATE, condition, upright
from gan.pairs import Pairs, held_out, load_pairs, smaller
from gan.recolour import LUMA, matte_of, mixed, recoloured
from gan.vary import PAINTS, Vary, shifted_planes
from synth.errors import UserError
from synth.sample import Sample
from synth.template import Plan, Template

SIZE = (48, 144)
GREY_CAR = (150, 148, 145)


def write_crops(folder: Path, count: int = 24) -> None:
    """Blue plates, a little dark and soft, on a grey car."""
    folder.mkdir()
    lines = ["path\ttext\ttype\tcolour"]
    for number, sample in enumerate(Template(Plan(("cn/blue",)), 64).batch(3, range(count))):
        quality = (cv2.IMWRITE_JPEG_QUALITY, 80)  # blue runs into the car, as in real crops
        cv2.imwrite(str(folder / f"{number}.jpg"), photograph(sample)[..., ::-1], quality)
        lines.append(f"{number}.jpg\t{sample.text}\tsingle\tblue")
    (folder / "labels.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")


def photograph(sample: Sample) -> NDArray[np.uint8]:
    turn = cv2.getRotationMatrix2D((100, 32), 3, 0.85)
    plate = cv2.warpAffine(sample.image, turn, (201, 64), borderValue=GREY_CAR)
    cover = cv2.warpAffine(sample.alpha, turn, (201, 64))[..., None] / 255
    mixed = 0.8 * (plate * cover + np.array(GREY_CAR) * (1 - cover))
    small = cv2.resize(mixed.astype(np.float32), (94, 24), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.GaussianBlur(small, (0, 0), 0.5).clip(0, 255), np.uint8)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("pairs") / "crops"
    write_crops(path)
    return path


def loaded(folder: Path, part: str = "train", vary: Vary | None = None) -> Pairs:
    return load_pairs("labelled", folder, ["cn/blue"], SIZE, part, folder.parent / "cache", vary=vary)


@pytest.fixture(scope="module")
def pairs(folder: Path) -> Pairs:
    return loaded(folder)


def painted(pairs: Pairs, paint: str, count: int = 8) -> list[tuple[NDArray[np.uint8], NDArray[np.uint8]]]:
    """Condition and crop in one type's paint, unmoved and unshifted."""
    still = Vary(0, (paint,), 0, 0, 0, 0, 0, 0, 0)
    of = replace(pairs, vary=still)
    found = [of.item(np.random.default_rng(n)) for n in range(count)]
    return [(pair.condition, pair.crop) for pair in found]


def test_a_fifth_of_the_texts_is_held_out() -> None:
    texts = ["".join(Plan(("cn/blue",)).of(0, n)[1].values()) for n in range(600)]
    assert 0.14 < np.mean([held_out(text) for text in texts]) < 0.26


def test_parts_share_no_text(folder: Path, pairs: Pairs) -> None:
    unseen, every = loaded(folder, "held_out"), loaded(folder, "all")
    assert not set(pairs.texts) & set(unseen.texts)
    assert sorted(pairs.texts + unseen.texts) == sorted(every.texts)
    assert len(every) >= 22 and "aligned" in every.summary
    assert not any(map(held_out, pairs.texts)) and all(map(held_out, unseen.texts))


def test_alignments_are_kept(folder: Path, pairs: Pairs, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("aligned again")

    monkeypatch.setattr(store, "aligned", refuse)
    again = loaded(folder)
    assert again.texts == pairs.texts and np.array_equal(again.crops[0], pairs.crops[0])
    assert np.array_equal(again.homographies[0], pairs.homographies[0])
    with pytest.raises(AssertionError, match="aligned again"):  # other types, other alignments
        load_pairs("labelled", folder, ["cn/blue", "cn/black"], SIZE, "train", folder.parent / "cache")


def test_what_is_left_out_is_counted_also_from_a_cache(tmp_path: Path) -> None:
    write_crops(tmp_path / "crops", 6)
    (tmp_path / "crops" / "2.jpg").write_bytes(b"no picture")
    with (tmp_path / "crops" / "labels.tsv").open("a", encoding="utf-8") as file:
        file.write("1.jpg\t???\tsingle\tblue\n")
    first, again = (loaded(tmp_path / "crops", "all") for _ in range(2))
    assert "1 of no type in plates.types, 1 unreadable; 5 in part all" in first.summary == again.summary


def test_a_broken_cache_is_made_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_crops(tmp_path / "crops", 3)
    first = loaded(tmp_path / "crops", "all")
    [file] = (tmp_path / "cache").glob("*.npz")
    whole = file.read_bytes()
    for damaged in (whole[: len(whole) // 2], b"no archive", b""):
        file.write_bytes(damaged)
        assert loaded(tmp_path / "crops", "all").texts == first.texts
        assert "broken file" in capsys.readouterr().err
        assert store.load(file) is not None  # mended


def test_a_folder_that_cannot_be_written_is_no_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_crops(tmp_path / "crops", 2)
    (tmp_path / "cache").write_text("a file where the folder would be")
    assert len(loaded(tmp_path / "crops", "all")) == 2
    assert "not kept" in capsys.readouterr().err


def test_an_item_is_a_function_of_its_stream(pairs: Pairs) -> None:
    copy: Pairs = pickle.loads(pickle.dumps(pairs))
    seen = set()
    for n in range(12):
        one, two = pairs.item(np.random.default_rng(n)), copy.item(np.random.default_rng(n))
        assert one.index == two.index and one.text == pairs.texts[one.index]
        assert np.array_equal(one.crop, two.crop) and np.array_equal(one.condition, two.condition)
        assert one.crop.shape == (*SIZE, 3) and one.condition.shape[:2] == SIZE
        seen.add(one.crop.tobytes())
    assert len(seen) == 12


def test_crops_smaller_than_the_planes_keep_their_pixels(folder: Path) -> None:
    size, still = (48, 188), Vary(plain=1.0, shift=0.0)
    own = load_pairs("labelled", folder, ["cn/blue"], size, cache=folder.parent / "cache", own_size=True)
    assert (own.size, own.seen) == (size, (24, 94))
    plain = own.plain(3)
    assert np.array_equal(plain.crop, own.crops[3]) and plain.condition.shape[:2] == size
    item = replace(own, vary=still).item(np.random.default_rng(5), new_text=True)
    crop = own.crops[item.index]
    assert item.crop.shape == crop.shape and item.hidden.shape == crop.shape[:2] and item.hidden.any()
    shifts = [(y, x) for y in (-1, 0, 1) for x in (-1, 0, 1)]  # by whole pixels, one at most
    inner = item.crop[2:-2, 2:-2]
    assert any(np.array_equal(inner, np.roll(crop, by, (0, 1))[2:-2, 2:-2]) for by in shifts)
    corners = own.corners(3)
    assert corners.shape == (4, 2) and (corners > -0.2).all() and (corners < 1.2).all()
    small = load_pairs(
        "labelled", folder, ["cn/blue"], (16, 48), cache=folder.parent / "cache", own_size=True
    )
    assert small.seen == small.size  # crops are larger than what is drawn
    assert smaller([(24, 94), (24, 94), (20, 60)], size) == (24, 94)
    assert smaller([(24, 94), (20, 60)], size) == size  # of many sizes: none is theirs


def test_a_new_text_is_asked_for_in_the_same_place(pairs: Pairs) -> None:
    regions = set()
    for n in range(12):
        own, new = pairs.item(np.random.default_rng(n)), pairs.item(np.random.default_rng(n), True)
        assert np.array_equal(own.crop, new.crop) and np.array_equal(own.condition, new.condition)
        assert own.asked is own.condition and not own.hidden.any()
        assert new.text != own.text and len(new.text) == len(own.text)
        changed = new.asked.astype(int) - new.condition
        assert np.abs(changed[..., PLATE]).max() <= 1  # the plate lies where it lay
        assert np.abs(changed[..., GLYPHS]).max() > 100
        first = np.flatnonzero(new.hidden.any(axis=0))
        assert 0 < new.hidden.mean() / 255 < 0.25 and first.max() < 0.35 * SIZE[1]
        regions.add(new.text[0])
    assert len(regions) > 5


def test_a_plain_pair_is_the_crop_itself(pairs: Pairs) -> None:
    pair = pairs.plain(0)
    expected = cv2.resize(pairs.crops[0], SIZE[::-1], interpolation=cv2.INTER_CUBIC)
    assert np.abs(pair.crop.astype(int) - expected).mean() < 2
    assert pair.text == pairs.texts[0] and np.array_equal(pair.crop, pairs.plain(0).crop)


def test_condition_and_crop_move_together(pairs: Pairs) -> None:
    far = Vary(plain=0.5, paints=("cn/black",), shift=0.08, scale=0.1, shear=0.08)
    of = replace(pairs, vary=far)
    for n in range(16):
        pair = of.item(np.random.default_rng(n))
        ink = pair.crop[..., 0].astype(float)  # white on blue or black: red tells
        glyphs, plate = pair.condition[..., GLYPHS] > 200, pair.condition[..., PLATE] > 250
        plain = plate & (pair.condition[..., GLYPHS] == 0) & (pair.condition[..., EDGES] == 0)
        assert ink[glyphs].mean() > ink[plain].mean() + 60


@pytest.mark.parametrize("paint", PAINTS)
def test_a_blue_crop_takes_on_any_paint(pairs: Pairs, paint: str) -> None:
    for planes, crop in painted(pairs, paint, 5):
        glyphs, plate = planes[..., GLYPHS] > 220, planes[..., PLATE] > 250
        calm = plate & (planes[..., GLYPHS] == 0) & (planes[..., EDGES] == 0)
        for where, said in ((glyphs, INK), (calm, GROUND)):
            shown, told = crop[where].mean(0), planes[where][:, said].astype(float).mean(0)
            if np.ptp(told) > 60:  # a colour, not a grey: its order of channels is kept
                assert told.max() - told[np.argmax(shown)] < 8 and told[np.argmin(shown)] - told.min() < 8, (
                    paint
                )
            assert np.abs(shown - 0.85 * told).max() < 75, (paint, shown, told)
        light = planes[glyphs][:, INK].mean() > planes[calm][:, GROUND].mean()
        assert (crop[glyphs].mean() > crop[calm].mean()) == light, paint


def test_smeared_colour_stays_smeared(pairs: Pairs) -> None:
    """Cameras and JPEG keep less detail of colour than of light, whatever the paint."""
    found = pairs.alignment(0)
    smeared = cv2.cvtColor(pairs.crops[0], cv2.COLOR_RGB2YCrCb)
    smeared[..., 1:] = cv2.GaussianBlur(smeared[..., 1:], (0, 0), 1.5)
    crops = pairs.crops[0], cv2.cvtColor(smeared, cv2.COLOR_YCrCb2RGB)
    paint = paint_of(dressed_plate("cn/blue", "cn/yellow", pairs.texts[0]), found)
    crisp, soft = (recoloured(crop, matte_of(crop, found), paint).astype(np.float32) for crop in crops)
    light = detail(soft @ LUMA) / detail(crisp @ LUMA)
    colour = detail(soft[..., 2] - soft @ LUMA) / detail(crisp[..., 2] - crisp @ LUMA)
    assert colour < 0.85 and 0.9 < light < 1.1, (colour, light)


def detail(plane: NDArray[np.floating]) -> float:
    return float(np.abs(plane - cv2.GaussianBlur(plane, (0, 0), 1.0)).mean())


def test_beyond_the_ground_lies_little_of_the_opposite_of_the_ink() -> None:
    black, yellow, blue, white = (
        np.full((1, 1, 3), c, np.float32)
        for c in ((50, 50, 50), (243, 194, 4), (24, 72, 160), (245, 245, 245))
    )
    below, half = np.full((1, 1), -0.25, np.float32), np.full((1, 1), 0.5, np.float32)
    assert np.ptp(mixed(black, yellow, below, below - 0.05)) < 3  # a darker grey
    none = np.zeros((1, 1), np.float32)
    assert (
        np.ptp(mixed(black, yellow, none, none - 0.3)) < 7
    )  # where only the colour says so: 72 without a limit
    assert np.allclose(mixed(black, yellow, half, half), (black + yellow) / 2, atol=1e-3)
    assert np.allclose(mixed(blue, white, below, below), blue - 0.25 * (white - blue), atol=1e-3)


def test_no_blue_is_left_and_the_car_stays_grey(pairs: Pairs) -> None:
    blue = replace(pairs, vary=Vary(1, PAINTS, 0, 0, 0, 0, 0, 0, 0))
    for n, (planes, crop) in enumerate(painted(pairs, "cn/yellow")):
        excess = crop[..., 2].astype(int) - crop[..., :2].max(axis=2)
        assert (excess > 25).mean() < 0.002
        outside = cv2.dilate(planes[..., PLATE], np.ones((13, 13), np.uint8)) == 0
        before = blue.item(np.random.default_rng(n)).crop
        assert outside.any() and np.abs(crop[outside].astype(int) - before[outside]).max() < 12


def test_a_colour_shift_leaves_grey_grey() -> None:
    plate = dressed_plate("cn/blue", "cn/nev_small", "皖AY021B")
    planes = condition(plate, upright(plate, SIZE, 0.2), SIZE)
    still = np.hstack((np.eye(3), np.zeros((3, 1))))
    assert np.abs(shifted_planes(planes, still).astype(int) - planes).max() <= 1
    shift = Vary(hue_deg=40, lightness=40).colours(np.random.default_rng(1))
    moved = shifted_planes(planes, shift)
    outside, inside = planes[..., PLATE] == 0, planes[..., PLATE] == 255
    assert (np.abs(moved[outside][:, 3:].astype(int) - GREY) <= 1).mean() > 0.95
    assert np.abs(moved[inside][:, GROUND].astype(int) - planes[inside][:, GROUND]).mean() > 5
    assert np.array_equal(moved[..., :3], planes[..., :3])


def test_paint_brings_panels_and_the_last_letters_ink() -> None:
    assert dressed("cn/blue", "cn/blue").id == "cn/blue"
    large = dressed("cn/blue", "cn/nev_large")
    assert len(large.ground) == 2 and 110 < large.ground[1].x0 < 139 and large.width_mm == 440
    red = np.array((200, 30, 40))
    image = dressed_plate("cn/blue", "cn/police", "皖AY021H").image
    assert (np.abs(image[:, 172:] - red).max(axis=2) < 40).any()
    assert not (np.abs(image[:, :160] - red).max(axis=2) < 40).any()


def test_large_crops_are_kept_small(tmp_path: Path) -> None:
    folder = tmp_path / "crops"
    write_crops(folder, 2)
    for path in folder.glob("*.jpg"):
        cv2.imwrite(str(path), cv2.resize(cv2.imread(str(path)), None, fx=8, fy=8))
    pairs = loaded(folder, "all")
    assert all(crop.shape[0] == 72 for crop in pairs.crops)
    pair = pairs.plain(0)
    glyphs = pair.condition[..., GLYPHS] > 220
    assert pair.crop[glyphs].mean() > pair.crop[pair.condition[..., GLYPHS] == 0].mean() + 40


def test_errors_say_what_to_do(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"pairs\.part.*train"):
        loaded(folder, "trian")
    with pytest.raises(UserError, match=r"pairs\.vary\.plain"):
        Vary(plain=2)
    with pytest.raises(UserError, match=r"pairs\.vary\.paints"):
        Vary(paints=())
    with pytest.raises(UserError, match="cn/bleu"):
        Vary(paints=("cn/bleu",))
    with pytest.raises(UserError, match="no crop is left"):
        load_pairs("labelled", folder, ["jp/private"], SIZE, "train", tmp_path)
    with pytest.raises(UserError, match="no such folder"):
        loaded(tmp_path / "nowhere")
