"""The protocol by which a generator is judged: crops it never saw, and their texts drawn again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from omegaconf import DictConfig

from gan.apply import Redraw
from gan.batches import as_input, as_pictures, planes_of
from gan.checkpoint import Header, load
from gan.classifier import classifier_accuracy
from gan.classifier import held_out as half
from gan.features import features
from gan.gallery import shown
from gan.outline import condition, upright
from gan.outside import alphabet_of, judge_samples, matching, the_judge
from gan.pairs import Pairs, load_pairs
from gan.runtime.distributed import tell
from gan.scores import fid, kid, nearest, need_enough, similarity, spread
from gan.sight import shrunk
from synth.capture.sensor import recoded
from synth.capture.stage import Capture
from synth.catalogue import load_type
from synth.errors import UserError
from synth.sample import Image, Sample, Stage
from synth.template import Plan, Template

SHOWN = 16  # lines of a sheet
REAL = "real training crops"


@dataclass(frozen=True)
class Protocol:
    """The held-out crops, and how plates of ours are brought into their form."""

    real: Sequence[Image]
    texts: Sequence[str]
    types: Sequence[str]
    size: tuple[int, int]  # width, height
    height_px: int
    seed: int

    def form(self, image: Image) -> Image:
        """A picture at the size of the crops."""
        return at_size([image], self.size)[0]

    def clean(self, draws: int) -> list[Sample]:
        """The held-out texts as clean plates, each `draws` times: all texts once, then all again."""
        found: dict[int, Sample] = {}
        for name in dict.fromkeys(self.types):
            mine = [n for n, other in enumerate(self.types) if other == name]
            template = Template(Plan((name,), texts=tuple(self.texts[n] for n in mine)), self.height_px)
            samples = template.batch(self.seed, range(draws * len(mine)))
            places = [turn * len(self.texts) + n for turn in range(draws) for n in mine]
            found |= dict(zip(places, samples, strict=True))
        return [found[n] for n in range(draws * len(self.texts))]

    def pictures(self, stage: Stage, draws: int, quality: int) -> list[Image]:
        """What a stage makes of them, stored like the crops: as JPEG of this quality."""
        clean = self.clean(draws)
        done = [sample for start in range(0, len(clean), 64) for sample in stage(clean[start : start + 64])]
        return [recoded(self.form(sample.image), quality) for sample in done]


def protocol_of(pairs: Pairs, config: DictConfig) -> Protocol:
    """Crops at the most common size among them."""
    (height, width), _ = Counter(crop.shape[:2] for crop in pairs.crops).most_common(1)[0]
    size = (width, height)
    real = at_size(pairs.crops, size)
    return Protocol(real, pairs.texts, pairs.types, size, config.height_px, config.seed)


def at_size(crops: Sequence[Image], size: tuple[int, int]) -> list[Image]:
    return [crop if crop.shape[1::-1] == size else np.asarray(cv2.resize(crop, size)) for crop in crops]


def likeness(protocol: Protocol, sets: dict[str, list[Image]], config: DictConfig) -> dict[str, Any]:
    """FID, KID and the classifier's accuracy of each set against the held-out crops."""
    known = features(protocol.real)
    report: dict[str, Any] = {}
    for name, pictures in sets.items():
        seen = features(pictures)
        distance = kid(known, seen, config.seed)
        report[name] = {"fid": fid(known, seen), "kid": distance.value, "kid_deviation": distance.deviation}
        if name == REAL:
            continue
        first = pictures[: len(protocol.real)]  # one picture a text
        accuracies = [
            classifier_accuracy(protocol.real, first, protocol.texts, seed, config.classifier.epochs)
            for seed in range(config.classifier.seeds)
        ]
        report[name]["classifier"] = float(np.mean(accuracies))
    return report


def told_heads(header: Header) -> bool:
    """Whether a generator was told what sits in the slots, with the outline."""
    return bool(header.config.get("gan", {}).get("heads", False))


