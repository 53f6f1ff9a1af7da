"""OpenALPR's benchmark: tab-separated boxes and texts beside pictures of whole scenes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from synth.dataset.files import floats, lines, located, walk
from synth.dataset.picture import FileBlob, Labelled, Problem, fold
from synth.dataset.rectify import box_quad


def openalpr(root: Path) -> Iterator[Labelled | Problem]:
    """OpenALPR's benchmark: `file<TAB>x<TAB>y<TAB>width<TAB>height<TAB>TEXT` lines beside the pictures."""
    for table in walk(root, (".txt",)):
        inside = table.parent.relative_to(root).as_posix()
        prefix = "" if inside == "." else f"{inside}/"
        for at, line in lines(table):
            where = f"{prefix}{at}"
            if isinstance(line, Problem):
                yield Problem(where, line.kind, line.message)
                continue
            cells = line.split("\t")
            try:
                name, text = cells[0], cells[5]
                quad = box_quad(*floats(" ".join(cells[1:5]), 4))
            except (IndexError, ValueError):
                yield Problem(where, "line", f"not file, x, y, width, height, text: {line[:60]!r}")
                continue
            path = located(table.parent, name, where)
            yield (
                path
                if isinstance(path, Problem)
                else Labelled(fold(text), f"{prefix}{name}", FileBlob(path), quad=quad, where=where)
            )
