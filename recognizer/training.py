"""A training of the reader, from its configuration to its weights."""

from __future__ import annotations

import functools
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf
from torch import nn

from gan.runtime.distributed import start
from gan.runtime.precision import autocast_of
from gan.runtime.window import Window
from recognizer.calibrate import calibrate, held_out
from recognizer.checkpoint import Header, build, read
from recognizer.codec import Codec, codec_of
from recognizer.data import Blend, Shuffled, Stream, lessons_of
from recognizer.loop import MakeData, Settings, Trial, freeze, train
from recognizer.metrics import Metrics
from recognizer.places import class_of, class_places, first_places, kana_of, kana_places
from recognizer.reading import readings, scores_of
from recognizer.start import first_weights, need_share_of_start, start_file
from recognizer.step import WEIGHTS
from recognizer.truth import type_of
from synth.app import keep_config, need_least, need_positive, need_same
from synth.catalogue import type_names
from synth.confdata import conf_folder, read_yaml
from synth.dataset.picture import CROPS, Labelled
from synth.dataset.sources import ReadResult, read_source
from synth.errors import UserError, nearest
from synth.pipeline import pipeline_of
from synth.sample import Image

RESERVED = ("images", "rate", "images_per_s", "gradient", *WEIGHTS)  # names in a line of stats.jsonl


def header_of(config: DictConfig) -> Header:
    """The network of the configuration, with the vocabulary of every bundled type."""
    codec = codec_of(type_names())
    network: Any = OmegaConf.to_container(config.recognizer.network, resolve=True)
    if network.pop("close", False):
        network["first_at"] = first_places(codec)
        network["kana_at"], network["kana"] = kana_places(codec), kana_of(codec)
        network["class_at"], network["class_symbols"] = class_places(codec), class_of(codec)
    return Header(network, config.recognizer.height, config.recognizer.width, codec.symbols, codec.types)


def make_data(config: DictConfig, header: Header) -> MakeData:
    """The dataset of the configuration, as a function of the window of batches a process makes."""
    shape, codec, share = (header.height, header.width), header.codec, config.data.get("share")
    made = config.data.source == "synthetic" or share is not None
    if made:
        pipeline_of(config)  # errors of configuration here, not in a worker
    lessons = lessons_of(config) if made else []

    def stream(window: Window, whole: int | None = None) -> Stream:
        return Stream(lessons, codec, shape, window, whole)

    if config.data.source == "synthetic":
        return stream
    crop = crop_of(config.data)
    items = labelled(config.data.source, config.data.path, codec)

    def shuffled(window: Window) -> Shuffled:
        return Shuffled(items, codec, shape, window, config.seed, crop)

    if share is None:
        return shuffled
    need_share(share, config.batch)
    return lambda window: Blend(stream, shuffled, window, share)


def need_share(share: object, batch: int) -> None:
    """A batch of both sources has a picture of each."""
    if not isinstance(share, int | float) or not 0 < share < 1 or batch < 2:
        raise UserError(
            f"data.share: {share!r} of batch={batch}: give a share between 0 and 1, batch=2 or more"
        )


def crop_of(data: DictConfig) -> str:
    """What is taken of each picture: as `data.crop` says, else as conf/source has it for this kind of set."""
    crop = data.get("crop")
    if crop is None:
        usual = conf_folder() / "source" / f"{data.source}.yaml"
        crop = read_yaml(usual).get("crop") if usual.is_file() else "whole"
    if crop not in CROPS:
        raise UserError(f"data.crop={crop}: unknown; {nearest(str(crop), CROPS)}")
    return str(crop)


def labelled(source: str, path: str | None, codec: Codec) -> list[Labelled]:
    """The training pictures of a labelled set, whose texts the reader must be able to spell."""
    if path is None:
        raise UserError(f"data.path: missing; data.source={source} needs the folder of the set")
    found = read_source(source, path)
    items = [item for item in found.items if item.split in ("", "train")]
    if not items:
        raise UserError(f"data.path: {path}: no picture to train on; {found.summary()}")
    for item in items:
        try:
            codec.encode(item.text)
        except UserError as error:
            raise UserError(f"{item.where or item.name}: {error}") from error
    tell(found, items, codec)
    return items


