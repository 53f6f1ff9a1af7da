"""How bright and of what colour a photograph is: exposure, cast, saturation, haze, tone; bleached; night."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from synth.capture.effect import (
    Draw,
    Params,
    Picture,
    Span,
    between,
    chance,
    need_share,
    need_span,
    place,
    short,
    swayed,
)
from synth.capture.pool import NOISE_POOLS, NOISE_SIGMA, noise, window
from synth.sample import Image

LUMA = (0.299, 0.587, 0.114)
YIQ_OF_RGB = np.array([LUMA, [0.5959, -0.2746, -0.3213], [0.2115, -0.5227, 0.3112]])
RGB_OF_YIQ = np.linalg.inv(YIQ_OF_RGB)
# 3x3 each: what chroma adds to RGB as it is, and turned by a right angle
KEPT = (RGB_OF_YIQ[:, 1:] @ YIQ_OF_RGB[1:]).tolist()
TURNED = (RGB_OF_YIQ[:, 1:] @ np.array([[0, -1], [1, 0]]) @ YIQ_OF_RGB[1:]).tolist()
ORDINARY = 80.0  # mean grey of a blue plate and what is around it
METERED_ROWS = slice(2, None, 6)  # the picture lines that exposure looks at
STEADY = 0.4  # how far yellow, green and red turn where blue turns by 1: phones drift most in blue
BLUE = 40.0  # grey levels by which the blue of a blue plate outdoes its red and green
LAMPS = ((1.0, 0.95, 0.5), (0.75, 1.05, 0.7), (0.95, 0.9, 1.0))


def mixed(image: Image, rows: Sequence[Sequence[float]]) -> Image:
    """Every pixel through three rows of red, green, blue and an offset."""
    return np.asarray(cv2.transform(image, np.array(rows, np.float32)))


def colours(saturation: float, hue_deg: float, cast: Sequence[float]) -> list[list[float]]:
    """3x3: chroma scaled (0 makes grey, more than 1 gaudy) and turned in the YIQ plane: greys stay grey.

    Then each channel times its part of the cast.
    """
    along = saturation * math.cos(math.radians(hue_deg))
    across = saturation * math.sin(math.radians(hue_deg))
    r, g, b = LUMA
    return [
        [
            part * (r + along * k0 + across * t0),
            part * (g + along * k1 + across * t1),
            part * (b + along * k2 + across * t2),
        ]
        for part, (k0, k1, k2), (t0, t1, t2) in zip(cast, KEPT, TURNED, strict=True)
    ]


@dataclass(frozen=True)
class Grade:
    """What every photograph has: exposure, white balance, saturation, haze and a tone curve."""

    gain: Span  # exposure, as a factor
    red: Span  # white balance: factors of the channels
    green: Span
    blue: Span
    saturation: Span
    hue_deg: Span  # turn of colours about grey: greys stay
    haze: Span  # share of even grey light mixed in
    haze_level: Span
    gamma: Span
    punch: Span  # how S-shaped the tone curve is
    tint: float  # how far the channels' curves part, so that ink and ground take on different casts
    auto: float = 0.0  # how much of a picture's lightness the camera's exposure makes up for: 0 none, 1 all

    def __post_init__(self) -> None:
        for key, low, high in (("gain", 0.05, 4), ("saturation", 0, 4)):
            need_span(f"effects.grade.{key}", getattr(self, key), low, high)
        for key in ("red", "green", "blue"):
            need_span(f"effects.grade.{key}", getattr(self, key), 0.2, 3)
        need_share("effects.grade.auto", self.auto)
        need_span("effects.grade.hue_deg", self.hue_deg, -180, 180)
        need_span("effects.grade.haze", self.haze, 0, 0.8)
        need_span("effects.grade.haze_level", self.haze_level, 0, 255)
        need_span("effects.grade.gamma", self.gamma, 0.3, 3)
        need_span("effects.grade.punch", self.punch, 0, 1)
        need_share("effects.grade.tint", self.tint)

    def sample(self, draw: Draw, severity: float) -> Params | None:
        gain = math.exp(swayed(draw, (math.log(self.gain[0]), math.log(self.gain[1])), severity))
        haze = between(draw, (0, self.haze[1] - self.haze[0]), draw() * (0.3 + 0.7 * severity))
        return {
            "gain": short(gain),
            "cast": [swayed(draw, span, severity) for span in (self.red, self.green, self.blue)],
            "saturation": swayed(draw, self.saturation, severity),
            "hue_deg": swayed(draw, self.hue_deg, severity),
            "haze": short(self.haze[0] + haze),
            "haze_level": between(draw, self.haze_level),
            "gamma": round(20 * swayed(draw, self.gamma, severity)) / 20,
            "punch": round(between(draw, self.punch), 1),
            "tint": [swayed(draw, (-self.tint, self.tint), severity) for _ in range(3)],
        }

    def apply(self, picture: Picture, params: Params) -> Picture:
        red, green, blue, _ = cv2.mean(picture.image[METERED_ROWS])
        haze, gain = params["haze"], params["gain"] * metered(red, green, blue) ** self.auto
        drift = STEADY + (1 - STEADY) * min(max((blue - max(red, green)) / BLUE, 0.0), 1.0)
        cast, offset = params["cast"], haze * params["haze_level"]
        light = gain * (1 - haze) / (cast[0] * LUMA[0] + cast[1] * LUMA[1] + cast[2] * LUMA[2])
        rows = colours(params["saturation"], drift * params["hue_deg"], [light * part for part in cast])
        image = mixed(picture.image, [[*row, offset] for row in rows])
        tint = [drift * part for part in params["tint"]]
        return picture.with_image(image).through(tones(params["gamma"], params["punch"], tint))

    def level(self, value: float, params: Params) -> float:
        hazy = params["gain"] * (1 - params["haze"]) * value + params["haze"] * params["haze_level"]
        return float(tone(params["gamma"], params["punch"])[int(min(max(hazy, 0), 255))])


def metered(red: float, green: float, blue: float) -> float:
    """The factor that brings a picture of this mean to an ordinary one's lightness."""
    mean = LUMA[0] * red + LUMA[1] * green + LUMA[2] * blue
    return min(max(ORDINARY / max(mean, 1.0), 0.5), 2.0)


