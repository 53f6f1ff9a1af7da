"""Data files of `conf/`: where they are, how they are read, inherited and reported on."""

from __future__ import annotations

from collections.abc import Iterable
from importlib import resources
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from synth.errors import UserError, nearest


def conf_folder() -> Path:
    return Path(str(resources.files("conf")))


def shown_path(path: Path) -> str:
    """A path as the user knows it: `conf/plate/cn/blue.yaml` for bundled files."""
    root = conf_folder()
    return f"conf/{path.relative_to(root).as_posix()}" if path.is_relative_to(root) else str(path)


def read_yaml(path: Path) -> dict[str, Any]:
    shown = shown_path(path)
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        problem = getattr(error, "problem", None) or str(error)
        raise UserError(f"{shown}: {where}{problem}; mend the YAML there") from error
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{shown}: cannot be read: {error}") from error
    if not isinstance(data, dict):
        raise UserError(f"{shown}: must be a mapping of keys to values")
    return data


def inherited(path: Path, seen: tuple[Path, ...]) -> dict[str, Any]:
    """The file merged over those its `defaults` names (same folder, or `country/name`), `_self_` last."""
    if path in seen:
        raise UserError(f"{shown_path(path)}: defaults go round in a circle; remove one of them")
    data = read_yaml(path)
    if path.is_relative_to(conf_folder() / "plate"):
        data.setdefault("country", path.parent.name)
    merged: dict[str, Any] = {}
    bases = data.pop("defaults", [])
    if not isinstance(bases, list):
        said = f"defaults: {'empty' if bases is None else repr(bases)}"
        raise UserError(f"{shown_path(path)}: {said}; give a list, such as [cn/blue], or leave it out")
    for base in bases:
        if base == "_self_":
            continue
        base_path = path.parent / f"{base}.yaml"
        if not base_path.is_file():
            base_path = conf_folder() / "plate" / f"{base}.yaml"
        if not base_path.is_file():
            raise UserError(f"{shown_path(path)}: defaults: no file {base!r} beside it or in conf/plate")
        merged = merge(merged, inherited(base_path, (*seen, path)))
    return merge(merged, data)


def merge(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    """Mappings merge key by key, anything else (lists too) is replaced."""
    result = dict(below)
    for key, value in above.items():
        if isinstance(value, dict) and isinstance(result.get(key), dict):
            result[key] = merge(result[key], value)
        else:
            result[key] = value
    return result


def first_problem(error: ValidationError, names: Iterable[str] = ()) -> str:
    """`rows.0.blocks.1.cells: Field required`, for the first of the problems; a name that nothing has is told
    with the nearest of `names`.
    """
    problem = error.errors()[0]
    key = ".".join(str(part) for part in problem["loc"] if part not in ("function-before",))
    if problem["type"] in ("unexpected_keyword_argument", "extra_forbidden"):
        return f"{key}: no such key; {nearest(str(problem['loc'][-1]), names, 1)}"
    return f"{key}: {problem['msg']}"
