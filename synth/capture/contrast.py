"""How much contrast ground and ink have left: dark, haze and noise multiply, and text must be readable."""

from __future__ import annotations

from collections.abc import Mapping

import cv2

from synth.capture.effect import Effect, Params
from synth.sample import Image, Sample

NOISE_WEIGHT = 1.5  # contrast that one grey level of noise costs
LINES = slice(2, None, 6)  # the lines of the plate that are looked at


def grey_levels(sample: Sample) -> tuple[float, float]:
    """Mean grey of the plate's ground and of its ink."""
    if sample.mask is None:
        return 70.0, 200.0
    mask = sample.mask[LINES]
    grey: Image = cv2.cvtColor(sample.image[LINES], cv2.COLOR_RGB2GRAY)
    return cv2.mean(grey, cv2.inRange(mask, 0, 20))[0], cv2.mean(grey, cv2.inRange(mask, 200, 255))[0]


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
