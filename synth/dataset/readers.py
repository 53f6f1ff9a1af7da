"""Readers of the formats that we write ourselves: each yields a labelled picture or a problem."""

from __future__ import annotations

import csv
import json
import sys
import tarfile
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from synth.dataset.files import is_inside, lines, located, split_in, split_of_list, walk
from synth.dataset.optional import need
from synth.dataset.picture import (
    Blob,
    FileBlob,
    Labelled,
    LmdbBlob,
    ParquetBlob,
    Problem,
    database,
    fold,
    holds_bytes,
)
from synth.dataset.rows import Row

Found = Iterator[Labelled | Problem]

COLUMNS = ["id", "text", "type", "region", "split", "quad", "fields"]

NO_TEXT = "its text is empty"


def of_row(row: Row, name: str, blob: Blob, where: str, split: str = "") -> Labelled | Problem:
    """A labelled picture from a record's row, nested or tabular."""
    try:
        fields = row.get("fields") or {}
        fields = json.loads(fields) if isinstance(fields, str) else fields
        quad = row.get("quad")
        text = fold("" if row["text"] is None else str(row["text"]))
        if not text:
            return Problem(where, "text", NO_TEXT)
        return Labelled(
            text=text,
            name=name,
            blob=blob,
            type=sys.intern(str(row.get("type") or "")),
            split=sys.intern(split or str(row.get("split") or "")),
            region=sys.intern(str(row.get("region") or "")),
            quad=None if not quad else np.asarray(quad, np.float32).reshape(4, 2),
            fields={sys.intern(key): value for key, value in fields.items() if value},
            where=where,
        )
    except KeyError as error:
        return Problem(where, "line", f"no column {error}")
    except (ValueError, TypeError, AttributeError) as error:
        return Problem(where, "line", f"a column of the wrong kind ({error})")


def folder(root: Path) -> Found:
    """Hugging Face imagefolder: metadata.jsonl in the folder of each split, or one at the top."""
    for table in sorted({*root.glob("metadata.jsonl"), *root.glob("*/metadata.jsonl")}):
        yield from _metadata(root, table)


def _metadata(root: Path, table: Path) -> Found:
    inside = table.parent.relative_to(root).as_posix()
    for at, line in lines(table):
        where = at if inside == "." else f"{inside}/{at}"
        if isinstance(line, Problem):
            yield Problem(where, line.kind, line.message)
            continue
        try:
            row = orjson.loads(line)
            name = row["file_name"]
        except (ValueError, TypeError, KeyError) as error:
            yield Problem(where, "line", f"not a JSON record with file_name ({error})")
            continue
        path = located(table.parent, str(name), where)
        full = str(name) if inside == "." else f"{inside}/{name}"
        yield path if isinstance(path, Problem) else of_row(row, full, FileBlob(path), where, split_in(full))


def csv_table(root: Path) -> Found:
    """labels.csv with a header of at least `path,text`."""
    yield from _table(root, root / "labels.csv", ",")


def labelled(root: Path) -> Found:
    """labels.tsv with the header `path text [type colour]`, tab separated."""
    yield from _table(root, root / "labels.tsv", "\t")


BETWEEN = {"\t": "tabs", ",": "commas"}


def _table(root: Path, path: Path, separator: str) -> Found:
    header: list[str] = []
    for where, line in lines(path):
        if isinstance(line, Problem):
            yield line
            continue
        try:
            cells = next(csv.reader([line])) if separator == "," else line.split(separator)
        except csv.Error as error:  # line ends of the old Mac, most of all
            yield Problem(where, "line", f"not a line of CSV ({error}); save the file with LF line ends")
            continue
        if not header:
            header = [cell.strip() for cell in cells]
            if "path" not in header or "text" not in header:
                given = f"not {header[0][:60]!r}" + (" ..." if len(header) > 1 else "")
                said = f"the header must name path and text, {BETWEEN[separator]} between, {given}"
                yield Problem(where, "line", said)
                return
            continue
        if len(cells) > len(header) or len(cells) <= max(header.index("path"), header.index("text")):
            yield Problem(where, "line", f"{len(cells)} columns, the header has {len(header)}")
            continue
        yield _cells(root, dict(zip(header, cells, strict=False)), where)


def _cells(root: Path, row: Row, where: str) -> Labelled | Problem:
    path = located(root, row["path"], where)
    if isinstance(path, Problem):
        return path
    try:
        row["quad"] = json.loads(row["quad"]) if row.get("quad") else None
    except ValueError:
        return Problem(where, "line", "the quad is not JSON")
    found = of_row(row, row["path"], FileBlob(path), where, row.get("split") or split_in(row["path"]))
    if isinstance(found, Problem) or not row.get("colour"):
        return found
    return replace(found, colour=row["colour"])


def paddle(root: Path) -> Found:
    """PaddleOCR recognition lists: `path<TAB>text`, one *_list.txt a split."""
    for table in sorted(root.glob("*_list.txt")):
        for where, line in lines(table):
            if isinstance(line, Problem):
                yield line
                continue
            name, tab, text = line.partition("\t")
            if not tab or "\t" in text:
                yield Problem(where, "line", f"not path<TAB>text: {line[:60]!r}")
                continue
            if not fold(text):
                yield Problem(where, "text", NO_TEXT)
                continue
            path = located(root, name, where)
            split = split_of_list(table.name)
            yield (
                path
                if isinstance(path, Problem)
                else Labelled(fold(text), name, FileBlob(path), split=split, where=where)
            )


