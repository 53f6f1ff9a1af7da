"""Training a cell in a process of its own, so that one that dies takes nothing with it."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from recognizer.proof.grid import worded
from recognizer.proof.made import commit
from synth.dataset.atomic import write_atomic


class Failed(Exception):
    """A training or a reader that gave no result, and why."""


def trained(overrides: Sequence[str], folder: Path) -> Path:
    """The weights of a cell; a finished training is taken as it is, an unfinished one goes on."""
    done, weights = folder / "trained.json", folder / "weights.safetensors"
    if not (done.exists() and weights.exists()):
        folder.mkdir(parents=True, exist_ok=True)
        begun = time.monotonic()
        run(
            [sys.executable, "-m", "recognizer.train", f"out={worded(str(folder))}", *overrides],
            folder / "train.log",
        )
        made = {"seconds": round(time.monotonic() - begun, 1), "commit": commit()}
        write_atomic(done, json.dumps(made) + "\n")
    return weights


def run(words: Sequence[str], log: Path) -> None:
    """Run to the end with all output in a log; a bad end is told by its last line."""
    with log.open("ab") as file:
        code = subprocess.run(
            words, stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.STDOUT, check=False
        ).returncode
    if code:
        said = [line for line in log.read_text("utf-8", "replace").splitlines() if line.strip()]
        raise Failed(f"training ended with {code}: {said[-1] if said else 'nothing said'} (see {log})")
