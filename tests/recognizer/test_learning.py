"""A small reader learns two hundred clean plates by heart: losses, targets and decoding fit together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import cv2
import pytest
import torch
from torch import nn

from gan.runtime.distributed import Processes
from gan.runtime.window import Window
from recognizer.checkpoint import Header, load
from recognizer.data import Shuffled
from recognizer.loop import Settings, train
from recognizer.reading import readings, scores_of
from synth.dataset.picture import Labelled
from synth.template import Plan, Template


@dataclass(frozen=True)
class Bytes:
    """A picture in memory."""

    content: bytes

    def read(self) -> bytes:
        return self.content


def plates(count: int) -> list[Labelled]:
    samples = Template(Plan(("cn/blue",)), 32).batch(0, range(count))
    return [
        Labelled(s.text, str(n), Bytes(cv2.imencode(".png", s.image)[1].tobytes()), s.type)
        for n, s in enumerate(samples)
    ]


def exact(network: nn.Module, items: list[Labelled], header: Header) -> float:
    scores = scores_of(network, [item.image() for item in items], header.height, header.width)
    read = readings(scores, header.codec)
    return sum(r.text == item.text for r, item in zip(read, items, strict=True)) / len(items)


NARROW = {
    "_target_": "recognizer.networks.plates.PlateNet",
    "widths": [12, 24, 32, 48, 64],
    "dropout": 0.0,
}
LPRNET = {"_target_": "recognizer.networks.lprnet.LPRNet", "dropout": 0.0}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("network", "height", "width", "images", "rate"),
    [(NARROW, 32, 96, 10_000, 0.004), (LPRNET, 24, 94, 3_000, 0.002)],
    ids=["plates", "lprnet"],
)
def test_two_hundred_plates_are_learnt(
    network: dict[str, Any],
    height: int,
    width: int,
    images: int,
    rate: float,
    header: Header,
    settings: Callable[..., Settings],
) -> None:
    header = replace(header, network=network, height=height, width=width)
    items = plates(200)

    def data(window: Window) -> Shuffled:
        return Shuffled(items, header.codec, (height, width), window, seed=0)

    plan = settings(images=images, batch=16, learning_rate=rate, warmup=800, average=0.98, autocast=True)
    weights = train(plan, header, data, {}, Processes(0, 1, torch.device("cpu")), resume=False)
    assert exact(load(weights)[0], items, header) > 0.95
