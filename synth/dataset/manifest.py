"""config.yaml and manifest.json: what a folder was made with, and who may go on writing there."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import yaml

from synth.dataset.atomic import disk_errors, write_atomic
from synth.dataset.shards import FOLDER, ShardDone
from synth.errors import UserError

IGNORED = ("engine", "out", "hydra")  # keys that do not change a byte of the data set
SHOWN = 5  # differences named in the one line


@dataclass(frozen=True)
class Manifest:
    """A finished data set; `digest` is over the shards' digests, the same in every format."""

    format: str
    version: str
    config_sha: str
    total: int
    splits: dict[str, int]
    digest: str
    shards: list[ShardDone]


def relevant(config: Mapping[str, Any]) -> dict[str, Any]:
    """The part of the configuration that decides the bytes."""
    return {key: value for key, value in config.items() if key not in IGNORED}


def config_sha(config: Mapping[str, Any]) -> str:
    """Sixteen hex digits of what decides the plates: the same in every format, in records and manifest."""
    plates = {key: value for key, value in relevant(config).items() if key != "format"}
    text = json.dumps(plates, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def config_text(config: Mapping[str, Any]) -> str:
    """The relevant part as YAML."""
    return yaml.safe_dump(relevant(config), allow_unicode=True, sort_keys=False)


def claim(root: Path, config: Mapping[str, Any]) -> None:
    """Write config.yaml into a new folder; refuse one made with another configuration or by others."""
    path = root / "config.yaml"
    if not path.exists():
        if root.exists() and not root.is_dir():
            raise UserError(f"{root}: is a file; choose another out=")
        strangers = sorted(p.name for p in root.glob("*") if not p.name.startswith("."))
        if strangers:
            raise UserError(
                f"{root}: not empty (has {strangers[0]}) and without config.yaml; choose another out="
            )
        with disk_errors(root):
            write_atomic(path, config_text(config))
        return
    try:
        there = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UserError(
            f"{path}: unreadable ({type(error).__name__}); delete the folder and start again"
        ) from error
    here = yaml.safe_load(config_text(config))
    differences = list(_differences(there if isinstance(there, dict) else {}, here))
    if differences:
        more = f" and {len(differences) - SHOWN} more" if len(differences) > SHOWN else ""
        raise UserError(
            f"{path}: made with another configuration: {'; '.join(differences[:SHOWN])}{more}; "
            "give the same keys or choose another out="
        )


def unclaim(root: Path) -> None:
    """Remove a claimed folder in which no shard lies: a mistake of the user leaves nothing behind."""
    made = {path.relative_to(root).as_posix() for path in root.rglob("*")}
    if made <= {"config.yaml", FOLDER, f"{FOLDER}/lock"}:
        shutil.rmtree(root)


def manifest_of(form: str, version: str, sha: str, shards: Sequence[ShardDone]) -> Manifest:
    """The manifest of finished shards."""
    splits: Counter[str] = Counter()
    digest = hashlib.sha256()
    for done in shards:
        splits.update(done.splits)
        digest.update(bytes.fromhex(done.digest))
    total = sum(splits.values())
    return Manifest(form, version, sha, total, dict(sorted(splits.items())), digest.hexdigest(), list(shards))


def write_manifest(root: Path, manifest: Manifest) -> None:
    with disk_errors(root):
        write_atomic(root / "manifest.json", json.dumps(asdict(manifest), indent=1) + "\n")


def read_manifest(root: Path) -> Manifest | None:
    """The manifest of a finished data set, None while it is unfinished."""
    path = root / "manifest.json"
    if not path.exists():
        return None
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
        return Manifest(**{**raw, "shards": [ShardDone(**shard) for shard in raw["shards"]]})
    except (ValueError, TypeError, KeyError) as error:
        raise UserError(f"{path}: not a manifest ({error}); delete it to have it written again") from error


def is_unfinished(root: Path) -> bool:
    """Whether a run was cut short in this folder."""
    return (root / FOLDER).exists() and not (root / "manifest.json").exists()


def _differences(there: Mapping[str, Any], here: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    if prefix and there and here and not there.keys() & here.keys():  # stages: two wholly different things
        yield f"{prefix.rstrip('.')}: {', '.join(map(str, there))} there, {', '.join(map(str, here))} here"
        return
    for key in sorted({*there, *here}, key=str):
        name = f"{prefix}{key}"
        if not prefix and key in IGNORED:
            continue
        if prefix == "contents." and key in there and key in here:
            if there[key] != here[key]:
                yield f"{key}: holds something else since"
        elif key not in there:
            yield f"{name}: absent there, {_short(here[key])} here"
        elif key not in here:
            yield f"{name}: {_short(there[key])} there, absent here"
        elif isinstance(there[key], Mapping) and isinstance(here[key], Mapping):
            yield from _differences(there[key], here[key], f"{name}.")
        elif there[key] != here[key]:
            yield f"{name}: {_short(there[key])} there, {_short(here[key])} here"


def _short(value: Any, most: int = 60) -> str:
    """A value in few words: of a mapping the names, of a long list the first and how many."""
    if isinstance(value, Mapping) and value:
        value = "{" + ", ".join(map(str, value)) + "}"
    elif isinstance(value, list) and len(repr(value)) > most:
        return f"[{value[0]}, ... {len(value)} in all]"
    text = value if isinstance(value, str) else repr(value)
    return text if len(text) <= most else f"{text[:most]}..."
