"""What a training begins with: weights drawn, those of a file, or parts of several files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from omegaconf import DictConfig
from torch import nn

from gan.runtime.weights import load_strictly
from recognizer.backends import weights_of
from recognizer.checkpoint import Header, build, read
from recognizer.loop import Weights
from synth.errors import UserError, nearest


def need_share_of_start(config: DictConfig) -> None:
    share = config.start_share
    if not 0 <= share < 1 or (share and config.start is None):
        raise UserError(f"start_share: {share}: give start= and a share from 0 to less than 1")
    if config.start_parts and config.start is None:
        raise UserError(f"start_parts: {dict(config.start_parts)}: the others would be drawn; give start=")


def start_file(start: str, key: str = "start") -> Path:
    """The file that `start` means."""
    path = weights_of(start)
    if not path.is_file():
        raise UserError(f"{key}: {path}: no such weights file; give one, `bundled`, or null")
    return path


def lent_by(start: str, header: Header, key: str = "start") -> tuple[Path, Header, Weights]:
    """The weights of a file that speaks of the same pictures, symbols and types, by the same network."""
    path = start_file(start, key)
    there, weights = read(path)
    for name in ("height", "width", "symbols", "types"):
        if getattr(there, name) != getattr(header, name):
            raise UserError(f"{key}: {path}: another {name} than that of recognizer; leave {key}= out")
    if there.network.get("_target_") != header.network.get("_target_"):
        raise UserError(f"{key}: {path}: another network than that of recognizer; leave {key}= out")
    return path, there, weights


def first_weights(
    start: str | None,
    header: Header,
    seed: int = 0,
    share: float = 0.0,
    tell: bool = True,
    parts: Mapping[str, str] | None = None,
) -> Weights | None:
    """What a training begins with: drawn, or those of a file with the same symbols.

    Of a network of other widths or parts what has the same name and shape is taken, the rest drawn anew.
    `parts` of the network may come from files of their own.
    """
    torch.manual_seed(seed)
    network = build(header)  # says what is wrong with it
    if start is None:
        return None
    path, there, weights = lent_by(start, header)
    drawn = network.state_dict()
    missing = [name for name, own in drawn.items() if name not in weights or weights[name].shape != own.shape]
    if there.network == header.network:
        load_strictly(path, network, weights)
    elif share and missing:
        raise UserError(f"start_share: {share}: {path} lacks {missing[0]} of this network; leave it out")
    elif tell:
        print(f"start: {path}: of another make; {len(missing)} of {len(drawn)} tensors are drawn anew")
    first = {name: drawn[name] if name in missing else weights[name] for name in drawn}
    for part, file in (parts or {}).items():
        first |= part_of(part, file, header, network)
    return first


def part_of(part: str, file: str, header: Header, network: nn.Module) -> Weights:
    """The weights of a part of the network as a file has them."""
    key = f"start_parts.{part}"
    if part not in (known := dict(network.named_children())):
        raise UserError(f"{key}: the network has no such part; {nearest(part, known)}")
    path, _, weights = lent_by(file, header, key)
    own = {name: value for name, value in network.state_dict().items() if name.startswith(f"{part}.")}
    for name, value in own.items():
        if name not in weights or weights[name].shape != value.shape:
            raise UserError(f"{key}: {path} lacks {name} of this network; give weights of the same make")
    return {name: weights[name] for name in own}
