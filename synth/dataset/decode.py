"""Pictures of any kind as H W 3 RGB: depth, transparency, palettes, turned by EXIF."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import cv2
import numpy as np
import PIL.Image
from numpy.typing import NDArray
from PIL import ImageOps

from synth.errors import UserError
from synth.sample import Image

BACKGROUND = 128  # what shows through transparent pixels


def decode(content: bytes, name: str) -> Image:
    """The picture in the bytes of a file; the error names `name`."""
    if not content:
        raise UserError(f"{name}: an empty file, not a picture; replace or remove it")
    try:
        with PIL.Image.open(BytesIO(content)) as picture:
            deep = picture.mode == "RGB" and any(";16" in str(tile.args) for tile in picture.tile)
            return decode_rare(content, name) if deep else from_pillow(ImageOps.exif_transpose(picture))
    except PIL.UnidentifiedImageError:
        return decode_rare(content, name)
    except PIL.Image.DecompressionBombError as error:
        raise UserError(f"{name}: too large a picture ({error}); scale it down first") from error
    except UserError:
        raise
    except Exception as error:  # Pillow's plugins raise nearly anything on a broken file
        raise UserError(f"{name}: a broken picture ({error}); replace or remove it") from error


def decode_rare(content: bytes, name: str) -> Image:
    """What Pillow does not know, or cuts to 8 of its 16 bits a colour."""
    try:
        array = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_ANYCOLOR | cv2.IMREAD_ANYDEPTH)
    except cv2.error:
        array = None
    if array is None or not array.size:
        raise UserError(f"{name}: not a picture that can be decoded; replace or remove it")
    return as_image(array[:, :, ::-1] if array.ndim == 3 else array)


def from_pillow(picture: PIL.Image.Image) -> Image:
    """H W 3 of any Pillow mode; transparent pixels become mid grey."""
    if picture.mode in ("I", "F") or picture.mode.startswith("I;"):
        return as_image(np.asarray(picture))
    if picture.has_transparency_data:
        return over_grey(np.asarray(picture.convert("RGBA")))
    return np.asarray(picture.convert("RGB"), np.uint8)


def as_image(array: NDArray[Any]) -> Image:
    """H W, H W 1 (grey), H W 2, H W 4 (with alpha) or H W 3 of any depth as H W 3 uint8."""
    if array.ndim not in (2, 3) or 0 in array.shape or (array.ndim == 3 and array.shape[2] > 4):
        raise UserError(f"an array of shape {array.shape} is no picture; give H W, H W 3 or H W 4")
    deep = array[:, :, None] if array.ndim == 2 else array
    shallow = eight_bits(deep)
    grey = shallow[:, :, :1].repeat(3, axis=2) if shallow.shape[2] < 3 else shallow[:, :, :3]
    if shallow.shape[2] in (2, 4):
        return over_grey(np.concatenate([grey, shallow[:, :, -1:]], axis=2))
    return np.ascontiguousarray(grey)


def eight_bits(array: NDArray[Any]) -> NDArray[np.uint8]:
    """Any numbers as 0..255; of deep integers the bits in use, since cameras put 10 or 12 bits into 16."""
    if array.dtype == np.uint8:
        return array
    if array.dtype == np.bool_:
        return array.astype(np.uint8) * np.uint8(255)
    if array.dtype.kind not in "uif":
        raise UserError(f"an array of {array.dtype} is no picture; give uint8")
    if array.dtype.kind == "f":
        known = np.nan_to_num(array.astype(np.float64), posinf=255.0, neginf=0.0)
        scaled = known * 255 if known.max() <= 1 else known
        return np.asarray(np.clip(np.rint(scaled), 0, 255), np.uint8)
    whole = np.clip(array.astype(np.int64), 0, None)
    return np.asarray(whole >> max(int(whole.max()).bit_length() - 8, 0), np.uint8)


def over_grey(rgba: NDArray[np.uint8]) -> Image:
    """H W 4 laid over mid grey."""
    alpha = rgba[:, :, 3:].astype(np.float32) / 255
    return np.asarray(np.rint(rgba[:, :, :3] * alpha + BACKGROUND * (1 - alpha)), np.uint8)
