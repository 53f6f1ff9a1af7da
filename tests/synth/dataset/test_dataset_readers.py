"""Broken data sets: every line that is left out is counted, and nothing outside the folder is ever opened."""

from __future__ import annotations

import io
import json
import multiprocessing
import pickle
import shutil
import tarfile
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from synth.dataset.files import is_inside
from synth.dataset.picture import FileBlob, Labelled, fold
from synth.dataset.sources import SOURCES, ReadResult, detect, read_source
from synth.errors import UserError

Sets = dict[str, Path]
ROOT = Path(__file__).resolve().parents[3]


def picture(path: Path, width: int = 94, height: int = 24) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(len(path.name)).integers(0, 255, (height, width, 3), dtype=np.uint8)
    assert cv2.imwrite(str(path.with_suffix(".png")), noise)
    return path.with_suffix(".png").rename(path)


def kinds(result: ReadResult) -> dict[str, int]:
    return dict(Counter(problem.kind for problem in result.problems))


def test_labelled_tells_what_it_leaves_out(tmp_path: Path) -> None:
    picture(tmp_path / "a.jpg")
    picture(tmp_path.parent / "secret.jpg")
    rows = [
        "path\ttext\ttype\tcolour",
        "a.jpg\t皖A·Y02 1B\tsingle\tblue",
        "a.jpg\t皖AY0214",
        "gone.jpg\t皖AY021C",
        "../secret.jpg\t皖AY021D",
        f"{tmp_path.parent}/secret.jpg\t皖AY021E",
        "a.jpg",
        "a.jpg\tb\tc\td\te",
        "",
    ]
    content = "\n".join(rows).encode() + "a.jpg\t皖AY021F\n".encode("gbk")
    (tmp_path / "labels.tsv").write_bytes(content)
    result = read_source("labelled", tmp_path)
    assert [(i.text, i.type, i.colour) for i in result.items] == [
        ("皖AY021B", "single", "blue"),
        ("皖AY0214", "", ""),
    ]
    assert kinds(result) == {"missing": 1, "path": 2, "line": 2, "encoding": 1}
    assert {problem.where for problem in result.problems if problem.kind == "path"} == {
        "labels.tsv:5",
        "labels.tsv:6",
    }
    assert "2 pictures read as labelled, left out: " in result.summary()
    assert result.items[0].image().shape == (24, 94, 3)


def test_a_data_set_without_a_good_picture_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "labels.tsv").write_text("path\ttext\ngone.jpg\tA1\n")
    with pytest.raises(UserError, match=r"first problem: labels\.tsv:2: no such picture: gone\.jpg"):
        read_source("labelled", tmp_path)
    (tmp_path / "labels.tsv").write_text("file\tlabel\n")
    with pytest.raises(UserError, match="header must name path and text"):
        read_source("labelled", tmp_path)
    (tmp_path / "labels.tsv").write_text("path\ttext\n", encoding="utf-16")
    with pytest.raises(UserError, match="UTF-16"):
        read_source("labelled", tmp_path)
    with pytest.raises(UserError, match="no such file; source=csv"):
        read_source("csv", tmp_path)
    with pytest.raises(UserError, match="no such folder"):
        read_source("csv", tmp_path / "nowhere")
    with pytest.raises(UserError, match="nearest: labelled"):
        read_source("labeled", tmp_path)


def test_a_wrong_source_is_told_what_the_folder_looks_like(tmp_path: Path, sets: Sets) -> None:
    with pytest.raises(
        UserError, match=r"labels\.tsv: no such file; source=labelled needs it; it looks like s"
    ):
        read_source("labelled", sets["paddle"])
    with pytest.raises(UserError, match=r"read as source=folder; it looks like source=csv"):
        read_source("folder", sets["csv"])
    with pytest.raises(UserError, match=r"source= may be labelled, ccpd, .*README: Labelled sets it reads"):
        read_source("labelled", tmp_path)
    assert "## Labelled sets it reads\n" in (ROOT / "README.md").read_text("utf-8")


def test_every_reader_is_a_choice_of_source() -> None:
    assert {path.stem for path in (ROOT / "conf" / "source").glob("*.yaml")} == set(SOURCES)


