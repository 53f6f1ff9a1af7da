"""A trained generator made ready to draw fast on a CPU: batch norms folded, bfloat16 where the CPU has it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from gan.batches import as_input, as_pictures, planes_of
from gan.blocks import folded
from gan.checkpoint import Header, load
from gan.runtime.precision import has_bfloat16
from synth.errors import UserError
from synth.sample import Image

AT_ONCE = 32  # pictures in one forward: larger batches are no faster
PRECISIONS = {"auto": None, "float32": torch.float32, "bfloat16": torch.bfloat16}


def working_type(precision: str) -> torch.dtype:
    """The type to compute in: `auto` is bfloat16 on processors that multiply it."""
    if precision not in PRECISIONS:
        raise UserError(f"precision: {precision!r} is unknown; use {', '.join(PRECISIONS)}")
    chosen = PRECISIONS[precision]
    if chosen is not None:
        return chosen
    return torch.bfloat16 if has_bfloat16() else torch.float32


@contextmanager
def with_threads(threads: int) -> Iterator[None]:
    """So many threads of torch; as many as before afterwards."""
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextmanager
def quiet(seed: int) -> Iterator[None]:
    """One thread, no gradients, chance that starts from `seed`; everything as before afterwards."""
    with with_threads(1), torch.inference_mode(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield


@dataclass(frozen=True)
class Artist:
    """Draws pictures from conditions."""

    generator: nn.Module
    means: NDArray[np.float32]  # K S: the bank of styles
    deviations: NDArray[np.float32]  # K S
    corners: NDArray[np.float32]  # K 4 2: how plates lie in those crops; none in older files
    heads: NDArray[np.float32]  # K 4 4: the bolts there; none in older files
    header: Header
    dtype: torch.dtype

    @classmethod
    def of(cls, path: Path, precision: str = "auto") -> Artist:
        network, styles, header = load(path)
        dtype = working_type(precision)
        generator = folded(network.generator).to(dtype, memory_format=torch.channels_last)  # type: ignore[call-overload]
        bank = styles.mean.numpy(), styles.deviation.numpy(), styles.corners.numpy(), styles.heads.numpy()
        return cls(generator.requires_grad_(False), *bank, header, dtype)

    @property
    def style(self) -> int:
        return self.means.shape[1]

    def size_for(self, aspect: float) -> tuple[int, int]:
        """Height and width to draw a plate of this aspect at: the nearest of those it knows."""
        return min(self.header.sizes, key=lambda size: abs(np.log(size[1] / size[0] / aspect)))

    def draw(
        self,
        conditions: Sequence[NDArray[np.uint8]],
        codes: NDArray[np.float32],
        noise: Sequence[NDArray[np.float32]],
        seed: int,
    ) -> list[Image]:
        """Conditions H W C of one size, codes N S, noise H W each -> pictures H W 3."""
        drawn: list[Image] = []
        with quiet(seed):
            for start in range(0, len(conditions), AT_ONCE):
                part = slice(start, start + AT_ONCE)
                given = as_input(planes_of(conditions[part])).to(self.dtype)
                grain = torch.from_numpy(np.stack(noise[part]))[:, None].to(self.dtype)
                code: Tensor = torch.from_numpy(codes[part]).to(self.dtype)
                drawn += list(as_pictures(self.generator(given, code, grain)))
        return drawn
