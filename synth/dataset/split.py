"""Which split a plate belongs to, by its text alone: no text is ever in two splits."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping

from synth.errors import UserError

SPLITS = ("train", "val", "test")


def check_fractions(fractions: Mapping[str, float]) -> None:
    """Refuses fractions that are negative, of unknown splits, or do not add up to 1."""
    if not isinstance(fractions, Mapping):
        raise UserError(
            f"split: {fractions!r} is not a mapping, as in split={{train: 0.8, val: 0.1, test: 0.1}}"
        )
    for name, share in fractions.items():
        if name not in SPLITS:
            raise UserError(f"split.{name}: no such split; use {', '.join(SPLITS)}")
        if isinstance(share, bool) or not isinstance(share, int | float) or not 0 <= share <= 1:
            raise UserError(f"split.{name}={share}: must lie between 0 and 1")
    total = sum(fractions.values())
    if not math.isclose(total, 1, abs_tol=1e-6):
        raise UserError(
            f"split: {dict(fractions)} adds up to {total:g}, not 1; give all of {', '.join(SPLITS)}"
        )


def split_of(text: str, fractions: Mapping[str, float], seed: int = 0) -> str:
    """The split of a text; shares are met on average, and the same text always goes to the same split."""
    key = (seed & 0xFFFFFFFFFFFFFFFF).to_bytes(8, "little")
    digest = hashlib.blake2b(text.encode(), digest_size=8, key=key).digest()
    place = int.from_bytes(digest, "little") / 2.0**64
    reached = 0.0
    for name, share in fractions.items():
        reached += share
        if place < reached:
            return name
    return max(fractions, key=lambda name: fractions[name])  # rounding of the sum only
