"""What tests of several packages use."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


# how this machine multiplies: other kernels round otherwise, and edits are compared byte by byte
KERNELS = {
    key: value for key, value in os.environ.items() if key.startswith(("OPENBLAS_", "MKL_", "ONEDNN_"))
}


@pytest.fixture
def alone(tmp_path: Path) -> Callable[..., None]:
    """Runs one of our commands to its good end in `tmp_path`, in a process that knows the code alone."""

    def run(module: str, *keys: str) -> None:
        done = subprocess.run(
            [sys.executable, "-m", module, *keys],
            cwd=tmp_path,
            env={"PYTHONPATH": str(ROOT), "PATH": "", **KERNELS},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr

    return run
