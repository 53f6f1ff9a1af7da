"""bfloat16 where the machine is fast at it, and where it is asked for."""

from __future__ import annotations

import pytest
import torch

from gan.artist import working_type
from gan.runtime.precision import autocast_of
from synth.errors import UserError


@pytest.mark.parametrize("fast", [False, True])
def test_null_is_what_the_processor_is_fast_at(fast: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: fast, raising=False)
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: False, raising=False)
    assert autocast_of(None) is fast
    assert working_type("auto") is (torch.bfloat16 if fast else torch.float32)
    assert autocast_of(True) and not autocast_of(False)


def test_a_processor_that_torch_knows_nothing_of_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    for name in ("_is_avx512_bf16_supported", "_is_amx_tile_supported"):
        monkeypatch.delattr(torch.cpu, name, raising=False)
    assert not autocast_of(None)


def test_anything_else_is_told() -> None:
    with pytest.raises(UserError, match="autocast: 'maybe' is not true, false or null"):
        autocast_of("maybe")
