"""The wheel, installed outside the checkout, used from an empty folder: nothing it needs is missing."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PARTS = ("conf", "fonts", "gan", "recognizer", "synth", "pyproject.toml", "README.md", "LICENSE")
DATA = {".yaml", ".tsv", ".ttf", ".otf", ".onnx", ".safetensors"}


def run(*words: str | Path, cwd: Path) -> str:
    """The command's output, in an environment that knows no checkout."""
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "PIP_TARGET"))}
    done = subprocess.run(list(map(str, words)), cwd=cwd, env=clean, capture_output=True, text=True)
    assert done.returncode == 0, f"{words}: {done.stdout[-500:]} {done.stderr[-2000:]}"
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from a copy: setuptools leaves a folder `build` there, and takes old files from it."""
    copy = tmp_path_factory.mktemp("source")
    for name in PARTS:
        source, ignored = ROOT / name, shutil.ignore_patterns("__pycache__")
        if source.is_dir():
            shutil.copytree(source, copy / name, ignore=ignored)
        else:
            shutil.copy(source, copy / name)
    out = copy / "dist"
    offline = ("--no-deps", "--no-build-isolation")
    run(sys.executable, "-m", "pip", "wheel", "-q", *offline, "-w", out, copy, cwd=copy)
    return next(out.glob("*.whl"))


@pytest.fixture(scope="module")
def scripts(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The commands of an environment of its own, which borrows the dependencies of this one."""
    home = tmp_path_factory.mktemp("environment")
    run(sys.executable, "-m", "venv", "--without-pip", home, cwd=home)
    here = next((home / "lib").glob("python*")) / "site-packages"
    dependencies = Path(pytest.__file__).resolve().parents[1]
    run(
        sys.executable,
        "-m",
        "pip",
        "--python",
        home / "bin/python",
        "install",
        "-q",
        "--no-deps",
        wheel,
        cwd=home,
    )
    (here / "borrowed.pth").write_text(
        f"{dependencies}\n"
    )  # after its own packages, so the wheel comes first
    return home / "bin"


@pytest.mark.slow
def test_the_wheel_has_every_data_file(wheel: Path) -> None:
    inside = set(zipfile.ZipFile(wheel).namelist())
    packages = ("conf", "fonts", "gan", "recognizer", "synth")
    there = {
        path.relative_to(ROOT).as_posix()
        for name in packages
        for path in (ROOT / name).rglob("*")
        if path.suffix in DATA or path.suffix == ".py"
    }
    assert there <= inside, sorted(there - inside)[:5]


@pytest.mark.slow
def test_the_installed_commands_work_in_an_empty_folder(scripts: Path, tmp_path: Path) -> None:
    where = run(
        scripts / "python", "-c", "import synth, conf; print(synth.__file__, conf.__file__)", cwd=tmp_path
    )
    assert str(ROOT) not in where and str(scripts.parent) in where
    run(scripts / "plate-generate", "count=10", "out=plates", cwd=tmp_path)
    assert len(list((tmp_path / "plates").rglob("*.jpg"))) == 10
    lines = run(scripts / "plate-read", "images=plates/train", cwd=tmp_path).splitlines()
    assert lines[0] == "path\ttext\ttype\tconfidence" and len(lines) > 5
    run(
        scripts / "plate-sheet",
        "plates.types=[cn/blue,jp/private]",
        "samples=2",
        "out=sheet.png",
        cwd=tmp_path,
    )
    assert (tmp_path / "sheet.png").is_file()
    run(scripts / "plate-validate", "path=plates", cwd=tmp_path)
    call = "from synth import draw; from recognizer import Reader; print(Reader.from_pretrained().read("
    said = run(scripts / "python", "-c", f"{call}draw('cn/blue', '京A12345').image).text)", cwd=tmp_path)
    assert said.strip() == "京A12345"
    picture = next((tmp_path / "plates").rglob("*.jpg"))
    run(scripts / "plate-edit", f"image={picture}", "text=random", "out=edited", cwd=tmp_path)
    assert len(list((tmp_path / "edited").glob("*.jpg"))) == 1
    call = "from synth import draw; from gan import edit; print(edit("
    said = run(
        scripts / "python", "-c", f"{call}draw('cn/blue', '京A12345').image, '沪B6789C').old)", cwd=tmp_path
    )
    assert said.strip() == "京A12345"


@pytest.mark.slow
def test_every_installed_command_has_help(scripts: Path, tmp_path: Path) -> None:
    for name in tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["scripts"]:
        assert "Keys:" in run(scripts / name, "--help", cwd=tmp_path), name
