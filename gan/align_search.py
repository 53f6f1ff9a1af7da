"""Find the pose of a drawn plate in a crop: a grid of starts at low resolution, the best refined stepwise."""

from __future__ import annotations

import functools
import itertools
from dataclasses import dataclass

import numpy as np

from gan.align_fit import Float, Matrix, Template, correlation, flattened, refine, template_of

METHOD = 1  # raise it when alignments change: those kept in a cache are then made again
REACH = 0.16  # of the local mean and contrast that are taken out, in crop heights: surroundings stay there
SCORED = 0.04  # smoothing at which poses are compared, in crop heights
RIM = 0.15  # weight of the border, which is often under a frame
RIM_Y, RIM_X = 0.1, 0.025  # its width, in plate heights and widths


@dataclass(frozen=True)
class Level:
    """One step from coarse to fine: how smooth, which pixels, how many poses go on and how far."""

    smooth: float  # in crop heights
    step: int  # pixels between points
    kept: int  # poses
    steps: int  # of Gauss-Newton
    free: int  # motions: 6 affine, 8 homography


FIRST = (0.065, 3)  # smoothing and step of the grid
# few steps at first: with more, all poses run into the one widest valley, often a bumper's edge
LEVELS = (Level(0.065, 2, 48, 3, 6), Level(0.045, 2, 16, 6, 8), Level(0.03, 1, 3, 6, 8))
SLOPES, SHEARS = np.linspace(-0.6, 0.6, 11), np.linspace(-0.16, 0.16, 5)  # in crop heights, widths
TALL, WIDE = (0.75, 0.95, 1.25), (0.88, 0.96, 1.06)  # of the tilted box; above 1: cut along the text
DOWN, ACROSS = (-0.12, 0.0, 0.12), (-0.04, 0.0, 0.04)


@functools.lru_cache(maxsize=64)
def starts(width: int, height: int, aspect: float) -> Matrix:
    """S 3 3: poses of a plate tilted and sheared in its upright box, or cut along its text."""
    found = []
    for slope, shear, tall, wide, y, x in itertools.product(SLOPES, SHEARS, TALL, WIDE, DOWN, ACROSS):
        h, w = tall * (1 - abs(slope)) * height, wide * (1 - abs(shear)) * width
        across = (w / (2 * aspect), shear * width / 2, width * (0.5 + x))
        found.append((across, (slope * height / (2 * aspect), h / 2, height * (0.5 + y)), (0, 0, 1)))
    return np.array(found, np.float64)


def search(crop: Float, drawn: Float, aspect: float) -> tuple[Matrix, float]:
    """3 3 from half plate heights about the plate's centre to pixels of the crop, and its correlation.

    `crop` H W and `drawn` (the plate at about its size in the crop) show ink bright.
    """
    height, width = crop.shape
    weights = rim_weights(drawn.shape[0], drawn.shape[1])

    def level(smooth: float, step: int) -> tuple[Float, Template]:
        sigma, reach = smooth * height, REACH * height
        template = template_of(drawn, weights, aspect, sigma, reach, step)
        return flattened(crop, sigma, reach), template

    judge = level(SCORED, 1)
    poses = starts(width, height, round(aspect, 3))
    score = correlation(*level(*FIRST), poses)
    for settings in LEVELS:
        poses = poses[distinct(poses, score, settings.kept, height)]
        poses = refine(*level(settings.smooth, settings.step), poses, settings.steps, settings.free)
        score = correlation(*judge, poses)
    return poses[int(score.argmax())], float(score.max())


def rim_weights(height: int, width: int) -> Float:
    """H W: 1 where the text is, less on the border."""
    weights = np.full((height, width), RIM, np.float32)
    y, x = round(RIM_Y * height), round(RIM_X * width)
    weights[y : height - y, x : width - x] = 1
    return weights


def distinct(poses: Matrix, score: Float, count: int, height: int) -> list[int]:
    """The best poses that differ from each other by more than a little."""
    order = np.argsort(-score)[: 8 * count]
    places = poses[order][:, :2].reshape(-1, 6) / (0.04 * height)
    kept: list[int] = []
    for n, place in enumerate(places):
        if not kept or np.abs(places[kept] - place).max(axis=1).min() > 1:
            kept.append(n)
        if len(kept) == count:
            break
    return [int(order[n]) for n in kept]