def test_a_byte_order_mark_does_no_harm(tmp_path: Path) -> None:
    picture(tmp_path / "a.jpg")
    (tmp_path / "labels.tsv").write_text(
        "path\ttext\r\na.jpg\t京A12345\r\n", encoding="utf-8-sig", newline=""
    )
    assert [item.text for item in read_source("labelled", tmp_path).items] == ["京A12345"]


def test_folder_lines(tmp_path: Path, sets: Sets) -> None:
    root = tmp_path / "set"
    shutil.copytree(sets["folder"], root)
    table = root / "train" / "metadata.jsonl"
    lines = table.read_text("utf-8").splitlines()
    good = json.loads(lines[0])
    lines[1] = lines[1][:50]
    lines[2] = "[1, 2]"
    lines[3] = json.dumps({key: value for key, value in good.items() if key != "text"})
    lines[4] = json.dumps({**good, "quad": [[1, 2]]})
    lines[5] = json.dumps({**good, "file_name": "../val/metadata.jsonl"})
    table.write_text("\n".join(lines), encoding="utf-8")
    assert kinds(read_source("folder", root)) == {"line": 4, "path": 1}
    (root / "val" / "metadata.jsonl").write_bytes(b"\xff\n")
    assert kinds(read_source("folder", root)) == {"line": 4, "path": 1, "encoding": 1}


def add(tar: tarfile.TarFile, name: str, content: bytes = b"x", **changes: Any) -> None:
    info = tarfile.TarInfo(name)
    info.size = len(content)
    for key, value in changes.items():
        setattr(info, key, value)
    tar.addfile(info, io.BytesIO(content))


def test_tar_members_that_lead_outside_are_refused(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "train-00000.tar", "w") as tar:
        add(tar, "1.jpg")
        add(tar, "1.json", '{"text": "京A12345"}'.encode())
        add(tar, "../2.jpg")
        add(tar, "/etc/3.jpg")
        add(tar, "4.jpg", b"", type=tarfile.SYMTYPE, linkname="/etc/passwd")
        add(tar, "5.json", b"{}")
        add(tar, "6.jpg")
        add(tar, "6.json", b"{")
        add(tar, "7.jpg")
        add(tar, "7.json", "{'京'".encode("gbk"))
        add(tar, "8.jpg")
        add(tar, "8.json", b'{"label": 1}')
    result = read_source("webdataset", tmp_path)
    assert [(item.name, item.text, item.split) for item in result.items] == [("1.jpg", "京A12345", "train")]
    assert kinds(result) == {"path": 3, "missing": 1, "line": 2, "encoding": 1}
    assert result.items[0].blob.read() == b"x"


@pytest.mark.parametrize("keep", [1 / 4, 1 / 3, 1 / 2, 0.9])
def test_a_tar_cut_off_is_told(tmp_path: Path, sets: Sets, keep: float) -> None:
    whole = max(sets["webdataset"].glob("*.tar"), key=lambda path: path.stat().st_size).read_bytes()
    assert whole.count(b"ustar") > 6
    for cut in (int(len(whole.rstrip(b"\0")) * keep), int(len(whole.rstrip(b"\0")) * keep) // 512 * 512):
        (tmp_path / "train-00000.tar").write_bytes(whole[:cut])
        assert kinds(read_source("webdataset", tmp_path)).get("archive") == 1
    (tmp_path / "train-00000.tar").write_bytes(b"no tar at all" * 99)
    with pytest.raises(UserError, match="broken tar"):
        read_source("webdataset", tmp_path)


def test_broken_parquet_and_lmdb(tmp_path: Path, sets: Sets) -> None:
    pyarrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    shutil.copytree(sets["parquet"] / "data", tmp_path / "p" / "data")
    files = sorted((tmp_path / "p").rglob("*.parquet"))
    files[0].write_bytes(files[0].read_bytes()[:-100])
    parquet.write_table(pyarrow.table({"text": ["a"]}), files[1])
    assert kinds(read_source("parquet", tmp_path / "p")) == {"archive": 1, "line": 1}

    lmdb = pytest.importorskip("lmdb")
    with (
        lmdb.open(str(tmp_path / "l"), map_size=1 << 20, lock=False) as env,
        env.begin(write=True) as writing,
    ):
        for key, value in {
            "image-000000001": b"x",
            "label-000000001": "京A·12345".encode(),
            "label-000000002": b"A",
            "image-000000003": b"x",
            "label-000000003": "京".encode("gbk"),
            "num-samples": b"4",
        }.items():
            writing.put(key.encode(), value)
    result = read_source("lmdb", tmp_path / "l")
    assert [item.text for item in result.items] == ["京A12345"]
    assert kinds(result) == {"missing": 2, "encoding": 1}
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "data.mdb").write_bytes(b"no database" * 1000)
    with pytest.raises(UserError, match="broken LMDB"):
        read_source("lmdb", tmp_path / "broken")


