"""Pictures of every kind become H W 3 RGB, or an error that names the file."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import PIL.Image
import pytest

from recognizer.pictures import as_picture, fit, load_picture
from synth.dataset import picture
from synth.dataset.decode import as_image, decode
from synth.errors import UserError

RGB = np.zeros((6, 10, 3), np.uint8)
RGB[:, :5] = (200, 40, 90)  # left; the right half is black
LEFT, RIGHT = (3, 1), (3, 8)


def written(path: Path, image: PIL.Image.Image, **options: object) -> np.ndarray:
    image.save(path, **options)
    return load_picture(path)


def near(image: np.ndarray, at: tuple[int, int], colour: tuple[int, int, int], within: int = 0) -> bool:
    return bool(np.abs(image[at].astype(int) - colour).max() <= within)


@pytest.mark.parametrize("mode", ["L", "1", "P", "RGBA", "LA", "CMYK", "YCbCr", "HSV", "RGB"])
def test_every_mode(mode: str, tmp_path: Path) -> None:
    ending = "tif" if mode in ("CMYK", "LA") else "png"
    if mode in ("HSV", "YCbCr"):  # no file holds the one, and not every Pillow writes the other
        image = as_picture(PIL.Image.fromarray(RGB).convert(mode))
    else:
        rgb = PIL.Image.fromarray(RGB)
        image = written(tmp_path / f"a.{ending}", rgb.quantize(4) if mode == "P" else rgb.convert(mode))
    assert image.shape == (6, 10, 3) and image.dtype == np.uint8
    assert image[LEFT].max() > image[RIGHT].max()  # which half is which
    if mode in ("RGB", "RGBA", "P", "CMYK"):
        assert near(image, LEFT, (200, 40, 90), 2) and near(image, RIGHT, (0, 0, 0), 2)


def test_cmyk_jpeg_keeps_its_colours(tmp_path: Path) -> None:
    image = written(tmp_path / "a.jpg", PIL.Image.fromarray(RGB.repeat(8, 0).repeat(8, 1)).convert("CMYK"))
    assert near(image, (20, 10), (200, 40, 90), 12)


def test_transparent_pixels_become_grey(tmp_path: Path) -> None:
    rgba = np.dstack([RGB, np.full((6, 10), 255, np.uint8)])
    rgba[:, 5:, 3] = 0
    image = written(tmp_path / "a.png", PIL.Image.fromarray(rgba))
    assert near(image, LEFT, (200, 40, 90)) and near(image, RIGHT, (128, 128, 128))
    palette = PIL.Image.fromarray(RGB).quantize(4)
    palette.info["transparency"] = palette.getpixel((8, 3))
    image = written(tmp_path / "p.png", palette, transparency=palette.getpixel((8, 3)))
    assert near(image, RIGHT, (128, 128, 128))


@pytest.mark.parametrize(("top", "shown"), [(65535, 255), (4095, 255), (1023, 255), (200, 200)])
def test_sixteen_bits_in_use(top: int, shown: int, tmp_path: Path) -> None:
    deep = np.zeros((6, 10), np.uint16)
    deep[:, :5] = top
    cv2.imwrite(str(tmp_path / "a.png"), deep)
    assert near(load_picture(tmp_path / "a.png"), LEFT, (shown, shown, shown))
    for name in ("c.tif", "c.png"):
        cv2.imwrite(str(tmp_path / name), np.dstack([deep, deep // 2, deep // 4]))  # BGR for OpenCV
        image = load_picture(tmp_path / name)
        assert near(image, LEFT, (shown // 4, shown // 2, shown), 1) and near(image, RIGHT, (0, 0, 0))


def test_exif_rotation(tmp_path: Path) -> None:
    turned = PIL.Image.fromarray(RGB)
    exif = PIL.Image.Exif()
    exif[0x0112] = 6  # to be shown turned by a quarter
    image = written(tmp_path / "a.png", turned, exif=exif)
    assert image.shape == (10, 6, 3)
    assert near(image, (1, 3), (200, 40, 90))  # the left half is above now


def test_arrays() -> None:
    assert near(as_image(np.full((2, 3), 7, np.uint8)), (0, 0), (7, 7, 7))
    assert near(as_image(np.full((2, 3, 1), 0.5)), (0, 0), (128, 128, 128))
    assert near(as_image(np.ones((2, 3), bool)), (0, 0), (255, 255, 255))
    assert near(as_image(np.full((2, 3, 2), (50, 0), np.uint8)), (0, 0), (128, 128, 128))
    assert near(as_image(np.full((2, 3, 3), np.nan)), (0, 0), (0, 0, 0))
    assert as_image(RGB[:, ::-1]).flags.c_contiguous
    for bad in (np.zeros(3), np.zeros((0, 4, 3)), np.zeros((2, 2, 5)), np.array([["a"]])):
        with pytest.raises(UserError, match="is no picture"):
            as_image(bad)


@pytest.mark.parametrize("size", [(1, 1), (1, 8000), (8000, 1), (8000, 300), (3, 2)])
def test_any_size_fits(size: tuple[int, int]) -> None:
    fitted = fit(np.full((*size, 3), 77, np.uint8), 48, 168)
    assert fitted.shape == (48, 168, 3) and (fitted == 77).all()


def test_eight_thousand_pixels_on_the_disk(tmp_path: Path) -> None:
    image = written(tmp_path / "a.png", PIL.Image.new("RGB", (8000, 8000), (9, 8, 7)), compress_level=1)
    assert near(fit(image, 48, 168), (0, 0), (9, 8, 7))


def test_jpegs_decode_as_in_training(tmp_path: Path) -> None:
    """Pillow here, OpenCV for data sets: the same pixels."""
    noisy = cv2.resize(np.random.default_rng(0).integers(0, 255, (6, 24, 3), dtype=np.uint8), (94, 24))
    cv2.imwrite(str(tmp_path / "a.jpg"), noisy)
    theirs = picture.decode((tmp_path / "a.jpg").read_bytes())
    assert theirs is not None
    assert np.abs(load_picture(tmp_path / "a.jpg").astype(int) - theirs).max() <= 2


def test_data_sets_decode_everything_else_as_plate_read(tmp_path: Path) -> None:
    rgba = np.dstack([RGB, np.full((6, 10), 90, np.uint8)])
    PIL.Image.fromarray(rgba).save(tmp_path / "rgba.png")
    cv2.imwrite(str(tmp_path / "deep.png"), np.linspace(0, 4095, 60).reshape(6, 10).astype(np.uint16))
    cv2.imwrite(str(tmp_path / "deep.tif"), np.full((6, 10, 3), 1023, np.uint16))
    for path in tmp_path.iterdir():
        theirs = picture.decode(path.read_bytes())
        assert theirs is not None and np.array_equal(theirs, load_picture(path)), path.name
    assert picture.decode(b"") is None and picture.decode(b"no picture") is None


def test_an_open_file_that_is_cut_is_told(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8)
    cut = cv2.imencode(".png", noise)[1].tobytes()[:3000]
    (tmp_path / "cut.png").write_bytes(cut)
    with pytest.raises(UserError, match=r"cut\.png: a broken picture"):
        as_picture(PIL.Image.open(tmp_path / "cut.png"))


def test_what_cannot_be_read_is_named(tmp_path: Path) -> None:
    good = cv2.imencode(".jpg", np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8))[1]
    broken = {
        "empty.jpg": b"",
        "text.jpg": b"no picture at all",
        "half.jpg": good.tobytes()[: len(good) // 2],
        "half.png": cv2.imencode(".png", RGB)[1].tobytes()[:-30],
    }
    for name, content in broken.items():
        (tmp_path / name).write_bytes(content)
    for name in (*broken, "absent.jpg"):
        with pytest.raises(UserError, match=name) as caught:
            load_picture(tmp_path / name)
        assert "\n" not in str(caught.value)
    with pytest.raises(UserError, match=r"shot\.jpg"):
        decode(b"GIF89a", "shot.jpg")
