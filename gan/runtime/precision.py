"""Whether to compute in bfloat16: a processor that does not multiply it takes three times as long."""

from __future__ import annotations

import torch

from synth.errors import UserError


def has_bfloat16() -> bool:
    """Whether the processor multiplies bfloat16."""
    names = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
    return any(getattr(torch.cpu, name, lambda: False)() for name in names)


def autocast_of(wanted: object) -> bool:
    """`autocast` of a training; null is what the GPU is fast at, or the processor where there is none."""
    if wanted is None:
        return torch.cuda.is_bf16_supported() if torch.cuda.is_available() else has_bfloat16()
    if isinstance(wanted, bool):
        return wanted
    raise UserError(f"autocast: {wanted!r} is not true, false or null, where the processor is fast at it")
