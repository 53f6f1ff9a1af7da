"""Train a generator on real crops with known texts.

python -m gan.train gan=pix2pix source=labelled source.path=my_plates/ out=runs/gan
python -m gan.train gan=pix2pix_classic source.path=my_plates/ images=50000 out=runs/classic
torchrun --nproc-per-node 2 -m gan.train source.path=my_plates/ out=runs/gan
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from hydra.errors import InstantiationException
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf
from torch.utils.data import IterableDataset

from gan.augment import Augmentation
from gan.batches import Batch, Drawings, Pairs
from gan.checkpoint import Header
from gan.discriminator import Discriminator
from gan.gallery import Gallery, outlines, styles_of
from gan.loop import Settings, train
from gan.losses import Reading, Weights
from gan.runtime.distributed import start
from gan.runtime.window import Window
from gan.step import Teaching
from synth.app import command, need_positive
from synth.dataset.atomic import disk_errors
from synth.errors import UserError


def made(config: DictConfig, key: str, **more: Any) -> Any:
    """What the `_target_` at this key builds; its errors named by the key."""
    try:
        return instantiate(config[key], _convert_="all", **more)
    except InstantiationException as error:
        if isinstance(error.__cause__, UserError):
            raise error.__cause__ from error
        raise UserError(f"{key}: {error.__cause__ or error}") from error


def sizes_of(config: DictConfig) -> tuple[tuple[int, int], ...]:
    sizes = [list(size) for size in (config.size, *config.other_sizes)]
    if any(
        len(size) != 2 or not all(isinstance(side, int) and side >= 16 for side in size) for size in sizes
    ):
        raise UserError(f"size, other_sizes: {sizes} are no sizes; give [height, width], at least 16 each")
    return tuple((height, width) for height, width in sizes)


def header_of(config: DictConfig, sizes: tuple[tuple[int, int], ...], data: dict[str, Any]) -> Header:
    plain: Any = OmegaConf.to_container(config, resolve=True)
    kept = {key: plain[key] for key in ("gan", "batch", "learning_rate", "judge_rate", "average", "seed")}
    return Header(plain["gan"]["network"], sizes, config=kept, data=data)


def teaching_of(config: DictConfig) -> Teaching:
    weights = Weights(**OmegaConf.to_container(config.gan.losses))  # type: ignore[arg-type]
    reading = None
    if weights.reading and config.reader is not None:
        reading = Reading(made(config, "reader"), config.gan.reading_enough, config.gan.reading_most)
    augmentation = Augmentation(**OmegaConf.to_container(config.gan.augmentation))  # type: ignore[arg-type]
    return Teaching(weights, augmentation, reading, config.gan.borrow, config.autocast)


def settings_of(config: DictConfig) -> Settings:
    values: dict[str, Any] = {name: config[name] for name in Settings.__dataclass_fields__}
    return Settings(**{**values, "out": Path(config.out)})


def plain(pairs: Pairs, most: int | None = None) -> Sequence[Any]:
    count = len(pairs) if most is None else min(most, len(pairs))
    return [pairs.plain(index) for index in range(count)]


@command("train_gan")
def main(config: DictConfig) -> None:
    """Train a generator."""
    need_positive(config, "images", "batch", "tick", "keep")
    processes = start(config.threads)
    settings = settings_of(config)
    if processes.first:
        with disk_errors(settings.out):
            settings.out.mkdir(parents=True, exist_ok=True)
            OmegaConf.save(config, settings.out / "config.yaml", resolve=True)
    sizes = sizes_of(config)
    pairs, unseen = made(config, "pairs", part="train"), made(config, "pairs", part="held_out")
    data = {"source": config.source.name, "crops": len(pairs), "held_out": len(unseen)}
    header = header_of(config, sizes, data)
    teaching = teaching_of(config)
    torch.manual_seed(settings.seed)
    judge = Discriminator(header.planes, **config.gan.discriminator)
    gallery = Gallery(plain(unseen, 10), outlines(config.plates.types, header.sizes[0], 0), 6, settings.seed)

    def drawings(window: Window) -> IterableDataset[Batch]:
        return Drawings(pairs, window, settings.seed, config.gan.new_texts)

    weights = train(
        settings,
        header,
        judge,
        teaching,
        drawings,
        lambda network: styles_of(network, plain(pairs)),
        gallery,
        processes,
        config.resume,
    )
    if processes.first:
        print(f"{weights}: {settings.images} images of {len(pairs)} crops")


if __name__ == "__main__":
    main()
