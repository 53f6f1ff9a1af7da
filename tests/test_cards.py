"""README and cards show the numbers that were measured, of the weights that are there."""

from __future__ import annotations

import os
from pathlib import Path

import cards
import kept
import measures
import proven
import pytest

REAL = Path(os.environ.get("PLATESMITH_REAL", "absent"))


@pytest.mark.parametrize("page", cards.PAGES, ids=lambda page: page.parent.name)
def test_the_text_shows_what_was_measured(page: Path) -> None:
    text = page.read_text("utf-8")
    assert cards.MARKED.search(text), f"{page}: no marks"
    assert text == cards.filled(text), "python docs/cards.py show"


@pytest.mark.parametrize(
    "metrics", list(kept.WEIGHTS), ids=lambda path: f"{path.parent.parent.name}/{path.stem}"
)
def test_the_numbers_are_of_these_weights(metrics: Path) -> None:
    if not metrics.exists():
        assert kept.UNKNOWN in (metrics.parent / "README.md").read_text("utf-8")
        return
    assert kept.loaded(metrics)["weights"] == kept.weights_of(metrics), "python docs/cards.py measure REAL"


@pytest.mark.skipif(not proven.PROOF.exists(), reason="no benchmark was taken")
def test_the_benchmark_page_is_of_its_report() -> None:
    report, page = kept.loaded(proven.PROOF), (proven.PROOF.parent / "README.md").read_text("utf-8")
    assert page.startswith(proven.page_of(report, []).rstrip()), "python docs/cards.py proof REPORT"
    bundled = next(row for row in report["readers"] if "bundled" in row["recognizer"])
    for name, told in kept.loaded(kept.READER)["sets"].items():
        if name in bundled["sets"]:  # the same reader, the same crops
            assert bundled["sets"][name]["exact"] == pytest.approx(told["exact"], abs=0.005), name


def test_every_mark_is_filled_and_nothing_else() -> None:
    text = "before\n<!-- numbers: one -->\nold\n<!-- end -->\nafter 1.0\n"
    new = cards.filled(text, {"one": lambda: iter(["| 2.0 |"])})
    assert new == "before\n<!-- numbers: one -->\n\n| 2.0 |\n\n<!-- end -->\nafter 1.0\n"


def test_a_report_is_taken_without_where_it_was_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    score = {"exact": 0.5, "exact_ci": [0.4, 0.6], "gap": 0.1, "gap_ci": [0, 0.2], "plates": 9}
    score |= {"characters": 0.9, "exact_without_region": 0.6, "exact_by_seed": [0.5], "confusions": []}
    score |= {"by_type": {"cn/blue": 0.5}, "by_position": {"1": 0.9}}
    row = {"data": "mix", "recognizer": "plates", "seeds": [0], "own": "synthetic-mix", "problems": []}
    one = {
        "plates": 9,
        "difference": 0.02,
        "difference_ci": [0.01, 0.03],
        "by_seed": [0.02],
        "more": 2,
        "less": 1,
    }
    sets = [{"name": "x", "real": True, "plates": 9, "left_out": 0, "refused": 0, "digest": "d"}]
    made = {"command": "plate-benchmark out=/a/b tests.x=/c/d/x/ taught=[x]", "commit": "c", "machine": "m"}
    point = {"crops": 5, "synthetic": True, "problems": [], "sets": {"x": score}}
    report = {
        "made": {**made, "trainings": "1.0 hours"},
        "config": {"images": 150000, "tests": {"x": "/c/d/x/"}},
        "sets": [*sets, {**sets[0], "name": "synthetic-mix", "real": False}],
        "reference": "synthetic-mix",
        "baseline": "capture",
        "rows": [{**row, "sets": {"x": score, "synthetic-mix": score}}],
        "readers": [{**row, "recognizer": "ppocr", "sets": {}, "problems": ["failed: hung"]}],
        "paired": [{**row, "sets": {"x": one}}],
        "scarcity": {"kind": "mix", "sets": sets, "points": [point]},
        "missing": {},
    }
    kept.kept(tmp_path / "report.json", report)
    monkeypatch.setattr(proven, "PROOF", tmp_path / "benchmark" / "report.json")
    assert list(proven.proof()) == [kept.UNKNOWN]
    proven.take(tmp_path / "report.json")
    shown = "\n".join(proven.proof())
    assert "`plate-benchmark out=b tests.x=x/ taught=[x]`: 150,000 images" in shown
    assert "| mix | +2.0 (+1.0 to +3.0) |" in shown and "| mix | 50.0 |" in shown
    assert "| 5 |  | 50.0 |" in shown and "failed: hung" in shown
    for file in proven.PROOF.parent.iterdir():
        assert file.suffix == ".png" or "/c/d" not in file.read_text("utf-8")
    assert "](few-real-crops-x.png)" in (proven.PROOF.parent / "README.md").read_text("utf-8")


def test_times_are_of_this_network() -> None:
    assert {one["network"] for one in kept.loaded(kept.READER)["speed"].values()} == {measures.network()}


def test_other_crops_are_not_read_for_an_old_report() -> None:
    sets = kept.loaded(proven.PROOF)["sets"]
    proven.need_same_crops(sets, sets)
    drawn_anew = [{**one, "digest": one["digest"] if one["real"] else "another"} for one in sets]
    proven.need_same_crops(sets, drawn_anew)
    with pytest.raises(SystemExit, match="street: other crops than those of"):
        proven.need_same_crops(sets, [one for one in sets if one["name"] != "street"])


@pytest.mark.slow
@pytest.mark.skipif(not (REAL / "street").is_dir(), reason="PLATESMITH_REAL names no folder with real crops")
@pytest.mark.parametrize("name", ["ccpd", "street"])
def test_the_bundled_reader_reads_what_its_card_says(name: str) -> None:
    told, found = kept.loaded(kept.READER)["sets"][name], measures.read_by_reader(name, REAL.resolve())
    assert found["plates"] == told["plates"]
    for key in ("exact", "exact_without_region", "characters", "type"):
        assert found[key] == pytest.approx(told[key], abs=0.001), key


def test_a_command_names_folders_and_keeps_lists() -> None:
    told = "plates.types=[cn/blue,cn/black] 'reader.command=python x y'"
    given = f"plate-benchmark out=/a/b tests.x=c/d {told}"
    assert proven.named(given) == f"plate-benchmark out=b tests.x=d {told}"