def test_paddle_and_csv_lines(tmp_path: Path) -> None:
    picture(tmp_path / "images" / "a.jpg")
    (tmp_path / "train_list.txt").write_text(
        "images/a.jpg\t京A12345\nimages/a.jpg 京A12345\nb.jpg\tx\n/etc/passwd\tx\n"
    )
    assert kinds(read_source("paddle", tmp_path)) == {"line": 1, "missing": 1, "path": 1}
    (tmp_path / "labels.csv").write_text(
        'path,text,quad\nimages/a.jpg,"京A,12345",\nimages/a.jpg,x,[1\nimages/a.jpg\n'
    )
    result = read_source("csv", tmp_path)
    assert [item.text for item in result.items] == ["京A,12345"] and kinds(result) == {"line": 2}


def test_a_label_without_text_is_a_problem(tmp_path: Path) -> None:
    picture(tmp_path / "a.jpg")
    rows = [{"file_name": "a.jpg", "text": text} for text in (None, "", " ", "京A12345")]
    (tmp_path / "metadata.jsonl").write_text("\n".join(map(json.dumps, rows)))
    (tmp_path / "labels.csv").write_text("path,text\na.jpg,\na.jpg,京A12345\n")
    (tmp_path / "train_list.txt").write_text("a.jpg\t\na.jpg\t京A12345\n")
    for source, empty in (("folder", 3), ("csv", 1), ("paddle", 1)):
        result = read_source(source, tmp_path)
        assert [item.text for item in result.items] == ["京A12345"] and kinds(result) == {"text": empty}
        assert "its text is empty" in result.problems[0].message


def test_parquet_without_text_is_a_problem(tmp_path: Path) -> None:
    pyarrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    table = pyarrow.table({"image": [{"bytes": b"x"}] * 2, "text": [None, "京A12345"]})
    parquet.write_table(table, tmp_path / "train.parquet")
    result = read_source("parquet", tmp_path)
    assert [item.text for item in result.items] == ["京A12345"] and kinds(result) == {"text": 1}


def test_parquet_of_plain_bytes_and_of_none(tmp_path: Path) -> None:
    pyarrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    path = tmp_path / "train.parquet"
    parquet.write_table(pyarrow.table({"image": [b"x", b"y"], "text": ["京A12345"] * 2}), path)
    assert [item.blob.read() for item in read_source("parquet", tmp_path).items] == [b"x", b"y"]
    for images in (["a.jpg"], [{"path": "a.jpg"}], [1]):
        parquet.write_table(pyarrow.table({"image": images, "text": ["京A12345"]}), path)
        with pytest.raises(UserError, match="its column image holds no bytes"):
            read_source("parquet", tmp_path)


def test_csv_with_line_ends_of_the_old_mac_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_bytes(b"path,text\ra.jpg,A12345\r")
    with pytest.raises(UserError, match=r"not a line of CSV .*save the file with LF line ends"):
        read_source("csv", tmp_path)


def test_a_broken_record_in_lmdb_is_a_problem(tmp_path: Path) -> None:
    lmdb = pytest.importorskip("lmdb")
    with lmdb.open(str(tmp_path), map_size=1 << 20, lock=False) as env, env.begin(write=True) as writing:
        writing.put(b"num-samples", b"2")
        for number, record in ((1, b"{"), (2, '{"text": "京A12345"}'.encode())):
            for key, value in (("image", b"x"), ("label", b"A12345"), ("record", record)):
                writing.put(b"%s-%09d" % (key.encode(), number), value)
    result = read_source("lmdb", tmp_path)
    assert [item.text for item in result.items] == ["京A12345"] and kinds(result) == {"line": 1}