def diversity(stage: Redraw, protocol: Protocol, outlines: int, styles: int) -> dict[str, float]:
    """Mean distance between pictures of one outline and pose in several styles, and between real crops."""
    plans = [stage.plan(sample) for sample in protocol.clean(1)[:outlines]]
    spreads = []
    for plan in plans:
        others = [
            replace(plan, codes=other.codes, noise=other.noise)
            for other in (stage.plan(replace(plan.sample, index=10**6 + n)) for n in range(styles))
        ]
        spreads.append(spread([protocol.form(image) for image in stage.pictures(others, 0)]))
    return {"one_outline": float(np.mean(spreads)), "real_crops": spread(protocol.real)}


def need_parts(held_out: Pairs, train: Pairs) -> None:
    """Refuse what is too little to be judged by, before anything is drawn."""
    need_enough(len(held_out), "held-out crops")
    need_enough(len(train), "training crops")
    if len({half(text) for text in held_out.texts}) < 2:
        raise UserError(
            f"source.path: the classifier learns on half of the texts and is judged on the others, but all "
            f"{len(held_out)} held-out crops are in one half; give more crops"
        )


@torch.inference_mode()
def reconstruction(weights: Path, pairs: Pairs, count: int = 200) -> dict[str, float]:
    """SSIM of held-out crops and what is drawn on their outlines, in their own style and in another's."""
    network, styles, _ = load(weights)
    own, other = [], []
    generator = torch.Generator().manual_seed(0)
    for index in range(min(count, len(pairs))):
        pair = pairs.plain(index)
        given = as_input(planes_of([pair.condition]))
        noise = torch.randn(1, 1, *given.shape[2:], generator=generator)
        codes = [styles.mean[index % len(styles.mean)][None]] if len(styles.mean) else []
        if network.encoder is not None:
            codes.insert(0, network.encoder(as_input(planes_of([pair.crop])), given)[0])
        elif not codes:
            codes.append(torch.zeros(1, network.style))
        size = pair.crop.shape[0], pair.crop.shape[1]
        drawn = [as_pictures(shrunk(network.generator(given, code, noise), size))[0] for code in codes]
        values = [similarity(picture, pair.crop) for picture in drawn]
        own.append(values[0])
        other.append(values[-1])
    return {"own_style": float(np.mean(own)), "other_style": float(np.mean(other))}


def legibility(stage: Stage, config: DictConfig) -> dict[str, Any]:
    """The outside reader's share of new plates read exactly and of characters, for every one-row type."""
    report: dict[str, Any] = {}
    for name in config.plates.types:
        if len(load_type(name).rows) != 1:
            continue
        clean = Template(Plan((name,), config.balance.mode), config.height_px).batch(
            config.seed, range(config.judged)
        )
        verdicts = judge_samples(the_judge(), name, stage(clean), (), config.balance.mode)
        report[name] = shares([(v.truth, v.reading) for v in verdicts])
    every = list(report.values())
    report["mean"] = {key: float(np.mean([row[key] for row in every])) for key in ("exact", "characters")}
    return report


def shares(pairs: Sequence[tuple[str, str]]) -> dict[str, float]:
    """Of (truth, reading): share equal, and share of characters found in order."""
    found = sum(matching(truth, reading) for truth, reading in pairs)
    return {
        "exact": float(np.mean([truth == reading for truth, reading in pairs])),
        "characters": found / sum(len(truth) for truth, _ in pairs),
    }


def real_legibility(protocol: Protocol) -> dict[str, float]:
    """The same reader on the held-out crops themselves."""
    pairs = []
    for name in dict.fromkeys(protocol.types):
        mine = [n for n, other in enumerate(protocol.types) if other == name]
        readings = the_judge().read([protocol.real[n] for n in mine], alphabet_of(name))
        pairs += [(protocol.texts[n], reading) for n, reading in zip(mine, readings, strict=True)]
    return shares(pairs)


