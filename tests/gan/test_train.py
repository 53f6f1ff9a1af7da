"""Training: exact resume, weights files, the command from a user's side."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")

import torch
from safetensors import SafetensorError, safe_open
from tiny_pairs import SIZE, data, gallery, header, judge, settings, teaching, tiny_pairs
from torch import Tensor

from gan.checkpoint import Styles, build, load, save
from gan.course import placeless
from gan.gallery import outlines, styles_of
from gan.loop import drawing, rates
from gan.loop import run as run_course
from gan.outline import COUNT
from gan.pix2pix import Pix2Pix
from gan.runtime.distributed import Processes
from gan.runtime.weights import write
from gan.train import main
from synth.errors import UserError

ROOT = Path(__file__).resolve().parents[2]
ALONE = Processes(0, 1, torch.device("cpu"))


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def bank(network: Pix2Pix) -> Styles:
    return styles_of(network, tiny_pairs().pairs)


def run(out: Path, styles: Callable[[Pix2Pix], Styles] = bank, **changes: Any) -> Path:
    network, memory = changes.pop("network", {}), changes.pop("memory", 0)
    torch.manual_seed(0)
    plan = settings(out, **changes)
    course = drawing(header(**network), judge(), teaching(), data, styles, gallery(), memory=memory)
    return run_course(plan, course, ALONE, resume=True)


def contents(path: Path) -> dict[str, Tensor]:
    with safe_open(str(path), framework="pt") as file:
        return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118


class Stopped(Exception):
    """The user pulled the plug."""


def stop(network: Pix2Pix) -> Styles:
    raise Stopped


@pytest.mark.parametrize(
    "changes", [{}, {"network": {"style": 0, "dropout": 0.5}}, {"memory": 10}], ids=["", "classic", "memory"]
)
def test_stopping_half_way_changes_nothing(changes: dict[str, Any], tmp_path: Path) -> None:
    run(tmp_path / "whole", **changes)
    done = []

    def second_time(artist: Pix2Pix) -> Styles:
        done.append(1)
        return bank(artist) if len(done) == 1 else stop(artist)

    with pytest.raises(Stopped):  # a state is written at 24 images, none at 48
        run(tmp_path / "broken", second_time, keep=24, **changes)
    torch.rand(5)
    run(tmp_path / "broken", **changes)
    for name in ("weights.safetensors", "state.safetensors"):
        mine, theirs = contents(tmp_path / "whole" / name), contents(tmp_path / "broken" / name)
        assert mine.keys() == theirs.keys()
        assert [key for key in mine if not torch.equal(mine[key], theirs[key])] == [], name
    assert [key for key in mine if key.startswith("judge.")]


def test_what_a_run_leaves_behind(tmp_path: Path) -> None:
    weights = run(tmp_path / "run", tick=24)
    lines = [json.loads(line) for line in (tmp_path / "run" / "stats.jsonl").read_text().splitlines()]
    assert [line["images"] for line in lines] == [24, 48]
    assert {"judge", "adversarial", "l1", "kl", "latent", "ms_draw", "ms_data", "rate"} <= set(lines[0])
    assert sorted(path.name for path in (tmp_path / "run" / "samples").iterdir()) == [
        "00000024.png",
        "00000048.png",
    ]
    network, styles, found = load(weights)
    assert found.images == 48 and found.sizes == (SIZE, (32, 64)) and styles.mean.shape == (12, 3)
    assert not network.training and bool((styles.deviation > 0).all())


def test_a_finished_training_is_left_as_it_is(tmp_path: Path) -> None:
    weights = run(tmp_path / "run", images=8)
    before = weights.read_bytes()
    assert run(tmp_path / "run", stop, images=8) == weights and weights.read_bytes() == before


def test_rates_fall_at_the_end(tmp_path: Path) -> None:
    plan = settings(tmp_path, images=100, decay=0.5)
    assert [round(rates(plan, done)[0] / plan.learning_rate, 2) for done in (0, 50, 75, 100)] == [
        1,
        1,
        0.5,
        0,
    ]
    assert rates(replace(plan, decay=0.0), 99)[1] == plan.judge_rate


def saved(path: Path, **network: Any) -> Path:
    made = build(header(**network))
    save(path, made, Styles(torch.randn(5, made.style), torch.rand(5, made.style)), header(**network))
    return path


def test_weights_come_back_in_half_precision(tmp_path: Path) -> None:
    torch.manual_seed(0)
    network, styles, found = load(saved(tmp_path / "w.safetensors"))
    stored = contents(tmp_path / "w.safetensors")
    assert stored["network.generator.full.0.weight"].dtype == torch.float16
    assert network.generator.full[0].weight.dtype == torch.float32 and len(styles.mean) == 5
    assert found.planes == COUNT


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda path: path.unlink(), "no such weights file"),
        (lambda path: path.write_bytes(b"garbage" * 99), "not a readable safetensors file"),
        (lambda path: other_kind(path), "no generator checkpoint of ours; give a file that plate-train-gan"),
        (lambda path: other_planes(path), "drawn from 4 outline planes, this version draws 9; train again"),
        (lambda path: other_network(path), "weights of another network"),
        (lambda path: foreign(path), "refused: its header calls 'os.system', which is no network of ours"),
        (lambda path: older(path), "not made by this version .*; train again"),
    ],
)
def test_a_bad_weights_file_is_one_line(
    damage: Callable[[Path], object], message: str, tmp_path: Path
) -> None:
    path = saved(tmp_path / "w.safetensors")
    damage(path)
    with pytest.raises(UserError, match=f"w.safetensors: .*{message}"):
        load(path)


def other_kind(path: Path) -> None:
    from gan.runtime.weights import save_weights

    save_weights(path, {"x": torch.zeros(1)}, "platesmith recognizer", {})


def other_planes(path: Path) -> None:
    made = replace(header(), planes=4)
    save(path, build(made), Styles.none(3), made)


def other_network(path: Path) -> None:
    save(path, build(header(channels=8)), Styles.none(3), header())


def foreign(path: Path) -> None:
    made = replace(header(), network={"_target_": "os.system", "command": "true"})
    save(path, build(header()), Styles.none(3), made)


def older(path: Path) -> None:
    made = replace(header(), network={**header().network, "depth": 4})
    save(path, build(header()), Styles.none(3), made)


def test_the_gallery_has_a_plate_of_each_type() -> None:
    drawn = outlines(["cn/blue", "cn/yellow_double"], SIZE, 0)
    assert [planes.shape for planes in drawn] == [(*SIZE, COUNT)] * 2
    assert (drawn[0] != drawn[1]).any()


def command(
    out: Path, *words: str, start: tuple[str, ...] = (sys.executable,)
) -> subprocess.CompletedProcess[str]:
    tests = str(Path(__file__).parent)
    given = [
        "pairs._target_=tiny_pairs.load", "source.path=x", f"out={out}", "size=[16,48]", "images=16",
        "other_sizes=[[32,64]]", "batch=4", "threads=1", "workers=0", "gan.network.channels=4",
        "gan.discriminator.channels=4",
    ]  # fmt: skip
    return subprocess.run(
        [*start, "-m", "gan.train", *given, *words],
        cwd=ROOT,
        env={"PYTHONPATH": f"{ROOT}:{tests}", "PATH": "", "OMP_NUM_THREADS": "1", "HOME": str(out.parent)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_command_trains(tmp_path: Path) -> None:
    done = command(tmp_path / "run")
    assert done.returncode == 0, done.stderr
    assert (
        done.stdout.splitlines()[-1] == f"{tmp_path / 'run' / 'weights.safetensors'}: 16 images of 12 crops"
    )
    assert "x: twelve tiny crops" in done.stderr.splitlines()
    assert load(tmp_path / "run" / "weights.safetensors")[2].data["crops"] == 12


def test_one_training_at_a_time_in_a_folder(tmp_path: Path) -> None:
    run = tmp_path / "run"
    with ALONE.hold(run):
        done = command(run)
        with replace(ALONE, rank=1, count=2).hold(run):  # another process of the same training
            pass
    assert (done.returncode, done.stderr.splitlines()[-1]) == (
        2,
        f"error: {run}: another run is writing there; wait for it",
    )
    assert [path.name for path in run.iterdir()] == ["lock"]
    assert command(run).returncode == 0


def test_losses_without_their_reader_are_told(tmp_path: Path) -> None:
    done = command(tmp_path / "run", "images=4")
    assert done.returncode == 0, done.stderr
    [said] = [line for line in done.stderr.splitlines() if line.startswith("gan.losses: ")]
    assert said == (
        "gan.losses: reading left out, since reader is null; reader=bundled is the reader to learn from"
    )
    done = command(tmp_path / "off", "images=4", "gan.losses.reading=0")
    assert done.returncode == 0 and "gan.losses" not in done.stderr
    done = command(tmp_path / "on", "images=4", "reader=bundled")
    assert done.returncode == 0 and "gan.losses" not in done.stderr, done.stderr
    assert "reading" in json.loads((tmp_path / "on" / "stats.jsonl").read_text())


def test_a_batch_of_one_has_no_style_to_borrow(tmp_path: Path) -> None:
    done = command(tmp_path / "run", "batch=1")
    assert done.returncode == 2 and done.stderr.startswith("error: batch: 1; half of a batch borrows")
    assert not (tmp_path / "run").exists()
    assert command(tmp_path / "classic", "gan=pix2pix_classic", "images=1", "batch=1").returncode == 0


def test_numbers_that_are_none_end_a_training_and_leave_what_was_kept(tmp_path: Path) -> None:
    weights = run(tmp_path / "run", images=8)
    before = {name: (tmp_path / "run" / name).read_bytes() for name in (weights.name, "state.safetensors")}
    with pytest.raises(UserError, match=r"gan.losses: .* is (nan|inf), nothing more is learnt"):
        run(tmp_path / "run", learning_rate=1e30, images=48, keep=48)
    lost = build(header())
    torch.nn.init.constant_(lost.generator.full[0].weight, float("nan"))
    with pytest.raises(UserError, match=r"left as it is: generator.full.0.weight is no number"):
        save(weights, lost, bank(build(header())), header())
    assert {name: (tmp_path / "run" / name).read_bytes() for name in before} == before


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("threads=-1", "threads: -1 is not a whole number of 1 or more"),
        ("workers=-1", "workers: -1 is not a whole number of 0 or more"),
        ("seed=-1", "seed: -1 is not a whole number of 0 or more"),
        ("learning_rate=-1", "learning_rate: -1 is not a number above 0"),
        ("judge_rate=abc", "judge_rate: 'abc' is not a number above 0"),
        ("average=2.0", "average: 2.0 is no share between 0 and 1"),
        ("gan.turns=abc", "gan.turns: abc; the judge needs one turn at least"),
        ("gan.losses.l1=abc", "gan.losses.l1: 'abc' is not a number"),
        ("gan.augmentation.cutout=abc", "gan.augmentation.cutout: 'abc' is not a number"),
    ],
)
def test_a_value_of_the_wrong_kind_is_one_line(
    word: str,
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    keys = ["pairs._target_=tiny_pairs.load", "source.path=x", f"out={tmp_path / 'run'}", "threads=1", word]
    monkeypatch.setattr("sys.argv", ["plate-train-gan", *keys])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2 and capsys.readouterr().err == f"error: {message}\n"
    assert not (tmp_path / "run").exists()


def test_a_folder_may_be_called_by_a_number(tmp_path: Path) -> None:
    done = command(tmp_path / "run", "pairs._target_=gan.pairs.load_pairs", "source.path=2024")
    assert done.returncode == 2 and done.stderr.startswith("error: 2024: no such folder or file")
    done = command(tmp_path / "run", "source.path=???")
    assert done.returncode == 2 and done.stderr.startswith("error: source.path: must be given")


def test_a_wrong_size_is_one_line(tmp_path: Path) -> None:
    done = command(tmp_path / "run", "size=[16]")
    assert done.returncode == 2 and len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith("error: size, other_sizes: [[16], [32, 64]] are no sizes")
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
def test_two_processes_share_the_work(tmp_path: Path) -> None:
    many = (sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2")
    done = command(tmp_path / "run", "tick=8", "keep=8", start=many)
    assert done.returncode == 0, done.stderr
    lines = (tmp_path / "run" / "stats.jsonl").read_text().splitlines()
    assert [json.loads(line)["images"] for line in lines] == [8, 16]
    again = command(tmp_path / "run", "tick=8", "keep=8", "images=24", start=many)
    assert again.returncode == 0, again.stderr
    assert load(tmp_path / "run" / "weights.safetensors")[2].images == 24


def test_a_header_does_not_say_where_files_lay() -> None:
    config = {"gan": {"perceptual": {"_target_": "a.b", "path": "far/away/reader.safetensors"}}, "seed": 0}
    told = placeless(config)
    assert (
        told["gan"]["perceptual"] == {"_target_": "a.b", "path": "reader.safetensors"} and told["seed"] == 0
    )


def test_a_full_disk_is_one_line_and_leaves_no_half_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(tensors: object, path: Path, metadata: object) -> None:
        path.write_bytes(b"half")
        raise SafetensorError("No space left on device")

    monkeypatch.setattr("gan.runtime.weights.save_file", full)
    with pytest.raises(UserError, match=r"w.safetensors: cannot be written \(No space left"):
        write(tmp_path / "w.safetensors", {}, {})
    assert not list(tmp_path.iterdir())
