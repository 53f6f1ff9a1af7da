"""What every command does alike: help, open mappings, closed pipes, and one line for any mistake."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from hydra import compose, initialize_config_module

from synth import __version__
from synth.api import composed
from synth.app import opened
from synth.catalogue import load_type
from synth.confdata import read_yaml
from synth.errors import UserError
from synth.generate import engine_of, main
from synth.help import help_text
from synth.pipeline import pipeline_of, stages_of
from synth.targets import signature

ROOT = Path(__file__).resolve().parents[2]
APPS = sorted((ROOT / "conf").glob("*.yaml"))


def run(*words: str) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        [sys.executable, "-m", *words],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    )


def helped(path: Path) -> str:
    module = re.search(r"python -m ([\w.]+)", path.read_text("utf-8"))
    assert module, f"{path.name} does not begin with its command"
    source = ROOT / (module.group(1).replace(".", "/") + ".py")
    return help_text(path.stem, ast.get_docstring(ast.parse(source.read_text("utf-8"))) or "")


@pytest.mark.parametrize("path", APPS, ids=lambda path: path.stem)
def test_help_has_a_purpose_an_example_and_every_key(path: Path) -> None:
    text = helped(path)
    assert re.match(r"[A-Z].*[.?]$", text.splitlines()[0]) and "  python -m " in text
    for key in read_yaml(path):
        assert key in ("defaults", "hydra") or re.search(rf"^  {key}[=.]", text, re.MULTILINE), key
    assert max(map(len, text.splitlines())) <= 120 and "hydra/" not in text.replace("hydra/launcher", "")


def test_help_names_choices_and_what_must_be_given() -> None:
    text = helped(ROOT / "conf" / "generate.yaml")
    assert re.search(r"^  plates=cn7 +all, cn7, cn_all, jp", text, re.MULTILINE)
    assert re.search(r"^  out= +must be given: the folder", text, re.MULTILINE)
    assert re.search(r"^  count=1000 +plates", text, re.MULTILINE)
    assert "  source.path= " in helped(ROOT / "conf" / "evaluate.yaml")
    assert "source.path= " not in helped(ROOT / "conf" / "evaluate_edit.yaml")  # its own file has null


def test_what_must_be_given_and_the_version(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["plate-generate", "count=3"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert capsys.readouterr().err.strip().startswith("error: out: must be given; write out=...")
    monkeypatch.setattr(sys, "argv", ["plate-generate", "--version"])
    main()
    assert capsys.readouterr().out == f"platesmith {__version__}\n"


def test_help_of_a_command() -> None:
    process = run("synth.generate", "plates=jp", "--help")
    stdout, stderr = process.communicate(timeout=120)
    assert (process.returncode, stderr) == (0, "") and stdout.startswith("Generate a labelled data set")


def test_a_closed_pipe_is_no_error() -> None:
    process = run("synth.generate", "--cfg", "job")
    assert process.stdout is not None and process.stderr is not None
    process.stdout.close()  # as `| head -0` does
    assert process.stderr.read() == "" and process.wait(timeout=120) == 0


def test_any_name_may_be_new_in_a_mapping_that_is_shipped_empty() -> None:
    words = opened(["watch.ccpd=crops", "out=x", "+watch.b=c"], "train_recognizer")
    assert words == ["++watch.ccpd=crops", "out=x", "+watch.b=c"]
    assert opened(["split.train=1"], "generate") == ["split.train=1"]
    assert opened(["out=2024", "count=10"], "generate") == ["out='2024'", "count=10"]
    with initialize_config_module("conf", version_base="1.3"):
        assert compose("train_recognizer", overrides=words).watch == {"ccpd": "crops", "b": "c"}


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("capture.cameras.phone.pose.view_deg=3", "capture.cameras.phone.pose.view_deg: 3 is not a list"),
        ("capture.cameras.phone.pose.roll_deg=[a,b]", "phone.pose.roll_deg.0: 'a' is not a number"),
        ("capture.cameras.street.effects.noise.share=lots", "effects.noise.share: 'lots' is not a number"),
        ("capture.cameras.phone=3", "capture.cameras.phone: 3 is not a mapping"),
        ("capture.weights=3", "capture.weights: 3 is not a mapping"),
        ("capture.weights.phone=much", "capture.weights.phone: 'much' is not a number"),
        ("capture.height_px=tall", "capture.height_px: 'tall' is not a whole number"),
        ("+capture.cameras.phone.pose.vew_deg=3", "pose.vew_deg: no such key; nearest: view_deg"),
        ("capture.cameras.phone.pose.view_deg=[80,90]", "capture.cameras.phone.pose: "),
        ("capture.cameras.phone.pose._target_=synth.capture.view.Poes", "capture.cameras.phone.pose: "),
        ("~capture.cameras.phone.pose.distance", "capture.cameras.phone.pose: "),
        ("engine.workers=many", "engine.workers: 'many' is not a whole number"),
        ("engine.workers=0", "engine.workers: 0"),
    ],
)  # fmt: skip
def test_a_wrong_value_deep_inside_is_named_by_its_key(override: str, said: str) -> None:
    with initialize_config_module("conf", version_base="1.3"):
        config = compose("generate", overrides=["out=x", "stages=capture", override])
    with pytest.raises(UserError) as caught:
        stages_of(config)
        engine_of(dict(config.engine))
    assert said in str(caught.value) and "\n" not in str(caught.value), str(caught.value)
    assert not str(caught.value).startswith("stages.")


@pytest.mark.parametrize("choice", ["default", "mild", "hard", "phone", "street"])
def test_the_shipped_captures_pass(choice: str) -> None:
    with initialize_config_module("conf", version_base="1.3"):
        assert stages_of(
            compose("generate", overrides=["out=x", "stages=capture", f"capture={choice}"])
        ).keys() == {"capture"}


def test_a_type_file_is_named_after_the_file_alone(tmp_path: Path) -> None:
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "company.yaml").write_text("defaults: [cn/blue]\n")
    one, two = (str(tmp_path / folder / "company.yaml") for folder in ("one", "two"))
    assert load_type(one).id == "company"
    assert load_type(str(ROOT / "conf/plate/cn/blue.yaml")).id == "cn/blue"
    with initialize_config_module("conf", version_base="1.3"):
        config = compose("generate", overrides=["out=x", f"plates.types=[{one},{two}]"])
        with pytest.raises(UserError, match="both called company"):
            pipeline_of(config)


def test_a_stage_without_its_extra_says_which_one(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.split(".")[0] in ("torch", "gan")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "torch", None)
    with initialize_config_module("conf", version_base="1.3"):
        config = compose("generate", overrides=["out=x", "stages=pix2pix"])
    with pytest.raises(UserError, match=r"stages.pix2pix: torch is not installed; run: pip .+\[train"):
        stages_of(config)
    signature.cache_clear()  # that of a stage that could not be looked at


def test_values_that_are_not_ascii_are_taken_as_they_are() -> None:
    words = ["text=皖A12345", "out=a/", "image='皖.png'", "plates.types=[皖]", "text=random"]
    assert opened(words, "edit") == ["text='皖A12345'", *words[1:]]


def test_folders_whose_names_are_numbers() -> None:
    words = ["out=2024", "source.path=20240501", "weights=1", "batch=8", "source.path=a"]
    wanted = ["out='2024'", "source.path='20240501'", "weights='1'", *words[3:]]
    assert opened(words, "evaluate") == wanted
    words = ["watch.mine=2024", "images=1000", "start=1", "data.path=7"]
    assert opened(words, "train_recognizer") == [
        "++watch.mine='2024'",
        words[1],
        "start='1'",
        "data.path='7'",
    ]


def test_a_training_goes_on_with_its_own_settings_alone(tmp_path: Path) -> None:
    from omegaconf import OmegaConf

    from synth.app import keep_config, need_same

    config = OmegaConf.create({"resume": True, "images": 10, "batch": 4, "data": {"path": "a", "new": 1}})
    keep_config(config, tmp_path)
    (tmp_path / "state.safetensors").touch()
    need_same(config, tmp_path)
    need_same(OmegaConf.merge(config, {"images": 20}), tmp_path)  # more images go on with a run
    need_same(OmegaConf.merge(config, {"later": 1}), tmp_path)  # a key that was not there yet
    other = OmegaConf.merge(config, {"data": {"path": "b"}})
    with pytest.raises(UserError, match=r"config.yaml: begun with data.path=a, not b; .*resume=false"):
        need_same(other, tmp_path)
    need_same(OmegaConf.merge(other, {"resume": False}), tmp_path)
    need_same(other, tmp_path / "elsewhere")
    fewer = OmegaConf.create({**config, "data": {"path": "a"}})
    with pytest.raises(UserError, match=r"begun with data.new=1, not without it; "):
        need_same(fewer, tmp_path)  # another file of the group
    with pytest.raises(UserError, match=r"begun with batch=4, not a mapping; "):
        need_same(OmegaConf.create({**config, "batch": {"small": 2}}), tmp_path)
    (tmp_path / "config.yaml").write_text("{half")
    with pytest.raises(UserError, match=r"config.yaml: cannot be read"):
        need_same(config, tmp_path)


def test_a_training_goes_on_with_its_own_groups_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from omegaconf import OmegaConf

    from synth import app

    config = OmegaConf.create({"resume": True, "plates": {"types": ["cn/blue"]}})
    monkeypatch.setattr(app, "groups", lambda: {"plates": "all"})
    app.keep_config(config, tmp_path)
    (tmp_path / "state.safetensors").touch()
    app.need_same(config, tmp_path)
    monkeypatch.setattr(app, "groups", lambda: {"plates": "reader"})  # the same types and weights of them
    weighted = OmegaConf.merge(config, {"plates": {"weights": {"cn/blue": 3}}})
    with pytest.raises(UserError, match=r"begun with plates=all, not reader; "):
        app.need_same(weighted, tmp_path)


def test_validate_takes_the_kind_of_a_set() -> None:
    with initialize_config_module("conf", version_base="1.3"):
        assert "source" not in compose("validate", ["path=x"])
        assert compose("validate", ["path=x", "source=ccpd"]).source.name == "ccpd"


@pytest.mark.parametrize("name", ["generate", "sheet", "speed"])
@pytest.mark.parametrize("chosen", ["default", "hard"])
def test_the_camera_puts_out_pictures_as_high_as_the_plate(name: str, chosen: str) -> None:
    out = [] if name == "speed" else ["out=x.png"]
    keys = [*out, "stages=capture", f"capture={chosen}", "height_px=80"]
    assert stages_of(composed(name, keys))["capture"].height_px == 80  # type: ignore[attr-defined]
    own = stages_of(composed(name, [*keys, "capture.height_px=48"]))["capture"]
    assert own.height_px == 48  # type: ignore[attr-defined]
