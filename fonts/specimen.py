"""The specimen: every character of every face, with all its variants, on one sheet."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

import fonts
from synth.faces import read_faces
from synth.glyphs import Face, load_face

WIDTH, GAP, ROW = 1600, 4, 36  # px: sheet, between cells, height of a cell
PAPER, INK = 255, 20


def write_specimen(path: Path) -> Path:
    """Write the sheet of all faces as a picture."""
    bands = [_band(load_face(name)) for name in read_faces(fonts.path("faces.yaml")).faces]
    sheet = Image.fromarray(np.vstack(bands)).quantize(
        8
    )  # eight greys are enough for the eye, a third of the file
    sheet.save(path, optimize=True)
    return path


def _band(face: Face) -> NDArray[np.uint8]:
    """A title and as many rows of cells as the face needs."""
    title = np.full((34, WIDTH), PAPER, np.uint8)
    text = f"{face.name}   {face.cell[0]:g} x {face.cell[1]:g} mm   {len(face.characters())} characters"
    cv2.putText(title, text, (GAP, 24), cv2.FONT_HERSHEY_SIMPLEX, 0.6, 90, 1, cv2.LINE_AA)
    rows, x = [title], GAP
    row = np.full((ROW + GAP, WIDTH), PAPER, np.uint8)
    for cell in _cells(face):
        if x + cell.shape[1] > WIDTH - GAP:
            rows.append(row)
            row, x = np.full_like(row, PAPER), GAP
        row[: cell.shape[0], x : x + cell.shape[1]] = PAPER - (cell.astype(np.uint16) * (PAPER - INK)) // 255
        x += cell.shape[1] + GAP
    return np.vstack([*rows, row])


def _cells(face: Face) -> list[NDArray[np.uint8]]:
    scale = ROW / face.cell[1]
    order = sorted(face.characters(), key=lambda char: (len(face.variants(char)) > 1, char))
    return [
        face.coverage(char, *face.cell, scale, variant=variant)
        for char in order
        for variant in range(len(face.variants(char)))
    ]
