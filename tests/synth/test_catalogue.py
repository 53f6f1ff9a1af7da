"""Plate types of one's own: what is wrong with a file is said in one line, and a good one needs no code."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from synth.catalogue import load_type, type_names
from synth.confdata import conf_folder, inherited
from synth.errors import UserError
from synth.glyphs import load_face
from synth.grammar import grammar_of
from synth.ground import paint
from synth.render import render


def written(folder: Path, data: dict[str, Any] | str) -> str:
    """A type file in a folder called cn; every test has a folder of its own, as types are cached by path."""
    path = folder / "cn" / "mine.yaml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(
        data if isinstance(data, str) else yaml.safe_dump(data, allow_unicode=True), encoding="utf-8"
    )
    return str(path)


def complaint(folder: Path, data: dict[str, Any] | str) -> str:
    """What loading, or at the latest drawing, says; always one line that names the file."""
    path = written(folder, data)
    with pytest.raises(UserError) as caught:
        plate = load_type(path)
        render(plate, grammar_of(path).sample("uniform", 0, 0), 32)
    message = str(caught.value)
    assert "\n" not in message and len(message) < 400
    assert path in message, f"does not name the file: {message}"
    return message.replace(path, "FILE")


def blue(**changes: Any) -> dict[str, Any]:
    """The data of cn/blue with some keys replaced."""
    data = copy.deepcopy(inherited(conf_folder() / "plate" / "cn" / "blue.yaml", ()))
    return data | changes


def block(number: int) -> tuple[dict[str, Any], dict[str, Any]]:
    data = blue()
    return data, data["rows"][0]["blocks"][number]


def test_every_bundled_type_is_found_and_loads() -> None:
    files = sorted(conf_folder().glob("plate/*/[!_]*.yaml"))
    assert list(type_names()) == [f"{path.parent.name}/{path.stem}" for path in files]
    assert len(files) > 40
    for name in type_names():
        plate = load_type(name)
        assert plate is load_type(name) and plate.id == name
        assert plate.file == f"conf/plate/{name}.yaml" and plate.country == name[:2]


def test_every_list_of_types_names_bundled_types() -> None:
    lists = {
        path.stem: yaml.safe_load(path.read_text())["types"] for path in conf_folder().glob("plates/*.yaml")
    }
    assert sorted(lists["all"]) == sorted(type_names())
    assert sorted(lists["cn_all"] + lists["jp"]) == sorted(type_names())
    assert lists["cn7"] == [
        "cn/" + n for n in ["blue", "yellow", "yellow_double", "black", "nev_small", "nev_large", "tractor"]
    ]


def test_labels_are_unique_in_a_country() -> None:
    labels = [(load_type(name).country, load_type(name).label) for name in type_names()]
    assert len(set(labels)) == len(labels)


def test_yaml_syntax_gives_file_and_line(tmp_path: Path) -> None:
    message = complaint(tmp_path, "defaults: [cn/blue]\nlabel: mine\nborders: [{inset: 1\n")
    assert message.startswith("FILE: line 4")


def test_a_file_that_is_no_mapping(tmp_path: Path) -> None:
    assert "mapping" in complaint(tmp_path, "- 1\n- 2\n")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"widht_mm": 440}, ["widht_mm", "no such key"]),
        ({"width_mm": "wide"}, ["width_mm", "number"]),
        ({"height_mm": None}, ["height_mm"]),
        ({"borders": 3}, ["borders", "list"]),
        ({"borders": [{"inset": [1, 2], "width": [1]}]}, ["borders.0.width"]),
        ({"rows": blue()["rows"][0]}, ["rows", "list"]),
        ({"texture": "wood"}, ["texture", "guilloche"]),
        ({"colours": {"ground": [1, 2]}}, ["colours.ground"]),
        ({"hole_ink": "hoel"}, ["hole_ink", "'hoel'", "nearest: hole"]),
        (
            {"borders": [{"inset": [1, 2], "width": [1, 2], "ink": "bordre"}]},
            ["borders.0.ink", "nearest: border"],
        ),
        ({"borders": [{"inset": [60, 60], "width": [20, 20]}]}, ["borders.0", "more than half the plate"]),
        ({"ground": [{"stops": [{"at": 0, "colour": "grund"}]}]}, ["ground.0.stops", "nearest: ground"]),
        ({"ground": [{"stops": [{"at": 2, "colour": "ground"}]}]}, ["ground.0.stops", "between 0 and 1"]),
        ({"holes": [{"x": 5, "y": 14, "w": 22, "h": 8}]}, ["holes.0", "beyond the 440 x 140 mm plate"]),
        (
            {"marks": [{"shape": "disc", "x": 500, "y": 70, "w": [9, 9]}]},
            ["marks.0", "outside the 440 x 140"],
        ),
        ({"marks": [{"shape": "star", "x": 50, "y": 70}]}, ["marks.0.shape", "disc"]),
        (
            {"marks": [{"shape": "disc", "x": 5, "y": 7, "when": {"seriel": [1]}}]},
            ["marks.0.when", "nearest: serial"],
        ),
        ({"width_mm": 420}, ["field serial", "slot 5", "4.5 mm beyond the plate"]),
        ({"height_mm": 110}, ["beyond the 440 x 110"]),
    ],
)
def test_broken_keys(tmp_path: Path, changes: dict[str, Any], said: list[str]) -> None:
    message = complaint(tmp_path, blue(**changes))
    assert all(word in message for word in said), message


@pytest.mark.parametrize(
    ("number", "place", "change", "said"),
    [
        (2, 2, {"x": 404}, "field serial: slot 3 ends 9 mm beyond the plate"),
        (2, 4, {"h": 120}, "field serial: slot 5 ends 5 mm below the plate"),
        (0, 0, {"x": -3}, "field region: slot 1 starts 3 mm before the plate"),
        (0, 0, {"w": 0}, "field region: slot 1 has no size"),
        (2, 0, {"w": 60}, "field serial: slot 1 overlaps slot 2 of serial by 3.0 mm"),
        (1, 0, {"x": 50}, "field region: slot 1 overlaps slot 1 of city by 10.5 mm"),
        (0, 0, {"ink": "rde"}, "field region: cell ink: no colour 'rde'"),
        (0, 0, {"face": "cn45x9"}, "cn45x90"),
        (0, 0, {"wide": 3}, "rows.0.blocks.0"),
        (0, 0, {"y": -30}, "field region: slot 1 starts 30 mm above the plate"),
    ],
)
def test_broken_slots(tmp_path: Path, number: int, place: int, change: dict[str, Any], said: str) -> None:
    data, of = block(number)
    of["cells"][place] |= change
    assert said in complaint(tmp_path, data)


def test_a_length_without_cells(tmp_path: Path) -> None:
    data, of = block(2)
    of["cells"] = of["cells"][:4]
    assert "field serial: no cells for 5 characters; add cells.5" in complaint(tmp_path, data)


def test_a_length_with_the_wrong_number_of_cells(tmp_path: Path) -> None:
    data, of = block(2)
    of["cells"] = {5: of["cells"][:4]}
    assert "field serial: cells.5 has 4 cells, needs 5" in complaint(tmp_path, data)


def test_overlap_at_a_length_that_is_not_the_longest(tmp_path: Path) -> None:
    data, of = block(2)
    data["fields"][2] |= {"uniform": ["digits digits", "digits digits digits digits digits"], "legal": None}
    of["cells"] = {5: of["cells"], 2: [{"x": 200, "w": 45}, {"x": 210, "w": 45}]}
    assert "overlaps" in complaint(tmp_path, data)


def test_fields_and_blocks_must_agree(tmp_path: Path) -> None:
    data, of = block(2)
    of["field"] = "seriel"
    message = complaint(tmp_path, data)
    assert "seriel" in message and "serial" in message


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"uniform": ["lettres"]}, ["'lettres'", "nearest: letters"]),
        ({"uniform": ["@region"]}, ["field city", "'region'"]),
        ({"legal": ["#serial55"]}, ["field city", "nearest: serial5"]),
        ({"table": {"region": "city_lettres"}}, ["field city", "nearest: city_letters"]),
        ({"table": {"province": "city_letters"}}, ["field city", "'province'"]),
        ({"natural": "province"}, ["field city", "nearest: provinces"]),
        ({"uniform": "letters"}, ["fields.1.uniform", "list"]),
        ({"uniform": []}, ["city"]),
    ],
)
def test_broken_fields(tmp_path: Path, change: dict[str, Any], said: list[str]) -> None:
    data = blue()
    data["fields"][1] = {"name": "city", "uniform": ["letters"]} | change
    message = complaint(tmp_path, data)
    assert all(word in message for word in said), message


@pytest.mark.parametrize("name", ["my city", "2nd", "", "city-code"])
def test_field_names_are_names(tmp_path: Path, name: str) -> None:
    data, of = block(1)
    of["field"] = data["fields"][1]["name"] = name
    assert f"fields.1.name: {name!r} is no name" in complaint(tmp_path, data)


def test_two_fields_of_one_name(tmp_path: Path) -> None:
    data = blue()
    data["fields"][1]["name"] = "region"
    assert "fields.1.name: a second 'region'" in complaint(tmp_path, data)


ALPHABET = """
alphabets: {provinces: 皖苏, letters: AB, none: ""}
words: {nobody: []}
patterns: {nothing: {codes: {}, shares: {}}}
tables: {half: {皖: AB}, empty: {皖: AB, 苏: ""}}
"""


@pytest.mark.parametrize(
    ("city", "said"),
    [
        ({"uniform": ["none"]}, "field city: 'none' has no characters"),
        ({"uniform": ["letters", "''"]}, "field city: \"''\" has no characters"),
        ({"uniform": ["@nobody"]}, "field city: '@nobody' has no characters"),
        ({"uniform": ["#nothing"]}, "field city: '#nothing' has no characters"),
        ({"uniform": ["letters"], "table": {"region": "half"}}, "table half has nothing for region '苏'"),
        ({"uniform": ["letters"], "table": {"region": "empty"}}, "table empty has nothing for region '苏'"),
        ({"uniform": ["letters"], "table": {"serial": "half"}}, "table names 'serial', no field before it"),
    ],
)
def test_alphabets_and_tables_with_holes(tmp_path: Path, city: dict[str, Any], said: str) -> None:
    (tmp_path / "cn").mkdir()
    (tmp_path / "cn" / "alphabet-utopia.yaml").write_text(ALPHABET, encoding="utf-8")
    fields = [
        {"name": "region", "uniform": ["provinces"]},
        {"name": "city"} | city,
        {"name": "serial", "uniform": ["letters letters letters letters letters"]},
    ]
    assert said in complaint(tmp_path, blue(country="utopia", fields=fields))


def test_lists_that_are_empty(tmp_path: Path) -> None:
    assert "fields: empty" in complaint(tmp_path, blue(fields=[]))
    rows = [*blue()["rows"], {"y": 1, "h": 9, "face": "cn45x90", "blocks": []}]
    assert "rows.1.blocks: empty" in complaint(tmp_path, blue(rows=rows))
    for given, said in (("", "empty"), ("cn/blue", "'cn/blue'")):
        assert f"defaults: {said}; give a list" in complaint(tmp_path, f"defaults: {given}\nlabel: mine\n")


@pytest.mark.parametrize(
    "changes",
    [
        {"width_mm": float("inf")},
        {"height_mm": float("nan")},
        {"emboss_mm": float("nan")},
        {"ground": [{"stops": []}]},
    ],
)
def test_impossible_numbers_and_empty_lists_are_refused(tmp_path: Path, changes: dict[str, Any]) -> None:
    complaint(tmp_path, blue(**changes))


def test_a_missing_glyph_names_the_type_and_the_character(tmp_path: Path) -> None:
    data = blue()
    data["fields"][0] = {"name": "region", "uniform": ["'乙'"]}
    del data["fields"][1]["table"]  # has nothing for such a region
    message = complaint(tmp_path, data)
    assert "'乙'" in message and "type mine" in message


@pytest.mark.parametrize("name", type_names())
def test_every_character_a_bundled_type_can_show_has_a_glyph(name: str) -> None:
    plate, grammar = load_type(name), grammar_of(name, ambiguous=True)
    for face, fields in plate.faces().items():
        for field in fields:
            missing = grammar.characters(field) - load_face(face).characters()
            assert not missing, (face, field, missing)


def test_unknown_types_are_answered_with_the_nearest() -> None:
    for name, nearest in (("cn/bleu", "cn/blue"), ("jp/privat", "jp/private"), ("blue", "cn/blue")):
        with pytest.raises(UserError) as caught:
            load_type(name)
        assert repr(name) in str(caught.value) and nearest in str(caught.value)
        assert "\n" not in str(caught.value)
    with pytest.raises(UserError, match=r"nowhere\.yaml: no such plate type file"):
        load_type("nowhere.yaml")


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        ("colours: {ground: [300, 0, 0]}", "colours.ground.0: Input should be less than or equal to 255"),
        ("width_mm: -3", "width_mm: Input should be greater than 0"),
        ("emboss_mm: 1000", "emboss_mm: Input should be less than or equal to 20"),
        ("corner_radius_mm: 500", "corner_radius_mm: 500 is more than half of the 440 x 140 mm plate"),
        ("widht_mm: 440", "widht_mm: no such key; nearest: width_mm"),
        ("holes: [{x: 9, y: 9, w: 9, h: 9, blot: 1}]", "holes.0.blot: no such key; nearest: bolt"),
    ],
)
def test_wrong_values_of_a_type_file_are_named_by_their_key(line: str, answer: str, tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(f"defaults: [cn/blue]\n{line}\n")
    with pytest.raises(UserError) as caught:
        load_type(str(path))
    assert str(caught.value) == f"{path}: {answer}"


def test_defaults_in_a_circle_and_missing_ones(tmp_path: Path) -> None:
    folder = tmp_path / "cn"
    folder.mkdir()
    (folder / "first.yaml").write_text("defaults: [second]\n")
    (folder / "second.yaml").write_text("defaults: [first]\n")
    for file, said in (("first", "go round in a circle"), ("third", "no file 'nothing'")):
        if file == "third":
            (folder / "third.yaml").write_text("defaults: [nothing]\n")
        with pytest.raises(UserError, match=said) as caught:
            load_type(str(folder / f"{file}.yaml"))
        assert str(caught.value).startswith(str(folder)) and "\n" not in str(caught.value)


MINE = """
defaults: [cn/blue]
label: 我的车牌
colours: {ground: [90, 20, 90]}
fields:
  - {name: region, uniform: [provinces]}
  - {name: city, uniform: ["'X'"]}
  - {name: serial, uniform: [digits digits digits digits digits]}
