"""The formats by name, as `format=` takes them."""

from __future__ import annotations

from synth.dataset import loose
from synth.dataset.lmdbs import Lmdb
from synth.dataset.named import Named
from synth.dataset.parquet import Parquet
from synth.dataset.shards import Format
from synth.dataset.tars import WebDataset
from synth.errors import UserError, nearest

_ALL: tuple[Format, ...] = (
    loose.FOLDER,
    loose.CBLPRD,
    WebDataset(),
    Parquet(),
    Lmdb(),
    loose.PADDLE,
    loose.CSV,
    Named(),
)
FORMATS: dict[str, Format] = {form.name: form for form in _ALL}


def format_named(name: str) -> Format:
    """The format, or a UserError with the nearest known names."""
    if name not in FORMATS:
        raise UserError(f"format={name}: unknown; {nearest(name, FORMATS)}")
    return FORMATS[name]
