"""Training pairs: what was drawn to lie on a real crop, and the crop; moved together, in the same colours.

Crops of one colour teach every colour: most are recoloured (`gan.recolour`), and the condition says the same
colours. A fifth of the texts is held out by a hash: it is in `part=held_out`, never in `part=train`.
"""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from gan.align import ACCEPT, DRAWN_PX, Alignment, nominal
from gan.align_store import Store, aligned_store
from gan.dress import dressed, dressed_plate, paint_of
from gan.heads import fasten, no_heads
from gan.outline import CENTRES, TO_CENTRES, condition
from gan.recolour import Matte, matte_of, recoloured
from gan.vary import Matrix, Vary, shifted_paint, shifted_planes
from synth.cache import ByteCache
from synth.catalogue import load_type
from synth.dataset.sources import read_source
from synth.errors import UserError, nearest
from synth.grammar import grammar_of
from synth.render import Plate, render
from synth.sample import Image, Points, transform

CN7 = ("cn/blue", "cn/yellow", "cn/yellow_double", "cn/black", "cn/nev_small", "cn/nev_large", "cn/tractor")
PARTS = ("train", "held_out", "all")
TEXTS = 2**20  # new ones to choose from
LARGEST = 1.5  # crops are kept at most this much higher than pairs
KEPT = 512 * 1024 * 1024  # bytes of crops taken apart


def held_out(text: str) -> bool:
    """A fifth of all texts, by their hash: for judging, never for training."""
    return zlib.crc32(text.encode()) % 5 == 0


def need_part(part: str, key: str) -> None:
    """`key` is how the user calls it."""
    if part not in PARTS:
        raise UserError(f"{key}: unknown part {part!r}; {nearest(part, PARTS)}")


def in_part(text: str, part: str) -> bool:
    """Whether a crop of this text belongs to a part."""
    return part == "all" or held_out(text) == (part == "held_out")


@dataclass(frozen=True)
class Pair:
    """A real crop, what was drawn to lie on it, and what is to be drawn in its place."""

    condition: NDArray[np.uint8]  # H W COUNT: the planes of gan.outline
    crop: Image  # h w 3: H W 3, or smaller where crops are judged at their own size
    asked: NDArray[np.uint8]  # H W COUNT: the same, or a new text in the same place
    hidden: NDArray[np.uint8]  # h w: 255 on the first character of a new text, unlike any in the crops
    text: str  # of what is asked for
    index: int


def matte_bytes(matte: Matte) -> int:
    return 28 * matte.cover.size  # four planes, and three of grain


