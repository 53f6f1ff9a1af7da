"""Give a real plate the colours of another type: what one camera saw of blue plates teaches every colour.

The crop is taken apart into its mix of ground and ink, the light on it and its white; put together again with
other colours, it keeps light, blur, noise and dirt. What lies around the plate stays as it is.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from gan import heads
from gan.align import Alignment
from gan.align_search import RIM_X, RIM_Y
from gan.dress import Paint
from gan.outline import warped
from synth.sample import Image

Float = NDArray[np.floating[Any]]

LUMA = np.array((0.299, 0.587, 0.114), np.float32)
CHROMA = 0.25  # weight of chroma against luma in the mix: JPEG halves its resolution
BLUR = 0.02  # of a real plate's characters, at least, in crop heights
REACH = 0.35  # of local ground and ink, in crop heights
STIFF = 0.04  # pull of local colours towards those of the whole plate
TINT = 0.35  # share of the ink's tint that the light is taken to have; the rest has run in from the ground
MIX = (-0.25, 1.2)  # beyond 0 and 1 lie shadows and glare
LEAST_WAY = 5.0  # grey levels between ground and ink
LEAST_HUE = 6.0  # and between their colours, below which smeared ones cannot be told from noise
HUES = (-0.3, 1.0)  # limits of the colour's share of that way, late or not: beyond lie the opposite colours
MOST_STRANGE = 24.0  # grey levels of colour that is neither the ground's nor the ink's
MOST_HAZE = 0.4  # over-exposed blue looks like haze; more would make black grey
LIGHT = (0.4, 1.8)  # limits of the local light
OPPOSITE = 0.1  # of the light, at most, has the opposite of the ink's colour
VIVID = (0.8, 1.7)  # limits of the camera's gain of chroma
BLEED = 0.07  # how far the ground's chroma runs out of the plate, in crop heights
FULL = 2.5  # and how wholly it is taken away there


@dataclass(frozen=True)
class Matte:
    """A crop taken apart."""

    cover: Float  # H W: 1 on the plate, less where a bolt's head hides it
    mix: Float  # H W: 0 ground, 1 ink
    light: Float  # H W: against the plate's mean
    late: Float  # H W: by how much more the colour is ink than the light is; cameras and JPEG smear it
    grain: Float  # H W 3: grey levels that neither explains
    white: Float  # 3: what a white would be in this light, in grey levels
    haze: float  # share of white that veils every colour
    vivid: float  # how much more colour the camera gives than the paint has
    spill: Float  # 3: chroma of the old ground, of length 1
    heads: NDArray[np.float32]  # 4 4: what sits in its slots, see gan.heads


def smooth(picture: Float, sigma: float) -> Float:
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE))


def covers(found: Alignment) -> tuple[Float, Float, Float]:
    """H W each, 0 to 1: characters, plate, and what is neither rim nor mark nor slot."""
    plate = found.plate
    rim = np.zeros_like(plate.alpha)
    y, x = round(RIM_Y * rim.shape[0]), round(RIM_X * rim.shape[1])
    rim[y:-y, x:-x] = 255
    marks = cv2.dilate(plate.ground.structure, np.ones((5, 5), np.uint8))
    layers = cv2.merge((plate.mask, plate.alpha, cv2.subtract(rim, marks), rim))
    seen = warped(layers, found.homography, found.size, 0).astype(np.float32) / 255
    glyphs, cover, inner, _ = cv2.split(seen)
    return np.asarray(glyphs), np.asarray(cover), np.asarray(inner)


def local_colours(crop: Float, ink: Float, weight: Float, reach: float) -> tuple[Float, Float]:
    """H W 3 each: ground and ink near every pixel, by least squares: crop = ground (1 - ink) + colour ink."""
    weights = weight * (1 - ink), weight * ink
    left = weights[0] * (1 - ink), weights[0] * ink, weights[1] * ink
    right = weights[0][..., None] * crop, weights[1][..., None] * crop
    whole = solved(*(part.mean() for part in left), *(part.mean((0, 1)) for part in right))
    s00, s01, s11 = (smooth(part, reach)[..., None] for part in left)
    r0, r1 = (smooth(part, reach) for part in right)
    return solved(s00 + STIFF, s01, s11 + STIFF, r0 + STIFF * whole[0], r1 + STIFF * whole[1])


def solved(s00: Any, s01: Any, s11: Any, r0: Any, r1: Any) -> tuple[Float, Float]:
    """Two equations of two unknowns, everywhere."""
    root = s00 * s11 - s01 * s01 + 1e-9
    return (s11 * r0 - s01 * r1) / root, (s00 * r1 - s01 * r0) / root


def matte_of(crop: Image, found: Alignment) -> Matte:
    """Take a crop apart."""
    height = crop.shape[0]
    picture = crop.astype(np.float32)
    glyphs, cover, inner = covers(found)
    ground, ink = local_colours(picture, smooth(glyphs, BLUR * height), inner + 1e-4, REACH * height)
    way = ink - ground
    mix = np.clip(weighted(picture - ground, way) / np.maximum(weighted(way, way), LEAST_WAY**2), *MIX)
    late, grain = unexplained(picture - ground - mix[..., None] * way, way, mix)
    share = inner[..., None] / max(float(inner.sum()), 1.0)
    seen = (ground * share).sum((0, 1)), (ink * share).sum((0, 1))
    white, haze, vivid = exposure(seen, nominal_colours(found))
    spill = chroma(seen[0])
    matte = Matte(
        cover=cover,
        mix=mix.astype(np.float32),
        light=np.clip((ground + ink) @ LUMA / max(float((seen[0] + seen[1]) @ LUMA), 1.0), *LIGHT),
        late=late,
        grain=grain,
        white=white,
        haze=haze,
        vivid=vivid,
        spill=spill / max(float(np.linalg.norm(spill)), 1.0),
        heads=heads.no_heads(),
    )
    return with_heads(matte, picture, found)


def with_heads(matte: Matte, picture: Float, found: Alignment) -> Matte:
    """The heads of bolts told from the ground: where they hide it, the plate is not to be recoloured."""
    rows, cover = heads.no_heads(), matte.cover
    places = heads.laid(found.plate, found.homography, found.size)
    for corner, (ground, difference) in heads.told_apart(picture, found.plate, found.homography).items():
        where, hides = places[corner], heads.hiding(difference)
        light = float(np.average(matte.light, weights=where))
        rows[corner] = (
            *painted((ground + difference) / light, matte.white, matte.haze, matte.vivid),
            hides,
        )
        cover = cover * (1 - hides * where)
    return replace(matte, cover=cover, heads=rows)


def unexplained(rest: Float, way: Float, mix: Float) -> tuple[Float, Float]:
    """What mixing leaves over: H W, how much more the colour is ink than the light is, and H W 3, noise."""
    colour, hue = chroma(rest), chroma(way)
    late = np.einsum("hwc,hwc->hw", colour, hue) / np.maximum(
        np.einsum("hwc,hwc->hw", hue, hue), LEAST_HUE**2
    )
    late = np.clip(late, np.minimum(HUES[0] - mix, 0), np.maximum(HUES[1] - mix, 0)).astype(np.float32)
    strange = np.clip(colour - late[..., None] * hue, -MOST_STRANGE, MOST_STRANGE)
    return late, np.asarray((rest @ LUMA)[..., None] + strange, np.float32)


def exposure(seen: tuple[Float, Float], painted: tuple[Float, Float]) -> tuple[Float, float, float]:
    """Of a camera that shows painted ground and ink as seen: its white, its haze, how vivid it is."""
    bright, dark = (1, 0) if painted[1] @ LUMA > painted[0] @ LUMA else (0, 1)
    level, nominal = max(float(seen[bright] @ LUMA), 1.0), float(painted[bright] @ LUMA)
    tint = (seen[bright] / level) / np.maximum(painted[bright] / nominal, 0.2)
    white = (level / nominal * 255 * np.clip(tint, 0.2, 3) ** TINT).astype(np.float32)
    ratio, expected = float(seen[dark] @ LUMA) / level, float(painted[dark] @ LUMA) / nominal
    haze = min(max((ratio - expected) / (1 - expected), 0.0), MOST_HAZE)
    grey = [float(np.linalg.norm(chroma(c))) for c in (seen[0], toned(painted[0], white, haze, 1.0))]
    return white, haze, min(max(grey[0] / max(grey[1], 1.0), VIVID[0]), VIVID[1])


def weighted(a: Float, b: Float) -> Float:
    """H W: product of two fields of colours, chroma counting less than luma."""
    ya, yb = a @ LUMA, b @ LUMA
    return np.asarray((1 - CHROMA) * 3 * ya * yb + CHROMA * np.einsum("hwc,hwc->hw", a, b))


def nominal_colours(found: Alignment) -> tuple[Float, Float]:
    """Mean paint of the ground, and the ink of the last row."""
    plate = found.plate
    ground = plate.ground.image[plate.alpha > 127].mean(0)
    return ground.astype(np.float32), np.array(plate.type.colours[plate.type.rows[-1].ink], np.float32)


def recoloured(crop: Image, matte: Matte, paint: Paint) -> Image:
    """The crop in other colours."""
    light = matte.light[..., None]
    camera = matte.white, matte.haze, matte.vivid
    ground, ink = (toned(colour, *camera) * light for colour in (paint.ground, paint.ink))
    plate = mixed(ground, ink, matte.mix, matte.mix + matte.late) + matte.grain
    photo = crop.astype(np.float32)
    near = np.minimum(FULL * smooth(matte.cover, BLEED * crop.shape[0]), 1)[..., None]
    around = photo - near * np.maximum(chroma(photo) @ matte.spill, 0)[..., None] * matte.spill
    cover = matte.cover[..., None]
    return np.clip(np.rint(around + cover * (plate - around)), 0, 255).astype(np.uint8)


def mixed(ground: Float, ink: Float, light: Float, colour: Float) -> Float:
    """Ground and ink by shares of ink, H W, in light and in colour.

    Shares below 0 lie beyond the ground and have the opposite of the ink's colour, a faint one: a black plate
    with yellow letters would be blue.
    """
    luma = (1 - light) * (ground @ LUMA) + light * (ink @ LUMA)
    hue = chroma(ink)
    most = OPPOSITE * np.maximum(luma, 0) / np.maximum(np.linalg.norm(hue, axis=-1), 1)
    tint = (1 - colour)[..., None] * chroma(ground) + np.maximum(colour, -most)[..., None] * hue
    return np.asarray(luma[..., None] + tint, np.float32)


def toned(colour: NDArray[Any], white: Float, haze: float, vivid: float) -> Float:
    """A paint as a camera sees it."""
    seen = (colour.astype(np.float32) / 255 * (1 - haze) + haze) * white
    return np.asarray(seen + (vivid - 1) * chroma(seen), np.float32)


def painted(seen: Float, white: Float, haze: float, vivid: float) -> Float:
    """The paint that a camera sees so: `toned` the other way round."""
    grey = seen - chroma(seen)
    share = (grey + chroma(seen) / vivid) / white
    return np.asarray(np.clip((share - haze) / (1 - haze) * 255, 0, 255), np.float32)


def chroma(colour: Float) -> Float:
    """A colour less its grey."""
    return np.asarray(colour - (colour @ LUMA)[..., None], np.float32)
