"""Read plates: a file, a folder with all below it, or a glob; one tab-separated line a picture.

python -m recognizer.read images=plates/
python -m recognizer.read images='plates/*.jpg' out=read.tsv backend=onnx
python -m recognizer.read images=plate.jpg weights=runs/reader/weights.safetensors grammar=true

Columns are path (relative to the folder given), text, type and confidence. A picture that cannot be read is
told on standard error; the others are still read, and the exit code is 2.
"""

from __future__ import annotations

import glob
import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from omegaconf import DictConfig

from recognizer.decoding import PlateReading
from recognizer.pictures import ENDINGS, fit, load_picture
from recognizer.reader import Reader
from synth.app import command, need_positive
from synth.dataset.atomic import disk_errors, need_replaceable, write_atomic
from synth.dataset.files import walk
from synth.errors import UserError
from synth.progress import Progress
from synth.sample import Image

OURS = ("sheet.png", "balance.png")  # pictures of a generated data set that show no single plate
HEADER = "path\ttext\ttype\tconfidence"
MAGIC = "*?["
Batch = list[tuple[str, PlateReading | UserError]]


def find_pictures(given: str) -> list[tuple[Path, str]]:
    """(file, name to show) of a file, a folder or a glob, in order."""
    path = Path(given)
    if path.is_file():
        return [(path, path.name)]
    if path.is_dir():
        found = [file for file in walk(path, ENDINGS) if not is_beside(file)]
        if not found:
            raise UserError(f"images: {path}: no picture in this folder ({', '.join(ENDINGS)})")
        return [(file, file.relative_to(path).as_posix()) for file in found]
    if not any(sign in given for sign in MAGIC):
        raise UserError(f"images: {path}: no such file or folder")
    matches = sorted(Path(name) for name in glob.glob(given, recursive=True))  # noqa: PTH207  may be absolute
    files = [file for file in matches if file.is_file()]
    if not files:
        raise UserError(f"images: {given}: no file matches")
    parts = path.parts
    fixed = next(n for n, part in enumerate(parts) if any(sign in part for sign in MAGIC))
    base = Path(*parts[:fixed])
    return [(file, file.relative_to(base).as_posix()) for file in files]


def is_beside(file: Path) -> bool:
    """Whether it is the sheet or the plot of a generated set."""
    return file.name in OURS and (file.parent / "manifest.json").is_file()


def read_all(reader: Reader, files: list[tuple[Path, str]], batch: int, grammar: bool) -> Iterator[Batch]:
    """Batch by batch, the reading of each picture or why there is none."""
    for start in range(0, len(files), batch):
        names = [name for _, name in files[start : start + batch]]
        opened = [opened_picture(file, reader) for file, _ in files[start : start + batch]]
        good = [picture for picture in opened if not isinstance(picture, UserError)]
        read = iter(reader.read(good, grammar, batch))
        done = [picture if isinstance(picture, UserError) else next(read) for picture in opened]
        yield list(zip(names, done, strict=True))


def opened_picture(file: Path, reader: Reader) -> Image | UserError:
    """A picture at the reader's size, so that a batch of huge ones fits into memory."""
    try:
        return fit(load_picture(file), reader.legend.height, reader.legend.width)
    except UserError as error:
        return error


def line(name: str, reading: PlateReading) -> str:
    plain = "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in name)  # a tab would be a column
    return f"{plain}\t{reading.text}\t{reading.type}\t{reading.confidence:.4f}"


@command("read")
def main(config: DictConfig) -> int:
    """Read plates."""
    need_positive(config, "batch")
    if config.out is not None:
        need_replaceable(Path(config.out), HEADER)
    files = find_pictures(str(config.images))
    reader = Reader.from_pretrained(config.weights, config.backend, config.threads)
    batches = read_all(reader, files, config.batch, config.grammar)
    if config.out is not None:
        return write_lines(Path(config.out), batches, len(files))
    try:
        return print_lines(batches)
    except BrokenPipeError:  # whoever reads our output has enough, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def print_lines(batches: Iterable[Batch]) -> int:
    """The table on standard output, batch by batch."""
    print(HEADER)
    failed = 0
    for batch in batches:
        found, lost = told(batch)
        failed += lost
        print("".join(f"{line}\n" for line in found), end="", flush=True)
    return 2 if failed else 0


def write_lines(out: Path, batches: Iterable[Batch], total: int) -> int:
    """The table as a file, whole or not at all."""
    lines, failed = [HEADER], 0
    with Progress(total, 0, "pictures") as progress:
        for batch in batches:
            found, lost = told(batch)
            lines += found
            failed += lost
            progress.add(len(batch))
    with disk_errors(out.parent):
        write_atomic(out, "\n".join(lines) + "\n")
    print(f"{out}: {len(lines) - 1} plates read" + (f", {failed} pictures could not be" if failed else ""))
    return 2 if failed else 0


def told(batch: Batch) -> tuple[list[str], int]:
    """The lines of a batch; errors go to standard error and are counted."""
    errors = [read for _, read in batch if isinstance(read, UserError)]
    for error in errors:
        print(f"error: {error}", file=sys.stderr)
    return [line(name, read) for name, read in batch if isinstance(read, PlateReading)], len(errors)


if __name__ == "__main__":
    main()
