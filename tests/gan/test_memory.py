"""What the judge remembers: earlier drawings, so many at most, and after a resume the same ones."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("torch")

import torch

from gan.memory import Memory
from gan.runtime.state import load_state, save_state


def of(number: int, count: int = 4) -> tuple[torch.Tensor, torch.Tensor]:
    return torch.full((count, 3, 6, 8), float(number)), torch.full((count, 9, 6, 8), float(number))


def test_nothing_is_remembered_at_first() -> None:
    assert Memory(8).recall(4) is None


def test_it_keeps_so_many_and_forgets_any() -> None:
    torch.manual_seed(0)
    memory = Memory(8)
    for number in range(10):
        memory.keep(*of(number))
    assert len(memory.pictures) == len(memory.told) == 8
    pictures, told = memory.recall(200)  # type: ignore[misc]
    numbers = set(pictures[:, 0, 0, 0].tolist())
    assert len(numbers) > 2 and max(numbers) == 9
    assert torch.equal(pictures[:, 0, 0, 0], told[:, 0, 0, 0])  # each with its own condition


def test_a_state_gives_it_back(tmp_path: Path) -> None:
    memory, other = Memory(8), Memory(8)
    memory.keep(*of(3))
    save_state(tmp_path / "s", {"memory": memory}, {"images": 4})
    load_state(tmp_path / "s", {"memory": other})
    assert torch.equal(memory.pictures, other.pictures) and torch.equal(memory.told, other.told)
