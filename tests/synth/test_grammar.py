"""Texts: what is sampled parses and is legal, counts are exact, and what is wrong is said."""

from __future__ import annotations

import functools
import random
from collections import Counter
from collections.abc import Sequence

import numpy as np
import pytest

from synth import balance
from synth.catalogue import load_type, type_names
from synth.charset import load_alphabets
from synth.errors import UserError
from synth.grammar import MODES, Grammar, candidates, grammar_of
from synth.template import Plan

SEED = 7
COUNT = 700  # texts a type and mode
TYPES = type_names()
CHINESE = [name for name in TYPES if name.startswith("cn/")]


@functools.cache
def drawn(name: str, mode: str, ambiguous: bool = False) -> list[dict[str, str]]:
    grammar = grammar_of(name, ambiguous)
    return [grammar.sample(mode, SEED, ordinal) for ordinal in range(COUNT)]


def joined(fields: dict[str, str]) -> str:
    return "".join(fields.values())


def even(values: Sequence[str], allowed: Sequence[str]) -> bool:
    """Every allowed value equally often, to within one, and no other."""
    counts = Counter(values)
    each = [counts[value] for value in allowed]
    return set(counts) <= set(allowed) and max(each) - min(each) <= 1


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", TYPES)
def test_samples_parse_to_the_same_fields_and_are_valid(name: str, mode: str) -> None:
    grammar = grammar_of(name)
    for fields in drawn(name, mode):
        text = joined(fields)
        assert list(fields) == [field.name for field in grammar.plate.fields]
        assert grammar.parse(text) == fields
        assert grammar.alphabets.fold(text) == text  # the normal form, no separators
        assert grammar.problem(text, "uniform") is None
        if mode != "uniform":
            assert grammar.problem(text) is None


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", CHINESE)
def test_chinese_texts_carry_i_and_o_only_on_demand(name: str, mode: str) -> None:
    assert not {"I", "O"} & set("".join(map(joined, drawn(name, mode))))
    ambiguous = {"I", "O"} & set("".join(map(joined, drawn(name, mode, ambiguous=True))))
    used = " ".join(form for field in load_type(name).fields for form in field.uniform).split()
    wanted = mode == "uniform" and bool({"letters", "alnum"} & set(used))
    assert ambiguous == ({"I", "O"} if wanted else set())


@pytest.mark.parametrize("name", TYPES)
def test_uniform_slots_are_even_over_every_prefix(name: str) -> None:
    grammar = grammar_of(name)
    for field in grammar.plate.fields:
        values = [fields[field.name] for fields in drawn(name, "uniform")]
        forms = grammar.uniform[field.name]
        if len(forms) > 1:  # of each length, as many as there are forms of that length
            lengths, made = Counter(map(len, values)), Counter(len(form.slots) for form in forms)
            for length, count in made.items():
                assert abs(lengths[length] - COUNT * count / len(forms)) <= count, (field.name, length)
            continue
        (form,) = forms
        if form.words:
            for count in (1, len(form.words), 2 * len(form.words), COUNT):
                assert even(values[:count], form.words), field.name
        for place, slot in enumerate(form.slots):
            for count in (1, len(slot), 5 * len(slot), 101, COUNT):
                assert even([value[place] for value in values[:count]], slot), (field.name, place)


@pytest.mark.parametrize("name", ["cn/blue", "cn/nev_small", "cn/tractor"])
@pytest.mark.parametrize("start", [0, 340, 34 * 1000])
def test_aligned_blocks_are_exactly_even(name: str, start: int) -> None:
    """34 characters: over a block of 34 each comes up once, wherever the block starts."""
    grammar = grammar_of(name)
    serials = [grammar.sample("uniform", SEED, start + n)["serial"] for n in range(34)]
    for place in range(len(serials[0])):
        assert sorted(serial[place] for serial in serials) == sorted("0123456789ABCDEFGHJKLMNPQRSTUVWXYZ")


