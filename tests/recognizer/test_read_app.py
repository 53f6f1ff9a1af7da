"""plate-read: the table, its paths, and what happens to pictures that are none."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import cv2
import pytest
from tiny_reader import ROOT, checkpoint, exported, noise

from recognizer.read import HEADER, find_pictures, main
from recognizer.reader import Reader
from synth.errors import UserError


@pytest.fixture
def plates(tmp_path: Path) -> Path:
    root = tmp_path / "plates"
    for n, image in enumerate(noise(9)):
        path = root / ("sub" if n % 3 == 0 else ".") / f"{n}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(path), image[:, :, ::-1])
    (root / "labels.tsv").write_text("path\ttext\n")
    return root


def run(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    """The command in this process; its exit code."""
    monkeypatch.setattr(sys, "argv", ["plate-read", *words])
    try:
        main()
    except SystemExit as stop:
        return int(stop.code or 0)
    return 0


def test_the_table(plates: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(monkeypatch, f"images={plates}", f"weights={checkpoint()}") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "path\ttext\ttype\tconfidence" == HEADER
    rows = [line.split("\t") for line in lines[1:]]
    names = [row[0] for row in rows]
    assert sorted(names) == [
        "1.png",
        "2.png",
        "4.png",
        "5.png",
        "7.png",
        "8.png",
        *(f"sub/{n}.png" for n in (0, 3, 6)),
    ]
    reader = Reader.from_pretrained(checkpoint())
    for name, text, kind, confidence in rows:
        read = reader.read(plates / name)
        assert (text, kind) == (read.text, read.type)
        assert float(confidence) == pytest.approx(read.confidence, abs=1e-4)


def test_batches_and_backends_write_the_same_file(plates: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tables = set()
    for weights in (checkpoint(), exported()):
        for size in (1, 7, 128):
            out = plates.parent / "new" / f"{size}.tsv"
            words = (f"images={plates}", f"weights={weights}", f"out={out}", f"batch={size}")
            assert run(monkeypatch, *words) == 0
            tables.add(out.read_text(encoding="utf-8"))
    assert len(tables) == 1 and tables.pop().count("\n") == 10


def test_a_broken_picture_stops_no_other(
    plates: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (plates / "3.jpg").write_bytes(b"nothing")
    (plates / "sub" / "x.png").write_bytes(b"")
    out = plates.parent / "out.tsv"
    for words in ((), (f"out={out}",)):
        assert run(monkeypatch, f"images={plates}", f"weights={checkpoint()}", "batch=4", *words) == 2
        said = capsys.readouterr()
        errors = [line for line in said.err.splitlines() if line.startswith("error: ")]
        assert len(errors) == 2 and "3.jpg" in errors[0] and "x.png" in errors[1]
        table = said.out if not words else out.read_text(encoding="utf-8")
        assert len(table.splitlines()) == 10 and "3.jpg" not in table


def test_what_images_may_be(plates: Path) -> None:
    assert find_pictures(str(plates / "1.png")) == [(plates / "1.png", "1.png")]
    assert [name for _, name in find_pictures(f"{plates}/*.png")] == [f"{n}.png" for n in (1, 2, 4, 5, 7, 8)]
    assert [name for _, name in find_pictures(f"{plates}/**/*.png")][-1] == "sub/6.png"
    assert [name for _, name in find_pictures(f"{plates.parent}/*/sub/[03].png")] == [
        "plates/sub/0.png",
        "plates/sub/3.png",
    ]
    (plates.parent / "empty").mkdir()
    for given, why in (
        ("empty", "no picture in this folder"),
        ("absent", "no such file"),
        ("*.gif", "no file"),
    ):
        with pytest.raises(UserError, match=why):
            find_pictures(str(plates.parent / given))


def test_pictures_of_a_data_set_that_show_no_plate_are_left_out(plates: Path) -> None:
    (plates / "1.png").rename(plates / "sheet.png")
    assert "sheet.png" in dict(map(reversed, find_pictures(str(plates))))  # type: ignore[arg-type]
    (plates / "manifest.json").write_text("{}")
    names = [name for _, name in find_pictures(str(plates))]
    assert names and "sheet.png" not in names
    below = [name for _, name in find_pictures(str(plates.parent))]  # sets below a folder, too
    assert below and not any(name.endswith("sheet.png") for name in below)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("images=empty",), "images: empty: no picture in this folder"),
        ((), "images: must be given"),
        (("images=plates", "out=plates"), "out: plates is a folder; give the name of a file"),
        (("images=plates", "out=plates/1.png"), "1.png is there already and not of our writing"),
        (("images=plates", "batch=0"), "batch: 0 is not a whole number above 0"),
        (("images=plates", "weights=absent.onnx"), "absent.onnx: no such weights file"),
        (("images=plates", "backend=tpu", "weights=x"), "backend=tpu: unknown"),
        (("images=plates", "imagse=x"), "imagse"),
    ],
)
def test_errors_are_one_line(
    words: tuple[str, ...],
    said: str,
    plates: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(plates.parent)
    Path("empty").mkdir()
    assert run(monkeypatch, *words) == 2
    errors = capsys.readouterr().err.splitlines()
    assert len(errors) == 1 and errors[0].startswith("error: ") and said in errors[0]


def test_names_keep_their_column(
    plates: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copy(plates / "1.png", plates / "京 a\tb.png")
    assert run(monkeypatch, f"images={plates}", f"weights={checkpoint()}") == 0
    lines = capsys.readouterr().out.splitlines()
    assert all(line.count("\t") == 3 for line in lines) and any(
        line.startswith("京 a\\x09b.png\t") for line in lines
    )


def test_a_closed_pipe_is_no_error(plates: Path) -> None:
    command = f"{sys.executable} -m recognizer.read images={plates} weights={checkpoint()} batch=1 | head -1"
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0 and done.stdout == HEADER + "\n" and not done.stderr, done.stderr
