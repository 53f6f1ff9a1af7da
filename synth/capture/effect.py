"""What every effect of the capture model is: ranges in, recorded numbers out, the same numbers in again.

An effect is a frozen dataclass of ranges. `sample` draws its numbers, or None when it does not happen;
`apply` uses the numbers alone, so that a picture can be made again from its record.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from synth.errors import UserError
from synth.sample import Image

Span = Sequence[float]  # low, high
Params = dict[str, Any]
DIGITS = 5  # significant digits in the record


@dataclass(frozen=True)
class Picture:
    """A picture on its way through the camera, and how large the text is in it."""

    image: Image  # H W 3 RGB
    row_px: (
        float  # height of the plate's lowest text row; blur is measured in it, so that any type stays legible
    )

    def with_image(self, image: Image) -> Picture:
        return Picture(image, self.row_px)


class Effect(Protocol):
    """Something the camera or the weather does to the picture."""

    def sample(self, rng: np.random.Generator, severity: float) -> Params | None: ...

    def apply(self, picture: Picture, params: Params) -> Picture: ...


def between(rng: np.random.Generator, span: Span) -> float:
    """Uniform in the span."""
    return float(span[0] + (span[1] - span[0]) * rng.random())


def swayed(rng: np.random.Generator, span: Span, severity: float) -> float:
    """Uniform in the span, drawn towards its middle where severity is low: half way at 0."""
    middle = (span[0] + span[1]) / 2
    return middle + (between(rng, span) - middle) * (0.5 + 0.5 * severity)


def chance(rng: np.random.Generator, share: float, severity: float) -> bool:
    """Whether an effect happens: `share` of samples at severity 0.5, a fifth of it at 0, 1.8 times at 1."""
    return bool(rng.random() < share * (0.2 + 1.6 * severity))


def choice(rng: np.random.Generator, weights: Sequence[float]) -> int:
    """A number, as often as its weight says."""
    u = float(rng.random()) * sum(weights)
    for number, weight in enumerate(weights):
        u -= weight
        if u < 0:
            return number
    return len(weights) - 1


def brief(value: Any) -> Any:
    """The value as it is recorded: floats at five significant digits, lists for sequences."""
    if type(value) is float:
        return float(f"{value:.{DIGITS}g}")
    if type(value) is dict:
        return {key: brief(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [brief(part) for part in value]
    return value


def need_span(key: str, span: Span, low: float = -np.inf, high: float = np.inf) -> None:
    """A range must be two numbers in order, inside its limits."""
    if len(span) != 2 or not low <= span[0] <= span[1] <= high:
        raise UserError(
            f"capture.{key}: {list(span)} is no range; give [low, high] within [{low:g}, {high:g}]"
        )


def need_share(key: str, share: float) -> None:
    """A probability must be one."""
    if not 0 <= share <= 1:
        raise UserError(f"capture.{key}: {share:g} is no probability; give a number from 0 to 1")
