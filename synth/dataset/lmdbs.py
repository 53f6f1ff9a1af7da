"""LMDB as scene-text recognizers read it: image-%09d, label-%09d, num-samples; one database a split."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from synth.dataset.atomic import disk_errors
from synth.dataset.optional import need
from synth.dataset.rows import Row, dump
from synth.dataset.shards import FOLDER, RECORDS, ShardDone, Staged, shard_rows
from synth.errors import UserError

PICTURES = "pictures.bin"
SIZES = "sizes.txt"
PAGE = 4096
BATCH = 2000  # pictures a transaction


@dataclass(frozen=True)
class Lmdb:
    """Pictures wait in one file a shard; the databases are built at the end, in order of index.

    Besides the usual keys, record-%09d has the whole record as JSON.
    """

    name: str = "lmdb"
    size: tuple[int, int] | None = None
    labels: frozenset[str] | None = None

    def stage(self, folder: Path, items: Iterable[Staged], fields: Sequence[str]) -> None:
        need("lmdb", "lmdb")  # fail before the first shard, not after the last
        with (
            (folder / RECORDS).open("wb") as records,
            (folder / PICTURES).open("wb") as pictures,
            (folder / SIZES).open("w") as sizes,
        ):
            for _, line, jpeg in items:
                records.write(line + b"\n")
                pictures.write(jpeg)
                sizes.write(f"{len(jpeg)}\n")

    def publish(self, root: Path, shards: Sequence[ShardDone]) -> None:
        lmdb = need("lmdb", "lmdb")
        for split in sorted({split for done in shards for split in done.splits}):
            if (root / split / "data.mdb").exists():
                continue  # built by a run that was killed later
            work = root / FOLDER / f"{split}.tmp-{os.getpid()}"
            with disk_errors(root):
                try:
                    self._build(lmdb, work, root, shards, split)
                    work.rename(root / split)
                except lmdb.Error as error:
                    raise _explained(error, root) from error
                finally:
                    shutil.rmtree(work, ignore_errors=True)

    def _build(self, lmdb: Any, work: Path, root: Path, shards: Sequence[ShardDone], split: str) -> None:
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir(parents=True)
        env = lmdb.open(str(work), map_size=_map_size(root, shards), lock=False, sync=False)
        count = 0
        with env:
            transaction = env.begin(write=True)
            for row, jpeg in _pictures(root, shards):
                if row["split"] != split:
                    continue
                count += 1
                transaction.put(b"image-%09d" % count, jpeg)
                transaction.put(b"label-%09d" % count, row["text"].encode())
                transaction.put(b"record-%09d" % count, dump(row).encode())
                if count % BATCH == 0:
                    transaction.commit()
                    transaction = env.begin(write=True)
            transaction.put(b"num-samples", b"%d" % count)
            transaction.commit()
            env.sync(True)


def _pictures(root: Path, shards: Sequence[ShardDone]) -> Iterator[tuple[Row, bytes]]:
    for done in shards:
        rows = shard_rows(root, [done])
        folder, row = next(rows, (Path(), {}))
        if not row:
            continue
        sizes = [int(size) for size in (folder / SIZES).read_text().split()]
        with (folder / PICTURES).open("rb") as pictures:
            yield row, pictures.read(sizes[0])
            for (_, row), size in zip(rows, sizes[1:], strict=True):
                yield row, pictures.read(size)


def _map_size(root: Path, shards: Sequence[ShardDone]) -> int:
    """An upper bound: three values a sample, each rounded up to pages, and a tree over them."""
    bytes_in = sum(
        file.stat().st_size for done in shards for file in (root / FOLDER / f"{done.shard:05d}").iterdir()
    )
    samples = sum(done.count for done in shards)
    return 2 * bytes_in + 6 * PAGE * samples + (16 << 20)


def _explained(error: Exception, root: Path) -> Exception:
    if "No space left" in str(error) or "MDB_MAP_FULL" in str(error):
        return UserError(
            f"{root}: no space left on the disk; free some and run the same command again, "
            "finished shards are kept"
        )
    return error
