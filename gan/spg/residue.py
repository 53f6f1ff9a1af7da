"""Whether an edited plate still shows what stood on it before."""

from __future__ import annotations

NEAR = 1  # characters that may differ and the old text is still given away


def still_read(old: str, reading: str) -> bool:
    """Whether a reading is the old text, or has all but NEAR of its characters in place."""
    if len(reading) != len(old):
        return False
    return sum(a != b for a, b in zip(old, reading, strict=True)) <= NEAR
