"""Checkpoints: safetensors, with what rebuilds the network in the header; nothing is unpickled."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from hydra.errors import InstantiationException
from hydra.utils import instantiate
from torch import Tensor, nn

from gan.runtime.weights import check_targets, load_strictly, read_weights, save_weights
from recognizer.codec import Codec
from synth.errors import UserError

KIND = "platesmith recognizer"
OURS = "recognizer.networks."  # a header may name any Python object to call; only these are called


@dataclass(frozen=True)
class Header:
    """What stands beside the weights: enough to rebuild and use the network."""

    network: dict[str, Any]  # a Hydra node with `_target_`
    height: int
    width: int
    symbols: tuple[str, ...]
    types: tuple[str, ...]
    temperature: float = 1.0  # of the character scores, so that confidence is the share that is right
    images: int = 0

    @property
    def codec(self) -> Codec:
        return Codec(tuple(self.symbols), tuple(self.types))


def build(header: Header) -> nn.Module:
    """The network of a header, with fresh weights."""
    codec = header.codec
    given = {
        "classes": codec.classes,
        "types": len(codec.types),
        "height": header.height,
        "width": header.width,
    }
    try:
        network: nn.Module = instantiate(header.network, **given, _convert_="all")
    except InstantiationException as error:
        if isinstance(error.__cause__, UserError):  # said by the network itself, in one line
            raise error.__cause__ from None
        raise
    return network


def save(path: Path, network: nn.Module, header: Header) -> None:
    """Write weights and header, whole or not at all."""
    save_weights(path, network.state_dict(), KIND, asdict(header))


def load(path: Path) -> tuple[nn.Module, Header]:
    """The network of a file in eval mode, and its header."""
    header, weights = read(path)
    network = build(header)
    load_strictly(path, network, weights)
    return network.eval(), header


def read(path: Path) -> tuple[Header, dict[str, Tensor]]:
    raw, weights = read_weights(path, KIND, "plate-train-recognizer")
    check_targets(path, raw.get("network"), OURS)
    try:
        header = Header(**{**raw, "symbols": tuple(raw["symbols"]), "types": tuple(raw["types"])})
    except (KeyError, TypeError) as error:
        reason = f"its header has no {error}" if isinstance(error, KeyError) else str(error)
        raise UserError(f"{path}: a checkpoint of another version ({reason}); train it again") from error
    return header, weights
