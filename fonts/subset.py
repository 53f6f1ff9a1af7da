"""Small fonts for fonts/cjk: the characters of faces.yaml cut out of freely licensed fonts and renamed."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from fontTools import subset
from fontTools.ttLib import TTCollection, TTFont, TTLibError

import fonts
from synth.errors import UserError
from synth.faces import read_faces

LICENCES = {
    "OFL-1.1": ("SIL Open Font License 1.1", "https://openfontlicense.org"),
    "Apache-2.0": ("Apache License 2.0", "https://www.apache.org/licenses/LICENSE-2.0"),
}


@dataclass(frozen=True)
class Cut:
    """One bundled font: the full name of its source font, and the family name given to the subset."""

    file: str
    source: str
    name: str
    licence: str


CUTS = (
    Cut("cn-noto-bold.otf", "Noto Sans CJK SC Bold", "Platesmith CJK A", "OFL-1.1"),
    Cut("cn-noto-regular.otf", "Noto Sans CJK SC", "Platesmith CJK B", "OFL-1.1"),
    Cut("cn-microhei.ttf", "WenQuanYi Micro Hei", "Platesmith CJK C", "Apache-2.0"),
    Cut("jp-rounded-medium.ttf", "Rounded Mplus 1c Medium", "Platesmith CJK D", "OFL-1.1"),
    Cut("jp-rounded-bold.ttf", "Rounded Mplus 1c Bold", "Platesmith CJK E", "OFL-1.1"),
    Cut("jp-zenmaru-bold.ttf", "Zen Maru Gothic Bold", "Platesmith CJK F", "OFL-1.1"),
    Cut("jp-maruberi.ttf", "MotoyaLMaru W3 mono", "Platesmith CJK G", "Apache-2.0"),
    Cut("jp-bizud-bold.ttf", "BIZ UDGothic Bold", "Platesmith CJK H", "OFL-1.1"),
    Cut("jp-klee-semibold.ttf", "Klee One SemiBold", "Platesmith CJK I", "OFL-1.1"),
)


def find_source(cut: Cut, folders: Iterable[Path]) -> TTFont:
    """The source font, from the given folders of font files or else from those installed."""
    files = [
        f for folder in folders for f in sorted(folder.rglob("*")) if f.suffix in (".ttf", ".otf", ".ttc")
    ]
    for file in [*files, *_installed(cut)]:
        for font in _members(file):
            if font["name"].getDebugName(4) == cut.source:
                return font
    raise UserError(
        f"fonts/cjk/{cut.file}: source font {cut.source!r} not found; install it or give its folder"
    )


def _installed(cut: Cut) -> list[Path]:
    command = ["fc-list", "-f", "%{file}\n", f":fullname={cut.source}"]
    try:
        found = subprocess.run(command, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise UserError(f"fonts/cjk/{cut.file}: fc-list failed ({error}); install fontconfig") from error
    return [Path(line) for line in found.stdout.splitlines()]


def _members(path: Path) -> list[TTFont]:
    try:
        if path.suffix == ".ttc":
            return list(TTCollection(str(path), lazy=True, recalcTimestamp=False).fonts)
        return [TTFont(str(path), lazy=True, recalcTimestamp=False)]
    except (OSError, TTLibError) as error:
        raise UserError(f"{path}: {error}; not a font?") from error


def write_subset(cut: Cut, source: TTFont, folder: Path) -> Path:
    """Write the characters that faces.yaml asks of the font, without hints and layout tables."""
    characters = read_faces(fonts.path("faces.yaml")).font_characters(cut.file)
    missing = sorted(characters - {chr(code) for code in source.getBestCmap()})
    if missing:
        raise UserError(
            f"fonts/cjk/{cut.file}: {cut.source} lacks {''.join(missing)}; take them out of faces.yaml"
        )
    options = subset.Options()
    options.hinting = False
    options.layout_features = []
    options.name_IDs = [0, 5, 7, 13, 14]
    options.name_legacy = False
    options.drop_tables += ["vhea", "vmtx", "VORG", "BASE", "GSUB", "GPOS", "GDEF", "MATH", "STAT", "meta"]
    worker = subset.Subsetter(options)
    worker.populate(text="".join(characters))
    worker.subset(source)
    _rename(source, cut)
    path = folder / cut.file
    source.save(path)
    return path


def _rename(font: TTFont, cut: Cut) -> None:
    licence, url = LICENCES[cut.licence]
    postscript = cut.name.replace(" ", "")
    version = font["name"].getDebugName(5)
    records = {
        1: cut.name,
        2: "Regular",
        3: f"{postscript}-1",
        4: cut.name,
        6: postscript,
        13: licence,
        14: url,
    }
    records[10] = f"Subset of {cut.source}, {version}; renamed, hints and layout tables removed."
    for number, text in records.items():
        font["name"].setName(text, number, 3, 1, 0x409)
    if "CFF " in font:
        cff = font["CFF "].cff
        cff.fontNames = [postscript]
        cff.topDictIndex[0].FullName = cff.topDictIndex[0].FamilyName = cut.name
