"""The catalogue of plate types: finds, inherits, checks and caches the YAML files of `conf/plate`."""

from __future__ import annotations

import functools
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from synth.checks import check_type
from synth.confdata import conf_folder, first_problem, inherited, shown_path
from synth.errors import UserError, nearest
from synth.spec import KEYS, PlateType

_ADAPTER = TypeAdapter(PlateType)


@functools.cache
def type_names() -> tuple[str, ...]:
    """Every bundled type, `country/name`, in the order of the files; names starting with `_` are bases."""
    root = conf_folder() / "plate"
    return tuple(
        f"{path.parent.name}/{path.stem}"
        for path in sorted(root.glob("*/*.yaml"))
        if not path.stem.startswith("_")
    )


@functools.cache
def load_type(name: str) -> PlateType:
    """A type by its catalogue name (`cn/blue`) or by the path of a YAML file of one's own."""
    path = type_path(name)
    shown = shown_path(path)
    data = inherited(path, ())
    data |= {"id": name_of(path), "file": shown}
    try:
        plate = _ADAPTER.validate_python(data)
    except ValidationError as error:
        raise UserError(f"{shown}: {first_problem(error, KEYS)}") from error
    check_type(plate)
    return plate


def name_of(path: Path) -> str:
    """`cn/blue` for a bundled file; a file of one's own has its own name, wherever it lies."""
    bundled = path.resolve().is_relative_to((conf_folder() / "plate").resolve())
    return f"{path.parent.name}/{path.stem}" if bundled else path.stem


def type_path(name: str) -> Path:
    if not isinstance(name, str):
        raise UserError(f"plates.types: {name!r} is no plate type; give names such as cn/blue, or YAML files")
    if name.endswith((".yaml", ".yml")):
        path = Path(name)
        if not path.is_file():
            raise UserError(f"{name}: no such plate type file")
        return path.resolve()
    path = conf_folder() / "plate" / f"{name}.yaml"
    if (conf_folder() / "plates" / f"{name}.yaml").is_file():
        raise UserError(f"plates.types: {name!r} is a group of types; write plates={name}")
    if "/" not in name or not path.is_file():
        raise UserError(f"plates: unknown type {name!r}; {nearest(name, type_names())}")
    return path
