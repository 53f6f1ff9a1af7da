"""Checkpoints: safetensors, with what rebuilds the network in the header; nothing is unpickled."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from hydra.utils import instantiate
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from recognizer.codec import Codec
from synth.errors import UserError

KIND = "platesmith recognizer"


@dataclass(frozen=True)
class Header:
    """What stands beside the weights: enough to rebuild and use the network."""

    network: dict[str, Any]  # a Hydra node with `_target_`
    height: int
    width: int
    characters: str
    types: tuple[str, ...]
    temperature: float = 1.0  # of the character scores, so that confidence is the share that is right
    images: int = 0

    @property
    def codec(self) -> Codec:
        return Codec(self.characters, tuple(self.types))


def build(header: Header) -> nn.Module:
    """The network of a header, with fresh weights."""
    codec = header.codec
    network: nn.Module = instantiate(
        header.network,
        classes=codec.classes,
        types=len(codec.types),
        height=header.height,
        width=header.width,
        _convert_="all",
    )
    return network


def save(path: Path, network: nn.Module, header: Header, half: bool = False) -> None:
    """Write weights and header, whole or not at all."""
    weights = {
        name: tensor.detach()
        .to(torch.float16 if half and tensor.is_floating_point() else tensor.dtype)
        .contiguous()
        for name, tensor in network.state_dict().items()
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.tmp")
    save_file(weights, temporary, {"kind": KIND, "header": json.dumps(asdict(header), ensure_ascii=False)})
    temporary.replace(path)


def load(path: Path) -> tuple[nn.Module, Header]:
    """The network of a file in eval mode, and its header."""
    header, weights = read(path)
    network = build(header)
    missing, unexpected = network.load_state_dict(weights, strict=False)
    if missing or unexpected:
        names = ", ".join([*missing, *unexpected][:3])
        raise UserError(f"{path}: weights of another network ({names}); use the file its training wrote")
    return network.eval(), header


def read(path: Path) -> tuple[Header, dict[str, Tensor]]:
    try:
        with safe_open(str(path), framework="pt") as file:
            metadata = file.metadata() or {}
            if metadata.get("kind") != KIND:
                raise UserError(
                    f"{path}: no recognizer checkpoint of ours; give a file that plate-train-recognizer wrote"
                )
            weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except FileNotFoundError as error:
        raise UserError(f"{path}: no such weights file") from error
    except (SafetensorError, OSError) as error:
        raise UserError(f"{path}: not a readable safetensors file ({error}); copy it again") from error
    raw = json.loads(metadata["header"])
    floats = {name: t.float() if t.is_floating_point() else t for name, t in weights.items()}
    return Header(**{**raw, "types": tuple(raw["types"])}), floats
