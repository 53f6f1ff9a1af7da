"""What a cheap camera adds: noise, sharpening halos, few grey levels and bands, JPEG."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from synth.capture.effect import Draw, Params, Picture, Span, between, chance, need_share, need_span, place
from synth.capture.pool import NOISE_POOLS, NOISE_SIGMA, noise, window


@dataclass(frozen=True)
class Noise:
    share: float
    sigma: Span  # grey levels

    def __post_init__(self) -> None:
        need_share("effects.noise.share", self.share)
        need_span("effects.noise.sigma", self.sigma, 0, 60)

    def sample(self, draw: Draw, severity: float) -> Params | None:
        if not chance(draw, self.share, severity):
            return None
        return {
            "sigma": between(draw, self.sigma, (0.3 + 0.7 * severity)),
            **place(draw, NOISE_POOLS),
        }

    def apply(self, picture: Picture, params: Params) -> Picture:
        height, width = picture.image.shape[:2]
        grain = window(noise(params["pool"]), params["x"], params["y"], height, width)
        k = params["sigma"] / NOISE_SIGMA
        return picture.with_image(cv2.addWeighted(picture.image, 1, grain, k, -128 * k))


@dataclass(frozen=True)
class Bleed:
    """Colour has less detail than light: kept on a coarse grid and coded hard, it runs into thin strokes."""

    share: float
    sigma: Span  # in text heights, along lines; half as many lines of colour as of light
    quality: Span  # JPEG, of the colour alone

    def __post_init__(self) -> None:
        need_share("effects.bleed.share", self.share)
        need_span("effects.bleed.sigma", self.sigma, 0, 0.3)
        need_span("effects.bleed.quality", self.quality, 1, 100)

    def sample(self, draw: Draw, severity: float) -> Params | None:
        if draw() >= self.share:
            return None
        low, high = self.quality
        return {
            "sigma": between(draw, self.sigma, (0.5 + 0.5 * severity)),
            "quality": int(high - (high - low) * draw() * (0.4 + 0.6 * severity)),
        }

    def apply(self, picture: Picture, params: Params) -> Picture:
        height, width = picture.image.shape[:2]
        step = max(2.0, 3.5 * params["sigma"] * picture.row_px)  # a box of 3.5 sigma spreads as much
        lines = 8 * math.ceil(height / 16)  # whole blocks, so that the two colours keep apart
        smooth = cv2.blur(picture.image, (2 * round((step - 1) / 2) + 1, 1))  # odd, so that nothing moves
        coarse = cv2.cvtColor(cv2.resize(smooth, (max(8, round(width / step)), lines)), cv2.COLOR_RGB2YCrCb)
        _, code = cv2.imencode(
            ".jpg", cv2.vconcat(cv2.split(coarse)[1:]), [cv2.IMWRITE_JPEG_QUALITY, params["quality"]]
        )
        both = np.asarray(cv2.imdecode(code, cv2.IMREAD_GRAYSCALE))
        red, blue = (cv2.resize(half, (width, height)) for half in (both[:lines], both[lines:]))
        light = cv2.cvtColor(picture.image, cv2.COLOR_RGB2GRAY)
        return picture.with_image(cv2.cvtColor(cv2.merge((light, red, blue)), cv2.COLOR_YCrCb2RGB))


@dataclass(frozen=True)
class Sharpen:
    """Unsharp mask: a light and a dark halo along every edge."""

    share: float
    amount: Span
    sigma_px: Span

    def __post_init__(self) -> None:
        need_share("effects.sharpen.share", self.share)
        need_span("effects.sharpen.amount", self.amount, 0, 4)
        need_span("effects.sharpen.sigma_px", self.sigma_px, 0.3, 5)

    def sample(self, draw: Draw, severity: float) -> Params | None:
        if draw() >= self.share:
            return None
        return {"amount": between(draw, self.amount), "sigma_px": between(draw, self.sigma_px)}

    def apply(self, picture: Picture, params: Params) -> Picture:
        side = 3 if params["sigma_px"] < 1.1 else 5  # boxes spread by 0.8 and 1.4 pixels
        soft = cv2.blur(picture.image, (side, side))
        amount = params["amount"]
        return picture.with_image(cv2.addWeighted(picture.image, 1 + amount, soft, -amount, 0))


@dataclass(frozen=True)
class Banding:
    """Few levels, and lines of a little more or less light."""

    share: float
    step: Span  # grey levels between two that the camera knows
    lines: Span  # grey levels that a picture line differs from its neighbours

    def __post_init__(self) -> None:
        need_share("effects.banding.share", self.share)
        need_span("effects.banding.step", self.step, 1, 40)
        need_span("effects.banding.lines", self.lines, 0, 30)

    def sample(self, draw: Draw, severity: float) -> Params | None:
        if not chance(draw, self.share, severity):
            return None
        return {
            "step": between(draw, self.step),
            "lines": between(draw, self.lines, severity),
            **place(draw, NOISE_POOLS),
        }

    def apply(self, picture: Picture, params: Params) -> Picture:
        height, width = picture.image.shape[:2]
        image = picture.through(levels(params["step"])).image
        column = window(noise(params["pool"]), params["x"], params["y"], height, 1)[:, :, 0]
        lines = cv2.cvtColor(np.repeat(column, width, axis=1), cv2.COLOR_GRAY2RGB)
        k = params["lines"] / NOISE_SIGMA
        return picture.with_image(cv2.addWeighted(image, 1, lines, k, -128 * k))


def levels(step: float) -> np.ndarray:
    """256 levels rounded to multiples of a step."""
    return np.clip(np.rint(np.rint(np.arange(256) / step) * step), 0, 255).astype(np.uint8)


@dataclass(frozen=True)
class Jpeg:
    """The camera's own JPEG, at the photograph's size; the writer codes the crop once more."""

    share: float
    quality: Span

    def __post_init__(self) -> None:
        need_share("effects.jpeg.share", self.share)
        need_span("effects.jpeg.quality", self.quality, 1, 100)

    def sample(self, draw: Draw, severity: float) -> Params | None:
        if draw() >= self.share:
            return None
        low, high = self.quality
        return {"quality": int(high - (high - low) * draw() * (0.4 + 0.6 * severity))}

    def apply(self, picture: Picture, params: Params) -> Picture:
        return picture.with_image(recoded(picture.image, params["quality"]))


def recoded(image: np.ndarray, quality: int) -> np.ndarray:
    """The picture after JPEG; cv2 codes BGR."""
    _, code = cv2.imencode(
        ".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, quality]
    )
    return np.asarray(cv2.cvtColor(cv2.imdecode(code, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB))
