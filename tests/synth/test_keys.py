"""Keys, choices and flags that nothing knows: one line with the nearest; what may be free is taken."""

from __future__ import annotations

from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest
from hydra import compose
from hydra._internal.utils import get_args_parser
from hydra.errors import HydraException
from omegaconf import OmegaConf

from synth import UserError, draw
from synth.app import hydra_said, opened
from synth.keys import FLAGS, OPEN, check_choices, check_equals, check_flags, check_keys, our_hydra

ROOT = Path(__file__).resolve().parents[2]
APPS = sorted(path.stem for path in (ROOT / "conf").glob("*.yaml"))


def said(line: str) -> str:
    """What a command says to these words; nothing when they compose."""
    app, *words = line.split()
    try:
        check_flags(words, app)
        check_equals(words, app)
        check_choices(words, app)
        check_keys(words, app, begun="+")
        with our_hydra():
            compose(app, opened(words, app))
    except UserError as error:
        return str(error)
    except HydraException as error:
        return hydra_said(error, app, words)
    return ""


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        ("generate +cuont=10", "cuont: no such key; nearest: count"),
        ("generate cuont=10", "cuont: no such key; nearest: count"),
        ("generate ++cuont=10", "cuont: no such key; nearest: count"),
        ("generate palte=cn7", "palte: no such key; nearest: plates"),
        ("generate engine.wokers=3", "engine.wokers: no such key; nearest: workers"),
        ("generate +capture.sevrity=1", "capture.sevrity: no such key; nearest: severity"),
        ("generate +stages.pix2pix.wieghts=x", "stages.pix2pix.wieghts: no such key; nearest: weights"),
        ("generate +split.tarin=1", "split.tarin: no such key; nearest: train"),
        ("generate +experiment=smoke", "experiment: no such key"),
        ("train_gan +gan.losses.reeding=1", "gan.losses.reeding: no such key; nearest: reading"),
        ("evaluate capture=mild", "capture: no such key"),
        ("generate plates=cn8", "plates=cn8: no such choice; take one of all, cn7, cn_all, jp, reader (n"),
        ("generate engine=poll", "engine=poll: no such choice; take one of pool, ray, serial (nearest: pool"),
        ("generate plates=cn/blue", "plates=cn/blue: no such choice"),
        ("generate plates=3", "plates=3: no such choice"),
        ("generate plates=[cn7,jp]", "plates=[cn7,jp]: takes one choice, not a list (types of your own"),
        ("evaluate path=crops", "path: no such key; nearest: source.path"),
        ("generate count 10", "count: not key=value; nearest: count="),
        ("generate capture.cameras.phone.effects.nose=3", "capture.cameras.phone.effects.nose: no such key"),
        ("benchmark experiment=wort", "experiment=wort: no such choice; take one of new_camera, proof"),
        ("generate hydra/launcher=fast", "hydra/launcher=fast: no such choice; take one of basic"),
        ("generate hydra/launcher=submitit_x", "hydra/launcher=submitit_x: hydra-submitit-launcher is not"),
        ("generate --count=10 out=x", "--count: keys have no dashes; write count=10"),
        ("generate --count 10 out=x", "--count: keys have no dashes; write count=10"),
        ("generate --count out=x", "--count: keys have no dashes; write count=..."),
        ("generate -count=10", "-count: keys have no dashes; write count=10"),
        ("evaluate --source.path=x", "--source.path: keys have no dashes; write source.path=x"),
        ("generate --cuont=10", "--cuont: no such flag, and keys have no dashes; nearest: count"),
        ("generate --multrun", "--multrun: no such flag, and keys have no dashes; nearest: --multirun"),
    ],
)  # fmt: skip
def test_what_nobody_knows_is_one_line_with_the_nearest(line: str, answer: str) -> None:
    assert said(line).startswith(answer) and "\n" not in said(line), said(line)


@pytest.mark.parametrize(
    "line",
    [
        "generate ++count=3",
        "generate +stages.grey._target_=mine.Grey",
        "generate stages=mix +stages.mix.weights.spg=1",
        "generate +capture.weights.cellar=1 +capture.cameras.cellar._target_=synth.capture.camera.Camera",
        "generate +capture.cameras.phone.effects.mine._target_=mine.Effect",
        "generate +plates.weights={cn/blue:3}",
        "generate engine=pool +engine.address=auto",
        "generate +hydra.sweep.max_batch_size=1",
        "train_recognizer watch.mine=crops +watch.others=more",
        "train_recognizer data=labelled +data.share=0.3",
        "train_gan +reader._target_=mine.Reader",
        "benchmark +train.clip=1 +recipes.mix.redrawn=0.1 tests.mine=crops",
        "judge +fields.us=[serial]",
    ],
)
def test_what_may_be_new_is_taken(line: str) -> None:
    assert said(line) == ""


def test_a_sweep_over_groups_may_set_keys_of_any() -> None:
    check_keys(["gan=pix2pix,spg", "gan.losses.drawn=1", "+gan.losses.l2=1"], "train_gan")


def test_flags_of_hydra_are_taken() -> None:
    check_flags(["--cfg", "job", "-m", "-cn", "other", "count=3", "+seed=-1"], "generate")


def test_functions_refuse_the_same_words() -> None:
    with pytest.raises(UserError, match=r"capture\.sevrity: no such key; nearest: severity"):
        draw("cn/blue", overrides=["+capture.sevrity=1"])


def test_flags_are_those_of_hydra() -> None:
    assert {flag for action in get_args_parser()._actions for flag in action.option_strings} == set(FLAGS)


def mappings(node: Any, path: str = "") -> set[str]:
    """The dotted paths of all mappings below."""
    if not isinstance(node, dict):
        return set()
    inner = (mappings(value, f"{path}.{key}".lstrip(".")) for key, value in node.items())
    return {path}.union(*inner)


def test_every_open_mapping_is_in_some_configuration() -> None:
    choices = {"generate": ["stages=mix"], "train_recognizer": ["plates=reader"]}
    paths: set[str] = set()
    with our_hydra():
        for app in APPS:
            paths |= mappings(OmegaConf.to_container(compose(app, choices.get(app, []))))
    assert [pattern for pattern in OPEN if not any(fnmatch(path, pattern) for path in paths)] == []
