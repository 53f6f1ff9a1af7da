"""The weights file of an editor: the network and what rebuilds it."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from hydra.errors import HydraException
from hydra.utils import instantiate
from torch import nn

from gan.checkpoint import OURS, Header
from gan.outline import COUNT
from gan.runtime.weights import check_targets, load_strictly, read_weights, save_weights
from gan.spg.network import SPG
from synth.errors import UserError

KIND = "platesmith editor"


def build(header: Header) -> SPG:
    """The network of a header, with fresh weights."""
    network: SPG = instantiate(header.network, planes=header.planes, _convert_="all")
    return network


def save(path: Path, network: nn.Module, header: Header, half: bool = True) -> None:
    """Write weights and header, whole or not at all."""
    save_weights(path, network.state_dict(), KIND, asdict(header), half)


def load(path: Path) -> tuple[SPG, Header]:
    """Network in eval mode and header of a file; every fault is one line that names the file."""
    raw, tensors = read_weights(path, KIND, "plate-train-gan gan=spg")
    try:
        header = Header(**{**raw, "sizes": tuple((int(h), int(w)) for h, w in raw["sizes"])})
        check_targets(path, header.network, OURS)
        if header.planes != COUNT:
            reason = f"made for {header.planes} outline planes, this version draws {COUNT}"
            raise UserError(f"{path}: {reason}; train again")
        network = build(header)
    except (HydraException, TypeError, ValueError, LookupError) as error:
        reason = str(error).splitlines()[0][:120]
        raise UserError(f"{path}: not made by this version ({reason}); train again") from error
    load_strictly(path, network, tensors)
    return network.eval(), header
