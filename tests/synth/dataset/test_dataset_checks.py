"""Splits without leaks, exact counts, and a validator that finds every planted defect."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from synth.dataset.card import about, card_text, legibility
from synth.dataset.chart import draw_balance, text_width
from synth.dataset.manifest import read_manifest
from synth.dataset.mark import COMMENT, EDITED, comment_of, is_marked, is_whole, mark_synthetic
from synth.dataset.picture import decode
from synth.dataset.sheet import contact_sheet
from synth.dataset.split import check_fractions, split_of
from synth.dataset.stats import Balance, widest_spread
from synth.dataset.validate import plausible, validate
from synth.errors import UserError
from synth.record import Record
from synth.validate import check_text

FRACTIONS = {"train": 0.8, "val": 0.15, "test": 0.05}


def test_a_text_is_in_one_split_and_shares_are_met() -> None:
    texts = [f"京A{number:05d}" for number in range(20_000)]
    first = {text: split_of(text, FRACTIONS, seed=1) for text in texts}
    assert first == {text: split_of(text, FRACTIONS, seed=1) for text in reversed(texts)}
    for name, share in FRACTIONS.items():
        found = sum(split == name for split in first.values()) / len(texts)
        assert abs(found - share) < 4 * (share * (1 - share) / len(texts)) ** 0.5
    assert sum(first[text] != split_of(text, FRACTIONS, seed=2) for text in texts) > 4000
    moved = [t for t in texts if split_of(t, {"train": 0.9, "val": 0.05, "test": 0.05}, 1) != first[t]]
    assert {first[text] for text in moved} == {"val"}  # a larger share only takes from its neighbour


def test_split_is_the_same_on_every_machine() -> None:
    assert [split_of(t, FRACTIONS, 0) for t in ("京A12345", "品川500あ1234", "")] == [
        "train",
        "train",
        "train",
    ]
    assert split_of("x", {"test": 1.0}) == "test"


@pytest.mark.parametrize("wrong", [{"train": 0.5}, {"train": 1.2, "val": -0.2}, {"training": 1.0}])
def test_fractions_that_make_no_sense(wrong: dict[str, float]) -> None:
    with pytest.raises(UserError, match="split"):
        check_fractions(wrong)
    check_fractions(FRACTIONS)


def test_balance_counts(records: list[Record]) -> None:
    whole, left, right = Balance(), Balance(), Balance()
    for record in records:
        whole.update(record)
        (left if record.index % 5 else right).update(record)
    left.merge(right)
    assert left.summary() == whole.summary()
    summary = whole.summary()
    assert summary["total"] == 36 and sum(summary["splits"].values()) == 36
    assert summary["types"]["counts"] == {"cn/blue": 12, "cn/yellow": 12, "jp/private": 12}
    assert summary["regions"]["counts"]["品川"] == 12
    slots = summary["by_type"]["jp/private"]["slots"]
    assert slots["region"]["counts"] == {"品川": 12} and slots["class.2"]["counts"] == {"0": 12}
    assert sum(slots["serial.4"]["counts"].values()) == 12
    assert widest_spread(summary) == max(
        s["spread"] for k in summary["by_type"].values() for s in k["slots"].values()
    )
    picture = draw_balance(summary)
    assert picture.shape[1] == 1000 and len(np.unique(picture)) > 3


def test_balance_without_fields_counts_by_place() -> None:
    balance = Balance()
    for text in ("京A1", "沪A2", "京A3"):
        balance.update(Record(text, 0, 0, text, "t", "cn", "", [text], 9, 9, [], [], []))
    slots = balance.summary()["by_type"]["t"]["slots"]
    assert slots["1"] == {"distinct": 2, "min": 1, "max": 2, "spread": 1, "counts": {"京": 2, "沪": 1}}
    assert slots["2"]["counts"] == {"A": 3}


def test_legibility_checks_are_counted_over_shards_and_told_in_the_card() -> None:
    done = [("a", 0, False), ("b", 1, False), ("c", 2, True), ("d", None, None)]
    balance = Balance()
    for _, redrawn, misread in done:
        entry = {"name": "pix2pix"} if redrawn is None else {"redrawn": redrawn, "misread": misread}
        balance.update_checks([{"name": "template"}, entry])
    assert balance.checks == {"checked": 3, "redrawn": 2, "misread": 1}
    again = Balance.from_plain(json.loads(json.dumps(balance.to_plain())))
    again.merge(balance)
    assert again.summary()["checks"] == {"checked": 6, "redrawn": 4, "misread": 2}
    assert "checks" not in Balance().summary()


def test_captures_taken_again_are_counted_and_told_in_the_card() -> None:
    balance = Balance()
    for entry in ({"again": 1}, {"again": 4, "hidden": True}, {}):
        balance.update_checks([{"name": "capture", **entry}])
    assert balance.checks == {"again": 2, "hidden": 1}
    told = "\n".join(legibility(balance.checks))
    assert "2 captures were taken again" in told and "in 1 one still cannot" in told
    assert "The bundled reader" not in told and legibility({}) == []


def test_the_mark_changes_no_pixel(shard_items: Callable[[int], list[tuple[Record, bytes]]]) -> None:
    jpeg = shard_items(0)[0][1]
    marked = mark_synthetic(jpeg)
    assert is_marked(marked) and not is_marked(jpeg)
    assert mark_synthetic(marked) == marked
    before, after = decode(jpeg), decode(marked)
    assert before is not None and after is not None and np.array_equal(before, after)
    assert marked[:11] == jpeg[:11]  # FF D8 FF E0 .. JFIF stays in front
    pillow = pytest.importorskip("PIL.Image")
    import io

    assert pillow.open(io.BytesIO(marked)).info["comment"].decode() == COMMENT
    assert is_marked(mark_synthetic(jpeg, "seed 3")) and b"seed 3" in mark_synthetic(jpeg, "seed 3")
    assert is_whole(marked) and not is_whole(marked[: len(marked) // 2])
    with pytest.raises(ValueError, match="not a JPEG"):
        mark_synthetic(b"\x89PNG")


def test_edited_pictures_do_not_claim_to_be_computed() -> None:
    assert comment_of([{"name": "pix2pix"}, {"name": "capture"}]) == COMMENT
    assert comment_of([{"name": "spg", "style": 3}, {"name": "capture"}]) == EDITED
    assert comment_of([]) == COMMENT and is_marked(mark_synthetic(b"\xff\xd8\xff\xd9", EDITED))
    drawn, ours = "\n".join(about({"stages": {"capture": {}}})), {"spg": {"path": "crops"}}
    assert "none is a photograph" in drawn and about({}) == about({"stages": {"pix2pix": {}}})
    for stages in (ours, {"mix": {"ways": {"edited": ours, "capture": {"capture": {}}}}}):
        told = "\n".join(about({"stages": stages}))
        assert "may be photographs of vehicles" in told and "none is a photograph" not in told


def test_contact_sheet_has_a_row_a_type() -> None:
    wide, small = np.full((140, 440, 3), 10, np.uint8), np.full((24, 94, 3), 20, np.uint8)
    sheet = contact_sheet({"cn/blue": [wide, small], "jp/private": [small]}, height_px=48)
    assert sheet.shape[0] == 6 + 2 * 54
    assert (sheet == 10).any() and (sheet == 20).any()
    label = "a_company_with_a_very_long_name_indeed (exp.)"
    longer = contact_sheet({label: [wide, small], "jp/private": [small]}, height_px=48)
    indent = longer.shape[1] - sheet.shape[1] + text_width("jp/private") + 3 * 6
    assert indent >= text_width(label) + 2 * 6
    assert (longer[:, text_width(label) + 6 + 2 : indent] == 236).all()  # the label ends before the pictures
    assert (longer[6:54, 6 : indent - 12] < 100).any(axis=(0, 2))[-12:].any()  # and is all there


@pytest.mark.parametrize(
    ("text", "kind", "fine"),
    [
        ("京A12345", "cn/blue", True),
        ("粤Z1234港", "", True),
        ("品川500あ1234", "jp/private", True),
        ("品川500あ1234", "", True),
        ("AQY6388", "", True),
        ("", "", False),
        ("京", "", False),
        ("京a12345", "", False),
        ("京A1234?", "", False),
        ("品A12345", "cn/blue", False),
        ("Ａ123456", "", False),
    ],
)
def test_plausible(text: str, kind: str, fine: bool) -> None:
    assert (plausible(text, kind) is None) == fine


@pytest.mark.parametrize("kind", ["", "普通蓝牌", "single"])
def test_texts_of_types_that_are_not_ours_are_checked_too(kind: str) -> None:
    for text in ("", "???", "None"):
        assert check_text(text, kind), text
    for text in (
        "京A12345",
        "領0227",
        "室蘭2782",
    ):  # offices: on plates of ours
        assert check_text(text, kind) is None, text
    assert check_text("京A1234", "cn/blue")


def edit(table: Path, changes: dict[int, dict[str, object]]) -> None:
    rows = [json.loads(line) for line in table.read_text("utf-8").splitlines()]
    for number, change in changes.items():
        rows[number].update(change)
    table.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def test_validate_finds_every_planted_defect(tmp_path: Path, sets: dict[str, Path]) -> None:
    root = tmp_path / "set"
    shutil.copytree(sets["folder"], root)
    train = root / "train"
    rows = [json.loads(line) for line in (train / "metadata.jsonl").read_text("utf-8").splitlines()]
    files = [train / row["file_name"] for row in rows]
    edit(
        train / "metadata.jsonl",
        {
            0: {"text": "京A1234?"},
            1: {"text": ""},
            2: {"quad": [[-90, 0], [50, 0], [50, 40], [-90, 40]]},
            3: {"quad": [[0, 0], [50, 40], [50, 0], [0, 40]]},
            4: {"file_name": rows[5]["file_name"]},
        },
    )
    files[6].write_bytes(files[6].read_bytes()[:900])
    files[7].write_bytes(b"")
    files[8].unlink()
    shutil.copy(files[9], files[10])
    assert cv2.imwrite(str(files[11]), np.zeros((600, 900, 3), np.uint8))
    edit(root / "val" / "metadata.jsonl", {0: {"text": rows[12]["text"]}})
    same = [row for row in rows if row["text"] == rows[12]["text"]]
    report = validate(root)
    assert report.source == "folder" and not report.ok
    assert report.counts == {
        "leak": len(same),  # every picture of that text in the other split
        "text": 2,
        "quad": 2,
        "repeated": 1,
        "picture": 2,
        "missing": 1,
        "duplicate": 1,
        "size": 1,
    }
    assert report.duplicates == 1 and report.pictures == 34  # one is gone, one has no text
    assert "cut off" in report.text() and "900x600" in report.text()
    assert json.loads(json.dumps(report.to_dict()))["ok"] is False


def test_validate_takes_a_grammar_and_tells_progress(sets: dict[str, Path]) -> None:
    seen: list[int] = []
    report = validate(
        sets["csv"],
        "csv",
        check_text=lambda text, kind: "no kana" if kind == "jp/private" else None,
        progress=seen.append,
    )
    assert report.counts == {"text": 12} and seen == [*range(1, 37)]


def test_validate_says_when_a_set_names_no_types(sets: dict[str, Path]) -> None:
    assert "no types: this paddle set names none; widest" in validate(sets["paddle"]).text()
    assert "3 types, 12 to 12 pictures each" in validate(sets["folder"]).text()


def test_the_card_has_the_command_and_the_keys_that_matter(sets: dict[str, Path]) -> None:
    manifest = read_manifest(sets["folder"])
    assert manifest is not None
    config = {
        "plates": {"types": ["cn/blue", "jp/private"]},
        "balance": {"mode": "legal", "ambiguous": True},
        "stages": {"capture": {"_target_": "x", "cameras": {}}},
        "split": {"train": 0.5, "val": 0.5},
        "count": 36,
        "texts": None,
    }
    balance = json.loads((sets["folder"] / "balance.json").read_text())
    text = card_text(manifest, config, balance, "plate-generate count=36")
    for row in (
        "```\nplate-generate count=36\n```",
        "| plates | cn/blue, jp/private |",
        "| balance | legal |\n| ambiguous | I and O too |",
        "| stages | template, capture |",
        "| split | train 0.5, val 0.5 |\n| count | 36 |\n\n`config.yaml`",
    ):
        assert row in text, text
    assert "_target_" not in text


def test_validate_an_empty_folder(tmp_path: Path) -> None:
    report = validate(tmp_path, "folder")
    assert not report.ok and report.pictures == 0
