"""The commands as functions: they draw and write what the commands do; `import synth` stays light."""

from __future__ import annotations

import doctest
import inspect
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hydra import compose, initialize_config_module
from hydra.core.hydra_config import HydraConfig

import synth.api
import synth.generate
from synth import UserError, draw, generate
from synth.pipeline import pipeline_of

ROOT = Path(__file__).resolve().parents[2]


def test_the_examples_in_its_docstrings_run() -> None:
    failed, tried = doctest.testmod(synth.api, optionflags=doctest.IGNORE_EXCEPTION_DETAIL | doctest.ELLIPSIS)
    assert tried >= 6 and not failed


def test_a_data_set_of_the_function_is_the_one_of_the_command(
    tmp_path: Path, alone: Callable[..., None]
) -> None:
    keys = ["plates.types=[cn/blue]", "count=6", "seed=4", "engine=serial", "out=by_command"]
    alone("synth.generate", *keys)
    made = generate(tmp_path / "by call, it's ", plates=["cn/blue"], count=6, seed=4)
    theirs = synth.api.data_set(tmp_path / "by_command")
    assert (made.digest, made.splits, made.types) == (theirs.digest, theirs.splits, {"cn/blue": 6})
    assert len(list(made)) == 6 and made.path.name == "by call, it's "
    assert (
        "python -m synth.generate plates.types=[cn/blue] count=6 seed=4"
        in (made.path / "card.md").read_text()
    )


def test_a_drawn_plate_is_the_one_of_the_data_set() -> None:
    with initialize_config_module("conf", version_base="1.3"):
        config = compose(
            "generate",
            overrides=["out=x", "plates.types=[cn/black]", "balance=legal", "seed=5", "stages=capture"],
        )
    (there,) = pipeline_of(config).samples([2])
    here = draw("cn/black", seed=5, index=2, stages="capture")
    assert here.text == there.text and np.array_equal(here.image, there.image)
    assert np.array_equal(here.char_quads, there.char_quads)


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"plates": "cn8"}, "plates=cn8: no such choice; take one of all, cn7"),
        ({"plates": ["cn/bleu"]}, "nearest: cn/blue"),
        ({"count": "many"}, "count: 'many' is not a whole number"),
        ({"stages": "paint"}, "stages=paint: no such choice"),
        ({"split": {"train": 0.5, "exam": 0.5}}, "exam"),
        ({"split": 0.9}, "split: 0.9 is not a mapping"),
        ({"seed": None}, "None is no folder and no seed"),
        ({"overrides": "sede=3"}, "overrides: give a list, ['sede=3']"),
        ({"overrides": ["sede=3"]}, "sede: no such key; nearest: seed"),
        ({"overrides": ["+sede=3"]}, "sede: no such key; nearest: seed"),
    ],
)
def test_a_mistake_is_a_user_error_of_one_line(keys: dict[str, object], said: str, tmp_path: Path) -> None:
    with pytest.raises(UserError) as caught:
        generate(tmp_path / "x", **keys)  # type: ignore[arg-type]
    assert said in str(caught.value) and "\n" not in str(caught.value)
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"text": 12345}, "text: 12345 is not a text"),
        ({"height_px": 0}, "height_px: 0 is not a whole number between 8 and 1024"),
        ({"seed": "x"}, "seed, index: 'x', 0; give whole numbers"),
        ({"stages": ["capture"]}, "is not the name of a group"),
    ],
)
def test_a_drawn_plate_of_wrong_arguments_is_a_user_error(arguments: dict[str, Any], said: str) -> None:
    with pytest.raises(UserError, match=re.escape(said)):
        draw("cn/blue", **arguments)


def test_hydra_of_the_caller_is_left_as_it_was() -> None:
    with initialize_config_module("conf", version_base="1.3"):
        draw("cn/blue", stages="capture", capture="mild")
        assert compose("sheet", overrides=["out=x"]).samples == 5
    assert not HydraConfig.initialized()


def test_the_command_and_the_function_share_a_name() -> None:
    assert synth.generate.main.__doc__  # the module
    assert list(inspect.signature(generate).parameters)[:2] == ["out", "plates"]  # and the function


def test_importing_the_packages_loads_nothing_heavy() -> None:
    code = (
        "import sys, synth, recognizer\n"
        "assert not {'numpy', 'cv2', 'hydra', 'torch'} & set(sys.modules)\n"
        "from synth import draw, generate\n"
        "draw('cn/blue', stages='capture')\n"
        "assert 'torch' not in sys.modules and not hasattr(synth, 'generat')\n"
        "try: from recognizer import Writer\n"
        "except ImportError: pass\n"
        "else: raise AssertionError"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
