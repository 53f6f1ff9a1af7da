"""Weights files: safetensors, with what rebuilds the network in the header; nothing is unpickled."""

from __future__ import annotations

import importlib
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from synth.errors import UserError


def save_weights(
    path: Path, tensors: Mapping[str, Tensor], kind: str, header: Mapping[str, Any], half: bool = False
) -> None:
    """Write tensors and header, whole or not at all; `half` in float16."""
    weights = {
        name: tensor.detach()
        .to(torch.float16 if half and tensor.is_floating_point() else tensor.dtype)
        .contiguous()
        for name, tensor in tensors.items()
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    write(path, weights, {"kind": kind, "header": json.dumps(header, ensure_ascii=False)})


def write(path: Path, tensors: dict[str, Tensor], metadata: dict[str, str]) -> None:
    """A safetensors file, whole or not at all; a disk that is full is told in one line."""
    temporary = path.with_name(f".{path.name}.tmp")
    try:
        save_file(tensors, temporary, metadata)
        temporary.replace(path)
    except (SafetensorError, OSError) as error:
        temporary.unlink(missing_ok=True)
        reason = str(error).splitlines()[0]
        raise UserError(
            f"{path}: cannot be written ({reason}); free the disk, then the same command goes on"
        ) from error


def read_weights(path: Path, kind: str, writer: str) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Header and tensors (float32) of a file of this kind; `writer` is the command that makes such files."""
    try:
        with safe_open(str(path), framework="pt") as file:
            metadata = file.metadata() or {}
            if metadata.get("kind") != kind:
                what = kind.removeprefix("platesmith ")
                raise UserError(f"{path}: no {what} checkpoint of ours; give a file that {writer} wrote")
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except FileNotFoundError as error:
        raise UserError(f"{path}: no such weights file") from error
    except (SafetensorError, OSError) as error:
        raise UserError(f"{path}: not a readable safetensors file ({error}); copy it again") from error
    floats = {name: t.float() if t.is_floating_point() else t for name, t in tensors.items()}
    return json.loads(metadata["header"]), floats


def load_strictly(path: Path, network: nn.Module, weights: Mapping[str, Tensor]) -> None:
    """Put weights into a network that has exactly these."""
    try:
        missing, unexpected = network.load_state_dict(dict(weights), strict=False)
    except RuntimeError as error:  # a shape that differs
        missing, unexpected = [str(error).splitlines()[-1].strip()], []
    if missing or unexpected:
        names = ", ".join([*missing, *unexpected][:3])
        raise UserError(f"{path}: weights of another network ({names}); use the file its training wrote")


def check_targets(path: Path, network: Any, ours: str) -> None:
    """Refuse a header that would call anything but one of our networks: weights must not run code."""
    named = list(targets(network))
    own = network.get("_target_") if isinstance(network, Mapping) else None
    for target in named or [None]:
        if target != own or len(named) != 1 or not is_network(str(target), ours):
            raise UserError(f"{path}: refused: its header calls {target!r}, which is no network of ours")


def targets(node: Any) -> Iterator[Any]:
    """Every `_target_` in it, the deepest first."""
    parts = node.values() if isinstance(node, Mapping) else node
    if isinstance(parts, Iterable) and not isinstance(parts, str):
        for part in parts:
            yield from targets(part)
    if isinstance(node, Mapping) and "_target_" in node:
        yield node["_target_"]


def is_network(target: str, ours: str) -> bool:
    """Whether a dotted name is a network's class in the module of ours that defines it."""
    module, _, name = target.rpartition(".")
    if not f"{module}.".startswith(ours):
        return False
    try:
        found = getattr(importlib.import_module(module), name, None)
    except ImportError:
        return False
    return isinstance(found, type) and issubclass(found, nn.Module) and found.__module__ == module
