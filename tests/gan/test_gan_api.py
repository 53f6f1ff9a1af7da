"""`edit` as a function: it does what the command does, in memory."""

from __future__ import annotations

import doctest
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import PIL.Image
import pytest

import gan.api
from gan import edit
from synth import UserError, draw
from synth.sample import Sample

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def plate() -> Sample:
    return draw("cn/blue", "京A12345", stages="capture", capture="mild", seed=2)


def test_the_examples_in_its_docstrings_run() -> None:
    failed, tried = doctest.testmod(gan.api, optionflags=doctest.IGNORE_EXCEPTION_DETAIL | doctest.ELLIPSIS)
    assert tried >= 5 and not failed


def test_an_edit_of_the_function_is_the_one_of_the_command(
    tmp_path: Path, plate: Sample, alone: Callable[..., None]
) -> None:
    cv2.imwrite(str(tmp_path / "plate.png"), cv2.cvtColor(plate.image, cv2.COLOR_RGB2BGR))
    keys = ["image=plate.png", "text=沪B6789C", "out=edited"]
    alone("gan.edit", *keys)
    theirs = cv2.cvtColor(cv2.imread(str(tmp_path / "edited/plate.png")), cv2.COLOR_BGR2RGB)
    mine = edit(tmp_path / "plate.png", "沪B6789C")
    assert np.array_equal(mine.image, theirs) and (mine.old, mine.text) == ("京A12345", "沪B6789C")
    assert mine.reading is not None and f"{mine.reading.text}\t" in (
        tmp_path / "edited/readings.tsv"
    ).read_text(encoding="utf-8")


def test_a_list_gives_a_list_and_random_texts_are_none_of_the_old(plate: Sample) -> None:
    other = draw("cn/yellow", "粤B24680", stages="capture", capture="mild", seed=3)
    done = edit([plate.image, other.image], old=["京A12345", "粤B24680"], seed=7)
    assert [one.old for one in done] == ["京A12345", "粤B24680"]
    assert [one.type for one in done] == ["cn/blue", "cn/yellow"]
    assert not {one.text for one in done} & {"京A12345", "粤B24680"}
    again = edit([plate.image, other.image], old=["京A12345", "粤B24680"], seed=7)
    assert [one.text for one in again] == [one.text for one in done]


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"text": "沪B678"}, "picture 0: "),
        ({"text": ["沪B6789C", "沪B6789D"]}, "text: 2 for 1 pictures; give one, or one for each"),
        ({"image": np.zeros((8, 8, 4), np.uint8)}, "picture 0: uint8 (8, 8, 4) is no picture; give H W 3"),
        ({"image": "none.png"}, "none.png: cannot be read"),
        ({"mode": "wild"}, "mode: 'wild' is unknown; use "),
        ({"plates": "cn99"}, "cn99"),
    ],
)
def test_errors_are_one_line(plate: Sample, keys: dict[str, object], said: str) -> None:
    with pytest.raises(UserError) as error:
        edit(**{"image": plate.image, "old": "京A12345", **keys})  # type: ignore[call-overload]
    assert said in str(error.value) and "\n" not in str(error.value)


def test_pillow_and_grey_pictures_are_taken(plate: Sample) -> None:
    pillow = edit(PIL.Image.fromarray(plate.image), "沪B6789C", old="京A12345", read=False)
    assert pillow.reading is None and pillow.image.shape == plate.image.shape
    assert edit(plate.image[..., 1], "沪B6789C", old="京A12345", read=False).image.shape == plate.image.shape


def test_importing_it_loads_no_torch() -> None:
    code = "import gan, sys; print('torch' in sys.modules, 'cv2' in sys.modules)"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT).stdout
    assert said.split() == ["False", "False"]


def test_an_editor_that_changed_is_opened_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Path] = []
    monkeypatch.setattr("gan.spg.editor.Editor.of", lambda file, precision: seen.append(file))
    file = tmp_path / "editor.safetensors"
    file.write_bytes(b"one")
    for _ in range(2):
        gan.api.the_editor(file, "auto")
    os.utime(file, ns=(1, 1))
    gan.api.the_editor(file, "auto")
    assert seen == [file, file]
