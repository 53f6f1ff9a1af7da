"""China, texts: what may be issued is typed in from the fact sheet, not from the tables it checks."""

from __future__ import annotations

import itertools
import string

import pytest

from synth.catalogue import type_names
from synth.charset import load_alphabets
from synth.grammar import candidates, grammar_of

LETTERS = set("ABCDEFGHJKLMNPQRSTUVWXYZ")
PROVINCES = "京津冀晋蒙辽吉黑沪苏浙皖闽赣鲁豫鄂湘粤桂琼渝川贵云藏陕甘青宁新"
CITIES = {  # section 5: sure letters, and those in brackets or not in use, which may be there
    "京": ("ABCDEFGHJKLMNPQY", "RSTUVWXZ"),
    "津": ("A", "BCDEFGHJKLMNPQRSTUVWXYZ"),
    "沪": ("ABCDEFGHJKLMNR", "PQSTUVWXYZ"),
    "渝": ("ABCDFGHN", "EJKLMPQRSTUVWXYZ"),
    "冀": ("ABCDEFGHJRT", "X"),
    "晋": ("ABCDEFHJKLM", ""),
    "蒙": ("ABCDEFGHJKLM", ""),
    "辽": ("ABCDEFGHJKLMNP", ""),
    "吉": ("ABCDEFGHJK", ""),
    "黑": ("ABCDEFGHJKLMNPR", ""),
    "苏": ("ABCDEFGHJKLMN", "U"),
    "浙": ("ABCDEFGHJKL", ""),
    "皖": ("ABCDEFGHJKLMNPRS", ""),
    "闽": ("ABCDEFGHJK", ""),
    "赣": ("ABCDEFGHJKLM", ""),
    "鲁": ("ABCDEFGHJKLMNPQRSUVWY", ""),
    "豫": ("ABCDEFGHJKLMNPQRSU", "V"),
    "鄂": ("ABCDEFGHJKLMNPQRS", ""),
    "湘": ("ABCDEFGHJKLMNSU", ""),
    "粤": ("ABCDEFGHJKLMNPQRSTUVWXY", "Z"),
    "桂": ("ABCDEFGHJKLMNPR", ""),
    "琼": ("ABCDEF", ""),
    "川": ("ABCDEFGHJKLMQRSTUVWXYZ", ""),
    "贵": ("ABCDEFGHJ", ""),
    "云": ("ACDEFGHJKLMNPQRS", ""),
    "藏": ("ABCDEFG", "HJ"),
    "陕": ("ABCDEFGHJKV", ""),
    "甘": ("ABCDEFGHJKLMNP", ""),
    "青": ("ABCDEFGH", ""),
    "宁": ("ABCDE", ""),
    "新": ("ABCDEFGHJKLMNPQR", "S"),
}


def test_i_and_o_are_on_no_plate_unless_asked_for() -> None:
    for name in type_names():
        if name.startswith("cn/"):
            grammar = grammar_of(name)
            for field in grammar.plate.fields:
                assert not grammar.characters(field.name, "legal") & set("IO"), (name, field.name)
                sampled = "".join(slot for form in grammar.uniform[field.name] for slot in form.slots)
                assert not set(sampled) & set("IO"), (name, field.name)
    for letter in string.ascii_uppercase:
        legal = grammar_of("cn/blue").problem(f"京A{letter}1234") is None
        assert legal == (letter in LETTERS), letter


def test_thirty_one_provinces_and_their_city_letters() -> None:
    alphabets = load_alphabets("cn")
    assert len(PROVINCES) == 31 and sorted(alphabets.alphabets["provinces"]) == sorted(PROVINCES)
    table = alphabets.tables["city_letters"]
    assert set(table) == set(PROVINCES) == set(CITIES)
    for province, (sure, perhaps) in CITIES.items():
        letters = table[province]
        assert len(set(letters)) == len(letters)
        assert set(sure) <= set(letters) <= set(sure) | set(perhaps) <= LETTERS, province


@pytest.mark.parametrize(
    "text", ["云B12345", "琼G12345", "宁F12345", "京I12345", "粤O12345", "青J12345", "鲁T12345"]
)
def test_city_letters_that_do_not_exist(text: str) -> None:
    assert grammar_of("cn/blue").problem(text, "uniform") is None  # it can be shown
    problem = grammar_of("cn/blue").problem(text)
    assert problem is not None and text[1] in problem


def test_a_serial_has_at_most_two_letters_in_sixteen_patterns() -> None:
    grammar = grammar_of("cn/blue")
    legal = [
        "".join(pattern)
        for pattern in itertools.product("dl", repeat=5)
        if grammar.problem("京A" + "".join("7" if c == "d" else "K" for c in pattern)) is None
    ]
    assert len(legal) == 16
    assert all(pattern.count("l") <= 2 for pattern in legal)
    assert len(grammar.legal["serial"]) == 16


def test_new_energy_serials() -> None:
    small, large = grammar_of("cn/nev_small"), grammar_of("cn/nev_large")
    for letter in LETTERS:
        issued = letter in "DABCEFGHJK"
        assert (small.problem(f"京A{letter}12345") is None) == issued, letter
        assert (large.problem(f"京A12345{letter}") is None) == issued, letter
    assert small.problem("京ADK2345") is None  # second: a letter or a digit
    assert small.problem("京ADKK345") is not None  # the last four: digits
    assert large.problem("京A1234KD") is not None


def test_suffix_and_fixed_characters() -> None:
    for name, good, bad in [
        ("cn/police", "鄂F8888警", "鄂F88888"),
        ("cn/learner", "琼A6716学", "琼A6716挂"),
        ("cn/trailer", "琼A6716挂", "琼A67161"),
        ("cn/hongkong_macau", "粤ZR066港", "粤AR066港"),
        ("cn/hongkong_macau", "粤ZP560澳", "京ZP560澳"),
        ("cn/embassy", "014578使", "014K78使"),
        ("cn/embassy_old", "使014578", "领014578"),
        ("cn/consulate", "沪01478领", "沪0147K领"),
        ("cn/consulate_old", "沪A1707领", "沪A170K领"),
        ("cn/army", "VA12345", "VA1234K"),
        ("cn/civil_aviation", "民航F0939", "民航00939"),
        ("cn/tractor", "云52TN9P7", "云A2TN9P7"),
    ]:
        assert grammar_of(name).problem(good) is None, (name, good)
        assert grammar_of(name).problem(bad) is not None, (name, bad)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("藏Q16CD3", "cn/blue"),
        ("渝PXTKVD", "cn/blue"),
        ("鄂OTBU7Z", "cn/blue"),  # CBLPRD has I and O
        ("云F5MTG学", "cn/learner"),
        ("晋PND9HJ", "cn/black"),
        ("蒙66886B1", "cn/tractor"),
        ("宁07QAZKJ", "cn/tractor"),
    ],
)
def test_labels_of_cblprd_can_be_shown(text: str, name: str) -> None:
    assert name in [found for found, _ in candidates(text, type_names())]


@pytest.mark.parametrize("written", ["浙G·1946Z", "浙G 1946Z", "浙G-1946Z", "浙g１９４６z", "浙G•1946Z"])
def test_the_separator_is_no_character_of_a_text(written: str) -> None:
    assert "".join(grammar_of("cn/blue").parse(written).values()) == "浙G1946Z"
