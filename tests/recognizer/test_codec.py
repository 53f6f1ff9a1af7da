"""Characters to classes and back."""

from __future__ import annotations

import numpy as np
import pytest

from recognizer.codec import BLANK, Codec, codec_of
from synth.catalogue import type_names
from synth.errors import UserError
from synth.template import Plan, Template

CODEC = codec_of(type_names())


def path(*classes: int, sure: float = 0.9) -> np.ndarray:
    """Probabilities T C whose best path is this one."""
    scores = np.full((len(classes), CODEC.classes), (1 - sure) / (CODEC.classes - 1), np.float32)
    scores[np.arange(len(classes)), classes] = sure
    return scores


def with_blanks(text: str) -> list[int]:
    return [step for number in CODEC.encode(text) for step in (number, BLANK)]


@pytest.mark.parametrize("name", type_names())
def test_every_text_of_every_type_comes_back(name: str) -> None:
    for sample in Template(Plan((name,)), 32).batch(0, range(20)):
        assert CODEC.decode(path(*with_blanks(sample.text))).text == sample.text


def test_classes() -> None:
    assert CODEC.classes == len(set(CODEC.symbols)) + 1  # each symbol once, and the blank
    assert CODEC.types == tuple(type_names())
    assert all(0 < number < CODEC.classes for number in CODEC.encode("京A88888"))
    assert codec_of(["cn/blue"]).encode("京A1") != CODEC.encode("京A1")


def test_repeated_characters_need_a_blank_between() -> None:
    eight, one = CODEC.encode("81")
    assert CODEC.decode(path(eight, eight, BLANK, eight, one)).text == "881"
    assert CODEC.decode(path(eight, eight, eight, one)).text == "81"


def test_nothing_read() -> None:
    reading = CODEC.decode(path(BLANK, BLANK))
    assert (reading.text, reading.confidences) == ("", ())


def test_confidence_is_the_surest_step_of_a_character() -> None:
    (eight,) = CODEC.encode("8")
    scores = np.concatenate(
        [path(eight, sure=0.6), path(eight, sure=0.8), path(BLANK), path(eight, sure=0.7)]
    )
    reading = CODEC.decode(scores)
    assert reading.text == "88"
    assert reading.confidences == pytest.approx((0.8, 0.7))


@pytest.mark.parametrize("text", ["京A1234é", "☃", "京A 1234"])
def test_an_unknown_character_is_an_error_that_names_it(text: str) -> None:
    unknown = next(char for char in text if char not in CODEC.symbols)
    with pytest.raises(UserError, match=f"{unknown!r} is not in the reader's vocabulary"):
        CODEC.encode(text)


def test_a_small_vocabulary_has_only_what_its_types_show() -> None:
    digits = Codec(tuple("0123456789"), ("x",))
    assert digits.encode("907") == [10, 1, 8]
    assert "I" not in codec_of(["cn/blue"]).symbols and "O" not in codec_of(["cn/blue"]).symbols


def test_an_office_is_one_symbol_and_its_characters_share_a_confidence() -> None:
    office, three = CODEC.encode("尾張小牧3")
    assert CODEC.symbols[office - 1] == "尾張小牧"
    scores = np.concatenate([path(office, sure=0.7), path(BLANK), path(three, sure=0.9)])
    reading = CODEC.decode(scores)
    assert reading.text == "尾張小牧3" and reading.confidences == pytest.approx((0.7, 0.7, 0.7, 0.7, 0.9))
