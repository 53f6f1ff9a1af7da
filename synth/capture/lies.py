"""Plates that lie as those of real crops do: what `gan.align` found, in the place of pose and crop box.

Where a camera stands and what its detector cuts out need then not be fitted by hand: the crops say it.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from synth.capture.effect import Draw, Params, between, need_share, short
from synth.errors import UserError

WHERE = ("x0", "y0", "x1", "y1", "x2", "y2", "x3", "y3")
MOVED = (-0.02, 0.02)  # of the crop's width and height: how far a plate is moved
STRAY = (-0.01, 0.01)  # and each of its corners, on its own


@dataclass(frozen=True)
class Lies:
    """A pose and a box at once: corners of one crop, moved a little towards those of another.

    A plate of another shape than that crop's has a crop of another shape, and corners at the same shares:
    not squeezed, but where the crop's plate is turned a little sheared.
    """

    path: str | None = None  # alignments.tsv, as `gan.align` writes it; null: as pose and crop say
    share: float = 1.0  # of the plates that lie so; the rest as pose and crop say
    between: float = 0.1  # how far, at most, from how one plate lay to how another did
    accept: float = 0.7  # the score from which an alignment is taken for right

    def __post_init__(self) -> None:
        for name in ("share", "between", "accept"):
            need_share(f"lies.{name}", getattr(self, name))
        if self.path is not None:
            _ = self.known  # a mistake is told now, not by a worker

    @functools.cached_property
    def known(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """K 4 2: corners in shares of the crop; K: its width in heights over that of its plate."""
        return read(Path(str(self.path)), self.accept)

    def sample(self, draw: Draw, shape: float) -> Params | None:
        """Of a plate so many times as wide as high."""
        if self.path is None or draw() >= self.share:
            return None
        corners, longer = self.known
        one, other = (int(draw() * len(corners)) for _ in range(2))
        way = between(draw, (0, self.between))
        moved = [between(draw, MOVED) for _ in range(2)]
        stray = np.array([between(draw, STRAY) for _ in range(8)]).reshape(4, 2)
        lies = (1 - way) * corners[one] + way * corners[other] + moved + stray
        return {
            "corners": [[short(value) for value in point] for point in lies.tolist()],
            "aspect": short(float(longer[one]) * shape),
            "crop": one,
        }


def read(path: Path, accept: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The corners and shapes, as `Lies.known`, of all crops that align as well as that."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not UTF-8"
        raise UserError(f"lies.path: {path}: {reason}; give alignments.tsv of gan.align") from error
    header = lines[0].split("\t") if lines else []
    if missing := sorted({*WHERE, "score", "width", "height", "shape"} - set(header)):
        raise UserError(f"lies.path: {path}: no column {missing[0]}; align again with gan.align")
    corners: list[NDArray[np.float64]] = []
    longer: list[float] = []
    for number, line in enumerate(lines[1:], 2):
        row = dict(zip(header, line.split("\t"), strict=False))
        try:
            sizes = [float(row[key]) for key in ("width", "height", "shape")]
            score, *lies = (float(row[key]) for key in ("score", *WHERE))
        except (KeyError, ValueError):
            sizes, score, lies = [], math.nan, []
        if not (math.isfinite(score + sum(lies) + sum(sizes)) and min(sizes) > 0):
            raise UserError(f"lies.path: {path}: line {number} is no alignment; align again")
        if score >= accept:
            width, height, shape = sizes
            corners.append(np.array(lies).reshape(4, 2) / (width, height))
            longer.append(width / height / shape)
    if not corners:
        raise UserError(f"lies.path: {path}: no crop aligns with a score of {accept:g}; lower lies.accept")
    return np.stack(corners), np.array(longer)
