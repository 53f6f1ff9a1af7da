"""What every effect of the capture model is: ranges in, recorded numbers out, the same numbers in again.

An effect is a frozen dataclass of ranges. `sample` draws its numbers, or None when it does not happen;
`apply` uses the numbers alone, so that a picture can be made again from its record.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol

import cv2
import numpy as np

from synth.errors import UserError
from synth.sample import Image

Span = Sequence[float]  # low, high
Draw = Callable[[], float]  # the next random number in [0, 1): `draws(rng)`, or `rng.random` itself
Params = dict[str, Any]
AT_ONCE = 128  # numbers taken from a generator in one call, which costs as much as four single ones
TENTHS = 10_000  # of a unit: four digits behind the point are drawn, recorded and used


class Picture(NamedTuple):
    """A picture on its way through the camera, and how large the text is in it."""

    image: Image  # H W 3 RGB
    row_px: (
        float  # height of the plate's lowest text row; blur is measured in it, so that any type stays legible
    )

    def with_image(self, image: Image) -> Picture:
        return Picture(image, self.row_px)

    def through(self, levels: Image) -> Picture:
        """Each level replaced: by 256 levels for all channels, which cost half as much, or 256 1 3."""
        if levels.ndim == 1:
            flat = self.image.reshape(len(self.image), -1)
            return self.with_image(cv2.LUT(flat, levels).reshape(self.image.shape))
        return self.with_image(cv2.LUT(self.image, levels))


class Effect(Protocol):
    """Something the camera or the weather does to the picture."""

    def sample(self, draw: Draw, severity: float) -> Params | None: ...

    def apply(self, picture: Picture, params: Params) -> Picture: ...


def draws(rng: np.random.Generator) -> Draw:
    """The generator's numbers one by one; far cheaper than asking it for each."""

    lists = iter(lambda: rng.random(AT_ONCE).tolist(), None)  # without end
    return itertools.chain.from_iterable(lists).__next__


def short(value: float) -> float:
    """Rounded to what is recorded, so that a picture made from its record is the same."""
    return round(value * TENTHS) / TENTHS


def between(draw: Draw, span: Span, times: float = 1.0) -> float:
    """Uniform in the span, times a factor."""
    low, high = span
    return round((low + (high - low) * draw()) * times * TENTHS) / TENTHS


def swayed(draw: Draw, span: Span, severity: float) -> float:
    """Uniform in the span, drawn towards its middle where severity is low: half way at 0."""
    low, high = span
    value = (low + high) / 2 + (high - low) * (draw() - 0.5) * (0.5 + 0.5 * severity)
    return round(value * TENTHS) / TENTHS


def chance(draw: Draw, share: float, severity: float) -> bool:
    """Whether an effect happens: `share` of samples at severity 0.5, a fifth of it at 0, 1.8 times at 1."""
    return draw() < share * (0.2 + 1.6 * severity)


def choice(draw: Draw, weights: Sequence[float]) -> int:
    """A number, as often as its weight says."""
    u = draw() * sum(weights)
    for number, weight in enumerate(weights):
        u -= weight
        if u < 0:
            return number
    return len(weights) - 1


def whole(draw: Draw, low: int, high: int) -> int:
    """A whole number from low to high - 1."""
    return low + int(draw() * (high - low))


def place(draw: Draw, pools: int) -> Params:
    """Which picture of a pool, and where in it."""
    return {"pool": int(draw() * pools), "x": short(draw()), "y": short(draw())}


def need_span(key: str, span: Span, low: float = -np.inf, high: float = np.inf) -> None:
    """A range must be two numbers in order, inside its limits."""
    if isinstance(span, str | int | float) or len(span) != 2 or not low <= span[0] <= span[1] <= high:
        raise UserError(f"capture.{key}: {span} is no range; give [low, high] within [{low:g}, {high:g}]")


def need_weights(key: str, weights: Sequence[float], names: str) -> None:
    """As many weights as there are things to choose from, none negative and not all nothing."""
    if len(weights) != len(names.split(", ")) or min(weights) < 0 or not 0 < sum(weights) < np.inf:
        raise UserError(f"capture.{key}: {weights} are no weights of {names}; give one each, some above 0")


def need_size(key: str, size: Sequence[int] | None) -> None:
    """A forced size must be one: width, height."""
    if size is not None and (isinstance(size, str) or len(size) != 2 or min(size) < 8):
        raise UserError(f"{key}: {size} is no size; give [width, height], at least 8 each, or null")


def need_share(key: str, share: float) -> None:
    """A probability must be one."""
    if not 0 <= share <= 1:
        raise UserError(f"capture.{key}: {share:g} is no probability; give a number from 0 to 1")
