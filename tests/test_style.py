"""Rules that no linter knows: types are data, modules say what they are for, nothing knows this machine."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("conf", "fonts", "synth", "gan", "recognizer")
CODE = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
DATA = sorted(
    path
    for package in (*PACKAGES, "tests")
    for ending in ("yaml", "md", "tsv", "toml", "py")
    for path in (ROOT / package).rglob(f"*.{ending}")
) + sorted(path for ending in ("toml", "md", "cfg") for path in ROOT.glob(f"*.{ending}"))
HERE = re.compile(r"(?<![\w.:-])/(?:" + "work|root|home" + r")/\w")  # a path of the machine it was written on
TYPE_ID = re.compile(
    r"""(?:==|!=|\bin\b|\bcase\b)\s*[\[({]*\s*["'](?:cn|jp)/\w+["']|startswith\(["'](?:cn|jp)/"""
)


def shown(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def lines_with(pattern: re.Pattern[str], path: Path) -> list[str]:
    text = path.read_text(encoding="utf-8")
    return [
        f"{shown(path)}:{n}: {line.strip()}"
        for n, line in enumerate(text.splitlines(), 1)
        if pattern.search(line)
    ]


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ('if plate_type == "cn/blue":', True),
        ("if name != 'jp/private':", True),
        ('if plate.id in ("cn/blue", "cn/yellow"):', True),
        ('if name.startswith("jp/"):', True),
        ('case "cn/blue":', True),
        ('type: str  # "cn/blue"', False),
        ('raise UserError("for example plates.types=[cn/blue]")', False),
    ],
)
def test_the_pattern_finds_comparisons_with_type_ids(line: str, found: bool) -> None:
    assert bool(TYPE_ID.search(line)) == found


def test_no_code_asks_which_plate_type_it_has() -> None:
    found = [hit for path in CODE if shown(path).startswith("synth/") for hit in lines_with(TYPE_ID, path)]
    assert not found, "\n".join(found)


def test_every_module_says_what_it_is_for() -> None:
    silent = [
        shown(path)
        for path in CODE
        if not (ast.get_docstring(ast.parse(path.read_text("utf-8"))) or "").strip()
    ]
    assert not silent, silent


def test_no_file_knows_the_machine_it_was_written_on() -> None:
    assert HERE.search('Path("/' + 'work/x")') and not HERE.search("https://a.b/work/x")
    found = [hit for path in DATA for hit in lines_with(HERE, path)]
    assert not found, "\n".join(found)


def test_no_global_random_state() -> None:
    pattern = re.compile(
        r"np\.random\.(seed|rand|randn|randint|choice|shuffle|uniform|normal)\(|^import random|random\.seed\("
    )
    found = [hit for path in CODE if shown(path).startswith("synth/") for hit in lines_with(pattern, path)]
    assert not found, "\n".join(found)
