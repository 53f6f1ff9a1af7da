"""Crops that were stored small: shrunk to a few rows, coded, later enlarged to the picture put out.

Public plate data is kept so: cv2.resize to 94x24 or 136x36 whatever the crop's shape, aliased and sharp.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from synth.capture.effect import (
    Draw,
    Params,
    Span,
    between,
    choice,
    need_share,
    need_span,
    need_weights,
    whole,
)
from synth.capture.sensor import recoded
from synth.sample import Image

SHRINKS = (cv2.INTER_LINEAR, cv2.INTER_AREA, cv2.INTER_CUBIC)
ENLARGES = (cv2.INTER_LINEAR, cv2.INTER_CUBIC)


@dataclass(frozen=True)
class Thumbnail:
    """How small, of what shape and how well coded."""

    share: float
    height_px: Span
    aspect: Span  # width of the stored picture in its heights, whatever the crop's
    shrinks: Sequence[float]  # weights of linear, area, cubic
    enlarges: Sequence[float]  # weights of linear, cubic
    coded: float  # share of stored pictures that are JPEG
    quality: Span

    def __post_init__(self) -> None:
        need_share("thumbnail.share", self.share)
        need_share("thumbnail.coded", self.coded)
        need_span("thumbnail.height_px", self.height_px, 12)
        need_span("thumbnail.aspect", self.aspect, 1, 8)
        need_span("thumbnail.quality", self.quality, 1, 100)
        need_weights("thumbnail.shrinks", self.shrinks, "linear, area, cubic")
        need_weights("thumbnail.enlarges", self.enlarges, "linear, cubic")

    def sample(self, draw: Draw, severity: float) -> Params | None:
        if draw() >= self.share:
            return None
        params: Params = {
            "height_px": whole(draw, int(self.height_px[0]), int(self.height_px[1]) + 1),
            "aspect": between(draw, self.aspect),
            "shrink": choice(draw, self.shrinks),
            "enlarge": choice(draw, self.enlarges),
        }
        if draw() < self.coded:
            params["quality"] = round(between(draw, self.quality))
        return params


def stored_small(image: Image, params: Params, stored: tuple[int, int], output: tuple[int, int]) -> Image:
    """The picture by way of `stored` to `output`: width, height each."""
    small = cv2.resize(image, stored, interpolation=SHRINKS[params["shrink"]])
    if "quality" in params:
        small = recoded(small, params["quality"])
    return np.asarray(cv2.resize(small, output, interpolation=ENLARGES[params["enlarge"]]))
