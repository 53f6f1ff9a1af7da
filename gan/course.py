"""A course of training from its configuration: what `gan.train` runs for every generator."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
from hydra.errors import InstantiationException
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import InterpolationToMissingValueError
from torch.utils.data import IterableDataset

from gan.augment import Augmentation
from gan.batches import Batch, Drawings, Pairs
from gan.checkpoint import Header, Styles
from gan.discriminator import Discriminator
from gan.gallery import Gallery, outlines, styles_of
from gan.loop import Course, Settings, drawing
from gan.losses import Reading, Weights
from gan.pix2pix import Pix2Pix
from gan.runtime.distributed import tell
from gan.runtime.precision import autocast_of
from gan.runtime.window import Window
from gan.step import Teaching
from synth.errors import UserError
from synth.targets import TARGET, check

Filled = TypeVar("Filled")
READERS = Path(__file__).parents[1] / "recognizer" / "weights"
BUNDLED = {"_target_": "recognizer.checkpoint.load", "path": str(READERS / "plates.safetensors")}


def made(config: DictConfig, key: str, **more: Any) -> Any:
    """What the `_target_` at this key builds; its errors named by the key."""
    return built(OmegaConf.select(config, key), key, **more)


def built(node: Any, key: str, **more: Any) -> Any:
    """The same of settings from elsewhere, `key` is where the user finds them."""
    settings: Any = OmegaConf.to_container(node, resolve=True) if OmegaConf.is_config(node) else node
    if not isinstance(settings, dict) or TARGET not in settings:
        raise UserError(f"{key}: {settings!r} is not a mapping with {TARGET}")
    check({**settings, **more}, key)
    try:
        return instantiate(node, _convert_="all", **more)
    except InstantiationException as error:
        if isinstance(error.__cause__, UserError):
            raise error.__cause__ from error
        raise UserError(f"{key}: {error.__cause__ or error}") from error


def crops_of(config: DictConfig, part: str, **more: Any) -> Any:
    """The pairs of one part; their folder may be called 2024."""
    try:
        path = config.pairs.path
    except InterpolationToMissingValueError:
        path = config.source.path  # which tells what must be given
    return made(config, "pairs", path=str(path), part=part, **more)


def sizes_of(config: DictConfig) -> tuple[tuple[int, int], ...]:
    if not all(OmegaConf.is_list(size) for size in (config.size, *config.other_sizes)):
        raise UserError(
            f"size, other_sizes: {config.size}, {config.other_sizes}; as in size=[32,128] other_sizes=[]"
        )
    sizes = [list(size) for size in (config.size, *config.other_sizes)]
    if any(
        len(size) != 2 or not all(isinstance(side, int) and side >= 16 for side in size) for size in sizes
    ):
        raise UserError(f"size, other_sizes: {sizes} are no sizes; give [height, width], at least 16 each")
    return tuple((height, width) for height, width in sizes)


def header_of(config: DictConfig, sizes: tuple[tuple[int, int], ...], data: dict[str, Any]) -> Header:
    plain: Any = OmegaConf.to_container(config, resolve=True)
    kept = {key: plain[key] for key in ("gan", "batch", "learning_rate", "judge_rate", "average", "seed")}
    return Header(plain["gan"]["network"], sizes, config=placeless(kept), data=data)


def placeless(node: Any) -> Any:
    """A configuration without where files lay on the machine that trained: of a `path` only the name."""
    if isinstance(node, dict):
        return {
            key: Path(value).name if key == "path" and isinstance(value, str) else placeless(value)
            for key, value in node.items()
        }
    return [placeless(one) for one in node] if isinstance(node, list) else node


def teaching_of(config: DictConfig) -> Teaching:
    weights = filled(Weights, config, "gan.losses")
    reading = reading_of(config) if weights.reading else None
    return Teaching(
        weights,
        augmentation_of(config),
        reading,
        config.gan.borrow,
        autocast_of(config.autocast),
        turns_of(config),
    )


def filled(kind: type[Filled], config: DictConfig, key: str) -> Filled:
    """A dataclass of the plain values at a key; a wrong one is told by its key."""
    values: Any = OmegaConf.to_container(OmegaConf.select(config, key), resolve=True)
    check({TARGET: f"{kind.__module__}.{kind.__qualname__}", **values}, key)
    return kind(**values)


def turns_of(config: DictConfig) -> int:
    if type(config.gan.turns) is not int or config.gan.turns < 1:
        raise UserError(f"gan.turns: {config.gan.turns}; the judge needs one turn at least")
    return int(config.gan.turns)


def reading_of(config: DictConfig) -> Reading | None:
    if config.reader is None:
        return None
    return Reading(reader_of(config, "reader"), config.gan.reading_enough, config.gan.reading_most)


def reader_of(config: DictConfig, key: str) -> Any:
    """The network of a reader and what it says about itself; `bundled` is the one that comes with us."""
    given = OmegaConf.select(config, key)
    return built(BUNDLED if given == "bundled" else given, key)


def tell_idle(weights: Any, key: str, given: Any, *names: str) -> None:
    """Say which losses that should count do not, since what they need is null."""
    idle = ", ".join(name for name in names if getattr(weights, name))
    if given is None and idle:
        tell(f"gan.losses: {idle} left out, since {key} is null; reader=bundled is the reader to learn from")


def augmentation_of(config: DictConfig) -> Augmentation:
    return filled(Augmentation, config, "gan.augmentation")


def settings_of(config: DictConfig) -> Settings:
    values: dict[str, Any] = {name: config[name] for name in Settings.__dataclass_fields__}
    return Settings(**{**values, "out": Path(config.out)})


def plain(pairs: Pairs, most: int | None = None) -> Sequence[Any]:
    count = len(pairs) if most is None else min(most, len(pairs))
    return [pairs.plain(index) for index in range(count)]


def drawing_course(config: DictConfig, settings: Settings) -> Course[Pix2Pix]:
    """From outlines to pictures in the style of real crops."""
    sizes = sizes_of(config)
    if config.gan.network.get("style", 1) and settings.batch < 2:
        raise UserError(
            f"batch: {settings.batch}; half of a batch borrows the style of the other, give 2 at least"
        )
    teaching = teaching_of(config)
    pairs, unseen = (
        crops_of(config, part, own_size=config.gan.own_size, heads=config.gan.heads)
        for part in ("train", "held_out")
    )
    data = {"source": config.source.name, "crops": len(pairs), "held_out": len(unseen)}
    height, width = pairs.plain(0).crop.shape[:2]
    header = header_of(config, sizes, data)
    header = replace(header, seen=(height, width) if (height, width) != sizes[0] else None)
    tell(pairs.summary)
    tell_idle(teaching.weights, "reader", config.reader, "reading")
    torch.manual_seed(settings.seed)
    judge = Discriminator(header.planes, **config.gan.discriminator)
    gallery = Gallery(plain(unseen, 10), outlines(config.plates.types, header.sizes[0], 0), 6, settings.seed)

    def drawings(window: Window) -> IterableDataset[Batch]:
        return Drawings(pairs, window, settings.seed, config.gan.new_texts)

    def styles(network: Pix2Pix) -> Styles:
        corners, heads = (
            torch.from_numpy(np.stack([of(index) for index in range(len(pairs))]))
            for of in (pairs.corners, pairs.heads)
        )
        return replace(styles_of(network, plain(pairs)), corners=corners, heads=heads)

    of = f"{len(pairs)} crops"
    return drawing(header, judge, teaching, drawings, styles, gallery, of, config.gan.memory)
