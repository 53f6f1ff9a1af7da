"""The report holds every number once it is there, says what is missing, and asks the network for nothing."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from recognizer.proof.measured import write_report
from recognizer.proof.page import page
from recognizer.proof.plots import plots
from recognizer.proof.report import markdown, tables

pytest.importorskip("matplotlib")
VOID = ("meta", "img")
BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


def found(exact: float, **more: Any) -> dict[str, Any]:
    return {
        "exact": exact,
        "exact_ci": [exact - 0.05, exact + 0.05],
        "exact_by_seed": [exact],
        "characters": 0.9,
        "exact_without_region": exact,
        "plates": 10,
        "by_type": {"blue": exact},
        "plates_by_type": {"blue": 10},
        "by_position": {"1": 0.5, "2": 1.0},
        "confusions": [["<D", "0", 3], ["皖", "", 1]],
        **more,
    }


def row(data: str, recognizer: str, sets: dict[str, Any], *problems: str) -> dict[str, Any]:
    return {
        "data": data,
        "recognizer": recognizer,
        "seeds": [0],
        "own": "synthetic-capture",
        "sets": sets,
        "problems": list(problems),
    }


def set_(name: str, real: bool) -> dict[str, Any]:
    return {"name": name, "real": real, "plates": 10, "left_out": 1, "refused": 2, "digest": "abc"}


@pytest.fixture
def report() -> dict[str, Any]:
    sets = {"street": found(0.432, gap=0.5, gap_ci=[0.4, 0.6]), "synthetic-capture": found(0.932)}
    points = [(0, True, 0.4), (50, False, 0.1), (50, True, 0.6)]
    return {
        "made": {"command": "plate-benchmark out=<x>", "time": "3 s"},
        "sets": [set_("street", True), set_("synthetic-capture", False)],
        "reference": "synthetic-capture",
        "rows": [row("capture", "lprnet", sets)],
        "baseline": "template",
        "paired": [
            {
                "data": "capture",
                "recognizer": "lprnet",
                "seeds": [0],
                "sets": {
                    "street": {
                        "plates": 10,
                        "difference": 0.3,
                        "difference_ci": [-0.05, 0.6],
                        "by_seed": [0.3],
                        "more": 4,
                        "less": 1,
                    }
                },
            }
        ],
        "readers": [row("as it is", "command", {}, "failed: hung: no end within 1 s")],
        "scarcity": {
            "sets": [set_("held_out", True)],
            "points": [
                {"crops": n, "synthetic": ours, "problems": [], "sets": {"held_out": found(exact)}}
                for n, ours, exact in points
            ],
        },
        "missing": {"data spg": "not available: no stage"},
    }


class Checked(HTMLParser):
    """Every element is closed, and nothing points anywhere."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.sources: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in VOID:
            self.open.append(tag)
        assert not {"href", "action", "srcset"} & {name for name, _ in attrs} and tag not in (
            "script",
            "link",
        )
        self.sources += [value or "" for name, value in attrs if name == "src"]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_markdown_has_every_number(report: dict[str, Any]) -> None:
    text = markdown(report)
    assert (
        "| capture | lprnet | 1 | 93.2 (88.2 to 98.2) | 43.2 (38.2 to 48.2) | 50.0 (40.0 to 60.0) |" in text
    )
    assert "| 50 | without | 10.0 (5.0 to 15.0) |" in text and "| 50 | with | 60.0" in text
    assert "| capture | lprnet | street | 10 | +30.0 (-5.0 to +60.0) | +30.0 | 4 / 1 |" in text
    assert "| data spg | not available: no stage |" in text
    assert "| as it is command | failed: hung: no end within 1 s |" in text
    assert "皖 > _ 1" in text and "| street | real | 10 | 1 | 2 | abc |" in text
    for table in tables(report):
        assert all(len(line) == len(table.head) for line in table.rows), table.title


def test_the_page_stands_alone(report: dict[str, Any], tmp_path: Path) -> None:
    write_report(tmp_path, report, [("capture, lprnet, street", b"\xff\xd8")])
    text = (tmp_path / "report.html").read_text("utf-8")
    checked = Checked()
    checked.feed(text)
    assert not checked.open and "plate-benchmark out=&lt;x&gt;" in text and "&lt;D &gt; 0 3" in text
    assert len(checked.sources) == 4 and all(s.startswith("data:image/") for s in checked.sources)
    assert not re.search(r"https?:|//[a-z]|url\(|@import", re.sub(r"base64,[^\"]*", "", text))
    assert json.loads((tmp_path / "report.json").read_text("utf-8")) == report


def test_without_real_sets_and_without_results(report: dict[str, Any]) -> None:
    report["sets"] = report["sets"][1:]
    report["scarcity"] = {"reason": "scarcity.path was not given"}
    assert "No real set was given" in markdown(report)
    assert [title for title, _ in plots(report)] == ["Synthetic and real", "By position"]
    report["rows"] = []
    assert not list(plots(report)) and "<h2>Result</h2>" in page(report, [], [])


@pytest.mark.slow
@pytest.mark.skipif(BROWSER is None, reason="no browser on this machine")
def test_a_browser_shows_it(report: dict[str, Any], tmp_path: Path) -> None:
    """Headless, with a proxy that is not there: the page has all it needs."""
    write_report(tmp_path, report, [("capture, lprnet, street", jpeg())])
    picture = tmp_path / "page.png"
    words = [str(BROWSER), "--headless", "--no-sandbox", "--disable-gpu", "--proxy-server=127.0.0.1:9"]
    words += [f"--user-data-dir={tmp_path / 'browser'}", "--window-size=1200,1600", f"--screenshot={picture}"]
    done = subprocess.run([*words, (tmp_path / "report.html").as_uri()], capture_output=True, timeout=240)
    assert done.returncode == 0, done.stderr
    seen = cv2.imread(str(picture))
    assert seen is not None and (seen.std(axis=1).mean(axis=1) > 5).mean() > 0.2  # text and plots all the way
    blue = np.array([180, 119, 31])  # C0 of the plots, which a browser shows only when it can decode them
    assert (np.abs(seen.astype(int) - blue).max(axis=2) < 12).sum() > 500


def jpeg() -> bytes:
    return bytes(cv2.imencode(".jpg", np.full((50, 90, 3), 90, np.uint8))[1])
