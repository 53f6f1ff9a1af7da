"""Register a drawn plate with a crop: Gauss-Newton on many homographies at once, whatever the light.

The plate is the template, so gradients and curvature are computed once (inverse compositional, Baker and
Matthews 2004, section 3). Light is solved for with the motion: crop = gain (template + J motion) + bias.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float32]
Matrix = NDArray[np.float64]

FLAT = 0.35  # of the mean contrast: regions with less are not blown up to noise
DAMPING = 2e-3  # of the mean curvature: keeps nearly blind motions small
STRIDE = 0.25  # the longest step, in half plate heights
LEAST = 1e-6
BLOCK = 256  # poses looked at in one go, so that they stay in the processor's cache


def flattened(picture: Float, smooth_px: float, reach_px: float) -> Float:
    """Smoothed, local mean taken out, local contrast evened: the same under any light that changes slowly."""
    soft = cv2.GaussianBlur(picture, (0, 0), smooth_px, borderType=cv2.BORDER_REPLICATE)
    high = soft - cv2.GaussianBlur(soft, (0, 0), reach_px, borderType=cv2.BORDER_REPLICATE)
    power = cv2.GaussianBlur(high * high, (0, 0), reach_px, borderType=cv2.BORDER_REPLICATE)
    return np.asarray(high / np.sqrt(power + FLAT**2 * power.mean() + LEAST), np.float32)


@dataclass(frozen=True)
class Template:
    """N points of a drawn plate: where they are, what they show, how it changes with motion."""

    points: Float  # N 3: x and y in half plate heights from its centre, 1
    values: Float  # N: weighted mean 0 and variance 1
    weights: Float  # N: sum 1
    design: Float  # N 10: change with each of 8 motions, value, 1; weighted
    curvature: Matrix  # 10 10


def template_of(
    picture: Float, weights: Float, aspect: float, smooth_px: float, reach_px: float, step: int
) -> Template:
    """From H W of a drawn plate at the crop's scale and its weights; every `step`-th pixel is a point.

    `aspect` is the plate's true one, the picture's may be stretched as the crop is.
    """
    height, width = picture.shape
    shown = flattened(picture, smooth_px, reach_px)
    across, down = width / (2 * aspect), height / 2  # pixels of half a plate height
    dx = cv2.Sobel(shown, cv2.CV_32F, 1, 0, ksize=3, scale=across / 8)
    dy = cv2.Sobel(shown, cv2.CV_32F, 0, 1, ksize=3, scale=down / 8)
    rows, columns = (axis.ravel() for axis in np.mgrid[step // 2 : height : step, step // 2 : width : step])
    x = ((columns + 0.5 - width / 2) / across).astype(np.float32)
    y = ((rows + 0.5 - height / 2) / down).astype(np.float32)
    weight = weights[rows, columns] / weights[rows, columns].sum()
    value, gx, gy = shown[rows, columns], dx[rows, columns], dy[rows, columns]
    value = value - weight @ value
    spread = max(float(np.sqrt(weight @ (value * value))), LEAST)
    value, gx, gy = value / spread, gx / spread, gy / spread
    radial, one = -(gx * x + gy * y), np.ones_like(x)
    design = np.stack((gx * x, gx * y, gx, gy * x, gy * y, gy, radial * x, radial * y, value, one), 1)
    weighted = design * weight[:, None]
    return Template(
        np.stack((x, y, one), 1), value, weight, weighted, (design.T @ weighted).astype(np.float64)
    )


def seen(crop: Float, template: Template, poses: Matrix) -> Float:
    """S N: what the crop shows at the template's points under S poses; nothing (0) beyond its rim."""
    moved = poses.astype(np.float32) @ template.points.T  # S 3 N
    depth = np.maximum(moved[:, 2], np.float32(1e-3))
    half = np.float32(0.5)
    x, y = moved[:, 0] / depth - half, moved[:, 1] / depth - half
    return np.asarray(cv2.remap(crop, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=0))


def correlated(values: Float, template: Template) -> Float:
    """S: weighted normalised correlation of what was seen with the template, in [-1, 1]."""
    mean = values @ template.weights
    variance = (values * values) @ template.weights - mean * mean
    return np.asarray((values @ template.design[:, 8]) / np.sqrt(np.maximum(variance, LEAST)))


def correlation(crop: Float, template: Template, poses: Matrix) -> Float:
    """S: how well each pose fits."""
    parts = (poses[start : start + BLOCK] for start in range(0, len(poses), BLOCK))
    return np.concatenate([correlated(seen(crop, template, part), template) for part in parts])


def refine(crop: Float, template: Template, poses: Matrix, steps: int, free: int) -> Matrix:
    """S 3 3: the best of each pose's Gauss-Newton steps on `free` motions (6 affine, 8 homography)."""
    used = np.r_[0:free, 8:10]
    normal = template.curvature[np.ix_(used, used)].copy()
    normal[np.arange(free), np.arange(free)] += DAMPING * np.trace(normal[:free, :free]) / free
    solve = np.linalg.inv(normal + LEAST * np.eye(len(used)))
    best, best_score = poses, np.full(len(poses), -2.0)
    for step in range(steps + 1):
        values = seen(crop, template, poses)
        score = correlated(values, template)
        better = score > best_score
        best, best_score = np.where(better[:, None, None], poses, best), np.maximum(score, best_score)
        if step == steps:
            break
        solved = (values @ template.design[:, used]).astype(np.float64) @ solve
        motion = np.zeros((len(poses), 9))
        gain = np.maximum(solved[:, free], 0.1)
        motion[:, :free] = np.clip(solved[:, :free] / gain[:, None], -STRIDE, STRIDE)
        poses = poses @ np.linalg.inv(np.eye(3) + motion.reshape(-1, 3, 3))
        poses = poses / poses[:, 2:, 2:]
    return best
