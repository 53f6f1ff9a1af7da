"""How much contrast ground and ink have left: dark, haze and noise multiply, and text must be readable."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence

from synth.capture.effect import Effect, Params
from synth.spec import Ink, PlateType, Rgb

NOISE_WEIGHT = 1.5  # contrast that one grey level of noise costs


@functools.cache
def grey_levels(plate: PlateType) -> tuple[float, float]:
    """Mean grey of a type's ground and of its ink, as painted."""
    stops = [stop.colour for panel in plate.ground for stop in panel.stops]
    return mean_grey(plate, stops), mean_grey(plate, [row.ink for row in plate.rows])


def mean_grey(plate: PlateType, inks: Sequence[Rgb | Ink]) -> float:
    colours = [plate.colours[ink] if isinstance(ink, str) else ink for ink in inks]
    return sum(0.299 * r + 0.587 * g + 0.114 * b for r, g, b in colours) / len(colours)


def contrast_after(
    levels: tuple[float, float], effects: Mapping[str, Effect], drawn: Mapping[str, Params | None]
) -> float:
    """Grey levels between ground and ink after even effects and half the shadow, less what noise costs."""
    ground, ink = levels
    sigma, lost = 0.0, 0.0
    for name, params in drawn.items():
        if params is None:
            continue
        level = getattr(effects[name], "level", None)  # effects that treat every pixel alike have it
        if level is not None:
            ground, ink = level(ground, params), level(ink, params)
        if "pool" in params:
            sigma = max(sigma, params.get("sigma", 0.0))
        elif "depth" in params:
            lost = max(lost, params["depth"])
    return abs(ink - ground) * (1 - lost / 2) - NOISE_WEIGHT * sigma