def webdataset(root: Path) -> Found:
    """Tar shards of KEY.jpg and KEY.json. Nothing is unpacked; names that lead outside are refused."""
    for path in [root] if root.is_file() else sorted(root.glob("*.tar")):
        try:
            with tarfile.open(path, "r:") as tar:
                yield from _members(tar, path)
                if not _ends_well(path, tar.offset):
                    yield Problem(path.name, "archive", f"the tar is cut off or broken at byte {tar.offset}")
        except (tarfile.TarError, OSError) as error:
            yield Problem(path.name, "archive", f"a broken tar ({error})")


def _ends_well(path: Path, offset: int) -> bool:
    """tarfile takes a broken header for the end; the true end is a block of zeros."""
    with path.open("rb") as file:
        file.seek(offset)
        return file.read(tarfile.BLOCKSIZE) == bytes(tarfile.BLOCKSIZE)


def _members(tar: tarfile.TarFile, path: Path) -> Found:
    key, waiting = "", dict[str, Any]()
    for member in tar:
        where = f"{path.name}:{member.name}"
        tar.members = []  # type: ignore[attr-defined]  # else it keeps every header in memory
        if not is_inside(member.name) or member.issym() or member.islnk():
            yield Problem(where, "path", "refused: leads out of the archive or is a link")
            continue
        if not member.isfile():
            continue
        stem, _, ending = member.name.rpartition(".")
        if stem != key:
            yield from _member(key, waiting, path)
            key, waiting = stem, {}
        if ending == "json":
            file = tar.extractfile(member)
            waiting["json"] = file.read() if file else b""
        elif f".{ending}" in (".jpg", ".jpeg", ".png"):
            waiting["picture"] = FileBlob(path, member.offset_data, member.size)
            waiting["name"] = member.name
    yield from _member(key, waiting, path)


def _member(key: str, waiting: dict[str, Any], path: Path) -> Iterable[Labelled | Problem]:
    where = f"{path.name}:{key}"
    if not waiting:
        return []
    if "picture" not in waiting or "json" not in waiting:
        lacks = "picture" if "picture" not in waiting else "json"
        return [Problem(where, "missing", f"no {lacks} for this key")]
    try:
        row = json.loads(waiting["json"].decode())
    except UnicodeDecodeError:
        return [Problem(where, "encoding", "its json is not UTF-8")]
    except ValueError as error:
        return [Problem(where, "line", f"its json is broken ({error})")]
    return [of_row(row, waiting["name"], waiting["picture"], where, split_of_list(path.name))]


def parquet(root: Path) -> Found:
    """Parquet with columns `image` (bytes, or a struct with them) and `text`."""
    pq, pa = need("pyarrow.parquet", "parquet"), need("pyarrow", "parquet")
    for path in [root] if root.is_file() else list(walk(root, (".parquet",))):
        try:
            file = pq.ParquetFile(path)
            known = set(file.schema_arrow.names)
            if not {"image", "text"} <= known:
                yield Problem(path.name, "line", "has no columns image and text")
                continue
            if not holds_bytes(file.schema_arrow.field("image").type):
                yield Problem(path.name, "line", "its column image holds no bytes, nor a struct with them")
                continue
            columns = [column for column in COLUMNS if column in known]
            for group in range(file.num_row_groups):
                rows = file.read_row_group(group, columns=columns).to_pylist()
                for number, row in enumerate(rows):
                    where = f"{path.name}:{group}:{number}"
                    name = f"{row.get('id') or where}"
                    yield of_row(row, name, ParquetBlob(path, group, number), where, split_of_list(path.name))
        except (pa.ArrowException, OSError) as error:
            yield Problem(path.name, "archive", f"a broken parquet file ({error})")


def lmdb(root: Path) -> Found:
    """Scene-text LMDB: image-%09d, label-%09d, num-samples; our own also have record-%09d."""
    library = need("lmdb", "lmdb")
    for path in sorted(file.parent for file in walk(root, ("data.mdb",))):
        inside = path.relative_to(root).as_posix()
        try:
            env = database(path)
        except library.Error as error:
            yield Problem(inside, "archive", f"a broken LMDB ({error})")
            continue
        with env.begin() as transaction:
            yield from _entries(transaction, path, inside)


def _entries(transaction: Any, path: Path, inside: str) -> Found:
    try:
        total = int(transaction.get(b"num-samples"))
    except (TypeError, ValueError):
        yield Problem(inside, "line", "no number under the key num-samples")
        return
    cursor = transaction.cursor()
    for number in range(1, total + 1):
        key, where = b"image-%09d" % number, f"{inside}:{number}"
        label = transaction.get(b"label-%09d" % number)
        if label is None or not cursor.set_key(key):
            yield Problem(where, "missing", f"no {'label' if label is None else 'image'}-{number:09d}")
            continue
        try:
            record = transaction.get(b"record-%09d" % number)
            row = json.loads(record) if record else {"text": label.decode()}
        except UnicodeDecodeError:
            yield Problem(where, "encoding", "its label is not UTF-8")
            continue
        except ValueError as error:
            yield Problem(where, "line", f"its record is broken ({error})")
            continue
        yield of_row(row, f"{inside}/{number:09d}", LmdbBlob(path, key), where, split_in(f"{inside}/x"))
