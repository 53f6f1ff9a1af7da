"""A sample on its way through the stages: picture, geometry, and what each stage drew."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from synth.render import Plate

Image = NDArray[np.uint8]  # H W 3 RGB, or H W for masks
Points = NDArray[np.float32]  # ... 2, x then y, in pixels; pixel centres at +0.5


@dataclass(frozen=True)
class Sample:
    """One plate with everything known about it; a stage returns a new one."""

    index: int
    seed: int
    type: str
    text: str
    fields: dict[str, str]
    rows: tuple[str, ...]
    image: Image  # H W 3
    alpha: Image  # H W: 255 on the plate, 0 outside its rounded corners; after capture 255 everywhere
    quad: Points  # 4 2: TL TR BR BL of the plate
    row_quads: Points  # R 4 2
    char_quads: Points  # N 4 2, one a character of `text`
    plate: Plate  # the clean render, for stages that need its type, outline or colours
    mask: Image | None = None  # H W: coverage of the characters, 255 = ink
    stages: tuple[dict[str, Any], ...] = field(default_factory=tuple)

    def drawn(self, name: str, **parameters: Any) -> tuple[dict[str, Any], ...]:
        """The stage list with one more entry, to pass to `replace`."""
        return (*self.stages, {"name": name, **parameters})

    def moved(self, homography: NDArray[np.float64]) -> Sample:
        """The same sample with every quad moved by a 3x3 homography (the pictures are the caller's)."""
        return replace(
            self,
            quad=transform(homography, self.quad),
            row_quads=transform(homography, self.row_quads),
            char_quads=transform(homography, self.char_quads),
        )


class Stage(Protocol):
    """A step of generation. It draws only from `rng_for(sample.seed, sample.index, its name)`,
    further tries from `its name NUMBER`.

    One with a true attribute `alone` makes each sample alone, so any number may come at once.
    """

    def __call__(self, batch: Sequence[Sample]) -> list[Sample]: ...


def transform(homography: NDArray[np.float64], points: Points) -> Points:
    """Points (..., 2) through a 3x3 homography."""
    flat = np.asarray(points, dtype=np.float64).reshape(-1, 2)
    moved = flat @ homography[:, :2].T + homography[:, 2]
    return (moved[:, :2] / moved[:, 2:]).astype(np.float32).reshape(np.shape(points))
