"""Files that are either whole or absent, and a full disk told in one line."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from synth.errors import UserError

FULL = (errno.ENOSPC, errno.EDQUOT)


def write_atomic(path: Path, content: bytes | str) -> None:
    """Write under a temporary name, then rename: no reader ever sees half of it."""
    data = content.encode() if isinstance(content, str) else content
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.tmp-{os.getpid()}")
    try:
        temporary.write_bytes(data)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def need_replaceable(path: Path, begins: str) -> None:
    """Refuse to write over a folder, or a file that does not begin as ours do."""
    if path.is_dir():
        raise UserError(f"out: {path} is a folder; give the name of a file")
    if path.is_file():
        with path.open("rb") as file:
            if file.read(len(begins.encode())) not in (b"", begins.encode()):
                raise UserError(f"out: {path} is there already and not of our writing; choose another name")


def need_no_data_set(folder: Path) -> None:
    """Refuse to write pictures into a generated data set: they would hide it."""
    if found := [name for name in ("manifest.json", ".shards") if (folder / name).exists()]:
        raise UserError(f"out: {folder} is a data set (has {found[0]}); choose another folder")


@contextmanager
def disk_errors(root: Path) -> Iterator[None]:
    """Turns a full, read-only or forbidden disk into a UserError that names the folder and the remedy."""
    try:
        yield
    except OSError as error:
        if error.errno in FULL:
            raise UserError(
                f"{root}: no space left on the disk; free some and run the same command again, "
                "finished shards are kept"
            ) from error
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            raise UserError(f"{root}: cannot write there ({error.strerror}); choose another out=") from error
        if error.errno in (errno.ENOTDIR, errno.EEXIST):
            raise UserError(
                f"{root}: a file is in the way ({error.filename}); choose another out="
            ) from error
        if error.errno == errno.ENOENT and not root.exists():
            raise UserError(f"{root}: cannot be made there; choose another out=") from error
        raise


@contextmanager
def held(root: Path, lock: Path, shared: bool = False) -> Iterator[None]:
    """Keeps a second run out of the folder, or where `shared` lets in others that share it; a killed run lets
    go by itself.
    """
    import fcntl

    with disk_errors(root):
        lock.parent.mkdir(parents=True, exist_ok=True)
        file = lock.open("a+")  # a shared lock must be readable
    with file:
        try:
            # not inherited by workers, unlike flock
            fcntl.lockf(file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno in (errno.EACCES, errno.EAGAIN):
                raise UserError(f"{root}: another run is writing there; wait for it") from error
        yield


def publish(staged: str, final: str) -> None:
    """Move a finished file or folder to its final name; doing it again after a kill is harmless."""
    try:
        os.rename(staged, final)  # noqa: PTH104
    except FileNotFoundError:
        if not Path(final).exists():
            raise UserError(
                f"{final}: lost, it is not among the unfinished shards either; "
                f"delete {Path(final).parent} and start again"
            ) from None