def tell(found: ReadResult, items: Sequence[Labelled], codec: Codec) -> None:
    """What of a set is not learnt from: broken entries, other splits, types the network does not know."""
    if found.problems:
        print(found.summary(), file=sys.stderr)
    if others := len(found.items) - len(items):
        print(f"{found.path}: {others} pictures of other splits than train are left alone", file=sys.stderr)
    if unknown := Counter(type_of(item) or "none" for item in items if type_of(item) not in codec.types):
        names = ", ".join(f"{name} ({count})" for name, count in unknown.most_common(3))
        print(f"{found.path}: no type is learnt from plates of type {names}", file=sys.stderr)


def trial(images: Sequence[Image], truths: Sequence[str], header: Header) -> Trial:
    """Reads these pictures and gives the shares read right."""

    def score(network: nn.Module) -> dict[str, Any]:
        metrics = Metrics()
        read = readings(scores_of(network, images, header.height, header.width), header.codec)
        for truth, reading in zip(truths, read, strict=True):
            metrics.update(truth, reading.text)
        summary = metrics.summary()
        return {key: round(summary[key], 4) for key in ("exact", "exact_without_region", "characters")}

    return score


def trials_of(config: DictConfig, header: Header) -> dict[str, Trial]:
    """Every set of `watch`: name -> folder of labelled real plates."""
    trials = {}
    for name, path in config.watch.items():
        if name in RESERVED or not isinstance(path, str):
            taken = f"the log has a {name} already; give it another name"
            raise UserError(f"watch.{name}={path}: {taken if name in RESERVED else 'give a folder'}")
        found = read_source("labelled", path)
        if found.problems:
            print(found.summary(), file=sys.stderr)
        items = found.items
        trials[str(name)] = trial([item.image() for item in items], [item.text for item in items], header)
    return trials


def need_parts(config: DictConfig, header: Header) -> None:
    """Parts that learn alone, of a network whose others have learnt."""
    if config.only and config.start is None:
        raise UserError(f"only: {list(config.only)}: the other parts would stay as drawn; give start=")
    if config.only:
        freeze(build(header), tuple(config.only))  # says which parts there are


def need_rate(config: DictConfig) -> None:
    if not config.learning_rate > 0:
        raise UserError(f"learning_rate: {config.learning_rate} is not above 0")


def settings_of(config: DictConfig) -> Settings:
    values: dict[str, Any] = {name: config[name] for name in Settings.__dataclass_fields__}
    given = {"out": Path(config.out), "autocast": autocast_of(config.autocast), "only": tuple(config.only)}
    return Settings(**{**values, **given})


def run(config: DictConfig) -> None:
    """Train a plate reader."""
    need_positive(config, "images", "batch", "tick", "keep")
    need_least(config, 0, "workers", "seed", "warmup", "weight_decay", "calibration")
    if config.threads is not None:
        need_positive(config, "threads")
    need_rate(config)
    need_share_of_start(config)
    processes = start(config.threads)
    need_same(config, Path(config.out))
    header = header_of(config)
    settings = settings_of(config)
    need_parts(config, header)
    data = make_data(config, header)
    trials = trials_of(config, header) if processes.first else {}
    begin = config.start, header, config.seed, config.start_share, processes.first
    first = first_weights(*begin, config.start_parts)  # after it nothing can be wrong
    drawn = config.data.source == "synthetic" or config.data.get("share") is not None
    if not (drawn and config.calibration) and config.start is not None:  # confidences stay as they were
        header = replace(header, temperature=read(start_file(config.start))[0].temperature)
    note = functools.partial(keep_config, config, settings.out)
    with processes.hold(settings.out):
        weights = train(settings, header, data, trials, processes, config.resume, note, first)
        if processes.first and drawn and config.calibration:
            calibrate(weights, *held_out(config, config.calibration))
    if processes.first:
        print(f"{weights}: {read(weights)[0].images} images")
