"""The Python of the documentation runs."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from synth.api import composed
from synth.dataset.mark import mark_synthetic
from synth.generate import encoded

ROOT = Path(__file__).resolve().parents[1]


def snippet(name: str) -> str:
    (code,) = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / name).read_text("utf-8"), re.DOTALL)
    return str(code)


def test_a_picture_is_made_again_from_its_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, alone: Callable[..., None]
) -> None:
    keys = ["out=plates", "count=8", "engine=serial", "stages=capture"]
    alone("synth.generate", *keys)
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    exec(compile(snippet("datasets.md"), "docs/datasets.md", "exec"), names)
    again, record = names["again"], names["record"]
    there = (tmp_path / "plates" / "train" / record.id[:-3] / record.file_name).read_bytes()  # type: ignore[attr-defined]
    assert mark_synthetic(encoded(again)) == there  # type: ignore[arg-type]
    assert names["darker"].image.mean() != again.image.mean()  # type: ignore[attr-defined]


def test_the_types_page(monkeypatch: pytest.MonkeyPatch) -> None:
    exec(compile(snippet("types.md"), "docs/types.md", "exec"), {})


def test_functions_that_the_capture_page_names_exist() -> None:
    named = re.findall(r"`(\w+)\(sample\)`", (ROOT / "docs" / "capture.md").read_text("utf-8"))
    code = "".join(path.read_text("utf-8") for path in (ROOT / "synth").rglob("*.py"))
    assert named and all(f"def {name}(sample: Sample" in code for name in named)


@pytest.mark.parametrize("camera", ["phone", "street"])
def test_the_key_that_a_camera_says_to_remove_is_one(camera: str) -> None:
    written = (ROOT / "conf" / "capture" / "camera" / f"{camera}.yaml").read_text("utf-8")
    (key,) = re.findall(r"remove one with (~\S+)", written)
    effects = composed("generate", ["out=x", key]).capture.cameras[camera].effects
    assert "night" not in effects and "noise" in effects
