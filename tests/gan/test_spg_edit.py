"""plate-edit: sizes and labels kept, refusals with their reason, random texts that are new ones."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

pytest.importorskip("torch")

import torch
from tiny_edits import saved

from gan.align import align_text
from gan.edit_job import REDRAWS, Done, Job, Report, need_own_names
from gan.edit_wanted import Wanted, wanted_of, with_texts
from gan.sight import fitted
from gan.spg.editor import Editor, laid_into, task_of
from gan.spg.residue import still_read
from synth.dataset.sources import read_source
from synth.errors import UserError
from synth.sample import Image
from synth.template import Plan, Template

ROOT = Path(__file__).resolve().parents[2]
HEADER = "path\ttext\ttype\tcolour"
KINDS = {"cn/blue": 3, "cn/yellow_double": 1}


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture
def crops(tmp_path: Path) -> Path:
    """A labelled folder of clean plates on grey, none of the working size."""
    folder, lines = tmp_path / "crops", [HEADER]
    (folder / "sub").mkdir(parents=True)
    for kind, count in KINDS.items():
        for sample in Template(Plan((kind,), "legal"), 32).batch(3, range(count)):
            image = cv2.copyMakeBorder(sample.image, 2, 2, 3, 3, cv2.BORDER_CONSTANT, value=(90, 90, 90))
            name = f"sub/{sample.text}.png"
            cv2.imencode(".png", image[..., ::-1])[1].tofile(folder / name)
            lines.append(f"{name}\t{sample.text}\t{kind}\t")
    (folder / "labels.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


@dataclass
class Said:
    text: str
    type: str = "cn/blue"
    confidence: float = 0.9


class Oracle:
    """Reads one text from every picture."""

    def __init__(self, text: str) -> None:
        self.text = text

    def read(self, image: list[Image]) -> list[Any]:
        return [Said(self.text) for _ in image]


def job(tmp_path: Path, **changes: Any) -> Job:
    editor = Editor.of(saved(tmp_path / "w.safetensors"), "float32")
    given = {"types": tuple(KINDS), "accept": 0.6, "mode": "legal", "seed": 0, "taken": frozenset()}
    return Job(editor, **{**given, **changes})


def command(crops: Path, *words: str) -> subprocess.CompletedProcess[str]:
    weights = saved(crops.parent / "w.safetensors")
    given = [f"weights={weights}", "plates.types=[cn/blue,cn/yellow_double]", "reader=null"]
    return subprocess.run(
        [sys.executable, "-m", "gan.edit", *given, *words],
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT), "PATH": "", "OMP_NUM_THREADS": "1", "HOME": str(crops.parent)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_folder_is_made_anonymous(crops: Path) -> None:
    out = crops.parent / "out"
    done = command(crops, f"image={crops}", "text=random", f"out={out}")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == f"{out}: 4 edited, 0 refused; no result was read"
    before, after = (read_source("labelled", folder).items for folder in (crops, out))
    assert len(after) == 4 and not {one.text for one in before} & {one.text for one in after}
    assert [one.name for one in after] == [f"{n:06d}.png" for n in range(4)]  # names would tell the text
    for one, other in zip(before, after, strict=True):
        assert other.type == one.type and other.image().shape == one.image().shape
        assert not np.array_equal(other.image(), one.image())


def test_what_cannot_be_edited_is_told_and_the_rest_is_done(crops: Path) -> None:
    names = [line.split("\t")[0] for line in (crops / "labels.tsv").read_text("utf-8").splitlines()[1:]]
    lines = [f"{names[0]}\t京A12345", f"{names[1]}\t京A1234", f"{names[3]}\t京A12345"]
    (crops / "list.tsv").write_text("\n".join(lines), encoding="utf-8")
    done = command(crops, f"image={crops / 'list.tsv'}", f"out={crops.parent / 'out'}")
    assert done.returncode == 2 and "2 edited, 1 refused" in done.stdout
    errors = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1 and names[1] in errors[0] and "expected" in errors[0]
    written = (crops.parent / "out" / "labels.tsv").read_text("utf-8").splitlines()
    assert written[1:] == [
        f"{names[0]}\t京A12345\tcn/blue\tblue",
        f"{names[3]}\t京A12345\tcn/yellow_double\tyellow",
    ]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("image=none.png", "text=random"), "image: none.png: no such file or folder"),
        (("image={crops}",), "text: none for sub/"),
        (("image={crops}", "text=random", "weights=none.safetensors"), "none.safetensors: "),
        (("image={crops}", "text=random", "out={crops}"), "out: .* has the pictures themselves"),
        (("image={crops}", "text=random", "seed=-1"), "seed: -1 is below 0"),
        (("image={crops}", "text=random", "mode=wild"), "mode: 'wild' is unknown"),
    ],
)
def test_a_mistake_is_one_line(crops: Path, words: tuple[str, ...], message: str) -> None:
    out = f"out={crops.parent / 'out'}"
    done = command(crops, out, *(word.format(crops=crops) for word in words))
    assert done.returncode == 2 and len(done.stderr.splitlines()) == 1
    assert re.match(f"error: {message}", done.stderr), done.stderr


def test_what_would_hide_or_be_misread_is_refused(crops: Path, tmp_path: Path) -> None:
    (crops / "0.tiff").write_bytes(b"II*")
    done = command(crops, f"out={tmp_path / 'out'}", f"image={crops / '0.tiff'}", "text=random")
    assert "0.tiff: not a kind that is edited" in done.stderr
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "manifest.json").write_text("{}")
    done = command(crops, f"out={tmp_path / 'set'}", f"image={crops}", "text=random")
    assert done.returncode == 2 and "is a data set (has manifest.json)" in done.stderr


def test_texts_not_known_are_read(crops: Path) -> None:
    (crops / "labels.tsv").unlink()
    wanted = wanted_of(str(crops), "random")
    assert [one.item.text for one in wanted] == [""] * 4
    with pytest.raises(UserError, match=r"its text is not known; write labels.tsv, or give a reader"):
        with_texts(wanted, None)
    ready = with_texts(wanted, Oracle("京A12345"))
    assert all(isinstance(one, Wanted) and one.item.text == "京A12345" for one in ready)
    assert all(isinstance(one, UserError) for one in with_texts(wanted, Oracle("")))


def test_pictures_that_labels_leave_out_are_edited_too(crops: Path) -> None:
    table = crops / "labels.tsv"
    lines = table.read_text("utf-8").splitlines()
    table.write_text("\n".join([lines[0], f"./{lines[2]}"]) + "\n", encoding="utf-8")
    earlier = crops / "out" / "sub"
    earlier.mkdir(parents=True)
    (earlier / "0.png").write_bytes(b"")  # of an earlier run, into a folder inside
    wanted = wanted_of(str(crops), "random", crops / "out")
    names = [line.split("\t")[0] for line in lines[1:]]
    assert Path(wanted[0].item.name).as_posix() == names[1]
    assert sorted(one.item.name for one in wanted[1:]) == sorted(set(names) - {names[1]})
    assert [bool(one.item.text) for one in wanted] == [True, False, False, False]
    assert len(wanted_of(str(crops), "random")) == 5


@pytest.mark.parametrize("second", ["{name}\t京B67890", "./{name}\t京B67890", "000000.png\t京B67890"])
def test_no_result_is_written_over_another(crops: Path, second: str) -> None:
    name = (crops / "labels.tsv").read_text("utf-8").splitlines()[1].split("\t")[0]
    (crops / "000000.png").write_bytes((crops / name).read_bytes())
    first = "random" if second.startswith("000") else "京A12345"
    (crops / "list.tsv").write_text(f"{name}\t{first}\n{second.format(name=name)}\n", encoding="utf-8")
    done = command(crops, f"image={crops / 'list.tsv'}", f"out={crops.parent / 'out'}")
    assert done.returncode == 2 and len(done.stderr.splitlines()) == 1
    assert "would both be written as" in done.stderr and not (crops.parent / "out").exists()


def test_one_picture_may_be_edited_twice_at_random(crops: Path) -> None:
    name = (crops / "labels.tsv").read_text("utf-8").splitlines()[1].split("\t")[0]
    (crops / "list.tsv").write_text(f"{name}\n{name}\n", encoding="utf-8")
    need_own_names(wanted_of(str(crops / "list.tsv"), "random"))


def test_a_text_that_is_not_there_is_refused(crops: Path, tmp_path: Path) -> None:
    (crops / "labels.tsv").unlink()
    ready = with_texts(wanted_of(str(crops), "random"), Oracle("京A12345"))
    found = [one for batch in job(tmp_path, accept=0.9).done(ready) for one in batch]
    assert all(isinstance(one, UserError) and "is not found in it (score" in str(one) for one in found)


def test_random_texts_are_seeded_and_never_an_old_one(crops: Path, tmp_path: Path) -> None:
    wanted = wanted_of(str(crops), "random")[0]
    first, again, other = (job(tmp_path, seed=seed).task(0, wanted)[1] for seed in (1, 1, 2))
    assert first == again != other and wanted.item.text not in (first, other)
    assert job(tmp_path, seed=1, taken=frozenset([first])).task(0, wanted)[1] != first


def test_a_text_of_other_lengths_is_refused() -> None:
    sample = Template(Plan(("jp/private",), "legal"), 48).batch(0, [0])[0]
    found = align_text(sample.image, sample.text, ("jp/private",))
    region, own = sample.fields["region"], sample.text
    longer = next(name for name in ("尾張小牧", "横浜", "水戸") if len(name) != len(region))
    with pytest.raises(UserError, match=r"characters, the plate's .*; give a text of the same lengths"):
        task_of(sample.image, found, own.replace(region, longer, 1))
    assert task_of(sample.image, found, own).plate.text == own


def test_nothing_finer_than_the_drawing_is_left_where_it_is_new() -> None:
    rng = np.random.default_rng(0)
    crop = rng.integers(0, 256, (64, 192, 3)).astype(np.uint8)
    drawn, new = np.full((16, 48, 3), 77, np.uint8), np.zeros((16, 48), np.uint8)
    new[:, 24:] = 255
    edited = laid_into(crop, drawn, new, new)
    assert edited.image.shape == crop.shape and edited.mask.shape == crop.shape[:2]
    assert np.array_equal(edited.image[:, :80], crop[:, :80]) and (edited.image[:, 112:] == 77).all()


class Echo:
    """Reads what it is told: for each call the texts of all pictures, in order."""

    def __init__(self, *calls: list[str]) -> None:
        self.calls = list(calls)

    def read(self, image: list[Image]) -> list[Any]:
        texts = self.calls.pop(0)
        assert len(texts) == len(image)
        return [Said(text) for text in texts]


def one_off(text: str) -> str:
    return text[:-1] + ("8" if text[-1] != "8" else "9")


@pytest.mark.parametrize(
    ("old", "reading", "left"),
    [
        ("皖A12345", "皖A12345", True),
        ("皖A12345", "京A12345", True),
        ("皖A12345", "京B12345", False),
        ("皖A12345", "皖A1234", False),
        ("皖A12345", "", False),
    ],
)
def test_the_old_text_is_still_read(old: str, reading: str, left: bool) -> None:
    assert still_read(old, reading) is left


def test_what_still_shows_its_old_text_is_drawn_again_with_another(crops: Path, tmp_path: Path) -> None:
    wanted = wanted_of(str(crops), "random")
    old = [one.item.text for one in wanted]
    reader = Echo(["?", one_off(old[1]), old[2], "?"], ["?", "?"])
    found = next(iter(job(tmp_path, reader=reader).done(wanted)))
    plain = next(iter(job(tmp_path).done(wanted)))
    assert all(isinstance(one, Done) for one in found) and not reader.calls
    same = [mine.text == theirs.text for mine, theirs in zip(found, plain, strict=True)]  # type: ignore[union-attr]
    assert same == [True, False, False, True]


def test_what_keeps_its_old_text_is_not_written_and_told(
    crops: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wanted = wanted_of(str(crops), "random")
    old = [one.item.text for one in wanted]
    reader = Echo(["?", "?", old[2], "?"], *([[old[2]]] * REDRAWS))
    report = Report([HEADER], [])
    for batch in job(tmp_path, reader=reader).done(wanted):
        report.add(batch, tmp_path / "out")
    assert report.refused == 1 and "3 edited, 1 refused" in report.said(tmp_path)
    assert f"{wanted[2].item.name}: its old text is still read after 4 attempts" in capsys.readouterr().err
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [f"00000{n}.png" for n in (0, 1, 3)]


def test_a_text_that_was_asked_for_is_never_changed(crops: Path, tmp_path: Path) -> None:
    wanted = wanted_of(str(crops), "random")[:1]
    asked = [Wanted(wanted[0].item, "京A12345")]
    found = next(iter(job(tmp_path, reader=Echo([wanted[0].item.text])).done(asked)))[0]
    assert isinstance(found, Done) and found.text == "京A12345" and found.leaks


def test_the_way_to_the_working_size_and_back_keeps_what_is_fine() -> None:
    rng = np.random.default_rng(0)
    crop = cv2.GaussianBlur(rng.integers(0, 256, (24, 94, 3)).astype(np.uint8), (0, 0), 0.6)
    error = fitted(fitted(crop, (32, 128)), (24, 94)).astype(float) - crop
    assert 10 * np.log10(255**2 / np.mean(error**2)) > 33
    assert fitted(crop, (6, 20)).std() < 0.6 * crop.std()  # what is too fine for a picture is gone
