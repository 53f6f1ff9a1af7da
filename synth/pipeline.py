"""The pipeline of a configuration: plan, template, stages; index in, finished sample out."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from synth.catalogue import load_type, type_names
from synth.errors import UserError, nearest
from synth.render import Variation
from synth.sample import Sample, Stage
from synth.targets import made
from synth.template import Plan, Template

BATCH = 64  # samples a stage sees at once
AHEAD = 4  # batches of small pictures drawn together


@dataclass(frozen=True)
class Pipeline:
    """Draws samples; a pure function of its parts, the seed and the index."""

    template: Template
    stages: dict[str, Stage]
    seed: int

    def samples(self, indices: Sequence[int], at_once: int | None = None) -> list[Sample]:
        """The samples of these numbers; a stage sees `at_once` of them, or all where it makes each alone."""
        batch = self.template.batch(self.seed, indices)
        for stage in self.stages.values():
            size = len(batch) if at_once is None or getattr(stage, "alone", False) else at_once
            parts = [batch[start : start + size] for start in range(0, len(batch), max(size, 1))]
            batch = [sample for part in parts for sample in stage(part)]
        return batch

    @property
    def ahead(self) -> int:
        """How many samples to draw together: the more, the faster, but large pictures need their memory."""
        return BATCH * max(1, min(AHEAD, AHEAD * 64**2 // self.template.height_px**2))


def pipeline_of(config: DictConfig) -> Pipeline:
    """The pipeline of an app's configuration (keys plates, balance, stages, height_px, seed, texts)."""
    texts, places = read_texts(config.get("texts"))
    plan = Plan(
        types=tuple(config.plates.types),
        mode=config.balance.mode,
        ambiguous=config.balance.ambiguous,
        texts=texts,
        places=places,
        weights=type_weights(config.plates),
    )
    plan.check()  # fail at the door, not in a worker
    stages = stages_of(config)
    check_patterns(config, stages, {*type_names(), *(load_type(name).id for name in plan.types)})
    if (shape_mm := config.get("shape_mm")) is None:
        return Pipeline(Template(plan, config.height_px), stages, config.seed)
    return Pipeline(Template(plan, config.height_px, Variation(shape_mm=shape_mm)), stages, config.seed)


def type_weights(plates: DictConfig) -> tuple[int, ...]:
    """How many of each type in a deck: `weights` of the plates group, 1 where it names none."""
    weights = dict(plates.get("weights") or {})
    unknown = set(weights) - set(plates.types)
    if unknown:
        raise UserError(
            f"plates.weights: {min(unknown)!r} is not among plates.types; remove it or add the type"
        )
    if any(not isinstance(weight, int) or weight < 1 for weight in weights.values()):
        raise UserError(
            "plates.weights: every weight is a whole number above 0; leave a type out of plates.types"
        )
    return tuple(weights.get(name, 1) for name in plates.types) if weights else ()


def stages_of(config: DictConfig) -> dict[str, Stage]:
    """The stages after the template, in the order of the configuration."""
    described: Any = OmegaConf.to_container(config.stages, resolve=True) or {}
    written: Any = OmegaConf.to_container(config.stages, resolve=False) or {}
    return {name: made(own, key_of(f"stages.{name}", written[name])) for name, own in described.items()}


def key_of(key: str, written: Any) -> str:
    """The key under which the user sets a stage: `capture` for `stages.capture: ${capture}`."""
    return written[2:-1] if isinstance(written, str) else key


def check_patterns(config: DictConfig, stages: Mapping[str, Stage], types: Set[str]) -> None:
    """What stages say of some types alone (`jp/*`) means some: a slip of the pen would change nothing."""
    for key, pattern in patterns_of(stages, OmegaConf.to_container(config.stages, resolve=False), "stages"):
        if not fnmatch.filter(types, pattern):
            raise UserError(f"{key}: {pattern!r} means no type; {nearest(pattern, types)}")


def patterns_of(stages: Mapping[str, Stage], written: Any, inside: str) -> Iterator[tuple[str, str]]:
    """Key and pattern of each, those on the ways of a mix among them."""
    for name, stage in stages.items():
        key = key_of(f"{inside}.{name}", written[name])
        for own, pattern in getattr(stage, "patterns", ()):
            yield f"{key}.{own}", pattern
        for way, inner in getattr(stage, "ways", {}).items():
            yield from patterns_of(inner, written[name]["ways"][way], f"{key}.ways.{way}")


def read_texts(path: str | None) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The texts of a file, one a line, and where each stands; empty lines and those starting with # are left
    out.
    """
    if path is None:
        return (), ()
    try:
        lines = [line.strip() for line in Path(path).read_text(encoding="utf-8-sig").splitlines()]
    except UnicodeDecodeError as error:
        raise UserError(f"texts: {path}: not UTF-8 (byte {error.start}); save it as UTF-8") from error
    except OSError as error:
        raise UserError(f"texts: {path}: {error.strerror}; give a file, one text a line") from error
    kept = [number for number, line in enumerate(lines) if line and not line.startswith("#")]
    if not kept:
        raise UserError(f"texts: {path}: no text in it; write one a line")
    places = tuple(f"texts: {path}: line {number + 1}" for number in kept)
    return tuple(lines[number] for number in kept), places