@functools.lru_cache(4096)
def tone(gamma: float, punch: float) -> Image:
    """256 levels through a power curve, then `punch` of the way to an S-curve: dark darker, light lighter."""
    level = (np.arange(256) / 255) ** gamma
    level += punch * (level * level * (3 - 2 * level) - level)
    return np.rint(255 * level).astype(np.uint8)


def tones(gamma: float, punch: float, tint: Sequence[float]) -> Image:
    """The tone curve of all channels, or 256 1 3 where they part: exponents whose product is gamma's cube.

    A curve for all is used in half the time of three.
    """
    middle = (tint[0] + tint[1] + tint[2]) / 3
    red, green, blue = (round(20 * gamma * math.exp(part - middle)) / 20 for part in tint)
    if red == green == blue:
        return tone(red, punch)
    curves = cv2.merge((tone(red, punch), tone(green, punch), tone(blue, punch)))
    return np.asarray(curves).reshape(256, 1, 3)


@dataclass(frozen=True)
class Bleach:
    """Over-exposed: the ground pale, the ink at the limit."""

    share: float
    lift: Span  # how far black is lifted, of full range
    gain: Span

    def __post_init__(self) -> None:
        need_share("effects.bleach.share", self.share)
        need_span("effects.bleach.lift", self.lift, 0, 0.7)
        need_span("effects.bleach.gain", self.gain, 0.05, 4)

    def sample(self, draw: Draw, severity: float) -> Params | None:
        if not chance(draw, self.share, severity):
            return None
        return {"lift": between(draw, self.lift), "gain": between(draw, self.gain)}

    def apply(self, picture: Picture, params: Params) -> Picture:
        scaled = cv2.convertScaleAbs(
            picture.image, alpha=params["gain"] * (1 - params["lift"]), beta=255 * params["lift"]
        )
        return picture.with_image(scaled)

    def level(self, value: float, params: Params) -> float:
        return float(min(255, params["gain"] * (1 - params["lift"]) * value + 255 * params["lift"]))


@dataclass(frozen=True)
class Night:
    """Little light: dark, a lamp's colour, and the noise of high sensitivity."""

    share: float
    gain: Span
    sigma: Span  # noise, grey levels
    colour: Span  # how far towards a lamp's colour

    def __post_init__(self) -> None:
        need_share("effects.night.share", self.share)
        need_span("effects.night.gain", self.gain, 0.02, 1)
        need_span("effects.night.sigma", self.sigma, 0, 60)
        need_span("effects.night.colour", self.colour, 0, 1)

    def sample(self, draw: Draw, severity: float) -> Params | None:
        if not chance(draw, self.share, severity):
            return None
        lamp, amount = LAMPS[int(draw() * len(LAMPS))], between(draw, self.colour)
        return {
            "gain": between(draw, self.gain),
            "lamp": [short(1 + (part - 1) * amount) for part in lamp],
            "sigma": between(draw, self.sigma),
            **place(draw, NOISE_POOLS),
        }

    def apply(self, picture: Picture, params: Params) -> Picture:
        height, width = picture.image.shape[:2]
        red, green, blue = (params["gain"] * part for part in params["lamp"])
        dark = mixed(picture.image, [[red, 0, 0, 0], [0, green, 0, 0], [0, 0, blue, 0]])
        grain = window(noise(params["pool"]), params["x"], params["y"], height, width)
        k = params["sigma"] / NOISE_SIGMA
        return picture.with_image(cv2.addWeighted(dark, 1, grain, k, -128 * k))

    def level(self, value: float, params: Params) -> float:
        return float(value * params["gain"])
