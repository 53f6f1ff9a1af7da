"""The commands as functions: a data set, or one plate without a folder, from the same configuration.

    from synth import draw, generate

Keywords are the command's keys. `overrides` takes any other key as the command line would:
`overrides=["capture.cameras.phone.pose.view_deg=[0,30]"]`.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from omegaconf import DictConfig

    from synth.dataset.picture import Labelled
    from synth.sample import Sample, Stage

NUMBER = re.compile(r"[+-]?[\d_.]+(e[+-]?\d+)?", re.IGNORECASE)  # what Hydra takes for one
PLAIN = re.compile(r"[\w./:@+-]+")  # values that Hydra takes without quotes
SPLITS = dict.fromkeys(("train", "val", "test"), 0.0)
Value = str | Path | int | float | bool | Sequence[str] | None


@dataclass(frozen=True)
class DataSet:
    """A finished data set on the disk."""

    path: Path
    format: str
    count: int
    splits: Mapping[str, int]  # train, val, test -> pictures
    types: Mapping[str, int]  # plate type -> pictures
    digest: str  # of the contents, the same in every format

    @property
    def sheet(self) -> Path:
        """The contact sheet, to look at first."""
        return self.path / "sheet.png"

    def __iter__(self) -> Iterator[Labelled]:
        """Each picture's `name` in the folder, `text`, `type`, `split`, `quad`, and `image()`."""
        from synth.dataset.picture import Problem
        from synth.dataset.sources import stream
        from synth.errors import UserError

        for item in stream(self.format, self.path):
            if isinstance(item, Problem):
                raise UserError(f"{self.path}: {item}; plate-validate lists all that is wrong")
            yield item


def generate(
    out: str | Path,
    *,
    plates: str | Sequence[str] = "cn7",
    count: int = 1000,
    seed: int = 0,
    balance: str = "uniform",
    texts: str | Path | None = None,
    stages: str = "pix2pix",
    capture: str = "default",
    format: str = "folder",
    engine: str = "serial",
    height_px: int = 64,
    shard_size: int = 1000,
    split: Mapping[str, float] | None = None,
    overrides: Sequence[str] = (),
) -> DataSet:
    """Make a labelled data set in the folder `out`, or go on with one that was cut short.

    `plates` is a group (cn7, cn_all, jp, all) or a list of types and YAML files. `engine` is `serial` here,
    because processes import the script that starts them: call it with `engine="pool"` where
    `if __name__ == "__main__"` holds, and every core works.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     made = generate(folder, plates=["cn/blue", "jp/private"], count=10, stages="template")
    ...     made.count, dict(made.types), made.sheet.is_file()
    (10, {'cn/blue': 5, 'jp/private': 5}, True)
    """
    from synth.errors import UserError
    from synth.generate import generate as make

    if isinstance(overrides, str):
        raise UserError(f"overrides: give a list, [{overrides!r}]")
    if split is not None and not isinstance(split, Mapping):
        raise UserError(f"split: {split!r} is not a mapping such as {{'train': 0.9, 'val': 0.1}}")
    if seed is None or out is None:
        raise UserError("out, seed: None is no folder and no seed")
    keys: dict[str, Value] = {
        "plates" if isinstance(plates, str) else "plates.types": plates,
        "count": count,
        "seed": seed,
        "balance": balance,
        "texts": texts,
        "stages": stages,
        "capture": capture,
        "format": format,
        "engine": engine,
        "height_px": height_px,
        "shard_size": shard_size,
        **({} if split is None else {f"split.{name}": split.get(name, 0.0) for name in {**SPLITS, **split}}),
    }
    words = [*(word(key, value) for key, value in keys.items()), *overrides]
    make(composed("generate", (*words, word("out", out))), words)
    return data_set(Path(out))


