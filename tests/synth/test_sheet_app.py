"""`python -m synth.sheet` as a user runs it: from another folder, and with mistakes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]


def sheet(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "synth.sheet", *arguments],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )


def test_a_sheet_of_the_seven_types(tmp_path: Path) -> None:
    done = sheet(tmp_path, "plates=cn7", "samples=3", "height_px=48", "out=deep/sheet.png")
    assert (done.returncode, done.stderr) == (0, "")
    assert "deep/sheet.png" in done.stdout and "7 types" in done.stdout
    with Image.open(tmp_path / "deep" / "sheet.png") as picture:
        assert picture.format == "PNG" and picture.mode == "RGB"
        assert picture.height > 7 * 48 and picture.width > 3 * 48 * 3
        assert len(picture.getcolors(1 << 24) or []) > 1000
    assert [path.name for path in tmp_path.iterdir()] == ["deep"]  # Hydra left nothing behind


def test_texts_of_ones_own(tmp_path: Path) -> None:
    (tmp_path / "texts.txt").write_text("\ufeff# two plates\n京A12345\n\n沪B·1234学\n", encoding="utf-8")
    done = sheet(
        tmp_path, "plates.types=[cn/blue]", "samples=1", "texts=texts.txt", "height_px=32", "out=sheet.png"
    )
    assert (done.returncode, done.stderr) == (0, "")


MISTAKES = {
    "unknown type": (["plates.types=[cn/bleu]", "out=s.png"], ["cn/bleu", "cn/blue"]),
    "unknown key": (["sampels=3", "out=s.png"], ["sampels"]),
    "unknown group choice": (["plates=cn8", "out=s.png"], ["cn8", "cn7"]),
    "bad value": (["seed=abc", "out=s.png"], ["seed", "abc"]),
    "no samples": (["samples=0", "plates=cn7", "out=s.png"], ["samples"]),
    "no height": (["height_px=-5", "plates=cn7", "out=s.png"], ["height_px"]),
    "no types": (["plates.types=[]", "out=s.png"], ["plates.types"]),
    "unknown mode": (["balance.mode=natrual", "plates=cn7", "out=s.png"], ["natrual", "natural"]),
    "missing out": (["plates=cn7"], ["out"]),
    "illegal text": (
        ["plates.types=[cn/blue]", "texts=texts.txt", "samples=2", "out=s.png"],
        ["line 2", "京A1234"],
    ),
    "no texts file": (["plates.types=[cn/blue]", "texts=none.txt", "out=s.png"], ["none.txt"]),
    "unwritable out": (["plates.types=[cn/blue]", "samples=1", "out=texts.txt/s.png"], ["out", "texts.txt"]),
    "no picture's ending": (["plates=all", "samples=99", "out=sheet.pgn"], ["out", ".pgn", ".png, .jpg"]),
    "out is a folder": (["plates.types=[cn/blue]", "samples=1", "out=."], ["out"]),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_ends_in_one_line_and_exit_2(tmp_path: Path, mistake: str) -> None:
    arguments, said = MISTAKES[mistake]
    (tmp_path / "texts.txt").write_text("京A12345\n京A1234\n", encoding="utf-8")
    done = sheet(tmp_path, *arguments)
    assert done.returncode == 2, done.stderr or done.stdout
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr
    assert "Traceback" not in done.stderr + done.stdout
    assert all(word in done.stderr for word in said), done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["texts.txt"]
