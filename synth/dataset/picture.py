"""A labelled picture of any data set, where its bytes are, and what is wrong with it."""

from __future__ import annotations

import functools
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from synth.dataset.decode import decode as any_kind
from synth.dataset.optional import need
from synth.dataset.rectify import box_around, box_quad, crop, natural_size, rectify
from synth.errors import UserError
from synth.sample import Image, Points

# What stands between or around the characters of a plate and is no character of its text.
_FOLDED = {ord(c): None for c in "·•・･‧∙●⋅﹒. \t\u3000\u00a0\u2002\u2003\u2009\u200b-‐‑‒–—−－_"}


def fold(text: str) -> str:
    """A text without middle dots, spaces and hyphens."""
    return text.translate(_FOLDED)


JPEG = b"\xff\xd8"
CROPS = ("whole", "box", "straight")  # what is taken of a picture whose quad is known


class Blob(Protocol):
    """Where the bytes of a picture are."""

    def read(self) -> bytes: ...


@dataclass(frozen=True, slots=True)
class FileBlob:
    """A file, or a part of one (a member of a tar)."""

    path: Path
    offset: int = 0
    length: int = -1

    def read(self) -> bytes:
        with self.path.open("rb", buffering=0) as file:
            if self.offset:
                file.seek(self.offset)
            return file.read(self.length)


@dataclass(frozen=True, slots=True)
class LmdbBlob:
    """A value of an LMDB database."""

    path: Path
    key: bytes

    def read(self) -> bytes:
        with database(self.path).begin() as transaction:
            value = transaction.get(self.key)
        if value is None:
            raise FileNotFoundError(f"{self.path}: no key {self.key.decode()}")
        return bytes(value)


@dataclass(frozen=True, slots=True)
class ParquetBlob:
    """The picture in one row of a parquet file."""

    path: Path
    group: int
    row: int

    def read(self) -> bytes:
        value = _pictures(self.path, self.group)[self.row].as_py()
        if value is None:
            raise FileNotFoundError(f"{self.path}: row {self.row} of group {self.group} has no picture")
        return bytes(value)


@dataclass(frozen=True, slots=True)
class Labelled:
    """A picture with its text, and whatever else its data set knows."""

    text: str  # folded
    name: str  # the picture's name in its data set
    blob: Blob
    type: str = ""
    colour: str = ""
    split: str = ""  # train | val | test | ""
    region: str = ""
    quad: NDArray[np.float32] | None = (
        None  # 4 2: TL TR BR BL in pixels of the picture, None when it is a crop
    )
    fields: Mapping[str, str] = field(default_factory=dict)
    where: str = ""  # "data.txt:12"

    def image(self) -> Image:
        """The picture, H W 3 RGB."""
        try:
            picture = decode(self.blob.read())
        except OSError as error:
            raise UserError(f"{self.name}: cannot be read ({error.strerror or error})") from error
        if picture is None:
            raise UserError(f"{self.name}: not a picture that can be decoded; replace it or leave it out")
        return picture

    def plate(self, straight: bool = True, margin: float = 0.0) -> Image:
        """The plate alone: set straight by its quad, or its upright box; a crop is returned as it is."""
        image = self.image()
        if self.quad is None:
            return image
        quad: Points = self.quad
        return rectify(image, quad, *natural_size(quad), margin) if straight else crop(image, quad, margin)

    def cut(self, how: str) -> tuple[Image, Points | None]:
        """The picture as one of CROPS, and where the plate's corners are in it, if that is known."""
        image = self.image()
        if self.quad is None or how == "whole":
            return image, self.quad
        if how == "straight":
            width, height = natural_size(self.quad)
            return rectify(image, self.quad, width, height), box_quad(0, 0, width, height)
        x0, y0, x1, y1 = box_around(image, self.quad)
        return image[y0:y1, x0:x1], self.quad - np.array([x0, y0], np.float32)


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that was refused or is wrong, and where."""

    where: str
    # from reading: line encoding missing path archive name text
    # from validating: text picture size quad repeated duplicate leak
    kind: str
    message: str

    def __str__(self) -> str:
        return f"{self.where}: {self.message}"


def decode(content: bytes) -> Image | None:
    """H W 3 RGB, or None for what is no picture; what is no JPEG as plate-read decodes it."""
    if not content.startswith(JPEG):
        try:
            return any_kind(content, "")
        except UserError:
            return None
    try:
        picture = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error:
        return None
    return None if picture is None else np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), np.uint8)


def database(path: Path) -> Any:
    """The LMDB environment of a folder, opened once a process (LMDB allows no more)."""
    return _database(path.resolve(), (path / "data.mdb").stat().st_ino)


@functools.lru_cache(maxsize=16)
def _database(path: Path, inode: int) -> Any:
    return need("lmdb", "lmdb").open(str(path), readonly=True, lock=False, readahead=False, max_readers=64)


# An environment must not be used across a fork; a worker opens its own.
os.register_at_fork(after_in_child=_database.cache_clear)


@functools.lru_cache(maxsize=4)
def _pictures(path: Path, group: int) -> Any:
    table = need("pyarrow.parquet", "parquet").ParquetFile(path).read_row_group(group, columns=["image"])
    images = table["image"].combine_chunks()
    return images.field("bytes") if need("pyarrow", "parquet").types.is_struct(images.type) else images


def holds_bytes(kind: Any) -> bool:
    """Whether an Arrow type is that of pictures: bytes, or a struct whose field `bytes` has them."""
    types = need("pyarrow", "parquet").types
    if types.is_struct(kind):
        return any(field.name == "bytes" and holds_bytes(field.type) for field in kind)
    return bool(types.is_binary(kind) or types.is_large_binary(kind))
