"""A reader small enough to train in a test, and clean plates for it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("torch")

import torch
from hydra import compose, initialize_config_module
from omegaconf import DictConfig

from gan.runtime.window import Window
from recognizer.checkpoint import Header
from recognizer.codec import codec_of
from recognizer.data import Lesson, Stream
from recognizer.loop import MakeData, Settings
from recognizer.places import class_of, class_places, first_places, kana_of, kana_places

TYPES = ("cn/blue", "cn/yellow_double")


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture
def composed() -> Callable[..., DictConfig]:
    """The training configuration with these overrides."""

    def configuration(*overrides: str) -> DictConfig:
        with initialize_config_module("conf", version_base="1.3"):
            return compose("train_recognizer", list(overrides))

    return configuration


@pytest.fixture
def header() -> Header:
    """PlateNet with a hundredth of its weights, dropout and all."""
    network = {
        "_target_": "recognizer.networks.plates.PlateNet",
        "widths": [4, 8, 8, 8, 16],
        "dropout": 0.3,
    }
    codec = codec_of(TYPES)
    return Header(network, 32, 96, codec.symbols, codec.types)


@pytest.fixture
def finding(header: Header) -> Header:
    """The same network, which first finds the plate."""
    return replace(header, network={**header.network, "flat": [32, 64]})


@pytest.fixture
def looking(finding: Header) -> Header:
    """And looks closely at the first symbol."""
    return replace(finding, network={**finding.network, "first_at": first_places(finding.codec)})


@pytest.fixture
def looking_twice(finding: Header) -> Header:
    """And at the kana of a Japanese type."""
    codec = codec_of(("cn/blue", "jp/private"))
    close = {"first_at": first_places(codec), "kana_at": kana_places(codec), "kana": kana_of(codec)}
    return replace(
        finding, network={**finding.network, **close}, symbols=codec.symbols, types=codec.types, width=128
    )


@pytest.fixture
def looking_thrice(looking_twice: Header) -> Header:
    """And at its class."""
    codec = looking_twice.codec
    close = {"class_at": class_places(codec), "class_symbols": class_of(codec)}
    return replace(looking_twice, network={**looking_twice.network, **close})


@pytest.fixture
def clean(header: Header) -> MakeData:
    """Clean plates of two types, made on the fly."""
    return drawn(header, TYPES)


@pytest.fixture
def cars(looking_thrice: Header) -> MakeData:
    """Clean plates of a type that has a class."""
    return drawn(looking_thrice, ["jp/private"])


def drawn(header: Header, types: Sequence[str]) -> MakeData:
    """Clean plates for a reader of this kind."""
    config = {
        "plates": {"types": list(types)},
        "balance": {"mode": "uniform", "ambiguous": False},
        "stages": {},
        "height_px": 32,
        "seed": 3,
        "texts": None,
    }
    shape = (header.height, header.width)

    def stream(window: Window) -> Stream:
        return Stream([Lesson(1_000_000, config)], header.codec, shape, window)

    return stream


@pytest.fixture
def settings(tmp_path: Path) -> Callable[..., Settings]:
    """Settings of a short exact training: float32, made in this process."""

    def made(**changes: object) -> Settings:
        values: dict[str, object] = {
            "out": tmp_path / "run",
            "images": 48,
            "batch": 4,
            "learning_rate": 0.002,
            "warmup": 8,
            "weight_decay": 0.01,
            "average": 0.99,
            "clip": 5.0,
            "workers": 0,
            "tick": 1_000_000,
            "keep": 1_000_000,
            "autocast": False,
            "seed": 0,
        }
        return Settings(**{**values, **changes})  # type: ignore[arg-type]

    return made
