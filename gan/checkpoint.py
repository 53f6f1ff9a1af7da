"""The weights file of a generator: networks, the styles of its training crops, and what rebuilds them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from hydra.errors import HydraException
from hydra.utils import instantiate
from torch import Tensor, nn

from gan.outline import COUNT
from gan.pix2pix import Pix2Pix
from gan.runtime.weights import check_targets, load_strictly, read_weights, save_weights
from synth.errors import UserError

KIND = "platesmith generator"
OURS = "gan."  # a header may name any Python object to call; only these are called


@dataclass(frozen=True)
class Header:
    """What stands beside the weights."""

    network: dict[str, Any]  # a Hydra node with `_target_`
    sizes: tuple[tuple[int, int], ...]  # height, width it draws at, the trained one first
    planes: int = COUNT  # of the condition
    config: Mapping[str, Any] = field(default_factory=dict)  # how it was trained
    data: Mapping[str, Any] = field(default_factory=dict)  # on what
    images: int = 0
    seen: tuple[int, int] | None = None  # height, width of crops smaller than what is drawn


@dataclass(frozen=True)
class Styles:
    """The bank: styles of the training crops as the encoder found them, and how plates lie there."""

    mean: Tensor  # K S
    deviation: Tensor  # K S
    corners: Tensor = field(default_factory=lambda: torch.zeros(0, 4, 2))  # K 4 2, in shares of the crop
    heads: Tensor = field(default_factory=lambda: torch.zeros(0, 4, 4))  # K 4 4: bolts, see gan.heads

    @classmethod
    def none(cls, style: int) -> Styles:
        return cls(torch.zeros(0, style), torch.zeros(0, style))


def build(header: Header) -> Pix2Pix:
    """The network of a header, with fresh weights."""
    network: Pix2Pix = instantiate(header.network, planes=header.planes, _convert_="all")
    return network


def save(path: Path, network: nn.Module, styles: Styles, header: Header, half: bool = True) -> None:
    """Write weights, styles and header, whole or not at all."""
    tensors = {f"network.{name}": value for name, value in network.state_dict().items()}
    need_finite(path, network)
    tensors |= {f"styles.{name}": getattr(styles, name) for name in ("mean", "deviation", "corners", "heads")}
    save_weights(path, tensors, KIND, asdict(header), half)


def need_finite(path: Path, network: nn.Module) -> None:
    """Refuse to write what can draw nothing, perhaps over what can."""
    for name, value in network.state_dict().items():
        if not bool(value.isfinite().all()):
            raise UserError(f"{path}: left as it is: {name} is no number; train with a lower learning_rate")


@contextmanager
def this_version(path: Path) -> Iterator[None]:
    """What does not fit while a network is rebuilt, as one line that names the file."""
    try:
        yield
    except (HydraException, TypeError, ValueError, LookupError) as error:
        reason = str(error).splitlines()[0][:120]
        raise UserError(f"{path}: not made by this version ({reason}); train again") from error


def header_of(path: Path, raw: Mapping[str, Any]) -> Header:
    """The header of a file, if this version can draw for its network."""
    sizes = tuple((int(h), int(w)) for h, w in raw["sizes"])
    seen = tuple(map(int, raw["seen"])) if raw.get("seen") else None
    header = Header(**{**raw, "sizes": sizes, "seen": seen})
    check_targets(path, header.network, OURS)
    if header.planes != COUNT:
        reason = f"drawn from {header.planes} outline planes, this version draws {COUNT}"
        raise UserError(f"{path}: {reason}; train again")
    return header


def load(path: Path) -> tuple[Pix2Pix, Styles, Header]:
    """Network in eval mode, styles and header of a file; every fault is one line that names the file."""
    raw, tensors = read_weights(path, KIND, "plate-train-gan")
    with this_version(path):
        header = header_of(path, raw)
        network = build(header)
        found = {key.removeprefix("styles."): t for key, t in tensors.items() if key.startswith("styles.")}
        styles = Styles(**found)
    weights = {k.removeprefix("network."): v for k, v in tensors.items() if k.startswith("network.")}
    load_strictly(path, network, weights)
    return network.eval(), styles, header
