"""Pairs without real crops: plates laid on known corners; and a training small enough for a test."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from omegaconf import OmegaConf

from gan.augment import Augmentation
from gan.batches import Batch, Drawings
from gan.checkpoint import Header
from gan.discriminator import Discriminator
from gan.gallery import Gallery
from gan.heads import no_heads
from gan.loop import Settings
from gan.losses import Weights
from gan.outline import condition, onto
from gan.runtime.window import Window
from gan.step import Teaching
from synth.sample import Image, Points
from synth.template import Plan, Template

SIZE = (16, 48)
NETWORK = {"_target_": "gan.pix2pix.Pix2Pix", "channels": 4, "style": 3}


@dataclass(frozen=True)
class TinyPair:
    condition: NDArray[np.uint8]
    crop: Image
    asked: NDArray[np.uint8]
    hidden: NDArray[np.uint8]
    text: str
    index: int


@dataclass(frozen=True)
class TinyPairs:
    pairs: tuple[TinyPair, ...]
    summary: str = "x: twelve tiny crops"

    def __len__(self) -> int:
        return len(self.pairs)

    def item(self, rng: np.random.Generator, new_text: bool = False) -> TinyPair:
        return self.pairs[int(rng.integers(len(self.pairs)))]

    def plain(self, index: int) -> TinyPair:
        return self.pairs[index]

    def corners(self, index: int) -> Points:
        return np.array([(0.05, 0.1), (0.95, 0.15), (0.94, 0.9), (0.06, 0.85)], np.float32) + index / 1000

    def heads(self, index: int) -> NDArray[np.float32]:
        return no_heads()


@functools.cache
def tiny_pairs(count: int = 12, size: tuple[int, int] = SIZE, first: int = 0) -> TinyPairs:
    """Blue plates, askew, darker or lighter each: something for a style to say."""
    samples = Template(Plan(("cn/blue",), "legal"), 32).batch(5, range(first, first + count))
    pairs = []
    for number, sample in enumerate(samples):
        rng = np.random.default_rng(number)
        height, width = size
        corners = np.array([(2, 2), (width - 2, 2), (width - 2, height - 2), (2, height - 2)], np.float32)
        homography = onto(sample.plate, corners + rng.uniform(-2, 2, (4, 2)).astype(np.float32))
        image = cv2.warpPerspective(sample.image, homography, size[::-1], borderMode=cv2.BORDER_REPLICATE)
        crop = np.asarray(np.clip(image * rng.uniform(0.4, 1.2), 0, 255), np.uint8)
        planes, none = condition(sample.plate, homography, size), np.zeros(size, np.uint8)
        pairs.append(TinyPair(planes, crop, planes, none, sample.text, number))
    return TinyPairs(tuple(pairs))


def load(part: str, size: tuple[int, int], **_: Any) -> TinyPairs:
    """What `pairs._target_` is in a test."""
    return tiny_pairs(12, tuple(size)) if part == "train" else tiny_pairs(3, tuple(size), 100)


def data(window: Window) -> Drawings:
    return Drawings(tiny_pairs(), window, 0)


def batch(count: int = 4) -> Batch:
    return next(iter(data(Window(count))))


def header(**network: Any) -> Header:
    return Header({**NETWORK, **network}, (SIZE, (32, 64)))


def judge() -> Discriminator:
    return Discriminator(header().planes, channels=4)


def teaching(**changes: Any) -> Teaching:
    weights = Weights(**changes)
    return Teaching(weights, Augmentation(cutout=0.2), None, 0.5, autocast=False)


def gallery() -> Gallery:
    return Gallery([tiny_pairs().plain(0)], [], 2, 0)


def settings(out: Path, **changes: Any) -> Settings:
    values = {
        "images": 48, "batch": 4, "learning_rate": 0.002, "judge_rate": 0.002, "decay": 0.5, "average": 0.9,
        "workers": 0, "tick": 10**6, "keep": 10**6, "seed": 0,
    }  # fmt: skip
    return Settings(out, **{**values, **changes})


def stage_config(weights: Path, **changes: Any) -> Any:
    """conf/stages/pix2pix.yaml with these weights, unread."""
    from hydra import compose, initialize_config_module

    with initialize_config_module("conf", version_base="1.3"):
        composed = compose("generate", ["stages=pix2pix", f"stages.pix2pix.weights={weights}", "out=x"])
    composed.stages.pix2pix.check = None
    return OmegaConf.merge(composed, {"stages": {"pix2pix": changes}})
