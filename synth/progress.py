"""Progress of long work: a bar on a terminal, elsewhere one plain line every so often."""

from __future__ import annotations

import sys
import time
from types import TracebackType

from tqdm import tqdm

EVERY_S = 15.0


class Progress:
    """Counts things done, from `before` to `total`, and shows the rate."""

    def __init__(self, total: int, before: int, unit: str) -> None:
        self.total, self.before, self.done, self.unit = total, before, before, unit
        self.begun = self.told = time.monotonic()
        self.bar = tqdm(total=total, initial=before, unit=f" {unit}", disable=not sys.stderr.isatty())

    def add(self, count: int) -> None:
        self.done += count
        self.bar.update(count)
        now = time.monotonic()
        if self.bar.disable and (now - self.told > EVERY_S or self.done >= self.total):
            rate = (self.done - self.before) / max(now - self.begun, 1e-6)
            print(f"{self.done} of {self.total} {self.unit}, {rate:.0f}/s", file=sys.stderr, flush=True)
            self.told = now

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.bar.close()
