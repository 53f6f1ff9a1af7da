"""A record as a row of a table, and back.

Nested rows keep `stages` and `fields` as they are. Tabular rows (Hugging Face reads them) need the same
columns of the same types in every row, so a stage is `{"name", "parameters": JSON text}` there.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson

from synth.record import Record

Row = dict[str, Any]


def to_row(record: Record, file_name: str = "") -> Row:
    """The nested row of a record, `file_name` first."""
    return {"file_name": file_name or record.file_name, **vars(record)}


def to_record(row: Row) -> Record:
    """The record of a nested or tabular row."""
    row = dict(row)
    stages = row.get("stages") or []
    row["stages"] = [_nested_stage(stage) for stage in stages]
    fields = row.get("fields") or {}
    fields = orjson.loads(fields) if isinstance(fields, str) else fields
    row["fields"] = {key: value for key, value in fields.items() if value}
    return Record.from_dict(row)


def tabular(row: Row, fields: Sequence[str]) -> Row:
    """The row with the same columns as every other one; `fields` are the field names of the whole set."""
    stages = [
        {"name": stage.get("name", ""), "parameters": dump({k: v for k, v in stage.items() if k != "name"})}
        for stage in row["stages"]
    ]
    return {**row, "stages": stages, "fields": {**dict.fromkeys(fields, ""), **row["fields"]}}


def truth(row: Row, path: str) -> str:
    """The whole record as a line, with its quads, for formats whose own lists keep only the text."""
    return dump({**row, "file_name": path})


def dump(value: Any) -> str:
    """One line of JSON, readable, with numpy numbers allowed; a tenth of the time of the standard library."""
    return dump_bytes(value).decode()


def dump_bytes(value: Any) -> bytes:
    """The same as bytes."""
    return orjson.dumps(value, option=orjson.OPT_SERIALIZE_NUMPY)


def _nested_stage(stage: Row) -> Row:
    if set(stage) != {"name", "parameters"}:
        return stage
    return {"name": stage["name"], **orjson.loads(stage["parameters"])}
