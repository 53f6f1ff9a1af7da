"""The shard: the unit of work, of resuming and of moving files into place.

A worker fills `.shards/00003.tmp-PID/` and renames it to `.shards/00003/`: whatever the format stages,
`counts.json`, and `done.json` with the digest. A shard is there whole or not at all.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import NamedTuple, Protocol

import orjson

from synth.dataset.atomic import disk_errors, held
from synth.dataset.mark import comment_of, mark_synthetic
from synth.dataset.rows import Row, dump_bytes, to_row
from synth.dataset.stats import Balance
from synth.errors import UserError
from synth.record import Record

Item = tuple[Record, bytes]  # a record and its JPEG

FOLDER = ".shards"
RECORDS = "records.jsonl"  # in the shards of formats that need all rows again when they publish


class Staged(NamedTuple):
    """What a format writes of an item: its row, the same as JSON, the picture marked as synthetic."""

    row: Row
    line: bytes  # without line end
    jpeg: bytes


@dataclass(frozen=True)
class ShardDone:
    """A finished shard; the digest is SHA-256 over its records and pictures in order, whatever the format."""

    shard: int
    count: int
    digest: str
    splits: dict[str, int]
    fields: list[str]  # names of the fields that its records have


class Format(Protocol):
    """How pictures and labels lie on the disk. Instances are frozen and can be pickled."""

    @property
    def name(self) -> str: ...

    @property
    def size(self) -> tuple[int, int] | None:
        """(width, height) that every picture must have, None when any will do."""

    @property
    def labels(self) -> frozenset[str] | None:
        """The type names (`Record.label`) that the format knows, None when any will do."""

    def stage(self, folder: Path, items: Iterable[Staged], fields: Sequence[str]) -> None:
        """Write one shard into a folder of its own; `fields` are the field names of the whole set.

        Workers do this, so whatever can be done here is done here and not in `publish`.
        """

    def publish(self, root: Path, shards: Sequence[ShardDone]) -> None:
        """Move what all shards staged to its final names and join the lists; repeatable."""


def shard_folder(root: Path, shard: int) -> Path:
    return root / FOLDER / f"{shard:05d}"


def write_shard(
    root: Path, form: Format, shard: int, items: Iterable[Item], fields: Sequence[str] = ()
) -> ShardDone:
    """Write a shard, all or nothing; every picture is marked as synthetic on its way."""
    final = shard_folder(root, shard)
    work = final.with_name(f"{final.name}.tmp-{os.getpid()}")
    with disk_errors(root):
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir(parents=True)
        try:
            done = _fill(work, form, shard, items, fields)
            _settle(work, final)
        except BaseException:
            shutil.rmtree(work, ignore_errors=True)
            raise
    return done


def read_done(root: Path) -> dict[int, ShardDone]:
    """The finished shards; what a crash of the machine left unreadable is removed and counts as not done."""
    found: dict[int, ShardDone] = {}
    for folder in sorted((root / FOLDER).glob("[0-9]*")):
        if not folder.name.isdigit():
            continue
        try:
            done = ShardDone(**json.loads((folder / "done.json").read_text()))
        except (FileNotFoundError, ValueError, TypeError):
            shutil.rmtree(folder)
            continue
        except OSError as error:  # a hiccup of the disk: the shard may be whole
            said = f"{folder / 'done.json'}: cannot be read ({error.strerror})"
            raise UserError(f"{said}; run the same command again") from error
        found[done.shard] = done
    return found


def clear_leftovers(root: Path) -> int:
    """Remove what killed workers left behind; only where `hold` keeps every other run out."""
    leftovers = [*root.glob(".*.tmp-*"), *(root / FOLDER).glob("*.tmp-*")]
    for path in leftovers:
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
    return len(leftovers)


def clear_shards(root: Path) -> None:
    """Remove what a run that was killed after its last file left in a finished folder."""
    if (root / FOLDER).exists():
        with hold(root):
            shutil.rmtree(root / FOLDER, ignore_errors=True)


def shard_rows(root: Path, shards: Iterable[ShardDone]) -> Iterator[tuple[Path, Row]]:
    """(the shard's folder, nested row) of every record, in order of index."""
    for done in shards:
        folder = shard_folder(root, done.shard)
        with (folder / RECORDS).open(encoding="utf-8") as lines:
            for line in lines:
                yield folder, orjson.loads(line)


def shard_counts(root: Path, shards: Iterable[ShardDone]) -> tuple[Balance, dict[str, str]]:
    """The balance of all shards, and the type of every label, for formats that keep only the label."""
    balance, names = Balance(), {}
    for done in shards:
        counts = json.loads((shard_folder(root, done.shard) / "counts.json").read_text())
        balance.merge(Balance.from_plain(counts["balance"]))
        names.update(counts["names"])
    return balance, names


def hold(root: Path, shared: bool = False) -> AbstractContextManager[None]:
    """Keeps a second run out of a data set."""
    return held(root, root / FOLDER / "lock", shared)


def _fill(work: Path, form: Format, shard: int, items: Iterable[Item], columns: Sequence[str]) -> ShardDone:
    digest = hashlib.sha256()
    splits: Counter[str] = Counter()
    fields: set[str] = set()
    balance = Balance()
    names: dict[str, str] = {}

    def watched() -> Iterator[Staged]:
        for record, jpeg in items:
            _check(form, record)
            row = to_row(record)
            staged = Staged(row, dump_bytes(row), mark_synthetic(jpeg, comment_of(record.stages)))
            digest.update(staged.line + b"\n")
            digest.update(staged.jpeg)
            splits[record.split] += 1
            fields.update(record.fields)
            balance.update(record)
            balance.update_checks(record.stages)
            names[record.label] = record.type
            yield staged

    form.stage(work, watched(), columns)
    done = ShardDone(
        shard, sum(splits.values()), digest.hexdigest(), dict(sorted(splits.items())), sorted(fields)
    )
    (work / "counts.json").write_text(json.dumps({"balance": balance.to_plain(), "names": names}))
    (work / "done.json").write_text(json.dumps(asdict(done)))
    return done


def _settle(work: Path, final: Path) -> None:
    try:
        work.rename(final)
    except OSError as error:
        if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
            raise
        shutil.rmtree(work)  # somebody else finished the same shard: the bytes are the same


def _check(form: Format, record: Record) -> None:
    if form.size and (record.width, record.height) != form.size:
        width, height = form.size
        raise UserError(
            f"format={form.name}: pictures are {width}x{height}, not {record.width}x{record.height}"
        )
    if form.labels is not None and record.label not in form.labels:
        raise UserError(_unknown(form, record.type))


def check_labels(form: Format, labels: dict[str, str]) -> None:
    """Refuses, before anything is made, types (type -> label) that the format has no name for."""
    for type_name, label in labels.items():
        if form.labels is not None and label not in form.labels:
            raise UserError(_unknown(form, type_name))


def _unknown(form: Format, type_name: str) -> str:
    return (
        f"format={form.name}: has no name for type {type_name}; leave it out of plates= or take format=folder"
    )