"""


@pytest.mark.parametrize("extra", ["country: cn\n", ""], ids=["with country", "country inherited"])
def test_a_type_of_ones_own_inherits_loads_and_renders(tmp_path: Path, extra: str) -> None:
    path = tmp_path / "company.yaml"
    path.write_text(MINE + extra, encoding="utf-8")
    plate = load_type(str(path))
    assert (plate.label, plate.country, plate.width_mm) == ("我的车牌", "cn", 440)
    assert plate.colours["text"] == load_type("cn/blue").colours["text"]  # mappings merge key by key
    grammar = grammar_of(str(path))
    for ordinal in range(20):
        fields = grammar.sample("uniform", 1, ordinal)
        assert fields["city"] == "X" and fields["serial"].isdigit()
    drawn = render(plate, grammar.parse("京X12345"), 70, np.random.default_rng(0))
    assert drawn.image.shape == (70, 220, 3)
    assert np.abs(drawn.image[35, 4].astype(int) - (90, 20, 90)).max() < 12
    assert grammar.problem("京A12345") is not None


def test_a_later_default_wins_and_lists_are_replaced(tmp_path: Path) -> None:
    path = tmp_path / "cn" / "mixed.yaml"
    path.parent.mkdir()
    path.write_text("defaults: [cn/blue, cn/_white, _self_]\nborders: []\n")
    plate = load_type(str(path))
    assert plate.colour == "white" and plate.colours["ground"] == load_type("cn/police").colours["ground"]
    assert not plate.borders and len(plate.holes) == 4


def test_gaps_between_panels_show_the_ground(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not what the memory held before."""
    monkeypatch.setattr(np, "empty", lambda shape, dtype=float: np.full(shape, 7, dtype))
    panel = {"stops": [{"at": 0, "colour": "text"}], "x0": 0, "x1": 200}
    plate = load_type(written(tmp_path, blue(ground=[panel], texture="none", borders=[], marks=[], holes=[])))
    gap = paint(plate, (), 0.5, None).image[20:-20, 110:-20]
    assert (gap == plate.colours["ground"]).all()
