"""Reading a batch of pictures with a network: scores in, texts, types and confidences out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from recognizer.codec import Codec, Reading
from recognizer.data import as_input, fit
from synth.sample import Image

Scores = tuple[NDArray[np.float32], NDArray[np.float32]]  # N T C, N K


@dataclass(frozen=True)
class PlateReading:
    """What a reader says about a picture."""

    text: str
    type: str
    confidence: float  # that the whole text is right
    characters: tuple[float, ...]  # one confidence a character
    type_confidence: float


def scores_of(
    network: nn.Module, images: Sequence[Image], height: int, width: int, batch: int = 64
) -> Scores:
    """Raw scores of pictures of any size, in batches; the same at any batch size."""
    device = next(network.parameters()).device
    texts, types = [], []
    with torch.inference_mode():
        for start in range(0, len(images), batch):
            fitted = np.stack([fit(image, height, width) for image in images[start : start + batch]])
            inputs = as_input(torch.from_numpy(fitted).permute(0, 3, 1, 2).contiguous().to(device))
            text, kind = network(inputs)
            texts.append(text.float().cpu().numpy())
            types.append(kind.float().cpu().numpy())
    return np.concatenate(texts), np.concatenate(types)


def readings(scores: Scores, codec: Codec, temperature: float = 1.0) -> list[PlateReading]:
    """Texts, types and confidences of raw scores."""
    found = []
    for text, kind in zip(softmax(scores[0] / temperature), softmax(scores[1]), strict=True):
        reading: Reading = codec.decode(text)
        best = int(kind.argmax())
        sure = float(np.prod(reading.confidences)) if reading.confidences else 0.0
        found.append(
            PlateReading(reading.text, codec.types[best], sure, reading.confidences, float(kind[best]))
        )
    return found


def softmax(scores: NDArray[np.float32]) -> NDArray[np.float32]:
    powers = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=-1, keepdims=True), np.float32)
