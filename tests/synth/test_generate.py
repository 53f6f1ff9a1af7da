"""Generation as a user runs it: the same bytes from any engine, after any interruption, or one clear line."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from synth import UserError
from synth import generate as from_python
from synth.api import composed
from synth.catalogue import load_type
from synth.contents import contents
from synth.dataset.sources import read_source
from synth.dataset.validate import validate
from synth.generate import generate as make

ROOT = Path(__file__).resolve().parents[2]
CBLPRD_CHARACTERS = set(
    "京津冀晋蒙辽吉黑沪苏浙皖闽赣鲁豫鄂湘粤桂琼渝川贵云藏陕甘青宁新港澳挂学领使临"
    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
)


def command(*keys: str) -> list[str]:
    return [sys.executable, "-m", "synth.generate", *keys]


def run(*keys: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(command(*keys), capture_output=True, text=True, env=environment, timeout=600)


def generate(out: Path, *keys: str) -> Path:
    done = run(f"out={out}", *keys)
    assert done.returncode == 0, done.stderr
    return out


def digest(folder: Path) -> dict[str, str]:
    """Every file below a folder and the hash of its bytes."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


SMALL = ("count=150", "shard_size=40", "stages=capture")


@pytest.fixture(scope="module")
def serial(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return generate(tmp_path_factory.mktemp("serial") / "out", *SMALL, "engine=serial")


def test_layout_of_the_folder(serial: Path) -> None:
    names = {path.name for path in serial.iterdir()}
    expected = {
        "train",
        "val",
        "test",
        "sheet.png",
        "card.md",
        "balance.json",
        "config.yaml",
        "manifest.json",
    }
    assert expected <= names
    assert not [name for name in names if name.startswith(".")]
    rows = [json.loads(line) for line in (serial / "train" / "metadata.jsonl").read_text().splitlines()]
    assert next(iter(rows[0])) == "file_name"
    assert len({tuple(row["fields"]) for row in rows}) == 1, (
        "Hugging Face wants the same columns in every row"
    )
    assert all((serial / "train" / row["file_name"]).is_file() for row in rows)
    assert "synthetic" in (serial / "card.md").read_text()
    assert json.loads((serial / "manifest.json").read_text())["config_sha"] == rows[0]["config_sha"]


def test_pool_makes_the_same_bytes(serial: Path, tmp_path: Path) -> None:
    pool = generate(tmp_path / "out", *SMALL, "engine=pool", "engine.workers=2")
    assert digest(pool) == digest(serial)


@pytest.mark.slow
def test_ray_makes_the_same_bytes(serial: Path, tmp_path: Path) -> None:
    pytest.importorskip("ray")
    ray = generate(tmp_path / "out", *SMALL, "engine=ray", "engine.workers=2")
    assert digest(ray) == digest(serial)


@pytest.mark.slow
def test_submitit_makes_the_same_bytes(serial: Path, tmp_path: Path) -> None:
    pytest.importorskip("hydra_plugins.hydra_submitit_launcher")
    keys = (f"out={tmp_path / 'out'}", *SMALL, "parts=2")
    sweep = f"hydra.sweep.dir={tmp_path / 'jobs'}"
    jobs = run("-m", "hydra/launcher=submitit_local", "part=0,1", "engine=serial", sweep, *keys)
    assert jobs.returncode == 0, jobs.stderr
    assert len(list((tmp_path / "out" / ".shards").glob("0*"))) == 4
    finished = generate(tmp_path / "out", *SMALL, "parts=2")
    left = {name: sha for name, sha in digest(finished).items() if name != "card.md"}
    assert left == {name: sha for name, sha in digest(serial).items() if name != "card.md"}


def test_a_run_without_part_only_finishes_what_parts_made(tmp_path: Path) -> None:
    root = tmp_path / "out"
    keys = (f"out={root}", "count=8", "shard_size=2", "stages=template", "engine=serial", "parts=2")
    with pytest.raises(UserError, match="no such folder; make the parts first, part=0 to part=1"):
        make(composed("generate", keys))
    assert not root.exists()
    assert make(composed("generate", (*keys, "part=0"))) == (root, False)
    running = root / ".shards" / "00001.tmp-1"
    running.mkdir()
    with pytest.raises(UserError, match=r"2 of 4 shards are not finished \(first: 1\); wait for part 1 or"):
        make(composed("generate", keys))
    assert running.is_dir() and sorted(path.name for path in root.glob(".shards/0000?")) == ["00000", "00002"]
    make(composed("generate", (*keys, "part=1")))
    assert running.is_dir()
    assert make(composed("generate", keys), ["parts=2"]) == (root, True)
    assert not (root / ".shards").exists() and len(read_source("folder", root).items) == 8


@pytest.mark.slow
@pytest.mark.parametrize("victim", ["run", "worker"])
def test_a_killed_run_goes_on(tmp_path: Path, victim: str) -> None:
    keys = ("count=2400", "shard_size=100", "stages=capture", "engine.workers=2")
    whole = generate(tmp_path / "whole", *keys)
    out = tmp_path / "killed"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(
        command(f"out={out}", *keys), env=environment, stderr=subprocess.PIPE, text=True
    )
    wait_for_shards(out, 2, process)
    os.kill(process.pid if victim == "run" else worker_of(process.pid), signal.SIGKILL)
    stderr = process.communicate(timeout=120)[1]
    assert process.returncode != 0
    if victim == "worker":
        assert process.returncode == 2 and "killed" in stderr and "Traceback" not in stderr
    assert not list(out.glob("train/*")), "nothing is visible before the end"
    time.sleep(1.5)  # workers of a killed run leave by themselves
    assert digest(generate(out, *keys)) == digest(whole)


def wait_for_shards(out: Path, count: int, process: subprocess.Popen[str]) -> None:
    for _ in range(600):
        if len(list((out / ".shards").glob("[0-9]*/done.json"))) >= count:
            return
        assert process.poll() is None, "ended before it could be killed"
        time.sleep(0.05)
    raise AssertionError("no shard in half a minute")


def worker_of(pid: int) -> int:
    """The last spawned process of a run; the first is the resource tracker of multiprocessing."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    spawned = [c for c in children if b"spawn_main" in Path(f"/proc/{c}/cmdline").read_bytes()]
    return int(spawned[-1])


@pytest.mark.slow
def test_a_full_disk_is_one_line_and_can_be_resumed(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)], capture_output=True
    )
    if mounted.returncode:
        pytest.skip("no right to mount a small disk")
    keys = (f"out={disk / 'out'}", "count=400", "shard_size=50", "stages=template", "engine=serial")
    try:
        done = run(*keys)
        assert done.returncode == 2
        lines = [line for line in done.stderr.splitlines() if line.startswith("error:")]
        assert len(lines) == 1 and "no space left" in lines[0] and "Traceback" not in done.stderr
        subprocess.run(["mount", "-o", "remount,size=20m", str(disk)], check=True)
        assert run(*keys).returncode == 0
        whole = generate(tmp_path / "whole", *keys[1:])
        assert digest(disk / "out") == digest(whole)
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_cn7_uniform_is_exactly_balanced(tmp_path: Path) -> None:
    """A full block of every deck: 7 types x lcm of the alphabets would be long; prefixes hold within one."""
    out = generate(tmp_path / "out", "count=1428", "stages=template", "height_px=20", "engine.workers=2")
    balance = json.loads((out / "balance.json").read_text())
    assert balance["types"]["spread"] <= 1
    for kind in balance["by_type"].values():
        for slot, counts in kind["slots"].items():
            assert counts["spread"] <= 1, slot


def test_cblprd_is_read_by_our_reader(tmp_path: Path) -> None:
    out = generate(
        tmp_path / "out", "count=140", "stages=template", "format=cblprd", "balance.ambiguous=true"
    )
    found = read_source("cblprd", out)
    assert len(found.items) == 140 and not found.problems
    labels = Counter(item.type for item in found.items)
    assert set(labels) == {
        "普通蓝牌", "单层黄牌", "双层黄牌", "黑色车牌", "新能源小型车", "新能源大型车", "拖拉机绿牌",
    }  # fmt: skip
    assert max(labels.values()) - min(labels.values()) <= 1
    assert {char for item in found.items for char in item.text} <= CBLPRD_CHARACTERS
    assert all(item.image().shape == (48, 128, 3) for item in found.items[:20])
    assert validate(out, "cblprd").ok


def test_no_text_is_in_two_splits(serial: Path) -> None:
    splits: dict[str, set[str]] = {}
    for item in read_source("folder", serial).items:
        splits.setdefault(item.text, set()).add(item.split)
    assert all(len(names) == 1 for names in splits.values())


def test_another_config_is_refused(serial: Path) -> None:
    refused = run(f"out={serial}", *SMALL, "seed=1")
    assert refused.returncode == 2
    assert "seed: 0 there, 1 here" in refused.stderr and len(refused.stderr.strip().splitlines()) == 1


def test_a_finished_folder_is_left_alone(serial: Path) -> None:
    before = digest(serial)
    again = run(f"out={serial}", *SMALL)
    assert again.returncode == 0 and "finished already" in again.stdout
    assert digest(serial) == before


def test_shards_that_a_kill_left_in_a_finished_folder_are_cleared(tmp_path: Path) -> None:
    keys = (f"out={tmp_path / 'out'}", "count=2", "stages=template", "engine=serial")
    make(composed("generate", keys), ["count=2"])
    before = digest(tmp_path / "out")
    (tmp_path / "out" / ".shards" / "00000").mkdir(parents=True)  # killed between manifest and their removal
    assert make(composed("generate", keys), ["count=2"]) == (tmp_path / "out", True)
    assert digest(tmp_path / "out") == before and not (tmp_path / "out" / ".shards").exists()


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        (("count=0",), "count: 0 is not a whole number above 0"),
        (("count=many",), "count: 'many' is not a whole number"),
        (("split={train: 0.5}",), "split"),
        (("format=zip",), "format=zip: unknown"),
        (("engine=spark",), "engine=spark: no such choice; take one of pool, ray, serial"),
        (("plates.types=[cn/blau]",), "unknown type 'cn/blau'"),
        (("plates=jp", "format=cblprd"), "format=cblprd: has no name for type"),
        (("texts=/nowhere.txt",), "texts: /nowhere.txt"),
        (("engine.workers=0",), "engine.workers"),
        (("split=0.8",), "split: 0.8 is not a mapping"),
        (("split.train=abc",), "split.train=abc: must lie between 0 and 1"),
        (("height_px=1",), "height_px: 1 is not a whole number between 8 and 1024"),
        (("seed=99999999999999999999999",), "is too large"),
        (("plates.types=[1]",), "plates.types: 1 is no plate type"),
        (("plates.types=[jp]",), "plates.types: 'jp' is a group of types; write plates=jp"),
        (("plates.types=[CN/BLUE]",), "nearest: cn/blue"),
        (("texts=5",), "texts: 5: No such file"),
        (("format=[csv,folder]",), "format: ['csv', 'folder'] is not a text"),
        (("stages.capture.severity=[0,2]",), "stages.capture: no such key; known: pix2pix"),
        (("stages=capture", "capture.severity=[0,2]"), "severity"),
    ],
)
def test_mistakes_end_in_one_line(tmp_path: Path, keys: tuple[str, ...], said: str) -> None:
    done = run(f"out={tmp_path / 'out'}", "count=10", *keys)
    assert done.returncode == 2
    assert said in done.stderr and len(done.stderr.strip().splitlines()) == 1, done.stderr
    assert not (tmp_path / "out").exists()


def test_a_mistake_that_the_first_plate_shows_leaves_no_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = "from synth.errors import UserError\ndef stop(batch):\n    raise UserError('stages.stop: no')\n"
    (tmp_path / "stopping.py").write_text(code)
    monkeypatch.syspath_prepend(tmp_path)
    stage = "+stages.stop={_target_: hydra.utils.get_method, path: stopping.stop}"
    with pytest.raises(UserError, match=r"stages\.stop"):
        from_python(tmp_path / "out", count=4, stages="template", overrides=[stage])
    assert not (tmp_path / "out").exists()


def test_texts_from_a_file(tmp_path: Path) -> None:
    texts = tmp_path / "texts.txt"
    texts.write_text("京A12345\n粤B·D12345\n", encoding="utf-8")
    out = generate(tmp_path / "out", "count=4", "stages=template", f"texts={texts}", "engine=serial")
    read = sorted(item.text for item in read_source("folder", out).items)
    assert read == ["京A12345", "京A12345", "粤BD12345", "粤BD12345"]
    texts.write_text("# mine\n京A12345\n\n  # and\nHELLO\n", encoding="utf-8")
    refused = run(f"out={tmp_path / 'other'}", "count=4", f"texts={texts}")
    assert refused.returncode == 2 and f"texts: {texts}: line 5: 'HELLO'" in refused.stderr
    assert not (tmp_path / "other").exists()  # so that the mended command is not refused


def texts_of(root: Path, *keys: str) -> set[str]:
    make(composed("generate", (f"out={root}", "count=4", "stages=template", "engine=serial", *keys)), keys)
    return {item.text for item in read_source("folder", root).items}


def test_an_edited_list_of_texts_is_another_data_set(tmp_path: Path) -> None:
    texts = tmp_path / "texts.txt"
    texts.write_text("京A12345\n", encoding="utf-8")
    assert texts_of(tmp_path / "one", f"texts={texts}") == {"京A12345"}
    texts.write_text("京A54321\n", encoding="utf-8")
    with pytest.raises(UserError, match="texts: holds something else since"):
        texts_of(tmp_path / "one", f"texts={texts}")
    assert texts_of(tmp_path / "two", f"texts={texts}") == {"京A54321"}  # by the same process


def test_an_edited_type_is_another_data_set(tmp_path: Path) -> None:
    """With its base: what is edited need not be the file that is named."""
    (tmp_path / "base.yaml").write_text("defaults: [cn/blue]\ncountry: cn\n")
    mine = tmp_path / "mine.yaml"
    mine.write_text("defaults: [base]\n")
    keys = (f"plates.types=[{mine}]",)
    assert len(texts_of(tmp_path / "one", *keys)) == 4
    assert load_type(str(mine)).width_mm == 440
    (tmp_path / "base.yaml").write_text("defaults: [cn/blue]\ncountry: cn\nwidth_mm: 450\n")
    with pytest.raises(UserError, match=r"plates\.types .*mine\.yaml: holds something else since"):
        texts_of(tmp_path / "one", *keys)
    texts_of(tmp_path / "two", *keys)
    assert load_type(str(mine)).width_mm == 450


def test_digests_of_what_stages_name(tmp_path: Path) -> None:
    plain = {"texts": None, "plates": {"types": ["cn/blue"]}, "stages": {}}
    assert contents(plain) == {}  # so that sets of bundled files keep their config_sha
    weights, crops = tmp_path / "mine.safetensors", tmp_path / "crops"
    weights.write_bytes(b"1")
    crops.mkdir()
    (crops / "labels.tsv").write_text("one")
    way = {"weights": str(weights), "path": None}
    stages = {"mix": {"weights": {"a": 1.0}, "ways": {"a": {"pix2pix": way}}}, "spg": {"path": str(crops)}}
    before = contents(plain | {"stages": stages})
    assert set(before) == {"stages.mix.ways.a.pix2pix.weights", "stages.spg.path"}
    (crops / "labels.tsv").write_text("two")
    assert contents(plain | {"stages": stages}) != before
