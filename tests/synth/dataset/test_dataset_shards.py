"""Same bytes in any order and after any interruption; nothing partial is ever visible."""

from __future__ import annotations

import errno
import hashlib
import json
import multiprocessing
import os
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest

from synth.dataset import loose
from synth.dataset.finish import finish
from synth.dataset.formats import FORMATS
from synth.dataset.manifest import claim, config_sha, is_unfinished, read_manifest, unclaim
from synth.dataset.shards import clear_leftovers, hold, read_done, write_shard
from synth.errors import UserError
from synth.record import Record

Items = Callable[[int], list[tuple[Record, bytes]]]


def fingerprint(root: Path) -> dict[str, str]:
    return {
        path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }


def visible(root: Path) -> list[str]:
    return [path.name for path in root.iterdir() if not path.name.startswith(".")]


@pytest.mark.parametrize("name", FORMATS)
def test_order_of_shards_does_not_matter(
    name: str, tmp_path: Path, sets: dict[str, Path], write_set: Callable[..., Path]
) -> None:
    assert fingerprint(write_set(tmp_path / "b", name, order=(2, 0, 1))) == fingerprint(sets[name])


@pytest.mark.parametrize("name", FORMATS)
def test_killed_while_finishing(
    name: str,
    tmp_path: Path,
    sets: dict[str, Path],
    shard_items: Items,
    field_names: tuple[str, ...],
    config: dict[str, object],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One rename after another is the last thing that happens; the next run ends with the same bytes."""
    left = [0]

    def dying(rename: Callable[..., None]) -> Callable[..., None]:
        def dies(*names: str) -> None:
            left[0] -= 1
            if left[0] < 0:
                raise KeyboardInterrupt
            rename(*names)

        return dies

    root = tmp_path / "set"
    claim(root, config)
    for shard in range(3):
        write_shard(root, FORMATS[name], shard, shard_items(shard), field_names)
    for survived in (0, 1, 2, 5, 20, 3, 6, 2):
        left[0] = survived
        with monkeypatch.context() as patch:
            patch.setattr("os.rename", dying(os.rename))
            patch.setattr("os.replace", dying(os.replace))
            try:
                finish(root, FORMATS[name], 3, config, "0.1", "plate-generate out=data")
            except KeyboardInterrupt:
                assert read_manifest(root) is None and is_unfinished(root)
    clear_leftovers(root)
    finish(root, FORMATS[name], 3, config, "0.1", "plate-generate out=data")
    assert fingerprint(root) == fingerprint(sets[name])


def test_finishing_twice_changes_nothing(
    tmp_path: Path, write_set: Callable[..., Path], config: dict[str, object]
) -> None:
    root = write_set(tmp_path / "a", "folder")
    before = fingerprint(root)
    again = finish(root, FORMATS["folder"], 3, config, "0.1")
    assert again == read_manifest(root) and again.total == 36
    assert fingerprint(root) == before


def _write_forever(root: Path, shard: list[tuple[Record, bytes]], begun: Path) -> None:
    def endless() -> Iterator[tuple[Record, bytes]]:
        yield from shard
        begun.touch()
        time.sleep(60)

    write_shard(root, FORMATS["folder"], 0, endless())


def test_a_killed_worker_leaves_nothing_behind(tmp_path: Path, shard_items: Items) -> None:
    root, begun = tmp_path / "set", tmp_path / "begun"
    process = multiprocessing.get_context("fork").Process(
        target=_write_forever, args=(root, shard_items(0), begun)
    )
    process.start()
    while not begun.exists():
        time.sleep(0.01)
    assert process.pid
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    assert visible(root) == [] and read_done(root) == {}
    assert len(list((root / ".shards").iterdir())) == 1
    (root / ".data.txt.tmp-1").write_text("half a list")
    assert clear_leftovers(root) == 2
    assert list((root / ".shards").iterdir()) == []
    write_shard(root, FORMATS["folder"], 0, shard_items(0))
    assert read_done(root)[0].count == 12


def test_a_shard_is_recorded_with_digest_and_counts(tmp_path: Path, shard_items: Items) -> None:
    done = write_shard(tmp_path, FORMATS["folder"], 7, shard_items(1))
    assert read_done(tmp_path) == {7: done}
    assert (done.count, sum(done.splits.values()), len(done.digest)) == (12, 12, 64)
    assert write_shard(tmp_path, FORMATS["folder"], 7, shard_items(1)) == done  # twice is harmless
    assert write_shard(tmp_path, FORMATS["folder"], 8, shard_items(2)).digest != done.digest


def test_an_unreadable_marker_counts_as_not_done(tmp_path: Path, shard_items: Items) -> None:
    write_shard(tmp_path, FORMATS["folder"], 0, shard_items(0))
    (tmp_path / ".shards/00000/done.json").write_text('{"shard": 0')
    assert read_done(tmp_path) == {}


def test_a_marker_that_the_disk_does_not_give_costs_no_shard(tmp_path: Path, shard_items: Items) -> None:
    write_shard(tmp_path, FORMATS["folder"], 0, shard_items(0))
    marker = tmp_path / ".shards/00000/done.json"
    marker.unlink()
    marker.mkdir()  # any error but its absence
    with pytest.raises(UserError, match=r"done\.json: cannot be read .*; run the same command again"):
        read_done(tmp_path)
    assert (tmp_path / ".shards/00000/counts.json").is_file()


def test_unfinished_shards_are_named(tmp_path: Path, shard_items: Items, config: dict[str, object]) -> None:
    write_shard(tmp_path, FORMATS["folder"], 0, shard_items(0))
    with pytest.raises(UserError, match=r"2 of 3 shards are not finished \(first: 1\)"):
        finish(tmp_path, FORMATS["folder"], 3, config, "0.1")


def _full(*_: object, **__: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_full_disk_while_writing(
    tmp_path: Path, shard_items: Items, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_shard(tmp_path, FORMATS["folder"], 0, shard_items(0))
    monkeypatch.setattr(loose.Loose, "stage", _full)
    with pytest.raises(UserError, match="no space left") as caught:
        write_shard(tmp_path, FORMATS["folder"], 1, shard_items(1))
    assert str(tmp_path) in str(caught.value) and "same command again" in str(caught.value)
    assert [path.name for path in (tmp_path / ".shards").iterdir()] == ["00000"]


@pytest.mark.parametrize("name", FORMATS)
def test_a_full_disk_while_finishing(
    name: str, tmp_path: Path, shard_items: Items, config: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    write_shard(tmp_path, FORMATS[name], 0, shard_items(0))
    with monkeypatch.context() as patch, pytest.raises(UserError, match="no space left"):
        patch.setattr("os.rename", _full)
        finish(tmp_path, FORMATS[name], 1, config, "0.1")
    assert not (tmp_path / "manifest.json").exists()
    assert finish(tmp_path, FORMATS[name], 1, config, "0.1").total == 12


def test_a_folder_that_cannot_be_written(tmp_path: Path, shard_items: Items) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="in the way"):
        write_shard(tmp_path / "file" / "set", FORMATS["folder"], 0, shard_items(0))


def _holds(root: Path, begun: Path, shared: bool) -> None:
    with hold(root, shared):
        begun.touch()
        time.sleep(60)


def holder(folder: Path, shared: bool) -> BaseProcess:
    """A process that holds folder/set, from now on."""
    begun = folder / "begun"
    words = (folder / "set", begun, shared)
    process = multiprocessing.get_context("fork").Process(target=_holds, args=words)
    process.start()
    while not begun.exists():
        assert process.is_alive()
        time.sleep(0.01)
    return process


def test_only_one_run_at_a_time(tmp_path: Path) -> None:
    process = holder(tmp_path, shared=False)
    with pytest.raises(UserError, match="another run"), hold(tmp_path / "set"):
        pass
    process.kill()
    process.join()
    with hold(tmp_path / "set"):
        pass


def test_parts_share_the_folder_and_keep_a_whole_run_out(tmp_path: Path) -> None:
    process = holder(tmp_path, shared=True)
    with hold(tmp_path / "set", shared=True):
        pass
    with pytest.raises(UserError, match="another run"), hold(tmp_path / "set"):
        pass
    process.kill()
    process.join()


def test_claim_refuses_another_configuration(tmp_path: Path, config: dict[str, object]) -> None:
    claim(tmp_path, config)
    text = (tmp_path / "config.yaml").read_text()
    assert "engine" not in text and "out" not in text
    claim(tmp_path, {**config, "engine": {"workers": 9}, "out": "elsewhere", "hydra": {}})
    other = {**config, "seed": 4, "plates": {"types": ["cn/blue"]}, "extra": 1}
    with pytest.raises(UserError) as caught:
        claim(tmp_path, other)
    message = str(caught.value)
    assert "seed: 3 there, 4 here" in message
    assert "plates.types: ['cn/blue', 'jp/private'] there, ['cn/blue'] here" in message
    assert "extra: absent there, 1 here" in message
    assert (tmp_path / "config.yaml").read_text() == text
    assert config_sha(config) == config_sha({**config, "engine": 1}) != config_sha(other)
    assert config_sha(config) == config_sha({**config, "format": "lmdb"})  # the plates are the same


def test_a_claim_is_taken_back_where_no_shard_followed(tmp_path: Path, config: dict[str, object]) -> None:
    claim(tmp_path / "new", config)
    with hold(tmp_path / "new"):
        unclaim(tmp_path / "new")
    assert not (tmp_path / "new").exists()
    claim(tmp_path / "begun", config)
    (tmp_path / "begun" / ".shards" / "00000").mkdir(parents=True)
    unclaim(tmp_path / "begun")
    assert (tmp_path / "begun" / "config.yaml").is_file()


def test_claim_refuses_a_folder_of_somebody_else(tmp_path: Path, config: dict[str, object]) -> None:
    (tmp_path / "holiday.jpg").write_text("")
    with pytest.raises(UserError, match=r"holiday\.jpg"):
        claim(tmp_path, config)
    with pytest.raises(UserError, match="is a file"):
        claim(tmp_path / "holiday.jpg", config)
    (tmp_path / "config.yaml").write_bytes(b"\xff\xfe{")
    with pytest.raises(UserError, match="unreadable"):
        claim(tmp_path, config)


def test_the_manifest_lists_the_shards(sets: dict[str, Path], config: dict[str, object]) -> None:
    manifest = read_manifest(sets["folder"])
    assert manifest is not None
    assert (manifest.total, manifest.version, manifest.config_sha) == (36, "0.1", config_sha(config))
    assert [done.shard for done in manifest.shards] == [0, 1, 2]
    assert json.loads((sets["folder"] / "manifest.json").read_text())["shards"][0]["count"] == 12


def test_a_broken_manifest_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text("{}")
    with pytest.raises(UserError, match="not a manifest"):
        read_manifest(tmp_path)


def test_stages_may_hold_numpy_numbers(tmp_path: Path, shard_items: Items) -> None:
    import numpy as np

    record, jpeg = shard_items(0)[0]
    stages = [{"name": "capture", "blur": np.float32(0.5), "shift": np.arange(2)}]
    plain = {"blur": 0.5, "shift": [0, 1]}
    changed = Record(**{**record.to_dict(), "stages": stages})
    for name in ("folder", "named"):
        write_shard(tmp_path / name, FORMATS[name], 0, [(changed, jpeg)])
    (table,) = (tmp_path / "folder/.shards/00000/lists").glob("*/metadata.jsonl")
    assert json.loads(json.loads(table.read_text())["stages"][0]["parameters"]) == plain
    row = json.loads((tmp_path / "named/.shards/00000/records.jsonl").read_text())
    assert row["stages"] == [{"name": "capture", **plain}]


def test_rows_have_the_columns_of_the_whole_set(
    tmp_path: Path, shard_items: Items, config: dict[str, object]
) -> None:
    """Also those of types that no shard happens to have."""
    write_shard(tmp_path, FORMATS["folder"], 0, shard_items(0), ("office", "serial"))
    write_shard(tmp_path, FORMATS["folder"], 1, [], ("office", "serial"))
    finish(tmp_path, FORMATS["folder"], 2, config, "0.1")
    for line in (tmp_path / "train/metadata.jsonl").read_text().splitlines():
        fields = json.loads(line)["fields"]
        assert list(fields)[:2] == ["office", "serial"] and fields["office"] == "" != fields["serial"]


def test_a_lost_shard_is_told(tmp_path: Path, shard_items: Items, config: dict[str, object]) -> None:
    write_shard(tmp_path, FORMATS["csv"], 0, shard_items(0))
    shutil.rmtree(tmp_path / ".shards/00000/pictures")
    with pytest.raises(UserError, match="lost"):
        finish(tmp_path, FORMATS["csv"], 1, config, "0.1")
