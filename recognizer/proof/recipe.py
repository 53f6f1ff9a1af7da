"""A cell's whole training configuration: composed, checked, digested."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from hydra import compose, initialize_config_module
from hydra.core.global_hydra import GlobalHydra
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf

from recognizer.backends import weights_of
from recognizer.proof.cache import digest, file_digest, folder_digest
from synth.app import one_line
from synth.errors import UserError
from synth.pipeline import pipeline_of

ONE_AT_A_TIME = threading.RLock()  # cells are looked at in threads, and there is one Hydra a process
# what changes where or how fast a cell is trained, but not what comes out
INDIFFERENT = ("out", "resume", "threads", "workers", "tick", "keep", "watch", "hydra")


def composed(overrides: Sequence[str]) -> DictConfig:
    """The configuration that `plate-train-recognizer` has with these words."""
    with ONE_AT_A_TIME:
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
    """Of everything that decides what a training gives: its keys, and the bytes of the files it uses."""
    config = composed(overrides)
    kept = OmegaConf.to_container(config, resolve=True)
    assert isinstance(kept, dict)
    made = config.data.source == "synthetic" or "share" in config.data
    used = dict(used_by(pipeline_of(config).stages)) if made else {}
    parts = {f"start_parts.{part}": file for part, file in config.start_parts.items()}
    starts = {"start": config.start, **parts}
    files = {key: weights_of(start) for key, start in starts.items() if start is not None}
    if (texts := config.get("texts")) is not None:
        files["texts"] = Path(texts)
    used |= {key: file_digest(file) for key, file in files.items()}
    return digest({key: kept[key] for key in kept if key not in INDIFFERENT} | {"files": used})


def used_by(stages: Mapping[str, Any], where: str = "") -> Iterator[tuple[str, str]]:
    """Digests of what stages read, weights, crops and alignments, those on the ways of a mix among them."""
    for name, stage in stages.items():
        if (file := getattr(stage, "file", None)) is not None:
            yield f"{where}{name}.weights", file_digest(file)
        if (folder := getattr(stage, "path", None)) is not None:
            yield f"{where}{name}.path", folder_digest(Path(folder))
        for camera, its in getattr(stage, "cameras", {}).items():
            if its.lies.path is not None:
                yield f"{where}{name}.{camera}.lies", file_digest(Path(its.lies.path))
        for way, inner in getattr(stage, "ways", {}).items():
            yield from used_by(inner, f"{where}{name}.{way}.")
