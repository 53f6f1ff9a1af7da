"""Imports run one way: conf -> synth -> gan -> recognizer, and torch is met only in the last two."""

from __future__ import annotations

import ast
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[1]
OURS = ("conf", "fonts", "synth", "gan", "recognizer")
ALLOWED = {
    "conf": set(),
    "fonts": {"synth"},  # its build tools; `fonts` itself, which synth imports, imports nothing
    "synth": {"fonts", "conf"},
    "gan": {"synth", "fonts", "conf"},
    "recognizer": {"gan", "synth", "fonts", "conf"},
}
HEAVY = {"torch", "torchvision", "safetensors", "tensorboard"}
FILES = sorted(path for package in OURS for path in (ROOT / package).rglob("*.py"))


def module_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(path: Path, lazy: bool) -> set[str]:
    """The modules a file imports; without `lazy` only while it is itself imported."""

    def walk(node: ast.AST) -> Iterator[str]:
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            nodes: list[ast.AST] = [*node.orelse, *(node.body if lazy else [])]
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)) and not lazy:
            nodes = []
        else:
            nodes = list(ast.iter_child_nodes(node))
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import in line {node.lineno}; write the package"
            yield node.module or ""
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        for child in nodes:
            yield from walk(child)

    return set(walk(ast.parse(path.read_text(encoding="utf-8"))))


def packages(names: set[str]) -> set[str]:
    return {name.split(".")[0] for name in names}


def test_every_package_is_looked_at() -> None:
    assert {path.relative_to(ROOT).parts[0] for path in FILES} == set(OURS)
    assert "synth.layout" in imports(ROOT / "synth" / "render.py", lazy=False)
    assert "synth.render" in imports(ROOT / "synth" / "sample.py", lazy=True)  # only for types
    assert "synth.render" not in imports(ROOT / "synth" / "sample.py", lazy=False)


@pytest.mark.parametrize("path", FILES, ids=module_of)
def test_imports_run_one_way(path: Path) -> None:
    package = path.relative_to(ROOT).parts[0]
    found = packages(imports(path, lazy=True)) & set(OURS)
    assert found <= ALLOWED[package] | {package}, f"{path.relative_to(ROOT)} imports {sorted(found)}"
    if package != "gan" and package != "recognizer":
        assert not packages(imports(path, lazy=False)) & HEAVY, path.relative_to(ROOT)


def test_the_data_packages_import_nothing_of_ours() -> None:
    for name in ("conf", "fonts"):
        assert not packages(imports(ROOT / name / "__init__.py", lazy=True)) & set(OURS), name


def test_synth_needs_of_fonts_only_the_package_itself() -> None:
    for path in FILES:
        if path.is_relative_to(ROOT / "synth"):
            modules = {name for name in imports(path, lazy=True) if name.startswith("fonts.")}
            assert all(not (ROOT / name.replace(".", "/")).with_suffix(".py").exists() for name in modules), (
                path
            )


def test_no_module_imports_itself_in_a_circle() -> None:
    edges = {module_of(path): imports(path, lazy=False) for path in FILES}
    done: set[str] = set()

    def visit(module: str, trail: tuple[str, ...]) -> None:
        assert module not in trail, " -> ".join((*trail, module))
        if module not in done:
            for name in sorted(edges[module] & set(edges) - {module}):
                visit(name, (*trail, module))
            done.add(module)

    for module in edges:
        visit(module, ())


def test_conf_fonts_and_synth_load_without_torch() -> None:
    """In a process where importing torch fails."""
    tools = {"fonts.build", "fonts.subset", "fonts.truetype"}  # need fontTools, an extra
    modules = [
        module_of(path) for path in FILES if path.relative_to(ROOT).parts[0] in ("conf", "fonts", "synth")
    ]
    code = (
        "import sys, importlib\n"
        "class Refuse:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        f"        if name.split('.')[0] in {sorted(HEAVY)!r}: raise ImportError('refused: ' + name)\n"
        "sys.meta_path.insert(0, Refuse())\n"
        f"for name in {[m for m in modules if m not in tools]!r}: importlib.import_module(name)\n"
        "assert not {'gan', 'recognizer'} & set(sys.modules)\n"
        "print(len(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_commands_without_torch_tell_their_keys_and_what_is_missing(tmp_path: Path) -> None:
    """In a process where torch is not installed: every --help, and one line where torch is needed."""
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
    modules = [place.partition(":")[0] for place in scripts.values()]
    crops, out = tmp_path / "crops", tmp_path / "out"
    crops.mkdir()
    (crops / "labels.tsv").write_text("path\ttext\ttype\tcolour\na.png\t皖A12345\tblue\tblue\n", "utf-8")
    cv2.imwrite(str(crops / "a.png"), np.full((24, 94, 3), 90, np.uint8))
    needing = {
        "gan.train": [f"source.path={crops}"],
        "gan.evaluate": [f"source.path={crops}"],
        "gan.evaluate_edit": [],
        "gan.edit": [f"image={crops}", "text=random"],
        "gan.realism": [f"source.path={crops}"],
        "recognizer.train": [],
        "recognizer.benchmark": ["experiment=smoke"],
    }
    code = (
        "import sys, importlib\n"
        "class Refuse:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        f"        if name.split('.')[0] in {sorted(HEAVY)!r}: raise ModuleNotFoundError(name, name=name)\n"
        "sys.meta_path.insert(0, Refuse())\n"
        "def run(module, *words):\n"
        "    sys.argv = [module, *words]\n"
        "    try: importlib.import_module(module).main()\n"
        "    except SystemExit as end: return end.code or 0\n"
        "    return 0\n"
        f"for module in {modules!r}: assert run(module, '--help') == 0, module\n"
        f"for module, words in {needing!r}.items():\n"
        f"    assert run(module, {f'out={out}'!r}, *words) == 2, module\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    told = done.stderr.splitlines()
    assert len(told) == len(needing), done.stderr
    assert all(line.startswith("error: torch is not installed; run: pip install") for line in told), told
    assert done.stdout.count("python -m") >= len(modules) and not out.exists()
