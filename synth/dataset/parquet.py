"""Parquet with Hugging Face's features in its schema: data/train-00000-of-00010.parquet."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from synth.dataset.atomic import disk_errors, publish
from synth.dataset.optional import need
from synth.dataset.rows import Row, dump, tabular
from synth.dataset.shards import ShardDone, Staged, shard_folder

ROW_GROUP = 500  # pictures; one is what a reader has to load for a picture picked at random

COLUMNS: dict[str, Any] = {
    "id": "string",
    "index": "int64",
    "seed": "int64",
    "text": "string",
    "type": "string",
    "country": "string",
    "region": "string",
    "rows": ["string"],
    "width": "int32",
    "height": "int32",
    "quad": [["float32"]],
    "row_quads": [[["float32"]]],
    "char_quads": [[["float32"]]],
    "split": "string",
    "stages": [{"name": "string", "parameters": "string"}],
    "config_sha": "string",
    "version": "string",
    "label": "string",
    "fields": "string",  # JSON text: its keys differ from type to type
}


@dataclass(frozen=True)
class Parquet:
    """One file a shard and split; the picture is a struct {bytes, path}, which Hugging Face decodes."""

    name: str = "parquet"
    size: tuple[int, int] | None = None
    labels: frozenset[str] | None = None

    def stage(self, folder: Path, items: Iterable[Staged], fields: Sequence[str]) -> None:
        pa, pq = need("pyarrow", "parquet"), need("pyarrow.parquet", "parquet")
        rows: dict[str, list[Row]] = defaultdict(list)
        for nested, _, jpeg in items:
            row = tabular(nested, ())
            row["fields"] = dump(nested["fields"])
            row["image"] = {"bytes": jpeg, "path": row.pop("file_name")}
            rows[row["split"]].append(row)
        for split, table in rows.items():
            content = pa.Table.from_pylist(table, schema=schema())
            pq.write_table(content, folder / f"{split}.parquet", row_group_size=ROW_GROUP)

    def publish(self, root: Path, shards: Sequence[ShardDone]) -> None:
        totals = Counter(split for done in shards for split in done.splits)
        numbers: Counter[str] = Counter()
        with disk_errors(root):
            (root / "data").mkdir(parents=True, exist_ok=True)
            for done in shards:
                for split in done.splits:
                    final = root / "data" / f"{split}-{numbers[split]:05d}-of-{totals[split]:05d}.parquet"
                    publish(f"{shard_folder(root, done.shard)}/{split}.parquet", str(final))
                    numbers[split] += 1


def schema() -> Any:
    """The Arrow schema, with the same thing said in Hugging Face's words in its metadata."""
    pa = need("pyarrow", "parquet")
    image = pa.field("image", pa.struct([("bytes", pa.binary()), ("path", pa.string())]))
    columns = [pa.field(name, _arrow(kind)) for name, kind in COLUMNS.items()]
    features = {"image": {"_type": "Image"}, **{name: _feature(kind) for name, kind in COLUMNS.items()}}
    note = json.dumps({"info": {"features": features}})
    return pa.schema([image, *columns], metadata={"huggingface": note})


def _arrow(kind: Any) -> Any:
    pa = need("pyarrow", "parquet")
    if isinstance(kind, list):
        return pa.list_(_arrow(kind[0]))
    if isinstance(kind, dict):
        return pa.struct([(name, _arrow(inner)) for name, inner in kind.items()])
    return getattr(pa, kind)()


def _feature(kind: Any) -> Any:
    if isinstance(kind, list):  # the list form is read by every version; `List` and `Sequence` are not
        return [_feature(kind[0])]
    if isinstance(kind, dict):
        return {name: _feature(inner) for name, inner in kind.items()}
    return {"dtype": kind, "_type": "Value"}
