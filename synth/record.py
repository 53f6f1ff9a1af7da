"""The record: one row schema is the truth, every data-set format is a view of it."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Any

Quad = list[list[float]]  # 4 x 2: top left, top right, bottom right, bottom left, in pixels of the picture


@dataclass(frozen=True)
class Record:
    """Everything known about one picture. Texts carry no middle dot and no spaces."""

    id: str  # "000000123"
    index: int
    seed: int
    text: str  # rows joined, reading order
    type: str  # "cn/blue"
    country: str  # "cn" | "jp"
    region: str  # province character, Japanese office, or ""
    rows: list[str]  # the text of each row
    width: int
    height: int
    quad: Quad
    row_quads: list[Quad]
    char_quads: list[Quad]  # one a character of `text`, same order
    split: str = "train"  # train | val | test
    stages: list[dict[str, Any]] = field(default_factory=list)  # [{"name": "capture", ...drawn parameters}]
    config_sha: str = ""
    version: str = ""
    label: str = ""  # the type's name in its own country, CBLPRD's where it has one: "普通蓝牌"
    fields: dict[str, str] = field(default_factory=dict)  # {"region": "京", "city": "A", "serial": "12345"}

    @property
    def file_name(self) -> str:
        return f"{self.id}.jpg"

    def to_dict(self) -> dict[str, Any]:
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, row: dict[str, Any]) -> Record:
        known = {f.name for f in dataclasses.fields(cls)}
        return cls(**{key: value for key, value in row.items() if key in known})
