"""The command from end to end, with trainings that give an untrained reader at once."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from tiny_reader import checkpoint

import recognizer.proof.run as run_module
from gan.runtime.window import Window
from recognizer.benchmark import main
from recognizer.data import Blend
from recognizer.proof.training import Failed, trained
from recognizer.training import header_of, make_data
from synth.dataset.readers import labelled
from synth.errors import UserError

pytest.importorskip("matplotlib")

KEYS = (
    "out=out",
    "experiment=smoke",
    "images=24",
    "synthetic.count=6",
    "kinds=[template,capture,spg]",
    "weights.pix2pix=absent.safetensors",  # nothing for the editor to write on
    "recognizers=[plates,lprnet]",
    "tests.mine=crops",
    "taught=[mine]",
    "scarcity.path=crops",
    "scarcity.crops=[0,3]",
    "scarcity.held_out=4",
    "readers=[command]",
    "reader.command=/bin/false",
)


def start(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    monkeypatch.setattr(sys, "argv", ["plate-benchmark", *words])
    try:
        main()
    except SystemExit as end:
        return int(end.code or 0)
    return 0


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to work in, with ten labelled crops."""
    from synth.generate import main as generate

    monkeypatch.chdir(tmp_path)
    words = ["out=made", "count=10", "seed=9", "plates.types=[cn/blue]", "engine=serial", "stages=template"]
    monkeypatch.setattr(sys, "argv", ["plate-generate", *words, "split={train: 1.0, val: 0.0, test: 0.0}"])
    generate()
    rows = [json.loads(line) for line in Path("made/train/metadata.jsonl").read_text("utf-8").splitlines()]
    lines = [f"{row['file_name']}\t{row['text']}\tsingle\tblue" for row in rows]
    shutil.copytree("made/train", "crops")
    Path("crops/labels.tsv").write_text("\n".join(["path\ttext\ttype\tcolour", *lines]) + "\n", "utf-8")
    return tmp_path


