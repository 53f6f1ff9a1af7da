"""Readers made by others, each in a process of its own: one that crashes, hangs or babbles is told as such.

All of them are commands: the last word is a file with the path of a picture on each line, and they print
`path<TAB>text` lines in any order. `recognizer.proof.serve` makes such a command of PP-OCR and of a callable.
"""

from __future__ import annotations

import contextlib
import os
import shlex
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from recognizer.proof.cache import digest, file_digest
from recognizer.proof.scores import Said
from recognizer.proof.sets import PlateSet, path_of
from recognizer.proof.training import Failed
from recognizer.truth import group_of, types_named
from synth.catalogue import load_type
from synth.dataset.picture import Labelled, fold
from synth.errors import UserError

SERVE = (sys.executable, "-m", "recognizer.proof.serve")
LONGEST_LINE, CHATTER = 4096, 2**20  # bytes that a sane reader prints at most: a picture, and besides
PATIENCE_S = 0.05  # between two looks
Line = Callable[[Labelled], str]


def path_line(item: Labelled) -> str:
    return str(path_of(item).resolve())


def rows_line(item: Labelled) -> str:
    """With the rows that the label's type has: PP-OCR reads lines, and is given them cut."""
    group = group_of(item)
    known = (len(load_type(name).rows) for name in types_named(group))
    rows = max(known, default=2 if "double" in group else 1)  # CBLPRD's words, where no type has the name
    return f"{path_line(item)}\t{rows}"


@dataclass(frozen=True)
class Outside:
    """A command that reads the pictures of a list."""

    name: str
    words: tuple[str, ...]
    line: Line
    timeout_s: float
    source: Path | None = None  # of a callable

    @property
    def digest(self) -> str:
        """Of the command, and of the files it names: an edited script is another reader."""
        files = [Path(word) for word in self.words if Path(word).is_file()]
        return digest([self.words, [file_digest(path) for path in [*files, *filter(None, [self.source])]]])

    def read(self, plates: PlateSet) -> list[Said]:
        with tempfile.TemporaryDirectory(prefix="plate-benchmark-") as folder:
            listed, out = Path(folder) / "pictures.txt", Path(folder) / "out"
            listed.write_text("".join(self.line(item) + "\n" for item in plates.items), "utf-8")
            most = CHATTER + LONGEST_LINE * len(plates.items)
            content = watched([*self.words, str(listed)], out, self.timeout_s, most)
        texts = parsed(content, {path_line(item) for item in plates.items})
        return [Said(texts[path_line(item)]) for item in plates.items]


def source_of(target: str) -> Path | None:
    """The file of `package.module.function`, where there is one."""
    try:
        spec = find_spec(target.rpartition(".")[0])
    except (ImportError, ValueError):
        return None  # the reader itself will say so
    return Path(spec.origin) if spec and spec.origin and Path(spec.origin).is_file() else None


def outside_readers(
    names: Sequence[str], command: str | None, target: str | None, timeout_s: float, types: Sequence[str]
) -> list[Outside]:
    """The outside readers among the names; a target that is given is read with too."""
    known: Mapping[str, tuple[tuple[str, ...], Line]] = {
        "ppocr": ((*SERVE, "ppocr", ",".join(types)), rows_line),
        "command": (tuple(split(command)), path_line),
        "callable": ((*SERVE, target or ""), path_line),
    }
    wanted = [name for name in names if name != "plates"]
    wanted += ["callable"] if target and "callable" not in wanted else []
    for name, key, value in (("command", "command", command), ("callable", "target", target)):
        if name in wanted and not value:
            raise UserError(f"readers: {name} needs reader.{key}=")
    if odd := [name for name in wanted if name not in known]:
        raise UserError(f"readers: {odd[0]!r} is none of plates, {', '.join(known)}")
    source = source_of(target) if target else None
    return [
        Outside(name, *known[name], timeout_s=timeout_s, source=source if name == "callable" else None)
        for name in wanted
    ]


def split(command: str | None) -> list[str]:
    try:
        return shlex.split(command or "")
    except ValueError as error:
        raise UserError(f"reader.command: {command!r}: {error}; mend the quotes") from error


def watched(words: Sequence[str], out: Path, timeout_s: float, most: int) -> bytes:
    """The standard output of a command that ends well, in time, and prints at most so many bytes."""
    errors = out.with_name("errors")
    with out.open("wb") as to, errors.open("wb") as to_errors:
        try:
            process = subprocess.Popen(
                words, stdin=subprocess.DEVNULL, stdout=to, stderr=to_errors, start_new_session=True
            )
        except OSError as error:
            raise Failed(f"cannot be started: {words[0]}: {error.strerror}") from error
        try:
            wait(process, (out, errors), timeout_s, most)
        finally:
            end(process)
    if process.returncode:
        raise Failed(f"crashed: {how(process.returncode)}: {last_line(errors)}")
    return out.read_bytes()


def wait(process: subprocess.Popen[bytes], files: Sequence[Path], timeout_s: float, most: int) -> None:
    begun = time.monotonic()
    while process.poll() is None:
        if time.monotonic() - begun > timeout_s:
            raise Failed(f"hung: no end within {timeout_s:g} s (reader.timeout_s)")
        if any(path.stat().st_size > most for path in files):
            raise Failed(f"garbage: printed more than {most} bytes")
        time.sleep(PATIENCE_S)


def end(process: subprocess.Popen[bytes]) -> None:
    """Kill whatever is left of it, and of what it started."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def how(code: int) -> str:
    return f"exit {code}" if code > 0 else f"killed by {signal.Signals(-code).name}"


def last_line(path: Path) -> str:
    """The last line that was said, shortened."""
    said = [line.strip() for line in path.read_text("utf-8", "replace").splitlines() if line.strip()]
    return said[-1][:200] if said else "nothing said"


def parsed(content: bytes, asked: set[str]) -> dict[str, str]:
    """Path -> text; every picture asked for, once, and nothing else."""
    try:
        lines = content.decode("utf-8-sig").replace("\r\n", "\n").split("\n")
    except UnicodeDecodeError as error:
        raise Failed(f"garbage: not UTF-8 at byte {error.start}") from error
    texts: dict[str, str] = {}
    for number, line in enumerate(filter(str.strip, lines), 1):
        path, tab, text = line.partition("\t")
        if not tab or path not in asked or path in texts:
            problem = (
                "no tab" if not tab else "asked once, answered twice" if path in texts else "not asked for"
            )
            raise Failed(f"garbage: line {number}: {line[:80]!r}: {problem}; wanted path<TAB>text")
        texts[path] = fold(text)
    if missing := sorted(asked - set(texts)):
        raise Failed(f"garbage: {len(missing)} of {len(asked)} pictures not answered, first {missing[0]}")
    return texts
