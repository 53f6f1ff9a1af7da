"""The bundled and the built fonts: complete, licensed, and the same shapes as the faces."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

import fonts
from synth.faces import read_faces
from synth.glyphs import load_face

pytest.importorskip("pathops")
pytest.importorskip("fontTools")

from fontTools.ttLib import TTFont

from fonts import subset, truetype
from fonts.build import main
from synth.errors import UserError

FACES = read_faces(fonts.path("faces.yaml"))
BUILT = sorted(fonts.path("ttf").glob("*.ttf"))


def test_every_bundled_font_is_in_the_licence_table_with_its_text() -> None:
    table = fonts.path("LICENSES.md").read_text(encoding="utf-8")
    bundled = {path.name for path in fonts.path("cjk").iterdir()}
    assert bundled == set(FACES.fonts) == {cut.file for cut in subset.CUTS}
    for file in bundled:
        row = next(line for line in table.splitlines() if line.startswith(f"| `{file}`"))
        link = re.search(r"\((licenses/[^)]+)\)", row)
        assert link is not None
        text = fonts.path(link[1]).read_text(encoding="utf-8")
        assert "SIL OPEN FONT LICENSE" in text or "Apache License" in text


def test_bundled_fonts_are_renamed_and_hold_their_characters() -> None:
    for cut in subset.CUTS:
        font = TTFont(fonts.path(f"cjk/{cut.file}"))
        assert {font["name"].getDebugName(1), font["name"].getDebugName(4)} == {cut.name}
        assert cut.name in fonts.path("LICENSES.md").read_text(encoding="utf-8")
        assert font["name"].getDebugName(0), "the copyright line must stay"
        assert FACES.font_characters(cut.file) == {chr(code) for code in font.getBestCmap()}


def test_a_font_is_built_of_every_stroke_face() -> None:
    faces = [load_face(name) for name in FACES.faces]
    assert {path.stem for path in BUILT} == {face.name for face in faces if truetype.is_stroke_face(face)}


@pytest.mark.parametrize("path", BUILT, ids=lambda p: p.stem)
def test_truetype_through_freetype_agrees_with_the_face(path: Path) -> None:
    face = load_face(path.stem)
    scale = 4
    size = round(TTFont(path)["head"].unitsPerEm / truetype.UNITS * scale)
    font = ImageFont.truetype(str(path), size)
    for char, layer in truetype.stroke_layers(face).items():
        width, height = layer.cell
        image = Image.new("L", (round(width * scale), round(height * scale)))
        ImageDraw.Draw(image).text((0, image.height), char, 255, font=font, anchor="ls")
        typeset = np.asarray(image, float)
        variant = [other for other in face.layers if char in other.characters].index(layer)
        drawn = face.coverage(char, width, height, scale, variant=variant).astype(float)
        # Areas, not thresholded: a font unit is 0.4 px here, which would turn whole columns of a bar.
        assert np.minimum(drawn, typeset).sum() / np.maximum(drawn, typeset).sum() >= 0.98, char


def test_fonts_are_rebuilt_from_the_sources_as_committed(tmp_path: Path) -> None:
    for name in ("cn45x90", "jp_serial"):
        built = TTFont(truetype.write_font(load_face(name), tmp_path))
        kept = TTFont(fonts.path(f"ttf/{name}.ttf"))
        assert built.getGlyphOrder() == kept.getGlyphOrder()
        assert built.getTableData("glyf") == kept.getTableData("glyf")


def test_a_missing_source_font_is_told_in_one_line(tmp_path: Path) -> None:
    cut = subset.Cut("cn-x.ttf", "No Such Font At All", "Platesmith CJK X", "OFL-1.1")
    with pytest.raises(UserError, match=r"cn-x.ttf: .*(not found; install|install fontconfig)"):
        subset.find_source(cut, [tmp_path])


def test_an_unknown_part_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["spoons"])
    assert "parts: cjk, ttf, specimen" in capsys.readouterr().err
