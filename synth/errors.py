"""User errors: one line that names the file, the key and the fix."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from pathlib import Path

from synth import __version__

MOST = 40  # names listed


class UserError(Exception):
    """Something the user can mend; an app prints its one line on standard error and exits with 2."""

    def __str__(self) -> str:
        return " ".join(super().__str__().split())


def nearest(word: str, known: Iterable[str], count: int = 3) -> str:
    """`nearest: a, b` for an unknown name, or the known names when none is close."""
    names = sorted(known)
    same = [name for name in names if name.lower() == word.lower()]
    close = same or difflib.get_close_matches(word, names, n=count, cutoff=0.4)
    if close:
        return "nearest: " + ", ".join(close)
    if not names:
        return "none is known here"
    return "known: " + ", ".join(names[:MOST]) + (f", ... {len(names)} in all" if len(names) > MOST else "")


def extra(names: str) -> str:
    """The command that installs extras; the package is on no index: from the checkout, or from its wheel."""
    root = Path(__file__).resolve().parents[1]
    if (root / "pyproject.toml").is_file():
        return f"run: pip install -e '{'.' if root == Path.cwd() else root}[{names}]'"
    return f"run, beside the wheel: pip install './platesmith-{__version__}-py3-none-any.whl[{names}]'"
