"""Beam search against all paths, and the grammar on constructed scores."""

from __future__ import annotations

import math

import numpy as np
import pytest

from recognizer.beam import beam, carriers, confidences, legal_reading
from recognizer.codec import Codec, codec_of
from recognizer.decoding import decoded, probability
from synth.catalogue import type_names
from synth.grammar import candidates
from synth.template import Plan, Template

TYPES = ("cn/blue", "cn/nev_small", "cn/black", "jp/private")
CODEC = codec_of(TYPES)


def scored(*steps: dict[str, float]) -> np.ndarray:
    """T C probabilities: `_` is the blank; a blank step stands between two given ones."""
    rows = []
    for step in steps:
        for shares in (step, {"_": 0.99}):
            row = np.full(CODEC.classes, 1e-6, np.float32)
            for char, share in shares.items():
                row[0 if char == "_" else CODEC.encode(char)[0]] = share
            rows.append(row / row.sum())
    return np.array(rows, np.float32)


def clear(text: str) -> list[dict[str, float]]:
    return [{char: 0.98, "_": 0.02} for char in text]


def kinds(name: str, share: float = 0.97) -> np.ndarray:
    row = np.full(len(TYPES), (1 - share) / (len(TYPES) - 1), np.float32)
    row[TYPES.index(name)] = share
    return row


@pytest.mark.parametrize("seed", range(5))
def test_beam_is_exact_when_it_is_wide(seed: int) -> None:
    probs = np.random.default_rng(seed).dirichlet([0.7] * 3, 6).astype(np.float32)
    found = beam(probs, width=10_000, top=3)
    assert sum(math.exp(log) for _, log in found) == pytest.approx(1, abs=1e-5)
    for prefix, log in found:
        assert math.exp(log) == pytest.approx(probability(probs, prefix), rel=1e-4, abs=1e-9)
    assert [log for _, log in found] == sorted((log for _, log in found), reverse=True)


def test_beam_finds_what_the_best_path_misses() -> None:
    """Two steps `a` 0.4, blank 0.6: the best path is empty, the likeliest text is `a` (0.64)."""
    probs = np.array([[0.6, 0.4], [0.6, 0.4]], np.float32)
    assert beam(probs)[0] == ((1,), pytest.approx(math.log(0.64)))
    assert decoded((probs[None], np.ones((1, 1), np.float32)), Codec(("a",), ("x",)))[0].text == ""


def test_a_long_unsure_row_does_not_underflow() -> None:
    probs = np.full((400, 300), 1 / 300, np.float32)
    assert all(math.isfinite(log) for _, log in beam(probs))


def test_confidences_follow_the_text() -> None:
    probs = scored({"皖": 0.6, "苏": 0.4}, {"A": 0.9, "_": 0.1}, {"A": 0.8, "_": 0.2})
    assert confidences(probs, tuple(CODEC.encode("苏AA"))) == pytest.approx((0.4, 0.9, 0.8), abs=0.01)
    for text in ("皖AA", "皖A"):
        assert len(confidences(probs, tuple(CODEC.encode(text)))) == len(text)
    assert confidences(probs, ()) == ()


def test_a_clear_plate_is_left_as_it_is() -> None:
    probs = scored(*clear("皖AY021B"))
    (greedy,) = decoded((probs[None], kinds("cn/blue")[None]), CODEC)
    assert legal_reading(probs, kinds("cn/blue"), CODEC) == greedy
    illegal = scored(*clear("皖AABCDE"))  # can be shown and is never issued: clear characters win
    assert legal_reading(illegal, kinds("cn/blue"), CODEC).text == "皖AABCDE"


def test_a_letter_in_the_place_of_the_region_gives_way() -> None:
    probs = scored({"A": 0.6, "苏": 0.4}, *clear("E906M3"))
    read = legal_reading(probs, kinds("cn/blue"), CODEC)
    assert read.text == "苏E906M3" and read.type == "cn/blue"
    assert read.characters[0] == pytest.approx(0.4, abs=0.02) and len(read.characters) == 7


def test_a_missing_character_is_found() -> None:
    probs = scored(*clear("皖AY02"), {"_": 0.7, "1": 0.3}, *clear("B"))
    assert decoded((probs[None], kinds("cn/blue")[None]), CODEC)[0].text == "皖AY02B"
    read = legal_reading(probs, kinds("cn/blue"), CODEC)
    assert read.text == "皖AY021B" and read.confidence < 0.4


def test_legal_is_preferred_to_what_can_only_be_shown() -> None:
    """Three letters are never issued: 0 wins where it is nearly as likely as D, and only there."""
    near = scored(*clear("皖AAB"), {"D": 0.6, "0": 0.4}, *clear("12"))
    far = scored(*clear("皖AAB"), {"D": 0.99, "0": 0.01}, *clear("12"))
    assert legal_reading(near, kinds("cn/blue"), CODEC).text == "皖AAB012"
    assert legal_reading(far, kinds("cn/blue"), CODEC).text == "皖AABD12"


def test_the_type_fits_the_text() -> None:
    probs = scored(*clear("沪AD12345"))
    read = legal_reading(probs, kinds("cn/blue", 0.6), CODEC)
    assert read.text == "沪AD12345" and read.type == "cn/nev_small" and read.fields["drive"] == "D"
    same = legal_reading(scored(*clear("皖AY021B")), kinds("cn/black"), CODEC)
    assert same.type == "cn/black"  # blue can show it too; the picture decides


def test_nothing_fits() -> None:
    for text in ("", "AAAA"):
        read = legal_reading(scored(*clear(text), {"_": 1.0}), kinds("cn/black"), CODEC)
        assert read.text == text and read.type == "cn/black"


def test_the_quick_look_loses_no_type() -> None:
    names = type_names()
    for name in names:
        for sample in Template(Plan((name,)), 32).batch(1, range(3)):
            assert carriers(sample.text, names) == candidates(sample.text, names)
    assert carriers("", names) == [] == carriers("AAAA", names)
