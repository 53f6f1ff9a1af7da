"""Read plates: a file, a folder with all below it, or a glob; one tab-separated line a picture.

python -m recognizer.read images=plates/
python -m recognizer.read images='plates/*.jpg' out=read.tsv backend=onnx
python -m recognizer.read images=plate.jpg weights=runs/reader/weights.safetensors grammar=true

Columns are path (relative to the folder given), text, type and confidence. A picture that cannot be read is
told on standard error; the others are still read, and the exit code is 2.
"""

from __future__ import annotations

import glob
import sys
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import numpy as np
from omegaconf import DictConfig

from recognizer.decoding import PlateReading
from recognizer.pictures import ENDINGS, fit, load_picture
from recognizer.reader import Reader
from synth.app import command, need_positive
from synth.dataset.atomic import disk_errors, write_atomic
from synth.dataset.files import walk
from synth.errors import UserError
from synth.progress import Progress
from synth.sample import Image

HEADER = "path\ttext\ttype\tconfidence"
MAGIC = "*?["


def find_pictures(given: str) -> list[tuple[Path, str]]:
    """(file, name to show) of a file, a folder or a glob, in order."""
    path = Path(given)
    if path.is_file():
        return [(path, path.name)]
    if path.is_dir():
        found = list(walk(path, ENDINGS))
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


def read_all(
    reader: Reader, files: list[tuple[Path, str]], batch: int, grammar: bool
) -> Iterator[list[tuple[str, PlateReading | UserError]]]:
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
    files = find_pictures(str(config.images))
    reader = Reader.from_pretrained(config.weights, config.backend, config.threads)
    out = None if config.out is None else Path(config.out)
    lines, failed = [HEADER], 0
    if out is None:
        print(HEADER)
    with Progress(len(files), 0, "pictures") if out else nullcontext() as progress:
        for done in read_all(reader, files, config.batch, config.grammar):
            errors = [read for _, read in done if isinstance(read, UserError)]
            for error in errors:
                print(f"error: {error}", file=sys.stderr)
            failed += len(errors)
            found = [line(name, read) for name, read in done if isinstance(read, PlateReading)]
            lines += found
            if progress is None:
                print("\n".join(found), flush=True) if found else None
            else:
                progress.add(len(done))
    if out is not None:
        with disk_errors(out.parent):
            write_atomic(out, "\n".join(lines) + "\n")
    return 2 if failed else 0


if __name__ == "__main__":
    main()
