"""No label names a character that nobody can see."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hydra import compose, initialize_config_module
from hydra.utils import instantiate

from synth.capture.legible import likeness
from synth.capture.stage import AGAIN, Capture
from synth.errors import UserError
from synth.sample import Sample
from synth.template import Plan, Template

TYPES = ("cn/blue", "cn/yellow_double", "cn/police", "jp/private", "jp/commercial")


def hard(floor: float) -> Capture:
    with initialize_config_module("conf", version_base="1.3"):
        config = compose(None, ["+capture=hard", "+stages=capture", f"capture.legibility_floor={floor}"])
    stage = instantiate(config.stages, _convert_="all")["capture"]
    assert isinstance(stage, Capture)
    return stage


@pytest.fixture(scope="module")
def plates() -> list[Sample]:
    return Template(Plan(TYPES), 64).batch(3, range(200))


def test_a_clean_plate_is_like_itself_and_a_dim_one_too(plates: list[Sample]) -> None:
    for sample in plates[:20]:
        assert likeness(sample).shape == (len(sample.text),)
        assert likeness(sample).min() > 0.9
        dim = replace(sample, image=(sample.image // 3 + 40).astype(np.uint8))
        assert likeness(dim).min() > 0.8


def test_a_covered_character_is_found_and_no_other(plates: list[Sample]) -> None:
    for sample in plates[:20]:
        image, last = sample.image.copy(), sample.char_quads[-1]
        (left, top), (right, bottom) = last.min(axis=0).astype(int), np.ceil(last.max(axis=0)).astype(int)
        image[top:bottom, left:right] = 230
        found = likeness(replace(sample, image=image))
        assert found[-1] < 0.1 and found[:-1].min() > 0.8


def test_what_the_clean_plate_does_not_show_is_left_alone(plates: list[Sample]) -> None:
    """Ink as light as its ground would otherwise be captured again in vain, and always calmer."""
    sample = plates[0]
    blank = replace(sample.plate, image=np.full_like(sample.plate.image, 120))
    assert (likeness(replace(sample, plate=blank)) == 1).all()


def test_hidden_characters_are_captured_again_and_nothing_else_changes(plates: list[Sample]) -> None:
    free, floored = hard(0.0)(plates), hard(0.33)(plates)
    again = [n for n, sample in enumerate(floored) if "again" in sample.stages[-1]]
    assert 0 < len(again) < 40
    for number, (before, after) in enumerate(zip(free, floored, strict=True)):
        assert likeness(after).min() >= 0.33
        if number in again:
            assert likeness(before).min() < 0.33
        else:
            assert after.image.tobytes() == before.image.tobytes() and after.stages == before.stages
    stage = hard(0.33)
    for number in again:
        entry = floored[number].stages[-1]
        assert stage.replay(plates[number], entry).image.tobytes() == floored[number].image.tobytes()
        assert entry["again"] > 2 or entry["severity"] >= 0.6  # as hard as the first, if possible


def test_what_cannot_be_seen_in_any_capture_is_told(plates: list[Sample]) -> None:
    for sample in hard(1.0)(plates[:5]):
        entry = sample.stages[-1]
        assert entry["again"] == len(AGAIN) and entry["hidden"] and entry["severity"] == 0


def test_a_floor_is_a_share() -> None:
    with pytest.raises(UserError, match=r"legibility_floor: 2 is no probability"):
        replace(hard(0.3), legibility_floor=2.0)
