"""Aligned crops of a source, kept in a cache file: aligning is done once for the same crops and types."""

from __future__ import annotations

import hashlib
import io
import os
import sys
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gan.align import DRAWN_PX, aligned
from gan.align_search import METHOD
from synth.catalogue import load_type
from synth.dataset.atomic import write_atomic
from synth.dataset.picture import Labelled
from synth.errors import UserError
from synth.grammar import grammar_of
from synth.render import render
from synth.sample import Image


@dataclass(frozen=True)
class Store:
    """Crops that some type can show, each with its alignment, whatever the score."""

    names: tuple[str, ...]
    texts: tuple[str, ...]
    types: tuple[str, ...]
    crops: tuple[Image, ...]
    homographies: NDArray[np.float64]  # N 3 3: pixels of the nominal plate -> pixels of the crop
    scores: NDArray[np.float64]  # N
    refused: int  # crops whose text no type can show


def cache_folder() -> Path:
    """Where aligned crops are kept unless a folder is given."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "platesmith"


def aligned_store(items: Sequence[Labelled], types: Sequence[str], cache: str | Path | None) -> Store:
    """Align the crops, or take what an earlier run kept of the same ones."""
    path = Path(cache or cache_folder()) / f"aligned-{digest(items, types)}.npz"
    kept = load(path)
    if kept is not None:
        return kept
    store = store_of(items, types)
    try:
        save(path, store)
    except OSError as error:
        print(f"{path}: alignments are not kept ({error.strerror or error})", file=sys.stderr)
    return store


def digest(items: Sequence[Labelled], types: Sequence[str]) -> str:
    """A name for these crops, their labels, the types and the way of aligning."""
    total = hashlib.sha256(f"{METHOD} {DRAWN_PX} {sorted(types)}".encode())
    for name in types:  # a type or font that draws otherwise is aligned otherwise
        plate = render(load_type(name), grammar_of(name).sample("uniform", 0, 0), DRAWN_PX)
        total.update(plate.image.tobytes())
    for item in items:
        quad = "" if item.quad is None else item.quad.tolist()
        total.update(f"\n{item.name}\t{item.text}\t{item.type}\t{item.colour}\t{quad}\t".encode())
        try:
            total.update(hashlib.sha256(item.blob.read()).digest())
        except OSError as error:
            raise UserError(f"{item.name}: cannot be read ({error.strerror or error})") from error
    return total.hexdigest()[:16]


def store_of(items: Sequence[Labelled], types: Sequence[str]) -> Store:
    done = list(aligned(items, types))
    fits = [(one, one.found) for one in done if one.found is not None]
    return Store(
        names=tuple(one.item.name for one, _ in fits),
        texts=tuple(one.item.text for one, _ in fits),
        types=tuple(found.plate.type.id for _, found in fits),
        crops=tuple(one.crop for one, _ in fits),
        homographies=np.array([found.homography for _, found in fits]).reshape(-1, 3, 3),
        scores=np.array([found.score for _, found in fits]),
        refused=len(done) - len(fits),
    )


def save(path: Path, store: Store) -> None:
    """Plain arrays, nothing pickled."""
    content = io.BytesIO()
    np.savez_compressed(
        content,
        names=np.array(store.names, np.str_),
        texts=np.array(store.texts, np.str_),
        types=np.array(store.types, np.str_),
        sizes=np.array([crop.shape[:2] for crop in store.crops], np.int64).reshape(-1, 2),
        pixels=np.concatenate([np.zeros(0, np.uint8), *(crop.ravel() for crop in store.crops)]),
        homographies=store.homographies,
        scores=store.scores,
        refused=np.array(store.refused),
    )
    write_atomic(path, content.getvalue())


def load(path: Path) -> Store | None:
    """A kept store; None where there is none, or a broken one."""
    if not path.is_file():
        return None
    try:
        with np.load(path, allow_pickle=False) as file:
            return restored({name: file[name] for name in file.files})
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        print(f"{path}: a broken file, the crops are aligned again ({error})", file=sys.stderr)
        return None


def restored(kept: dict[str, NDArray[Any]]) -> Store:
    ends = np.cumsum([0, *(3 * height * width for height, width in kept["sizes"].tolist())]).tolist()
    if ends[-1] != len(kept["pixels"]):
        raise ValueError("pixels are missing")
    crops = [
        kept["pixels"][start:end].reshape(height, width, 3)
        for start, end, (height, width) in zip(ends[:-1], ends[1:], kept["sizes"].tolist(), strict=True)
    ]
    names, texts, types = (tuple(kept[name].tolist()) for name in ("names", "texts", "types"))
    return Store(
        names, texts, types, tuple(crops), kept["homographies"], kept["scores"], int(kept["refused"])
    )
