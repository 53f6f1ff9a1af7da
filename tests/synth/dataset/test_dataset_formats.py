"""Every format is read back by the library that it is made for, and by our own readers."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
import tarfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from synth.dataset.finish import finish
from synth.dataset.formats import FORMATS, format_named
from synth.dataset.mark import is_marked
from synth.dataset.picture import decode
from synth.dataset.rows import to_record
from synth.dataset.shards import check_labels, write_shard
from synth.dataset.sources import detect, read_source
from synth.dataset.validate import validate
from synth.errors import UserError
from synth.record import Record

SPLITS = ("train", "val", "test")
Sets = dict[str, Path]

# In a process of its own: LMDB opens a folder once a process, and our reader keeps it open.
READ_LMDB = """
import json, lmdb, sys
transaction = lmdb.open(sys.argv[1], readonly=True, lock=False).begin()
get = lambda key, i: transaction.get(f"{key}-{i:09d}".encode())
numbers = range(1, int(transaction.get(b"num-samples")) + 1)
print(json.dumps([[get("label", i).decode(), len(get("image", i))] for i in numbers]))
"""


def by_split(records: list[Record], split: str) -> list[Record]:
    return [record for record in records if record.split == split]


def texts(records: list[Record]) -> list[str]:
    return sorted(record.text for record in records)


def load_dataset(*args: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, **kwargs: Any) -> Any:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    datasets = pytest.importorskip("datasets")
    datasets.disable_progress_bars()
    return datasets.load_dataset(*args, cache_dir=str(tmp_path / "cache"), **kwargs)


def test_splits_of_the_fake_records_are_all_there(records: list[Record]) -> None:
    assert set(Counter(record.split for record in records)) == set(SPLITS)


def test_folder_is_read_by_datasets(
    sets: Sets, records: list[Record], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded = load_dataset(
        "imagefolder", data_dir=str(sets["folder"]), tmp_path=tmp_path, monkeypatch=monkeypatch
    )
    assert {name: len(part) for name, part in loaded.items()} == {
        {"val": "validation"}.get(split, split): len(by_split(records, split)) for split in SPLITS
    }
    for row in loaded["train"]:
        expected = records[row["index"]]
        assert row["image"].size == (128, 48)
        assert row["text"] == expected.text
        np.testing.assert_allclose(row["quad"], expected.quad, atol=0.01)
        assert [stage["name"] for stage in row["stages"]] == [stage["name"] for stage in expected.stages]


def test_folder_has_one_record_a_line_with_the_file_name_first(sets: Sets, records: list[Record]) -> None:
    for split in SPLITS:
        lines = (sets["folder"] / split / "metadata.jsonl").read_text(encoding="utf-8").splitlines()
        rows = [json.loads(line) for line in lines]
        assert [next(iter(row)) for row in rows] == ["file_name"] * len(rows)
        assert [row["file_name"] for row in rows] == [
            f"{record.id[:-3]}/{record.id}.jpg" for record in by_split(records, split)
        ]
        assert {
            path.relative_to(sets["folder"] / split).as_posix()
            for path in (sets["folder"] / split).rglob("*")
            if path.is_file()
        } == {row["file_name"] for row in rows} | {"metadata.jsonl"}
        for row in rows:
            record = to_record(row)
            assert (record.stages, record.fields) == (
                records[record.index].stages,
                records[record.index].fields,
            )


def test_parquet_is_read_by_datasets(
    sets: Sets, records: list[Record], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {split: f"{sets['parquet']}/data/{split}-*.parquet" for split in SPLITS}
    loaded = load_dataset("parquet", data_files=files, tmp_path=tmp_path, monkeypatch=monkeypatch)
    assert set(loaded["train"].column_names) == {"image", *records[0].to_dict()}
    for split in SPLITS:
        assert sorted(row["text"] for row in loaded[split]) == texts(by_split(records, split))
    row = loaded["train"][0]
    assert row["image"].size == (128, 48)
    np.testing.assert_allclose(row["char_quads"], records[row["index"]].char_quads, atol=0.01)


def test_parquet_keeps_the_whole_record(sets: Sets, records: list[Record]) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    found = []
    for path in sorted((sets["parquet"] / "data").glob("*.parquet")):
        found += parquet.read_table(path).to_pylist()
    for row in found:
        assert is_marked(row.pop("image")["bytes"])
        record = to_record(row)
        assert (record.stages, record.fields) == (records[record.index].stages, records[record.index].fields)
    assert len(found) == len(records)


def test_webdataset_is_read_by_webdataset(sets: Sets, records: list[Record]) -> None:
    webdataset = pytest.importorskip("webdataset")
    for split in SPLITS:
        urls = [str(path) for path in sorted(sets["webdataset"].glob(f"{split}-*.tar"))]
        assert [Path(url).name for url in urls] == [f"{split}-{n:05d}.tar" for n in range(len(urls))]
        data = webdataset.WebDataset(urls, shardshuffle=False, empty_check=False).decode("rgb8")
        found = list(data)
        assert [sample["__key__"] for sample in found] == [record.id for record in by_split(records, split)]
        assert all(sample["jpg"].shape == (48, 128, 3) for sample in found)
        assert [Record.from_dict(sample["json"]).stages for sample in found] == [
            record.stages for record in by_split(records, split)
        ]


def test_webdataset_headers_say_nothing_of_the_machine(sets: Sets) -> None:
    with tarfile.open(sets["webdataset"] / "train-00000.tar") as tar:
        assert {(m.mtime, m.uid, m.gid, m.uname, m.gname, m.mode) for m in tar} == {(0, 0, 0, "", "", 0o644)}


def test_lmdb_has_the_keys_of_scene_text_recognizers(sets: Sets, records: list[Record]) -> None:
    pytest.importorskip("lmdb")
    for split in SPLITS:
        expected = by_split(records, split)
        command = [sys.executable, "-c", READ_LMDB, str(sets["lmdb"] / split)]
        found = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
        assert [label for label, _ in found] == [record.text for record in expected]
        assert all(size > 500 for _, size in found)
        assert [path.name for path in (sets["lmdb"] / split).iterdir()] == ["data.mdb"]


def test_cblprd_lists(sets: Sets, records: list[Record]) -> None:
    lists = {
        name: (sets["cblprd"] / f"{name}.txt").read_text("utf-8").splitlines() for name in ("data", *SPLITS)
    }
    assert lists["data"] == [f"CBLPRD/{record.id}.jpg {record.text} {record.label}" for record in records]
    assert sorted(lists["data"]) == sorted(lists["train"] + lists["val"] + lists["test"])
    picture = cv2.imread(str(sets["cblprd"] / "CBLPRD" / "000000000.jpg"))
    assert picture is not None and picture.shape == (48, 128, 3)


def test_paddle_lists(sets: Sets, records: list[Record]) -> None:
    root = sets["paddle"]
    for split in SPLITS:
        lines = (root / f"{split}_list.txt").read_text("utf-8").splitlines()
        assert lines == [f"images/{record.id}.jpg\t{record.text}" for record in by_split(records, split)]
        assert all((root / line.split("\t")[0]).is_file() for line in lines)
    assert (root / "dict.txt").read_text("utf-8").split() == sorted(set("".join(r.text for r in records)))


def test_csv_has_every_column(sets: Sets, records: list[Record]) -> None:
    rows = list(csv.DictReader(io.StringIO((sets["csv"] / "labels.csv").read_text("utf-8"))))
    assert set(rows[0]) == {"path", *records[0].to_dict()}
    assert [row["text"] for row in rows] == [record.text for record in records]
    assert json.loads(rows[1]["stages"]) == records[1].stages


def test_named_files_are_named_by_text(sets: Sets, records: list[Record]) -> None:
    stems: Counter[int] = Counter()
    for record in records:
        files = {path.stem for path in (sets["named"] / record.split).glob(f"{record.text}*.jpg")}
        stems[len(files)] += 1
        many = sum(other.text == record.text for other in records)
        assert files == {record.text} | {f"{record.text}_{n}" for n in range(2, many + 1)}
    assert stems[1] and max(stems) > 1  # the fake texts repeat


@pytest.mark.parametrize("name", FORMATS)
def test_our_reader_gives_back_texts_splits_and_pictures(
    name: str, sets: Sets, records: list[Record]
) -> None:
    result = read_source(name, sets[name])
    assert not result.problems
    assert Counter((item.text, item.split) for item in result.items) == Counter(
        (r.text, r.split) for r in records
    )
    if name in ("folder", "webdataset", "parquet", "lmdb", "csv"):
        assert Counter((item.type, item.region) for item in result.items) == Counter(
            (r.type, r.region) for r in records
        )
        assert all(item.quad is not None and item.plate().shape[2] == 3 for item in result.items)
        assert Counter(str(sorted(item.fields.items())) for item in result.items) == Counter(
            str(sorted(r.fields.items())) for r in records
        )
    for item in result.items:
        content = item.blob.read()
        assert is_marked(content)
        picture = decode(content)
        assert picture is not None and picture.shape == (48, 128, 3)


@pytest.mark.parametrize("name", FORMATS)
def test_it_is_detected_and_validates(name: str, sets: Sets) -> None:
    assert detect(sets[name]) == ("labelled" if name == "named" else name)
    report = validate(sets[name])
    assert report.ok, report.text()
    assert report.pictures == 36


@pytest.mark.parametrize("name", FORMATS)
def test_what_lies_beside_the_pictures(name: str, sets: Sets) -> None:
    root = sets[name]
    for file in ("config.yaml", "manifest.json", "balance.json", "balance.png", "card.md", "sheet.png"):
        assert (root / file).stat().st_size > 50, file
    assert not [path for path in root.rglob("*") if path.name.startswith(".")]
    assert "synthetic" in (root / "card.md").read_text()
    assert json.loads((root / "balance.json").read_text())["total"] == 36


def test_the_digest_is_the_same_in_every_format(sets: Sets) -> None:
    digests = {json.loads((root / "manifest.json").read_text())["digest"] for root in sets.values()}
    assert len(digests) == 1


def test_cblprd_refuses_types_and_sizes_that_it_does_not_have(
    tmp_path: Path, shard_items: Callable[[int], list[tuple[Record, bytes]]]
) -> None:
    form = FORMATS["cblprd"]
    with pytest.raises(UserError, match="cn/police"):
        check_labels(form, {"cn/blue": "普通蓝牌", "cn/police": "警车"})
    check_labels(FORMATS["folder"], {"cn/police": "警车"})
    record, jpeg = shard_items(0)[0]
    for changed in ({"width": 94}, {"label": "警车"}):
        with pytest.raises(UserError):
            write_shard(tmp_path, form, 0, [(Record(**{**record.to_dict(), **changed}), jpeg)])
    assert not list((tmp_path / ".shards").iterdir())


def test_a_split_and_a_type_alone_are_enough(
    tmp_path: Path, shard_items: Callable[[int], list[tuple[Record, bytes]]], config: dict[str, object]
) -> None:
    record, jpeg = shard_items(0)[0]
    for name, form in FORMATS.items():
        root = tmp_path / name
        write_shard(root, form, 0, [(record, jpeg)])
        write_shard(root, form, 1, [])
        assert finish(root, form, 2, config, "0.1").total == 1
        assert [item.text for item in read_source(name, root).items] == [record.text]


def test_named_refuses_a_text_that_is_no_file_name(
    tmp_path: Path, shard_items: Callable[[int], list[tuple[Record, bytes]]], config: dict[str, object]
) -> None:
    record, jpeg = shard_items(0)[0]
    write_shard(tmp_path, FORMATS["named"], 0, [(Record(**{**record.to_dict(), "text": "../京A"}), jpeg)])
    with pytest.raises(UserError, match="file name"):
        finish(tmp_path, FORMATS["named"], 1, config, "0.1")


def test_an_unknown_format_names_the_nearest() -> None:
    with pytest.raises(UserError, match="nearest: parquet"):
        format_named("parqet")


def test_a_missing_library_is_told_with_its_extra(monkeypatch: pytest.MonkeyPatch, sets: Sets) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    with pytest.raises(UserError, match=r"pip install -e '.+\[parquet\]'"):
        read_source("parquet", sets["parquet"])
