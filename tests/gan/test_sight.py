"""Drawings larger than the crops are judged at the size of the crops."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

pytest.importorskip("torch")

import torch

from gan.sight import covering, enlarged, shrunk, told


def picture(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(0).random((height, width, 3), np.float32)


def planes(image: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(image).permute(2, 0, 1)[None]


@pytest.mark.parametrize(
    ("change", "given", "wanted", "interpolation"),
    [
        (shrunk, (48, 188), (24, 94), cv2.INTER_LANCZOS4),
        (told, (32, 160), (24, 94), cv2.INTER_AREA),
        (enlarged, (24, 94), (48, 188), cv2.INTER_CUBIC),
    ],
)
def test_sizes_change_as_in_the_stage(
    change: object, given: tuple[int, int], wanted: tuple[int, int], interpolation: int
) -> None:
    image = picture(*given)
    expected = cv2.resize(image, wanted[::-1], interpolation=interpolation)
    found = change(planes(image), wanted)  # type: ignore[operator]
    assert torch.allclose(found[0].permute(1, 2, 0), torch.from_numpy(expected), atol=1e-4)
    assert change(planes(image), given) is not None  # type: ignore[operator]


def test_the_same_size_is_left_alone() -> None:
    image = planes(picture(8, 16))
    assert shrunk(image, (8, 16)) is image and covering(image > 0.5, image).shape == image.shape


def test_gradients_reach_the_drawing() -> None:
    drawing = planes(picture(16, 32)).requires_grad_()
    shrunk(drawing, (8, 16)).sum().backward()
    assert drawing.grad is not None and bool((drawing.grad.abs() > 0).float().mean() > 0.9)
