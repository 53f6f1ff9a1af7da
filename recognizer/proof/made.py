"""By what a report was made: machine, versions, commit."""

from __future__ import annotations

import json
import os
import platform
import subprocess
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

CPUS = Path("/proc/cpuinfo")


def made_by(command: str, seconds: float, cells: Path) -> dict[str, str]:
    """For the head of the report; `cells` is the folder of the trainings."""
    cell = [json.loads(path.read_text("utf-8")) for path in sorted(cells.glob("*/trained.json"))]
    commits = sorted({one["commit"] for one in cell if "commit" in one})
    return {
        "command": command,
        "commit": commit(),
        "machine": f"{processor()}, {os.cpu_count()} cores, {platform.system()}",
        "versions": f"Python {platform.python_version()}, torch {installed('torch')}",
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        "time": f"{seconds:.0f} s (what was cached took none)",
        "trainings": f"{sum(one['seconds'] for one in cell) / 3600:.1f} hours"
        + (f", at commits {', '.join(commits)}" if commits else ""),
    }


def commit() -> str:
    """Of the repository that this file lies in; `+` for changes on top of it."""
    words = ["git", "-C", str(Path(__file__).parent), "describe", "--always", "--dirty=+", "--abbrev=12"]
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return "unknown"
    return done.stdout.strip() or "unknown"


def processor() -> str:
    """The model of the processor."""
    try:
        lines = CPUS.read_text("utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.machine())


def installed(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "none"