def test_legal_city_letters_are_even_within_each_province() -> None:
    table = load_alphabets("cn").tables["city_letters"]
    grammar = grammar_of("cn/blue")
    texts = [grammar.sample("legal", SEED, n) for n in range(31 * 25)]
    assert even([t["region"] for t in texts], tuple(table))
    for province, letters in table.items():
        assert even([t["city"] for t in texts if t["region"] == province], letters), province
    assert even(
        ["".join("d" if c.isdigit() else "l" for c in t["serial"]) for t in texts[: 16 * 40]],
        tuple({"".join("d" if s == "0123456789" else "l" for s in f.slots) for f in grammar.legal["serial"]}),
    )


def test_types_are_even_over_every_prefix_and_block() -> None:
    plan = Plan(TYPES)
    names = [plan.of(SEED, index)[0].id for index in range(5 * len(TYPES))]
    for count in (1, 10, len(TYPES), 60, len(names)):
        assert even(names[:count], TYPES)
    assert sorted(names[3 * len(TYPES) : 4 * len(TYPES)]) == sorted(TYPES)
    assert names[: len(TYPES)] != names[len(TYPES) : 2 * len(TYPES)]  # shuffled anew


def test_a_type_in_a_plan_keeps_its_own_exact_balance() -> None:
    plan = Plan(("cn/blue", "cn/yellow", "jp/private"))
    texts = [plan.of(SEED, index) for index in range(3 * 31)]
    assert even(
        [f["region"] for plate, f in texts if plate.id == "cn/blue"],
        tuple(load_alphabets("cn").alphabets["provinces"]),
    )


@pytest.mark.parametrize("mode", MODES)
def test_a_text_depends_on_seed_and_ordinal_alone(mode: str) -> None:
    for name in ("cn/blue", "cn/temporary", "jp/private", "jp/motorcycle_light"):
        order = list(range(200))
        random.Random(1).shuffle(order)
        balance.shuffled.cache_clear()
        grammar = Grammar(load_type(name), load_alphabets(name[:2]))
        again = {ordinal: grammar.sample(mode, SEED, ordinal) for ordinal in order}
        assert [again[n] for n in range(200)] == drawn(name, mode)[:200]
        assert [grammar.sample(mode, SEED + 1, n) for n in range(200)] != drawn(name, mode)[:200]


@pytest.mark.parametrize("name", ["cn/blue", "cn/yellow_double", "cn/nev_large", "jp/private"])
def test_slots_are_dealt_independently(name: str) -> None:
    texts = [joined(fields) for fields in drawn(name, "uniform")]
    assert len(set(texts)) > 0.99 * COUNT
    serials = [fields["serial"] for fields in drawn(name, "uniform") if len(fields["serial"]) > 3]
    assert np.mean([serial[1] == serial[2] for serial in serials]) < 0.2


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("cn/blue", "云B12345", "city 'B' is not issued in 云 (issued: ACDEFGHJKLMNPQRS)"),
        ("cn/blue", "京A1234", "serial '1234' does not fit"),
        ("cn/blue", "京A123456", "'6' is left over after serial '12345'"),
        ("cn/blue", "京AABC45", "serial 'ABC45' is never issued"),
        ("cn/blue", "京A12?45", "character '?' is on no plate of this type"),
        ("cn/blue", "A123456", "region 'A123456' does not fit: expected"),
        ("cn/blue", "京", "city '' does not fit"),
        ("cn/blue", "", "the text is empty"),
        ("cn/hongkong_macau", "京ZP560港", "region '京' is never issued"),
        ("cn/nev_small", "京AL12345", "drive 'L12345' does not fit"),
        ("cn/police", "京A1234", "suffix '' does not fit"),
        ("jp/private", "那覇500さ1234", "character '覇' is on no plate"),
        ("jp/private", "宮川500さ1234", "region '宮川500さ1234' does not fit: one of 138 names"),
        ("jp/private", "品川500あ1234", "kana 'あ' is never issued"),
        ("jp/private", "品川500わ1234", "kana 'わ1234' does not fit"),
        ("jp/private", "品川500さ0123", "serial '0123' does not fit"),
        ("jp/private", "品川500さ12345", "'5' is left over after serial '1234'"),
        ("jp/large", "品川500さ1234", "class '500' is never issued"),
    ],
)
def test_the_reason_is_said(name: str, text: str, reason: str) -> None:
    problem = grammar_of(name).problem(text)
    assert problem is not None and reason in problem
    assert "\n" not in problem


