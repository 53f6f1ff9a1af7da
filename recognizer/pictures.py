"""What a reader is given, as H W 3 RGB, and fitted to it; needs no torch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import PIL.Image
from numpy.typing import NDArray

from synth.dataset.decode import as_image, decode, from_pillow
from synth.errors import UserError
from synth.sample import Image

Picture = str | Path | NDArray[Any] | PIL.Image.Image
ENDINGS = (
    *(
        ".jpg",
        ".jpeg",
        ".jfif",
        ".png",
        ".bmp",
        ".webp",
        ".tif",
        ".tiff",
        ".gif",
        ".ppm",
        ".pgm",
        ".pbm",
        ".jp2",
    ),
    *(".avif", ".heic", ".heif"),  # not every Pillow knows them: then they are told
)


def as_picture(given: Picture) -> Image:
    """A file, an array or a Pillow image as H W 3."""
    if isinstance(given, str | Path):
        return load_picture(given)
    if isinstance(given, PIL.Image.Image):
        return from_open(given)
    return as_image(np.asarray(given))


def load_picture(path: str | Path) -> Image:
    """Read a picture file of any kind, turned as its EXIF says."""
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror or error})") from error
    return decode(content, str(path))


def from_open(picture: PIL.Image.Image) -> Image:
    """A Pillow image, whose file may be read only now."""
    try:
        return from_pillow(picture)
    except UserError:
        raise
    except Exception as error:  # as in decode: a cut file, a mode without colours
        name = getattr(picture, "filename", "") or "a Pillow image"
        raise UserError(f"{name}: a broken picture ({error}); replace or remove it") from error


def fit(image: Image, height: int, width: int) -> Image:
    """A picture of any size as H W 3, stretched: the reader does not know the true proportions."""
    shrinks = image.shape[0] * image.shape[1] > height * width
    how = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(image, (width, height), interpolation=how), np.uint8)
