"""Results by the digest of what decides them: a second run recomputes nothing."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from synth.dataset.atomic import write_atomic
from synth.errors import UserError

VERSION = 2  # of what a result holds
SHOWN = 12  # hexadecimal digits of a digest in a file name


def digest(content: Any) -> str:
    """SHA-256 of plain data, whatever the order of its keys."""
    text = json.dumps(content, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:SHOWN]


def file_digest(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()[:SHOWN]
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror})") from error


def folder_digest(folder: Path) -> str:
    """Of every file in it, by name and content."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return digest([(path.relative_to(folder).as_posix(), file_digest(path)) for path in files])


@dataclass(frozen=True)
class Cache:
    """JSON files `name.digest.json` in a folder."""

    folder: Path

    def path(self, name: str, key: str, ending: str = "json") -> Path:
        return self.folder / f"{name}.{key}.{ending}"

    def get(self, name: str, key: str, make: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """The result that is there, or the one that `make` gives, which is then there."""
        path = self.path(name, key)
        if path.exists():
            try:
                found: dict[str, Any] = json.loads(path.read_text("utf-8"))
            except ValueError as error:
                raise UserError(f"{path}: not a result ({error}); delete it") from error
            return found
        made = make()
        write_atomic(path, json.dumps(made, ensure_ascii=False) + "\n")
        return made
