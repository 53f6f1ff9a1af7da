"""A cell's whole training configuration: composed, checked, digested."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from hydra import compose, initialize_config_module
from hydra.core.global_hydra import GlobalHydra
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf

from recognizer.proof.cache import digest, file_digest
from synth.app import one_line
from synth.errors import UserError
from synth.pipeline import pipeline_of

# what changes where or how fast a cell is trained, but not what comes out
INDIFFERENT = ("out", "resume", "threads", "tick", "keep", "watch", "hydra")


def composed(overrides: Sequence[str]) -> DictConfig:
    """The configuration that `plate-train-recognizer` has with these words."""
    if GlobalHydra.instance().is_initialized():  # inside an app
        return compose("train_recognizer", list(overrides))
    with initialize_config_module("conf", version_base="1.3"):
        return compose("train_recognizer", list(overrides))


def reason_against(overrides: Sequence[str]) -> str:
    """Why plates cannot be made with these words (no such stage, no weights), or nothing when they can."""
    try:
        pipeline_of(composed(overrides))
    except UserError as error:
        return str(error)
    except HydraException as error:
        return one_line(error)
    return ""


def digest_of(overrides: Sequence[str]) -> str:
    """Of everything that decides what a training gives: its keys, and the bytes of weights it uses."""
    config = composed(overrides)
    kept = OmegaConf.to_container(config, resolve=True)
    assert isinstance(kept, dict)
    files = {}
    if config.data.source != "labelled":
        stages = pipeline_of(config).stages
        files = {where: file_digest(path) for where, path in files_of(stages)}
    return digest({key: kept[key] for key in kept if key not in INDIFFERENT} | {"files": files})


def files_of(stages: Mapping[str, Any], where: str = "") -> Iterator[tuple[str, Path]]:
    """The weights that stages read: those with a `file`, and the ways of a mix."""
    for name, stage in stages.items():
        if isinstance(file := getattr(stage, "file", None), Path):
            yield f"{where}{name}", file
        for way, inner in getattr(stage, "ways", {}).items():
            yield from files_of(inner, f"{where}{name}.{way}.")
