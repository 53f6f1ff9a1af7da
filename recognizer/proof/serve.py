"""A Python callable, or PP-OCR, as a command that reads the pictures of a list.

python -m recognizer.proof.serve package.function pictures.txt
python -m recognizer.proof.serve ppocr cn/blue,cn/yellow pictures.txt

The callable gets the path of a picture and gives its text. What it prints goes to standard error.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator, Sequence
from importlib import import_module
from pathlib import Path

from gan.outside import Judge
from recognizer.codec import codec_of
from recognizer.pictures import load_picture
from synth.errors import UserError
from synth.sample import Image

UPPER, OVERLAP = 0.375, 0.03  # of the height: GA 36-2018 has rows at 15 to 75 and 90 to 200 of 220 mm


def called(target: str, pictures: Sequence[str]) -> Iterator[tuple[str, str]]:
    """The function `package.module.name`, picture by picture."""
    module, _, name = target.rpartition(".")
    try:
        function = getattr(import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise UserError(f"reader.target={target}: {error}") from error
    for path in pictures:
        text = function(path)
        if not isinstance(text, str):
            raise UserError(f"reader.target={target}: gave {type(text).__name__}, not a text, for {path}")
        yield path, text


def judged(types: Sequence[str], listed: Sequence[str]) -> Iterator[tuple[str, str]]:
    """PP-OCR, restricted to the characters of these types; two-row plates are given row by row."""
    judge, alphabet = Judge(), "".join(codec_of(types).symbols)
    for line in listed:
        path, _, rows = line.partition("\t")
        yield path, "".join(judge.read(cut(load_picture(path), int(rows or 1)), alphabet))


def cut(image: Image, rows: int) -> list[Image]:
    """The rows of a plate; one-row plates whole."""
    if rows == 1:
        return [image]
    height = image.shape[0]
    upper, lower = round((UPPER + OVERLAP) * height), round((UPPER - OVERLAP) * height)
    return [image[: max(upper, 1)], image[min(lower, height - 1) :]]


def main() -> None:
    *target, listed = sys.argv[1:]
    lines = Path(listed).read_text("utf-8").splitlines()
    out = sys.stdout
    with contextlib.redirect_stdout(sys.stderr):
        sys.path.insert(0, str(Path.cwd()))
        answers = judged(target[1].split(","), lines) if len(target) == 2 else called(target[0], lines)
        for path, text in answers:
            print(path, " ".join(text.split()), sep="\t", file=out)


if __name__ == "__main__":
    try:
        main()
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
