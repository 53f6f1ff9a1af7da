"""Glyph data: stroke sources, faces, and the fonts built from them."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path


def path(name: str) -> Path:
    """The file of this package called `name`, such as `strokes/latin45x90.tsv`."""
    return Path(str(files(__name__).joinpath(name)))
