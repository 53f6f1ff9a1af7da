"""Small fake samples: noise pictures with full records, of two countries and three types."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from synth.dataset.finish import finish
from synth.dataset.formats import FORMATS
from synth.dataset.manifest import claim
from synth.dataset.shards import write_shard
from synth.dataset.split import split_of
from synth.record import Record

CONFIG = {
    "seed": 3,
    "count": 36,
    "plates": {"types": ["cn/blue", "jp/private"]},
    "out": "x",
    "engine": {"workers": 2},
}
FRACTIONS = {"train": 0.6, "val": 0.25, "test": 0.15}
SHARD, SHARDS = 12, 3
FIELDS = ("city", "class", "kana", "region", "serial")  # of all types together
PROVINCES = "京沪苏皖"
TYPES = (("cn/blue", "普通蓝牌"), ("cn/yellow", "单层黄牌"), ("jp/private", "新能源小型车"))


def fake_jpeg(index: int, width: int = 128, height: int = 48) -> bytes:
    noise = np.random.default_rng(index).integers(0, 255, (6, 16, 3), dtype=np.uint8)
    picture = cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC)
    return bytes(cv2.imencode(".jpg", picture)[1].tobytes())


def fake_record(index: int) -> Record:
    kind, label = TYPES[index % 3]
    if kind.startswith("jp"):
        fields = {"region": "品川", "class": "500", "kana": "あ", "serial": f"{1000 + index}"}
        rows = ["品川500", f"あ{1000 + index}"]
        stages: list[dict[str, Any]] = [{"name": "template"}]
    else:
        number = index - index % 9  # some texts come three times
        fields = {"region": PROVINCES[number % 4], "city": "A", "serial": f"{number:04d}Q"}
        rows = ["".join(fields.values())]
        stages = [{"name": "template"}, {"name": "capture", "blur_px": index / 7, "shift": [1, 2.5]}]
    text = "".join(rows)
    quad = [[2.0, 3.0], [120.0, 4.123], [121.5, 44.0], [1.0, 40.0]]
    return Record(
        id=f"{index:09d}",
        index=index,
        seed=3,
        text=text,
        type=kind,
        country=kind[:2],
        region=fields["region"],
        rows=rows,
        width=128,
        height=48,
        quad=quad,
        row_quads=[quad] * len(rows),
        char_quads=[quad] * len(text),
        split=split_of(text, FRACTIONS, 3),
        stages=stages,
        config_sha="0123",
        version="0.1",
        label=label,
        fields=fields,
    )


def items(shard: int) -> list[tuple[Record, bytes]]:
    return [(fake_record(index), fake_jpeg(index)) for index in range(shard * SHARD, (shard + 1) * SHARD)]


@pytest.fixture(scope="session")
def records() -> list[Record]:
    return [fake_record(index) for index in range(SHARD * SHARDS)]


@pytest.fixture(scope="session")
def shard_items() -> Callable[[int], list[tuple[Record, bytes]]]:
    return items


@pytest.fixture(scope="session")
def field_names() -> tuple[str, ...]:
    return FIELDS


@pytest.fixture(scope="session")
def config() -> dict[str, object]:
    return dict(CONFIG)


@pytest.fixture(scope="session")
def write_set() -> Callable[..., Path]:
    """Writes a whole data set: write_set(root, "folder", order=(2, 0, 1))."""

    def write(root: Path, name: str, order: tuple[int, ...] = (0, 1, 2)) -> Path:
        claim(root, CONFIG)
        for shard in order:
            write_shard(root, FORMATS[name], shard, items(shard), FIELDS)
        finish(root, FORMATS[name], SHARDS, CONFIG, "0.1", "plate-generate out=data")
        return root

    return write


@pytest.fixture(scope="session")
def sets(tmp_path_factory: pytest.TempPathFactory, write_set: Callable[..., Path]) -> dict[str, Path]:
    """One finished data set in every format."""
    base = tmp_path_factory.mktemp("sets")
    return {name: write_set(base / name, name) for name in FORMATS}


@pytest.fixture
def real_ccpd() -> Callable[[], Path]:
    """The folder of real crops, where PLATESMITH_REAL says that there are some."""
    base = os.environ.get("PLATESMITH_REAL")
    if not base:
        pytest.skip("PLATESMITH_REAL is not set")
    return lambda: Path(base) / "ccpd"
