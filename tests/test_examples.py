"""The pages of examples run: each Python block in a folder of its own, with the YAML files of the page."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import yaml

from synth import UserError, draw

ROOT = Path(__file__).resolve().parents[1]
PAGES = ("examples.md", "python.md")
BLOCK = re.compile(r"```(\w+)\n(.*?)```", re.DOTALL)


def blocks(page: str, language: str) -> list[str]:
    text = (ROOT / "docs" / page).read_text("utf-8")
    return [code for found, code in BLOCK.findall(text) if found == language]


def sections(page: str) -> Iterator[tuple[str, str]]:
    """(title, code) of each section with Python in it."""
    text = (ROOT / "docs" / page).read_text("utf-8")
    for part in re.split(r"^##? (?!\S+\.yaml)", text, flags=re.MULTILINE)[1:]:
        for language, code in BLOCK.findall(part):
            if language == "python":
                yield part.splitlines()[0], code


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for code in blocks("examples.md", "yaml"):
        name = re.match(r"# (\S+)", code)
        assert name, code
        (tmp_path / name.group(1)).write_text(code, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def ran(page: str, title: str) -> dict[str, object]:
    names: dict[str, object] = {}
    exec(compile(dict(sections(page))[title], f"docs/{page}", "exec"), names)
    return names


def test_every_section_with_python_is_tested() -> None:
    assert {title for page in PAGES for title, _ in sections(page)} == {
        "Hugging Face datasets",
        "PaddleOCR",
        "fast-plate-ocr",
        "A new country",
        "From Python",
    }


def test_hugging_face_reads_the_folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("datasets")
    monkeypatch.setenv("HF_HOME", str(folder / "cache"))
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", folder / "cache")
    names = ran("examples.md", "Hugging Face datasets")
    loaded, first = names["loaded"], names["first"]
    assert sum(len(part) for part in loaded.values()) == 40  # type: ignore[attr-defined]
    assert first["text"] and first["image"].size[1] == 64 and len(first["quad"]) == 4  # type: ignore[index]


def test_paddle_lists(folder: Path) -> None:
    names = ran("examples.md", "PaddleOCR")
    assert (folder / "paddle" / str(names["path"])).is_file()
    assert set(str(names["text"])) <= set(names["characters"])  # type: ignore[call-overload]
    assert (folder / "paddle" / "val_list.txt").is_file()


def test_fast_plate_ocr_gets_its_csv_and_plate_configuration(folder: Path) -> None:
    ran("examples.md", "fast-plate-ocr")
    config = yaml.safe_load((folder / "fast" / "plate_config.yaml").read_text("utf-8"))
    with (folder / "fast" / "train.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert rows and all((folder / "fast" / row["image_path"]).is_file() for row in rows)
    assert all(set(row["plate_text"]) <= set(config["alphabet"]) for row in rows)
    assert all(len(row["plate_text"]) <= config["max_plate_slots"] for row in rows)


def test_a_new_country_needs_no_code(folder: Path) -> None:
    names = ran("examples.md", "A new country")
    assert names["plate"].text == "ABC123" and names["made"].types == {"finland": 40}  # type: ignore[attr-defined]


def test_a_country_without_alphabets_is_told_where_to_write_them(folder: Path) -> None:
    (folder / "norway.yaml").write_text("defaults: [finland]\ncountry: nw\n")
    with pytest.raises(UserError, match=r"no alphabets for 'nw'.*alphabet-nw\.yaml"):
        draw("norway.yaml")


def test_the_stage_that_contributing_shows(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", (ROOT / "CONTRIBUTING.md").read_text("utf-8"), re.DOTALL)
    heads = [
        "from collections.abc import Sequence",
        "from dataclasses import dataclass, replace",
        "import numpy as np",
        "from synth.sample import Sample",
        "from synth.seeding import rng_for",
    ]
    (folder / "mine.py").write_text("\n".join([*heads, code]), encoding="utf-8")
    monkeypatch.syspath_prepend(folder)
    plate = draw("cn/blue", "京A12345", stages="capture", overrides=["+stages.grey._target_=mine.Grey"])
    assert np.ptp(plate.image, axis=2).max() == 0 and plate.stages[-1] == {"name": "grey", "grey": True}


def test_the_page_of_the_python_api(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = ran("python.md", "From Python")
    assert names["reading"].text == "京A12345"  # type: ignore[attr-defined]
    assert "does not fit" in capsys.readouterr().out
