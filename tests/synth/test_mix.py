"""The stage that sends samples different ways."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import pytest
from hydra import compose, initialize_config_module

from synth.errors import UserError
from synth.mix import Mix
from synth.pipeline import pipeline_of
from synth.sample import Sample
from synth.template import Plan, Template


@dataclass(frozen=True)
class Named:
    """Writes its name into the record."""

    name: str

    def __call__(self, batch: Sequence[Sample]) -> list[Sample]:
        return [replace(sample, stages=sample.drawn(self.name)) for sample in batch]


def ways_of(mix: Mix, indices: range) -> list[str]:
    made = mix(Template(Plan(("cn/blue",)), 32).batch(0, indices))
    assert [sample.index for sample in made] == list(indices)  # in order, none lost
    return ["+".join(entry["name"] for entry in sample.stages if entry["name"] in "xyz") for sample in made]


def test_each_sample_goes_one_way_whatever_its_batch() -> None:
    mix = Mix({"a": {"x": Named("x"), "y": Named("y")}, "b": {"z": Named("z")}}, {"a": 1, "b": 3})
    found = ways_of(mix, range(400))
    assert set(found) == {"x+y", "z"} and 60 < found.count("x+y") < 140
    assert found == [
        way for start in range(0, 400, 7) for way in ways_of(mix, range(start, min(400, start + 7)))
    ]


def test_a_way_without_weight_is_never_gone() -> None:
    assert set(
        ways_of(Mix({"a": {"x": Named("x")}, "b": {"z": Named("z")}}, {"a": 0, "b": 1}), range(60))
    ) == {"z"}


@pytest.mark.parametrize("weights", [{"a": 1}, {"a": 1, "b": 1, "c": 1}, {"a": -1, "b": 2}, {"a": 0, "b": 0}])
def test_wrong_weights_are_one_line(weights: dict[str, float]) -> None:
    with pytest.raises(UserError, match="weights"):
        Mix({"a": {}, "b": {}}, weights)


def test_a_way_may_be_for_some_types_alone() -> None:
    mix = Mix(
        {"a": {"x": Named("x")}, "b": {"z": Named("z")}}, {"a": 1, "b": 1}, {"b": ["cn/blue", "cn/nev_*"]}
    )
    types = ("cn/blue", "cn/yellow", "cn/nev_small")
    made = mix(Template(Plan(types), 32).batch(0, range(120)))
    gone = {
        (sample.type, entry["name"]) for sample in made for entry in sample.stages if entry["name"] in "xz"
    }
    assert gone == {(name, way) for name in types for way in "xz"} - {("cn/yellow", "z")}


@pytest.mark.parametrize("only", [{"c": ["cn/*"]}, {"a": ["cn/*"], "b": ["cn/*"]}])
def test_no_type_is_left_without_a_way(only: dict[str, list[str]]) -> None:
    with pytest.raises(UserError, match="only"):
        Mix({"a": {}, "b": {}}, {"a": 1, "b": 1}, only)


@pytest.mark.parametrize(
    ("word", "said"),
    [
        (
            "stages.mix.only.drawn=[cn/bleu]",
            "stages.mix.only.drawn: 'cn/bleu' means no type; nearest: cn/blue",
        ),
        ("+capture.severity_of={japan/*: [0, 1]}", "capture.severity_of: 'japan/*' means no type; "),
        ("+capture.severity_of={cn/*: [0, 1]}", ""),
    ],
)
def test_a_pattern_that_means_no_type_is_told(word: str, said: str) -> None:
    """On the ways of a mix, too, and under the key that the user sets."""
    ways = "{drawn: {capture: '${capture}'}, other: {capture: '${capture}'}}"
    mix = (
        f"{{_target_: synth.mix.Mix, weights: {{drawn: 1, other: 1}}, ways: {ways}, only: {{drawn: [cn/*]}}}}"
    )
    with initialize_config_module("conf", version_base="1.3"):
        config = compose("generate", ["stages=template", "plates=cn7", f"+stages.mix={mix}", word])
    if not said:
        pipeline_of(config)
        return
    with pytest.raises(UserError, match="means no type") as told:
        pipeline_of(config)
    assert str(told.value).startswith(said)