@pytest.fixture
def trainings(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of what was trained; LPRNet on captures dies."""
    names: list[str] = []

    def instead(overrides: Sequence[str], folder: Path) -> Path:
        names.append(folder.name.split(".")[0])
        if names[-1] == "capture-lprnet-s0":
            raise Failed("training ended with -9: nothing said")
        return checkpoint()

    monkeypatch.setattr(run_module, "trained", instead)
    return names


def test_the_whole_table(
    folder: Path, trainings: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert start(monkeypatch, *KEYS) == 0
    report: dict[str, Any] = json.loads(Path("out/report.json").read_text("utf-8"))
    rows = {(row["data"], row["recognizer"]): row for row in report["rows"]}
    assert len(rows) == 4 and not rows["capture", "lprnet"]["sets"]
    assert rows["capture", "lprnet"]["problems"] == ["failed: training ended with -9: nothing said"]
    good = rows["template", "plates"]
    assert set(good["sets"]) == {"mine", "mine-held_out", "synthetic-template", "synthetic-capture"}
    assert 0 < good["sets"]["mine-held_out"]["plates"] < 10
    (pair,) = report["paired"]  # one reader for both: no difference; LPRNet on captures died
    assert (pair["data"], pair["recognizer"], pair["sets"]["mine"]["difference"]) == ("template", "plates", 0)
    assert good["own"] == "synthetic-template" and "gap" in good["sets"]["mine"]
    assert good["sets"]["mine"]["plates"] == 10 and good["sets"]["synthetic-capture"]["plates"] == 6
    assert report["readers"][0]["problems"] == ["failed: crashed: exit 1: nothing said"]
    assert report["missing"]["data spg"].startswith("not available: ")
    assert [(p["crops"], p["synthetic"]) for p in report["scarcity"]["points"]] == [
        (0, True),
        (3, False),
        (3, True),
    ]
    assert "## Few real crops" in capsys.readouterr().out and Path("out/report.html").stat().st_size > 10_000

    del trainings[:]
    assert start(monkeypatch, *KEYS) == 0
    assert trainings == ["capture-lprnet-s0"]  # nothing but what failed is tried again
    again = json.loads(Path("out/report.json").read_text("utf-8"))
    assert again["rows"] == report["rows"] and again["scarcity"] == report["scarcity"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["kinds=[magic]"], "kinds: 'magic' is no kind"),
        (["kinds=[spg]", "weights.spg=absent"], "kinds: none of them can be made"),
        (["jobs=0"], "jobs: 0 is not a whole number above 0"),
        (["recognizers=[tesseract]"], "tesseract"),
        (["seeds=[]"], "seeds: empty"),
        (["seeds=[0,0]"], "seeds: [0, 0] of plates: one is there twice"),
        (["baseline=captures"], "baseline: 'captures' is no kind"),
        (["scarcity.path=absent", "scarcity.crops=[]"], "scarcity.crops: []: give numbers"),
        (["scarcity.path=absent", "scarcity.crops=[-5]"], "scarcity.crops: [-5]: give numbers"),
        (["scarcity.path=absent", "scarcity.crops=[3,3]"], "scarcity.crops: [3, 3]: one is there twice"),
        (["scarcity.path=absent", "scarcity.seeds=[]"], "scarcity.seeds: empty"),
        (["scarcity.path=absent", "scarcity.share=1"], "scarcity.share: 1: give a share"),
        (["scarcity.path=absent", "scarcity.recognizer=plate"], "plate"),
        (["images=0"], "images: 0 is not a whole number above 0"),
        (["tests.mine=absent"], "absent: no such folder"),
        (["scarcity.path=absent"], "absent: no such folder"),
        (["taught=[mine]"], "taught: 'mine' is not among tests"),
        (["readers=[command]"], "readers: command needs reader.command="),
    ],
)
def test_errors_are_one_line(
    words: list[str],
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert start(monkeypatch, "experiment=smoke", "images=8", "kinds=[template]", *words) == 2
    errors = capsys.readouterr().err.splitlines()
    assert len(errors) == 1 and errors[0].startswith("error: ") and said in errors[0]
    assert not list(tmp_path.iterdir())  # nothing is made before all is checked


def test_the_editor_writes_on_plates_of_the_generator(
    folder: Path, trainings: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ["out=out", "experiment=smoke", "images=8", "kinds=[spg]", "baseline=spg", "recognizers=[plates]"]
    words += ["styles.count=8", "synthetic.count=3", "readers=[]", "jobs=2", "seeds=[0,1]"]
    assert start(monkeypatch, *words) == 0
    report = json.loads(Path("out/report.json").read_text("utf-8"))
    assert not [name for name in report["missing"] if name != "curve"]
    assert report["rows"][0]["seeds"] == [0, 1] and sorted(trainings) == ["spg-plates-s0", "spg-plates-s1"]
    (styles,) = Path("out/sets").glob("styles.*")
    assert len(list(styles.glob("*.png"))) == 8
    made = next(iter(Path("out/sets").glob("synthetic-spg.*")))
    assert len(list(made.glob("*.png"))) == 3


def test_a_training_that_dies_is_told_by_its_last_line(tmp_path: Path) -> None:
    with pytest.raises(Failed, match=r"training ended with 2: error: .*no_such_key"):
        trained(["no_such_key=1"], tmp_path / "a cell, it's=odd")


def test_a_blend_has_both_sources_in_every_batch(folder: Path, composed: Any) -> None:
    words = ["data=blend", "data.path=crops", "plates=cn7", "plates.types=[cn/yellow]", "batch=4"]
    words += ["stages=template", "curriculum=[{until: 100, with: {}}]", "recognizer=lprnet"]
    config = composed(*words, "data.share=0.5")
    header = header_of(config)
    made = make_data(config, header)(Window(4))
    assert isinstance(made, Blend)
    batches = iter(made)
    for batch in (next(batches), next(batches)):
        assert batch.images.shape[0] == 4 and int(batch.lengths.sum()) == len(batch.targets)
        types = [header.types[number] for number in batch.types.tolist()]
        assert types == ["cn/yellow"] * 2 + ["cn/blue"] * 2  # the crops are `single` and `blue`
    with pytest.raises(UserError, match=r"data.share: 1.5"):
        make_data(composed(*words, "data.share=1.5"), header_of(config))
    assert len(list(labelled(folder / "crops"))) == 10