def memory(protocol: Protocol, drawn: Sequence[Image], train: Pairs) -> tuple[dict[str, float], list[Image]]:
    """Median distance to the nearest training crop, of ours and of held-out crops; lines of both."""
    known = at_size(train.crops, protocol.size)
    best, ours = nearest(drawn, known)
    _, real = nearest(protocol.real, known)
    lines = [np.hstack([drawn[n], known[best[n]]]) for n in range(min(2 * SHOWN, len(drawn)))]
    return {"ours": float(np.median(ours)), "held_out": float(np.median(real))}, lines


def comparison(protocol: Protocol, pairs: Pairs, sets: dict[str, list[Image]]) -> list[Image]:
    """Lines real | ours | capture | outline of the same text."""
    lines = []
    for n in range(min(2 * SHOWN, len(protocol.real))):
        plate = pairs.alignment(n).plate
        size = (protocol.size[1], protocol.size[0])
        outline = shown(condition(plate, upright(plate, size), size))
        lines.append(np.hstack([protocol.real[n], *(pictures[n] for pictures in sets.values()), outline]))
    return lines


def in_columns(lines: Sequence[Image], columns: int = 2, zoom: int = 2) -> Image:
    """Lines of one size as a sheet."""
    gap = [np.pad(line, ((1, 1), (4, 4), (0, 0)), constant_values=236) for line in lines]
    gap += [np.full_like(gap[0], 236)] * (-len(gap) % columns)
    rows = [np.hstack(gap[start : start + columns]) for start in range(0, len(gap), columns)]
    return np.asarray(cv2.resize(np.vstack(rows), None, fx=zoom, fy=zoom, interpolation=cv2.INTER_NEAREST))


def evaluated(config: DictConfig, stage: Redraw, camera: Capture) -> tuple[dict[str, Any], dict[str, Image]]:
    """All numbers, and the sheets by file name."""
    torch.set_num_threads(1)
    chosen = {
        "source": config.source.name,
        "path": str(config.source.path),
        "types": list(config.plates.types),
    }
    size = stage.artist.header.sizes[0]
    heads = told_heads(stage.artist.header)
    pairs = load_pairs(**chosen, size=size, part="held_out", own_size=True, heads=heads)
    train = load_pairs(**chosen, size=size, part="train")
    tell(pairs.summary)
    need_parts(pairs, train)
    protocol = protocol_of(pairs, config)
    taken = replace(camera, size=list(protocol.size))
    drawn = replace(stage, size=list(protocol.size))
    sets = {
        name: protocol.pictures(one, config.draws, config.jpeg_quality)
        for name, one in (("pix2pix", drawn), ("capture", taken))
    }
    near, lines = memory(protocol, sets["pix2pix"], train)
    report = {
        "weights": stage.file.name,
        "images": stage.artist.header.images,
        "held_out": len(protocol.real),
        "draws": config.draws,
        "likeness": likeness(protocol, {**sets, REAL: at_size(train.crops, protocol.size)}, config),
        "legibility": legibility(stage, config),
        "real_legibility": real_legibility(protocol),
        "diversity": diversity(drawn, protocol, config.outlines, config.styles),
        "ssim": reconstruction(stage.file, pairs),
        "nearest_training_crop": near,
    }
    sheets = {
        "sheet.png": in_columns(comparison(protocol, pairs, sets)),
        "nearest.png": in_columns(lines, columns=4),
    }
    return report, sheets


def by_type(stage: Stage, config: DictConfig, count: int = 8) -> dict[str, list[Image]]:
    """New plates of every type."""
    return {
        name: [
            sample.image
            for sample in stage(
                Template(Plan((name,), config.balance.mode), config.height_px).batch(
                    config.seed, range(count)
                )
            )
        ]
        for name in config.plates.types
    }