def test_parse_names_type_text_and_reason() -> None:
    with pytest.raises(UserError, match=r"cn/blue: '京A123456': '6' is left over") as caught:
        grammar_of("cn/blue").parse("京A123456")
    assert "\n" not in str(caught.value)
    with pytest.raises(UserError, match="nearest: natural"):
        grammar_of("cn/blue").sample("naturel", 0, 0)


def test_candidates_name_every_able_type_legal_ones_first() -> None:
    green = candidates("皖AD12345", ["cn/nev_large", "cn/blue", "cn/nev_small", "cn/tractor"])
    assert green == [("cn/nev_small", True)]
    assert candidates("皖A12345D", ["cn/nev_small", "cn/nev_large"]) == [("cn/nev_large", True)]
    found = dict(candidates("皖A12345", TYPES))
    assert {"cn/blue", "cn/yellow", "cn/yellow_double", "cn/black"} <= {
        n for n, is_legal in found.items() if is_legal
    }
    assert not {"cn/tractor", "cn/police", "cn/nev_small"} & set(found)
    assert candidates("皖AXYZ99", ["cn/blue"]) == [("cn/blue", False)]
    assert candidates("鄂F8888警", TYPES)[0] == ("cn/police", True)
    assert candidates("品川500わ1234", ["jp/private", "jp/rental"]) == [("jp/rental", True)]
    assert candidates("品川500あ1234", ["jp/private", "jp/commercial"])[0] == ("jp/commercial", True)
    assert candidates("hello", TYPES) == []


def test_given_texts_get_a_type_that_shows_them() -> None:
    plan = Plan(TYPES, texts=("皖AD12345", "品川 580 わ 12-34", "鄂F8888警"))
    for index in range(30):
        plate, fields = plan.of(SEED, index)
        assert grammar_of(plate.id).problem(joined(fields)) is None
    assert joined(plan.of(SEED, 1)[1]) == "品川580わ1234"
    with pytest.raises(UserError, match=r"texts: line 2: '京A1' fits none of the types") as caught:
        Plan(("cn/blue", "cn/black"), texts=("京A12345", "京A1")).of(SEED, 1)
    assert "\n" not in str(caught.value)


def test_natural_follows_the_weights() -> None:
    grammar = grammar_of("cn/nev_small")
    texts = [grammar.sample("natural", SEED, n) for n in range(3000)]
    weights = load_alphabets("cn").weights["provinces"]
    counts = Counter(t["region"] for t in texts)
    expected = np.array([weights[p] for p in weights]) * len(texts) / sum(weights.values())
    observed = np.array([counts[p] for p in weights])
    assert (
        ((observed - expected) ** 2) / expected
    ).sum() < 70  # chi-square, 30 degrees of freedom: 1 in 20,000
    drives = Counter(t["drive"] for t in texts)
    assert drives["D"] > 0.6 * len(texts) and drives["F"] > 2 * drives["A"]
    assert Counter(t["city"] for t in texts)["A"] > 2 * Counter(t["city"] for t in texts)["C"]
    last = Counter(t["serial"][-1] for t in texts)
    assert last["8"] > 2 * last["4"]


def test_natural_patterns_and_wished_numbers() -> None:
    blue, private = grammar_of("cn/blue"), grammar_of("jp/private")
    patterns = Counter(
        "".join("d" if c.isdigit() else "l" for c in blue.sample("natural", SEED, n)["serial"])
        for n in range(2000)
    )
    assert 0.13 < patterns["ddddd"] / 2000 < 0.23 and 0.17 < patterns["ldddd"] / 2000 < 0.27
    assert patterns["dddll"] < patterns["ddddl"]
    texts = [private.sample("natural", SEED, n) for n in range(2000)]
    serials = Counter(t["serial"] for t in texts)
    assert serials["358"] + serials["8888"] > 5  # one in a thousand or two each if drawn evenly
    regions = Counter(t["region"] for t in texts)
    assert regions["名古屋"] > regions["知床"]
    assert sum(len(t["serial"]) == 4 for t in texts) > 1400
