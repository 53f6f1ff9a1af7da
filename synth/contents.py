"""What the files that a configuration names hold: the same keys with another file are another data set."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from synth.catalogue import load_type, type_path
from synth.charset import bundled, load_alphabets
from synth.confdata import inherited, read_yaml
from synth.dataset.files import walk
from synth.grammar import grammar_of

NAMING = ("weights", "path")  # keys of stages that name a file or folder, or are null

_seen: dict[str, str] = {}  # own type -> digest when it was last read


def contents(config: Mapping[str, Any]) -> dict[str, str]:
    """Sixteen hex digits of what each key's file or folder holds; nothing for bundled ones."""
    found = {"texts": file_digest(Path(config["texts"]))} if config["texts"] else {}
    found |= {f"plates.types {name}": type_digest(name) for name in own_types(config)}
    return found | {key: file_digest(path) for key, path in named(config["stages"] or {}, "stages")}


def own_types(config: Mapping[str, Any]) -> list[str]:
    return [name for name in config["plates"]["types"] if str(name).endswith((".yaml", ".yml"))]


def named(settings: Any, key: str) -> Iterator[tuple[str, Path]]:
    """(dotted key, what is there) of every file and folder that stages name, however deep."""
    inside: Iterable[tuple[Any, Any]] = enumerate(settings) if isinstance(settings, list) else ()
    for name, value in settings.items() if isinstance(settings, dict) else inside:
        if name in NAMING and isinstance(value, str) and Path(value).exists():
            yield f"{key}.{name}", Path(value)
        else:
            yield from named(value, f"{key}.{name}")


def file_digest(path: Path) -> str:
    """Of a file's bytes, or of the names and bytes of all files of a folder."""
    digest = hashlib.sha256()
    for file in walk(path, ("",)) if path.is_dir() else [path]:
        digest.update(f"{file.relative_to(path).as_posix()}\n{file.stat().st_size}\n".encode())
        with file.open("rb") as content:
            while block := content.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()[:16]


def type_digest(name: str) -> str:
    """Of a type file of one's own with its bases, and its alphabets where they are one's own."""
    path = type_path(name)
    read: list[Any] = [inherited(path, ())]
    country = read[0].get("country")
    alphabets = path.parent / f"alphabet-{country}.yaml"
    if alphabets.is_file() and not bundled(str(country)).is_file():
        read.append(read_yaml(alphabets))
    return hashlib.sha256(repr(read).encode()).hexdigest()[:16]


def refresh(config: Mapping[str, Any]) -> None:
    """Forget types that this process has read, where a file of one's own may be another since."""
    now = {name: type_digest(name) for name in own_types(config)}
    if any(_seen.get(name) != digest for name, digest in now.items()):
        for cached in (load_type, grammar_of, load_alphabets):
            cached.cache_clear()
    _seen.update(now)
