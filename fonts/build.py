"""Rebuild everything in this package that is made from something else: `python -m fonts.build --fonts DIR`.

python -m fonts.build ttf specimen      # stroke faces as TrueType fonts, and the sheet
python -m fonts.build cjk --fonts DIR   # subsets, from fonts installed or anywhere below DIR
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import fonts
from fonts.specimen import write_specimen
from fonts.subset import CUTS, find_source, write_subset
from fonts.truetype import is_stroke_face, write_font
from synth.errors import UserError
from synth.faces import read_faces
from synth.glyphs import load_face

PARTS = ("cjk", "ttf", "specimen")


def build(parts: Sequence[str], folders: Sequence[Path]) -> list[Path]:
    """Build the named parts in order and return the files written."""
    written = []
    if "cjk" in parts:
        sources = [(cut, find_source(cut, folders)) for cut in CUTS]
        written += [write_subset(cut, source, fonts.path("cjk")) for cut, source in sources]
    if "ttf" in parts:
        faces = [load_face(name) for name in read_faces(fonts.path("faces.yaml")).faces]
        written += [write_font(face, fonts.path("ttf")) for face in faces if is_stroke_face(face)]
    if "specimen" in parts:
        written.append(write_specimen(fonts.path("specimen.png")))
    return written


def main(arguments: Sequence[str] | None = None) -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m fonts.build", description="Rebuild the fonts of this package."
    )
    parser.add_argument("parts", nargs="*", metavar="PART", help="cjk, ttf, specimen; none means all")
    parser.add_argument("--fonts", action="append", default=[], type=Path, help="a folder with source fonts")
    given = parser.parse_args(arguments)
    unknown = sorted(set(given.parts) - set(PARTS))
    if unknown:
        parser.error(f"unknown part {unknown[0]!r}; parts: {', '.join(PARTS)}")
    try:
        for path in build(given.parts or PARTS, given.fonts):
            print(f"{path.name}\t{path.stat().st_size} bytes")
    except UserError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
