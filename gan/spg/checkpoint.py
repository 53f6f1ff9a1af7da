"""The weights file of an editor: the network and what rebuilds it."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from hydra.utils import instantiate
from torch import Tensor, nn

from gan.checkpoint import Header, header_of, need_finite, this_version
from gan.runtime.weights import load_strictly, read_weights, save_weights
from gan.spg.network import SPG

KIND = "platesmith editor"


def build(header: Header) -> SPG:
    """The network of a header, with fresh weights."""
    network: SPG = instantiate(header.network, planes=header.planes, _convert_="all")
    return network


def save(path: Path, network: nn.Module, header: Header, half: bool = True) -> None:
    """Write weights and header, whole or not at all."""
    need_finite(path, network)
    save_weights(path, network.state_dict(), KIND, asdict(header), half)


def tensors_of(path: Path) -> dict[str, Tensor]:
    """The weights of a file as they are."""
    return read_weights(path, KIND, "plate-train-gan gan=spg")[1]


def load(path: Path) -> tuple[SPG, Header]:
    """Network in eval mode and header of a file; every fault is one line that names the file."""
    raw, tensors = read_weights(path, KIND, "plate-train-gan gan=spg")
    with this_version(path):
        header = header_of(path, raw)
        network = build(header)
    load_strictly(path, network, tensors)
    return network.eval(), header
