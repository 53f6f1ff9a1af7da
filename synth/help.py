"""What `--help` prints: the docstring of the app's module, and its configuration with the comments in it."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path

from synth.confdata import conf_folder, read_yaml

WIDTH, WIDEST = 110, 34  # of a line, of its first column
MISSING = "???"
KEY = re.compile(r"^(\w+):(?: +([^#\n]*?))? *(?:# *(.*))?$", re.MULTILINE)
END = """\
Keys inside others are written with dots. --cfg job shows the whole configuration, -m runs once for each of
several values (a=1,2), --hydra-help has the rest."""


def help_text(config_name: str, doc: str) -> str:
    """Purpose, examples, choices and keys of the app with this docstring and primary configuration."""
    path = conf_folder() / f"{config_name}.yaml"
    paragraphs = [textwrap.dedent(part).strip() for part in doc.split("\n\n")]
    examples = [part for part in paragraphs if re.match(r"(python -m|torchrun|plate-)", part)]
    said = [part for part in paragraphs if part not in examples]
    parts = [said[0], textwrap.indent("\n".join(examples), "  "), *said[1:]]
    if offered := list(choices(path)):
        parts += ["Choices, and what is taken when nothing is said:", table(offered)]
    return "\n\n".join([*parts, "Keys:", table(list(keys(path))), END])


def choices(path: Path) -> Iterator[tuple[str, str]]:
    """(plates=cn7, "all, cn7, ...") for every group of the defaults list."""
    for group, chosen in groups(path):
        yield f"{group}={chosen}", ", ".join(sorted(p.stem for p in (conf_folder() / group).glob("*.yaml")))


def keys(path: Path) -> Iterator[tuple[str, str]]:
    """(count=1000, its comment); keys that must be given come first, those of chosen groups among them."""
    data = read_yaml(path)
    needed = [
        (f"{group}.{key}", comment)
        for group, chosen in groups(path)
        if chosen != "null"
        for key, value, comment in written(conf_folder() / group / f"{chosen}.yaml")
        if value == MISSING and key not in (data.get(group) or {})  # the command's own file may give it
    ]
    own = [entry for entry in written(path) if entry[0] not in ("defaults", "hydra")]
    needed += [(key, comment) for key, value, comment in own if value == MISSING]
    yield from ((f"{key}=", f"must be given: {comment}".rstrip(": ")) for key, comment in needed)
    yield from ((f"{key}={value}", comment) for key, value, comment in own if value != MISSING)


def groups(path: Path) -> Iterator[tuple[str, str]]:
    """(group, what is chosen); groups laid elsewhere (`stages@drawn`) are no choice of the user's."""
    for entry in read_yaml(path).get("defaults", []):
        if isinstance(entry, dict):
            offered = (g for g in entry if not g.startswith("override ") and "@" not in g)
            yield from ((g, "null" if entry[g] is None else str(entry[g])) for g in offered)


def written(path: Path) -> Iterator[tuple[str, str, str]]:
    """(key, value, comment) of the top level as the file has them; a mapping in lines is {its keys}."""
    data = read_yaml(path)
    for key, value, comment in KEY.findall(path.read_text(encoding="utf-8")):
        inner = data[key]
        if not value and isinstance(inner, dict):
            yield from ((f"{key}.{name}", MISSING, "") for name in inner if inner[name] == MISSING)
            value = "{" + ", ".join(str(name) for name in inner if not str(name).startswith("_")) + "}"
        yield key, value or "[...]", comment


def table(rows: Sequence[tuple[str, str]]) -> str:
    """Two columns; the second is wrapped."""
    wide = min(max(len(left) for left, _ in rows), WIDEST) + 4
    return "\n".join(
        textwrap.fill(
            f"  {left}".ljust(wide) + " " * (len(left) + 2 >= wide) + right,
            WIDTH,
            subsequent_indent=" " * wide,
            break_long_words=False,
            break_on_hyphens=False,
        )
        for left, right in rows
    )
