"""WebDataset: tar files of KEY.jpg and KEY.json, train-00000.tar and so on, the same bytes every time."""

from __future__ import annotations

import io
import tarfile
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from synth.dataset.atomic import disk_errors, publish
from synth.dataset.shards import ShardDone, Staged, shard_folder


@dataclass(frozen=True)
class WebDataset:
    """One tar a shard and split."""

    name: str = "webdataset"
    size: tuple[int, int] | None = None
    labels: frozenset[str] | None = None

    def stage(self, folder: Path, items: Iterable[Staged], fields: Sequence[str]) -> None:
        tars: dict[str, tarfile.TarFile] = {}
        with ExitStack() as stack:
            for row, line, jpeg in items:
                split = row["split"]
                if split not in tars:
                    path = folder / f"{split}.tar"
                    tars[split] = stack.enter_context(tarfile.open(path, "w", format=tarfile.USTAR_FORMAT))
                add(tars[split], f"{row['id']}.jpg", jpeg)
                add(tars[split], f"{row['id']}.json", line)

    def publish(self, root: Path, shards: Sequence[ShardDone]) -> None:
        numbers: Counter[str] = Counter()  # without gaps, so that train-{00000..00009}.tar works
        with disk_errors(root):
            for done in shards:
                for split in done.splits:
                    final = root / f"{split}-{numbers[split]:05d}.tar"
                    publish(f"{shard_folder(root, done.shard)}/{split}.tar", str(final))
                    numbers[split] += 1


def add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    """A member without owner and time: they would differ from run to run."""
    info = tarfile.TarInfo(name)
    info.size = len(content)
    tar.addfile(info, io.BytesIO(content))