@dataclass(frozen=True)
class Pairs:
    """Aligned crops, as pairs of `size` (height, width); the crops of `seen`, where that is smaller."""

    texts: tuple[str, ...]
    crops: tuple[Image, ...]
    types: tuple[str, ...]
    homographies: tuple[Matrix, ...]  # of the nominal plate onto the crop
    scores: tuple[float, ...]
    size: tuple[int, int]
    seen: tuple[int, int]
    vary: Vary
    summary: str
    told_heads: bool = False  # what sits in the slots is said, too
    mattes: ByteCache[Matte] = field(default_factory=lambda: ByteCache(KEPT, matte_bytes), repr=False)

    def __len__(self) -> int:
        return len(self.crops)

    def plain(self, index: int) -> Pair:
        """One crop as it is."""
        return self._own(index, self._fit(index), None)

    def item(self, rng: np.random.Generator, new_text: bool = False) -> Pair:
        """A crop at random, moved a little, mostly in other colours; perhaps another text is asked for."""
        index = int(rng.integers(len(self)))
        whole = self.seen != self.size  # no pixel of a crop is to be mixed with others
        to_seen = (self.vary.steps if whole else self.vary.motion)(rng, self.seen) @ self._fit(index)
        if rng.random() < self.vary.plain:
            return self._own(index, to_seen, rng if new_text else None)
        paint = self.vary.paints[int(rng.integers(len(self.vary.paints)))]
        return self._painted(index, to_seen, paint, self.vary.colours(rng), rng if new_text else None)

    def alignment(self, index: int) -> Alignment:
        """Where the nominal plate lies in a crop."""
        plate = nominal(self.types[index], self.texts[index])
        crop = self.crops[index]
        return Alignment(plate, self.homographies[index], self.scores[index], (crop.shape[0], crop.shape[1]))

    def corners(self, index: int) -> Points:
        """4 2: corners of the plate in shares of the crop's width and height."""
        found = self.alignment(index)
        size = np.array((found.size[1], found.size[0]), np.float32)
        return np.asarray(transform(found.homography, found.plate.quad) / size, np.float32)

    def heads(self, index: int) -> NDArray[np.float32]:
        """4 4: what sits in the slots of a crop's plate, see `gan.heads`; nothing where it is not told."""
        return self._matte(index).heads if self.told_heads else no_heads()

    def _matte(self, index: int) -> Matte:
        return self.mattes.get(index, lambda: matte_of(self.crops[index], self.alignment(index)))

    def _own(self, index: int, to_seen: Matrix, rng: np.random.Generator | None) -> Pair:
        as_it_is = np.eye(3, 4)
        planes = self._planes(index, self.alignment(index).plate, to_seen, as_it_is)
        crop = moved(self.crops[index], to_seen, self.seen)
        if rng is None:
            return Pair(planes, crop, planes, np.zeros(self.seen, np.uint8), self.texts[index], index)
        return Pair(planes, crop, *self._asked(index, to_seen, self.types[index], as_it_is, rng), index)

    def _painted(
        self, index: int, to_seen: Matrix, paint: str, shift: Matrix, rng: np.random.Generator | None
    ) -> Pair:
        """The crop in the colours of type `paint`, those changed by `shift`."""
        found, crop = self.alignment(index), self.crops[index]
        plate = dressed_plate(self.types[index], paint, self.texts[index])
        picture = recoloured(crop, self._matte(index), shifted_paint(paint_of(plate, found), shift))
        picture = moved(picture, to_seen, self.seen)
        planes = self._planes(index, plate, to_seen, shift)
        if rng is None:
            return Pair(planes, picture, planes, np.zeros(self.seen, np.uint8), self.texts[index], index)
        return Pair(planes, picture, *self._asked(index, to_seen, paint, shift, rng), index)

    def _asked(
        self, index: int, to_seen: Matrix, paint: str, shift: Matrix, rng: np.random.Generator
    ) -> tuple[NDArray[np.uint8], NDArray[np.uint8], str]:
        """A new text of the crop's type where the crop's own stands: planes, its first character, itself."""
        layout = self.types[index]
        fields = grammar_of(layout).sample("uniform", 0, int(rng.integers(TEXTS)))
        plate = render(dressed(layout, paint), fields, DRAWN_PX)
        first = transform(to_seen @ self.homographies[index], grown(plate.char_quads[0]))
        hidden = np.zeros(self.seen, np.uint8)
        cv2.fillConvexPoly(hidden, np.rint(first).astype(np.int32), 255)
        return self._planes(index, plate, to_seen, shift), hidden, "".join(plate.fields.values())

    def _planes(self, index: int, plate: Plate, to_seen: Matrix, shift: Matrix) -> NDArray[np.uint8]:
        """What is told of a plate that lies as the crop's: its colours changed, those of its bolts not."""
        lay = self._larger() @ to_seen @ self.homographies[index]
        planes = condition(plate, lay, self.size)
        if not np.array_equal(shift, np.eye(3, 4)):
            planes = shifted_planes(planes, shift)
        fasten(planes, plate.type, plate.scale, lay, self.heads(index))
        return planes

    def _fit(self, index: int) -> Matrix:
        """3 3: pixels of the crop as it is -> as it is seen."""
        height, width = self.crops[index].shape[:2]
        return np.diag((self.seen[1] / width, self.seen[0] / height, 1.0))

    def _larger(self) -> Matrix:
        """3 3: pixels of the crop as it is seen -> of the planes."""
        return np.diag((self.size[1] / self.seen[1], self.size[0] / self.seen[0], 1.0))


