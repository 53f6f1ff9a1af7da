"""A reader with few, untrained weights, as a checkpoint and as an export; made once a test run."""

from __future__ import annotations

import functools
import shutil
import tempfile
from atexit import register
from pathlib import Path

import numpy as np
import torch

from recognizer.checkpoint import Header, build, save
from recognizer.codec import codec_of
from recognizer.export import export
from synth.sample import Image

ROOT = Path(__file__).resolve().parents[2]
TYPES = ("cn/blue", "cn/nev_small", "jp/private")
NETWORK = {"_target_": "recognizer.networks.plates.PlateNet", "widths": [4, 8, 8, 8, 16]}


def tiny_header(temperature: float = 1.5) -> Header:
    codec = codec_of(TYPES)
    return Header(NETWORK, 32, 96, codec.symbols, codec.types, temperature)


@functools.cache
def folder() -> Path:
    made = Path(tempfile.mkdtemp(prefix="tiny-reader-"))
    register(shutil.rmtree, made, ignore_errors=True)
    return made


@functools.cache
def checkpoint() -> Path:
    """Untrained, but of many minds: its readings differ from picture to picture."""
    network, own = build(tiny_header()), torch.Generator().manual_seed(1)  # others may draw from torch's
    for parameter in network.parameters():
        if parameter.dim() > 1:
            torch.nn.init.kaiming_normal_(parameter, generator=own)
    path = folder() / "tiny.safetensors"
    save(path, network, tiny_header())
    return path


@functools.cache
def exported() -> Path:
    path = folder() / "tiny.onnx"
    export(checkpoint(), path)
    return path


def noise(count: int, seed: int = 0) -> list[Image]:
    """Pictures of mixed sizes."""
    rng = np.random.default_rng(seed)
    sizes = rng.integers(8, 120, (count, 2))
    return [rng.integers(0, 256, (int(h), int(w), 3), dtype=np.uint8) for h, w in sizes]
