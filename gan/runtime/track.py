"""What a training says while it runs: one line of JSON a tick, and TensorBoard where it is installed."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from synth.dataset.atomic import write_atomic


def crossed(done: int, size: int, every: int) -> bool:
    """Whether the last step went past a multiple of `every`."""
    return done // every > (done - size) // every


class Track:
    """Means between ticks, one line of JSON each, and the same on the screen."""

    def __init__(self, path: Path, active: bool, done: int, board: bool = False) -> None:
        self.path, self.active = path, active
        self.sums: dict[str, float] = {}
        self.count, self.begun, self.before = 0, time.monotonic(), done
        self.board = board_of(path.parent / "board", done) if active and board else None
        if active:
            path.parent.mkdir(parents=True, exist_ok=True)
            self.forget(done)

    def forget(self, done: int) -> None:
        """Drop the lines after the state this run goes on from: it writes them again."""
        if not self.path.exists():
            return
        lines = self.path.read_text(encoding="utf-8").splitlines(keepends=True)
        whole = [line for line in lines if line.endswith("\n")]  # a kill can leave half a line
        write_atomic(self.path, "".join(line for line in whole if json.loads(line)["images"] <= done))

    def add(self, values: dict[str, float]) -> None:
        for name, value in values.items():
            self.sums[name] = self.sums.get(name, 0.0) + value
        self.count += 1

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Adds what the work inside took to `ms_<name>`."""
        begun = time.perf_counter()
        yield
        key = f"ms_{name}"
        self.sums[key] = self.sums.get(key, 0.0) + 1000 * (time.perf_counter() - begun)

    def tick(self, done: int, rate: float, trials: dict[str, dict[str, Any]]) -> None:
        means = {name: round(total / max(1, self.count), 5) for name, total in self.sums.items()}
        speed = (done - self.before) / max(1e-6, time.monotonic() - self.begun)
        line = {"images": done, **means, "rate": rate, "images_per_s": round(speed, 1), **trials}
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line, ensure_ascii=False) + "\n")
        print(json.dumps(line, ensure_ascii=False), flush=True)
        if self.board is not None:
            for name, value in means.items():
                self.board.add_scalar(name, value, done)
            self.board.flush()
        self.sums, self.count, self.begun, self.before = {}, 0, time.monotonic(), done


def board_of(folder: Path, done: int) -> Any:
    """A TensorBoard writer that drops what it has after `done`, or None without the package."""
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        return None
    return SummaryWriter(str(folder), purge_step=done)
