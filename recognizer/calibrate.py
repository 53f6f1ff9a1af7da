"""Confidence that means something: one temperature of the character scores, fitted on held-out plates.

A plate read with confidence 0.9 should be right nine times in ten (Guo et al. 2017, arXiv:1706.04599).
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from omegaconf import DictConfig
from safetensors import safe_open

from gan.runtime.weights import write
from recognizer.backends import TorchBackend
from recognizer.codec import Codec
from recognizer.decoding import Scores, readings
from recognizer.reading import scores_of
from synth.pipeline import pipeline_of
from synth.sample import Image

RANGE = (0.25, 4.0)
HELD_OUT = 2**31  # samples from here on are held out: no training gets that far
BATCH = 64


def calibrate(weights: Path, images: Sequence[Image], truths: Sequence[str]) -> float:
    """Fit the temperature of a checkpoint on pictures it was not trained on, and write it into its header."""
    backend = TorchBackend(weights)
    legend = backend.legend
    scores = scores_of(backend.network, images, legend.height, legend.width)
    temperature = fit_temperature(scores, truths, legend.codec)
    write_temperature(weights, temperature)
    return temperature


def held_out(config: DictConfig, count: int = 1024) -> tuple[list[Image], list[str]]:
    """Pictures and texts that the pipeline of a training configuration makes and the training never sees."""
    pipeline = pipeline_of(config)
    images: list[Image] = []
    truths: list[str] = []
    for start in range(0, count, BATCH):
        samples = pipeline.samples(range(HELD_OUT + start, HELD_OUT + min(start + BATCH, count)))
        images += [sample.image for sample in samples]
        truths += [sample.text for sample in samples]
    return images, truths


def fit_temperature(scores: Scores, truths: Sequence[str], codec: Codec) -> float:
    """The temperature under which plate confidences best tell right readings from wrong ones."""

    def loss(log_temperature: float) -> float:
        read = readings(scores, codec, math.exp(log_temperature))
        right = np.array([one.text == truth for one, truth in zip(read, truths, strict=True)])
        return surprise(np.array([one.confidence for one in read]), right)

    return round(math.exp(lowest(loss, math.log(RANGE[0]), math.log(RANGE[1]))), 3)


def surprise(confidences: np.ndarray, right: np.ndarray) -> float:
    """Mean negative log likelihood of being right or wrong."""
    sure = np.clip(confidences, 1e-6, 1 - 1e-6)
    return float(-np.where(right, np.log(sure), np.log(1 - sure)).mean())


def lowest(function: Callable[[float], float], low: float, high: float, steps: int = 14) -> float:
    """Where a function with one valley is lowest: golden section search."""
    share = (math.sqrt(5) - 1) / 2
    left, right = high - share * (high - low), low + share * (high - low)
    at_left, at_right = function(left), function(right)
    for _ in range(steps):
        if at_left < at_right:
            high, right, at_right = right, left, at_left
            left = high - share * (high - low)
            at_left = function(left)
        else:
            low, left, at_left = left, right, at_right
            right = low + share * (high - low)
            at_right = function(right)
    return (low + high) / 2


def write_temperature(weights: Path, temperature: float) -> None:
    """The same checkpoint with another temperature in its header, whole or not at all."""
    with safe_open(str(weights), framework="pt") as file:
        metadata = file.metadata()
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    header = {**json.loads(metadata["header"]), "temperature": temperature}
    write(weights, tensors, {**metadata, "header": json.dumps(header, ensure_ascii=False)})