def data_set(path: Path) -> DataSet:
    """What lies in a finished folder."""
    from synth.dataset.manifest import read_manifest
    from synth.errors import UserError

    manifest = read_manifest(path)
    if manifest is None:
        raise UserError(f"{path}: no manifest.json, so it is not finished; run the same call again")
    balance = json.loads((path / "balance.json").read_text(encoding="utf-8"))
    types = {name: kind["count"] for name, kind in balance["by_type"].items()}
    return DataSet(path, manifest.format, manifest.total, manifest.splits, types, manifest.digest)


def draw(
    type: str,
    text: str | None = None,
    *,
    seed: int = 0,
    index: int = 0,
    balance: str = "legal",
    stages: str = "template",
    capture: str = "default",
    height_px: int = 64,
    overrides: Sequence[str] = (),
) -> Sample:
    """One plate of a type (`cn/blue`, or a YAML file), with this text or one of its own, without a folder.

    The sample has `image` (H W 3, RGB), `text`, `quad`, `row_quads`, `char_quads` (pixels, TL TR BR BL), and
    in `stages` every number that was drawn. Seed and index are those of a data set: others, another plate.

    >>> plate = draw("cn/blue", "京A12345", stages="capture", seed=3)
    >>> plate.text, plate.image.shape[0], plate.quad.shape, plate.char_quads.shape
    ('京A12345', 64, (4, 2), (7, 4, 2))
    >>> draw("jp/private", seed=1).rows == draw("jp/private", seed=1).rows
    True
    >>> draw("cn/blue", "京A1234")
    Traceback (most recent call last):
    synth.errors.UserError: cn/blue: '京A1234': serial '1234' does not fit: expected ...
    """
    from synth.errors import UserError
    from synth.grammar import grammar_of
    from synth.template import Plan, Template

    if not isinstance(seed, int) or not isinstance(index, int):
        raise UserError(f"seed, index: {seed!r}, {index!r}; give whole numbers")
    if not isinstance(stages, str):
        raise UserError(f"stages: {stages!r} is not the name of a group such as capture")
    if text is not None and not isinstance(text, str):
        raise UserError(f"text: {text!r} is not a text")
    if text is not None:
        grammar_of(type).parse(text)  # its reason names the type; a plan's would name a line of a file
    plan = Plan((type,), balance, texts=() if text is None else (text,))
    (sample,) = Template(plan, height_px).batch(seed, [index])
    for stage in stages_for(stages, capture, height_px, tuple(overrides)):
        (sample,) = stage([sample])
    return sample


@functools.lru_cache(maxsize=8)
def stages_for(stages: str, capture: str, height_px: int, overrides: tuple[str, ...]) -> tuple[Stage, ...]:
    """Kept, because to compose a configuration costs as much as a hundred plates, and weights more."""
    from synth.pipeline import stages_of

    keys: dict[str, Value] = {"stages": stages, "capture": capture, "height_px": height_px, "out": "none"}
    config = composed("generate", (*(word(key, value) for key, value in keys.items()), *overrides))
    return tuple(stages_of(config).values())


def composed(config_name: str, words: Sequence[str]) -> DictConfig:
    """The configuration that the command would have with these words."""
    from hydra import compose
    from hydra.errors import HydraException
    from omegaconf.errors import OmegaConfBaseException

    from synth.app import check_kinds, hydra_said
    from synth.errors import UserError
    from synth.keys import check_choices, check_keys, our_hydra

    check_choices(words, config_name)
    check_keys(words, config_name, begun="+")
    try:
        with our_hydra():
            config = compose(config_name, overrides=list(words))
        check_kinds(config, config_name)
    except (HydraException, OmegaConfBaseException) as error:
        raise UserError(hydra_said(error, config_name, words)) from error
    return config


def word(key: str, value: Value) -> str:
    """`key=value` as on the command line, quoted where it must be."""
    return f"{key}={said(value)}"


def said(value: Value) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "[" + ",".join(said(one) for one in value) + "]"
    text = str(value)
    if PLAIN.fullmatch(text) and not (isinstance(value, str | Path) and NUMBER.fullmatch(text)):
        return text
    return "'" + re.sub(r"(\\*)('|$)", lambda m: m[1] * 2 + ("\\'" if m[2] else ""), text) + "'"
