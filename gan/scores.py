"""How far two sets of pictures are apart, how different the pictures of one set are, what resembles what."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from skimage.metrics import structural_similarity

from gan.features import Features
from synth.errors import UserError
from synth.sample import Image


def need_enough(count: int, what: str) -> None:
    """Sets of pictures that are compared have two at least."""
    if count < 2:
        raise UserError(f"source.path: {count} {what}, two are the least to be compared; give more crops")


def fid(a: Features, b: Features) -> float:
    """Frechet distance between the normal distributions that fit N D and M D features best.

    Small sets are judged too harshly: compare only values of equal set sizes.
    """
    gap = a.mean(0) - b.mean(0)
    covariances = np.cov(a, rowvar=False), np.cov(b, rowvar=False)
    # the eigenvalues of the product of two covariances are real and not negative, but for rounding
    roots = np.sqrt(np.clip(np.linalg.eigvals(covariances[0] @ covariances[1]).real, 0, None))
    return float(gap @ gap + np.trace(covariances[0]) + np.trace(covariances[1]) - 2 * roots.sum())


@dataclass(frozen=True)
class Kid:
    """Kernel distance, and its deviation under drawing the sets again."""

    value: float
    deviation: float


def kid(a: Features, b: Features, seed: int = 0, rounds: int = 100) -> Kid:
    """Unbiased squared MMD under the kernel (x.y / D + 1)^3, with the deviation over half-sized subsets."""
    rng = np.random.default_rng(seed)
    across, own_a, own_b = kernel(a, b), kernel(a, a), kernel(b, b)

    def drawn(size: int) -> NDArray[np.int64]:
        return rng.choice(size, max(2, size // 2), replace=False)

    halves = []
    for _ in range(rounds):
        i, j = drawn(len(a)), drawn(len(b))
        halves.append(mmd(own_a[np.ix_(i, i)], own_b[np.ix_(j, j)], across[np.ix_(i, j)]))
    return Kid(mmd(own_a, own_b, across), float(np.std(halves) / np.sqrt(2)))


def kernel(a: Features, b: Features) -> Features:
    return np.asarray((a @ b.T / a.shape[1] + 1) ** 3)


def mmd(own_a: Features, own_b: Features, across: Features) -> float:
    n, m = len(own_a), len(own_b)
    inside_a = (own_a.sum() - np.trace(own_a)) / (n * (n - 1))
    inside_b = (own_b.sum() - np.trace(own_b)) / (m * (m - 1))
    return float(inside_a + inside_b - 2 * across.mean())


def spread(pictures: Sequence[Image]) -> float:
    """Mean distance of all pairs of pictures of one size: root mean square of RGB differences."""
    flat = np.stack(pictures).reshape(len(pictures), -1).astype(np.float32)
    return float(np.mean([np.sqrt(np.mean((a - b) ** 2)) for a, b in combinations(flat, 2)]))


def similarity(a: Image, b: Image) -> float:
    """SSIM of two pictures of one size, over their colours."""
    return float(structural_similarity(a, b, channel_axis=2))


def nearest(
    pictures: Sequence[Image], known: Sequence[Image]
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """For every picture the nearest of the known ones (all of one size), and its distance as in `spread`."""
    a, b = (np.stack(side).reshape(len(side), -1).astype(np.float32) for side in (pictures, known))
    squares = (a**2).sum(1)[:, None] + (b**2).sum(1)[None] - 2 * a @ b.T
    best = squares.argmin(1)
    distances = np.sqrt(np.clip(squares.min(1), 0, None) / a.shape[1])
    return best, distances.astype(np.float32)
