"""User errors: one line that names the file, the key and the fix."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from pathlib import Path

from synth import __version__


class UserError(Exception):
    """Something the user can mend; an app prints its one line on standard error and exits with 2."""

    def __str__(self) -> str:
        return " ".join(super().__str__().split())


def nearest(word: str, known: Iterable[str], count: int = 3) -> str:
    """`nearest: a, b` for an unknown name, or the known names when none is close."""
    names = sorted(known)
    close = difflib.get_close_matches(word, names, n=count, cutoff=0.4)
    if close:
        return "nearest: " + ", ".join(close)
    return "known: " + ", ".join(names[:40])


def extra(names: str) -> str:
    """The command that installs extras; the package is on no index: from the checkout, or from its wheel."""
    root = Path(__file__).resolve().parents[1]
    if (root / "pyproject.toml").is_file():
        return f"run: pip install -e '{'.' if root == Path.cwd() else root}[{names}]'"
    return f"run, beside the wheel: pip install './platesmith-{__version__}-py3-none-any.whl[{names}]'"
