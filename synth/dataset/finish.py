"""From finished shards to a data set: files in place, balance, sheet, card, and last the manifest."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from synth.dataset.atomic import disk_errors, write_atomic
from synth.dataset.card import card_text
from synth.dataset.manifest import (
    Manifest,
    config_sha,
    manifest_of,
    read_manifest,
    relevant,
    write_manifest,
)
from synth.dataset.shards import FOLDER, Format, ShardDone, read_done, shard_counts
from synth.dataset.sheet import pick, write_sheet
from synth.dataset.sources import stream
from synth.dataset.stats import write_balance
from synth.errors import UserError

PER_TYPE = 8  # pictures of a type on the sheet


def finish(
    root: Path, form: Format, shards: int, config: Mapping[str, Any], version: str, command: str = ""
) -> Manifest:
    """Publish shards 0 to `shards` - 1. Can be called again after a kill; done already it changes nothing."""
    manifest = read_manifest(root)
    if manifest is None:
        manifest = _publish(root, form, all_done(root, shards), config, version, command)
    shutil.rmtree(root / FOLDER, ignore_errors=True)
    return manifest


def _publish(
    root: Path,
    form: Format,
    done: list[ShardDone],
    config: Mapping[str, Any],
    version: str,
    command: str,
) -> Manifest:
    manifest = manifest_of(form.name, version, config_sha(config), done)
    balance, names = shard_counts(root, done)
    form.publish(root, done)
    with disk_errors(root):
        summary = write_balance(root, balance)
        wanted = {name: min(count, PER_TYPE) for name, count in sorted(balance.types.items())}
        rows = pick(stream(form.name, root), wanted, names)
        if not rows:  # a format without types
            rows = pick(stream(form.name, root), {"": PER_TYPE})
        write_sheet(root / "sheet.png", rows)
        write_atomic(root / "card.md", card_text(manifest, relevant(config), summary, command))
    write_manifest(root, manifest)
    return manifest


def all_done(root: Path, shards: int, parts: int = 1) -> list[ShardDone]:
    """The shards, every one; with `parts` it is other runs that make them."""
    found = read_done(root)
    missing = [number for number in range(shards) if number not in found]
    if missing:
        lacking = ", ".join(map(str, sorted({number % parts for number in missing})))
        again = f"wait for part {lacking} or run it again" if parts > 1 else "run the same command again"
        raise UserError(
            f"{root}: {len(missing)} of {shards} shards are not finished (first: {missing[0]}); {again}"
        )
    return [found[number] for number in range(shards)]