def grown(quad: Points, share: float = 0.12) -> Points:
    """A quad larger by a share of its size on every side."""
    centre = quad.mean(axis=0)
    return np.asarray(centre + (quad - centre) * (1 + 2 * share), np.float32)


def moved(picture: Image, to_pair: Matrix, size: tuple[int, int]) -> Image:
    """H W 3 of `size`: a crop through a homography between pixel edges, its rim repeated beyond it."""
    matrix = TO_CENTRES @ to_pair @ CENTRES
    flags, mode = cv2.INTER_CUBIC, cv2.BORDER_REPLICATE
    return np.asarray(cv2.warpPerspective(picture, matrix, size[::-1], flags=flags, borderMode=mode))


def load_pairs(
    source: str,
    path: str | Path,
    types: Sequence[str] = CN7,
    size: Sequence[int] = (48, 144),
    part: str = "train",
    cache: str | Path | None = None,
    accept: float = ACCEPT,
    vary: Vary | None = None,
    own_size: bool = False,
    heads: bool = False,
) -> Pairs:
    """Read a source, align its crops (once: they are kept in `cache`) and take those of one part that fit.

    `own_size`: crops are left as large as most of them are, where that is smaller than `size`.
    `heads`: what sits in the slots of the plates is told, too.
    """
    need_part(part, "pairs.part")
    for name in types:
        load_type(name)
    read = read_source(source, path)
    store = aligned_store(read.items, tuple(types), cache)
    fits = [n for n in range(len(store.texts)) if store.scores[n] >= accept]
    taken = [n for n in fits if in_part(store.texts[n], part)]
    unread = len(read.items) - len(store.texts) - store.refused  # told by name when they were aligned
    summary = (
        f"{read.summary()}; {len(fits)} aligned, {len(store.texts) - len(fits)} fit too badly, "
        f"{store.refused} of no type in plates.types, {unread} unreadable; {len(taken)} in part {part}"
    )
    if not taken:
        raise UserError(f"{path}: no crop is left in part {part} ({summary})")
    drawn = int(size[0]), int(size[1])
    seen = smaller([store.crops[n].shape[:2] for n in taken], drawn) if own_size else drawn
    return pairs_of(store, taken, drawn, seen, vary or Vary(), summary, heads)


def smaller(sizes: Sequence[tuple[int, ...]], drawn: tuple[int, int]) -> tuple[int, int]:
    """The size that most crops have, if it is no larger than what is drawn; else that."""
    (height, width), count = Counter(sizes).most_common(1)[0]
    fits = height <= drawn[0] and width <= drawn[1]
    return (height, width) if fits and 2 * count > len(sizes) else drawn


def pairs_of(
    store: Store,
    taken: Sequence[int],
    size: tuple[int, int],
    seen: tuple[int, int],
    vary: Vary,
    summary: str,
    told_heads: bool = False,
) -> Pairs:
    """Some crops of a store, those far higher than the pairs made smaller."""
    crops, homographies = [], []
    for n in taken:
        crop, homography = store.crops[n], store.homographies[n]
        shrink = LARGEST * size[0] / crop.shape[0]
        if shrink < 1:
            small = max(8, round(crop.shape[1] * shrink)), round(crop.shape[0] * shrink)
            homography = np.diag((small[0] / crop.shape[1], small[1] / crop.shape[0], 1.0)) @ homography
            crop = np.asarray(cv2.resize(crop, small, interpolation=cv2.INTER_AREA))
        crops.append(crop)
        homographies.append(homography)
    return Pairs(
        texts=tuple(store.texts[n] for n in taken),
        crops=tuple(crops),
        types=tuple(store.types[n] for n in taken),
        homographies=tuple(homographies),
        scores=tuple(float(store.scores[n]) for n in taken),
        size=size,
        seen=seen,
        vary=vary,
        summary=summary,
        told_heads=told_heads,
    )
