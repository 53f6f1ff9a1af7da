"""Reading a batch of pictures with a torch network: pictures in, raw scores out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from recognizer.data import as_input
from recognizer.decoding import PlateReading, Scores, readings
from recognizer.pictures import fit
from synth.sample import Image

__all__ = ["PlateReading", "Scores", "readings", "scores_of", "scores_of_fitted"]


def scores_of(
    network: nn.Module, images: Sequence[Image], height: int, width: int, batch: int = 64
) -> Scores:
    """Raw scores of pictures of any size, in batches; the same at any batch size."""
    parts = [
        scores_of_fitted(network, np.stack([fit(image, height, width) for image in images[n : n + batch]]))
        for n in range(0, len(images), batch)
    ]
    return np.concatenate([text for text, _ in parts]), np.concatenate([kind for _, kind in parts])


@torch.inference_mode()
def scores_of_fitted(network: nn.Module, fitted: NDArray[np.uint8]) -> Scores:
    """Raw scores of N H W 3 pictures of the network's own size."""
    device = next(network.parameters()).device
    images = torch.from_numpy(fitted).permute(0, 3, 1, 2).contiguous().to(device)
    text, kind = network(as_input(images))
    return text.float().cpu().numpy(), kind.float().cpu().numpy()