def test_cblprd_lists_are_checked_against_each_other(tmp_path: Path) -> None:
    for name in "abcd":
        picture(tmp_path / "CBLPRD" / f"{name}.jpg")
    lines = {name: f"CBLPRD/{name}.jpg 京A1234{name.upper()} 普通蓝牌\n" for name in "abcde"}
    (tmp_path / "data.txt").write_text(
        lines["a"] + lines["b"] + lines["c"] + lines["e"] + "half line\n../x y z\n"
    )
    (tmp_path / "train.txt").write_text(lines["a"] + lines["b"])
    (tmp_path / "val.txt").write_text(lines["b"] + lines["d"])
    result = read_source("cblprd", tmp_path)
    assert [(i.text, i.type, i.split) for i in result.items] == [
        ("京A1234A", "普通蓝牌", "train"),
        ("京A1234B", "普通蓝牌", "train"),
        ("京A1234C", "普通蓝牌", ""),
    ]
    assert [(p.kind, p.where) for p in result.problems] == [
        ("leak", "val.txt:1"),
        ("missing", "data.txt:4"),
        ("line", "data.txt:5"),
        ("path", "data.txt:6"),
        ("line", "val.txt"),
    ]
    (tmp_path / "data.txt").unlink()
    assert [item.split for item in read_source("cblprd", tmp_path).items] == ["train", "train", "val", "val"]
    assert [item.split for item in read_source("cblprd", tmp_path / "val.txt").items] == ["val", "val"]


@pytest.mark.parametrize(
    ("name", "inside"),
    [
        ("a/b.jpg", True),
        ("a..b/c.jpg", True),
        ("../a", False),
        ("a/../../b", False),
        ("/a", False),
        ("C:/a", False),
        ("..\\a", False),
        ("file://a", False),
        ("", False),
        ("a\0b", False),
    ],
)
def test_is_inside(name: str, inside: bool) -> None:
    assert is_inside(name) == inside


def test_folding() -> None:
    assert fold(" 京A·12-345\u3000") == fold("京A•12 345") == "京A12345"
    assert fold("品川 500 あ ・・・1") == "品川500あ1"


def test_pictures_can_be_sent_to_workers_and_broken_ones_say_so(tmp_path: Path, sets: Sets) -> None:
    for name in SOURCES.keys() & sets.keys():
        item = read_source(name, sets[name]).items[0]
        assert np.array_equal(pickle.loads(pickle.dumps(item)).image(), item.image())
    (tmp_path / "bad.jpg").write_bytes(b"no picture")
    with pytest.raises(UserError, match=r"bad\.jpg: not a picture"):
        Labelled("x", "bad.jpg", FileBlob(tmp_path / "bad.jpg")).image()
    with pytest.raises(UserError, match=r"gone\.jpg: cannot be read"):
        Labelled("x", "gone.jpg", FileBlob(tmp_path / "gone.jpg")).image()


def test_an_open_lmdb_survives_a_fork(sets: Sets) -> None:
    items = read_source("lmdb", sets["lmdb"]).items
    expected = [item.image().shape for item in items]
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("fork")) as workers:
        assert list(workers.map(Labelled.image, items, chunksize=9))[5].shape == expected[5]
    assert items[0].image().shape == expected[0]


def test_detect_gives_up_with_the_names_it_knows(tmp_path: Path) -> None:
    picture(tmp_path / "000123.jpg")
    with pytest.raises(UserError, match="set source= to one of labelled, ccpd"):
        detect(tmp_path)
    with pytest.raises(UserError, match="no such"):
        detect(tmp_path / "nowhere")


def test_real_crops(real_ccpd: Callable[[], Path]) -> None:
    path = real_ccpd()
    assert detect(path) == "labelled"
    result = read_source("labelled", path)
    assert (len(result.items), len(result.problems)) == (500, 0)
    assert {item.image().shape for item in result.items} == {(24, 94, 3)}
    assert sum(item.text.startswith("皖") for item in result.items) == 477
