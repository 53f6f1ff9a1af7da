"""Cells, their configurations and digests, test sets, and the numbers over seeds."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import pytest
from omegaconf import OmegaConf

from gan.pairs import held_out
from recognizer.data import lessons_of
from recognizer.proof.cache import Cache, digest
from recognizer.proof.grid import Kind, Plan, cells_of, overrides_of, worded
from recognizer.proof.recipe import composed, digest_of, reason_against
from recognizer.proof.scarcity import HELD_OUT, Scarcity, parted, points_of
from recognizer.proof.scores import Said, gap, over_seeds, paired, scored
from recognizer.proof.sets import real_set, synthetic_set, training_texts
from synth.confdata import conf_folder, read_yaml
from synth.errors import UserError
from synth.template import Plan as TemplatePlan
from synth.template import Template

CAPTURE = {"stages": "capture"}
TEMPLATE = {"stages": "template"}
RECIPES = read_yaml(conf_folder() / "benchmark.yaml")["recipes"]


def plan(**changes: object) -> Plan:
    values: dict[str, object] = {
        "images": 1000,
        "plates": {"types": ["cn/blue"]},
        "curriculum": [[0.1, 0.1], [1.0, 0.8]],
        "train": {"batch": 8},
    }
    return Plan(**{**values, **changes})  # type: ignore[arg-type]


def recipe(name: str, **weights: str) -> Kind:
    """A shipped kind of data."""
    given = {"pix2pix": None, "spg": None, "spg_styles": None, **weights}
    plain = OmegaConf.to_container(OmegaConf.create({"recipes": RECIPES, "weights": given}), resolve=True)
    return plain["recipes"][name]  # type: ignore[call-overload,index,return-value]


def plates_in(folder: Path, count: int, seed: int) -> Path:
    """Clean plates as a labelled folder."""
    config = composed((*overrides_of(TEMPLATE, "lprnet", seed, plan()), "capture.size=null"))
    synthetic_set("made", config, count, set(), folder)
    return folder


def test_the_first_seed_comes_whole() -> None:
    seeds = {"plates": [3, 4], "lprnet": [3]}
    cells = cells_of({"template": TEMPLATE, "capture": CAPTURE}, seeds, plan())
    assert [cell.seed for cell in cells] == [3] * 4 + [4] * 2
    assert cells[3].name == "capture-lprnet-s3" and len({cell.name for cell in cells}) == 6


def test_a_cell_composes_with_its_curriculum() -> None:
    config = composed(overrides_of(CAPTURE, "crnn", 5, plan(train={"batch": 8, "workers": 0})))
    assert (config.seed, config.images, config.batch, config.workers) == (5, 1000, 8, 0)
    assert list(config.plates.types) == ["cn/blue"] and "weights" not in config.plates
    assert [lesson.until for lesson in config.curriculum] == [100, 2_000_000_000]
    severities = [one.config["stages"]["capture"]["severity"] for one in lessons_of(config)]
    assert severities == [[0.0, 0.1], [0.0, 0.8]]
    assert "CRNN" in config.recognizer.network._target_
    weighted = plan(plates={"types": ["cn/blue", "cn/yellow"], "weights": {"cn/blue": 3}})
    assert composed(overrides_of(TEMPLATE, "plates", 0, weighted)).plates.weights == {"cn/blue": 3}


def test_values_are_worded_for_hydra() -> None:
    assert worded({"a": [1, 0.5, None, True], "b": "x y's"}) == "{a:[1,0.5,null,true],b:'x y\\'s'}"


def test_the_digest_follows_what_decides_a_training(tmp_path: Path) -> None:
    def of(**changes: object) -> str:
        return digest_of(overrides_of(CAPTURE, "lprnet", 0, plan(**changes)))

    assert of() == of() and of(images=2000) != of()
    assert of(train={"batch": 8, "threads": 2}) == of()
    assert of(train={"batch": 16}) != of()
    assert of(train={"batch": 8, "workers": 3}) == of()


@pytest.mark.parametrize("name", ["pix2pix", "mix"])
@pytest.mark.parametrize("crops", [(), ("data=blend", "data.path=crops")])
def test_other_weights_of_a_generator_make_another_digest(
    name: str, crops: tuple[str, ...], tmp_path: Path
) -> None:
    file = tmp_path / "weights.safetensors"

    def of(content: bytes) -> str:
        file.write_bytes(content)
        return digest_of((*overrides_of(recipe(name, pix2pix=str(file)), "lprnet", 0, plan()), *crops))

    assert of(b"one") == of(b"one") != of(b"other")


def test_other_poses_make_another_digest(tmp_path: Path) -> None:
    file = tmp_path / "alignments.tsv"
    header = "score\tx0\ty0\tx1\ty1\tx2\ty2\tx3\ty3\twidth\theight\tshape"
    capture = {**CAPTURE, "capture.cameras.street.lies.path": str(file)}

    def of(left: int) -> str:
        row = f"0.9\t{left}\t1\t93\t1\t93\t23\t{left}\t23\t94\t24\t3.143"
        file.write_text(f"{header}\n{row}\n", encoding="utf-8")
        return digest_of(overrides_of(capture, "lprnet", 0, plan()))

    assert of(1) == of(1) != of(2)


def test_no_reader_chooses_what_others_learn_from() -> None:
    for name in ("pix2pix", "mix"):
        config = composed(overrides_of(recipe(name), "plates", 0, plan()))
        stages = lessons_of(config)[-1].config["stages"]
        ways = stages["mix"]["ways"] if name == "mix" else {"alone": stages}
        drawn = [way["pix2pix"] for way in ways.values() if "pix2pix" in way]
        assert len(drawn) == (2 if name == "mix" else 1)
        assert all(one["check"] is None and one["severity"] == [0.0, 0.8] for one in drawn)


def test_under_a_new_camera_nothing_knows_the_phone() -> None:
    recipes = read_yaml(conf_folder() / "experiment" / "new_camera.yaml")["recipes"]
    for name, kind in recipes.items():
        kind = {key: None if key.endswith(("weights", "path")) else value for key, value in kind.items()}
        config = composed(overrides_of(kind, "plates", 0, plan()))
        assert config.capture.weights == {"street": 1, "phone": 0}
        if name != "mix_new":
            continue
        drawn = lessons_of(config)[-1].config["stages"]["mix"]["ways"]["drawn"]["pix2pix"]
        assert drawn["check"] is None and drawn["posed"] == 1.0  # as the crops lay, not as phones see plates
        street = config.capture.cameras.street.effects
        assert set(drawn["harms"]) == {"gradient", "shadow", "glare", "defocus", "motion", "jpeg"}
        assert all(drawn["harms"][key] == street[key] for key in drawn["harms"])


def test_shipped_kinds_are_made_or_say_why_not() -> None:
    for name in RECIPES:
        reason = reason_against(overrides_of(recipe(name), "plates", 0, plan()))
        assert not reason if name in ("template", "capture") else "\n" not in reason, name
    assert "nowhere" in reason_against(overrides_of({"stages": "nowhere"}, "plates", 0, plan()))
    absent = overrides_of(recipe("pix2pix", pix2pix="absent.safetensors"), "plates", 0, plan())
    assert "absent.safetensors: no such file" in reason_against(absent)


def test_texts_of_a_training_are_those_it_shows() -> None:
    config = composed(overrides_of(TEMPLATE, "lprnet", 2, plan()))
    drawn = Template(TemplatePlan(("cn/blue",)), 32).batch(2, range(20))
    shown = list(training_texts(config))
    assert shown[:20] == [sample.text for sample in drawn]
    assert len(shown) == 1000 and len(list(training_texts(composed(["images=33", "batch=32"])))) == 64


def test_synthetic_plates_are_fresh(tmp_path: Path) -> None:
    config = composed((*overrides_of(TEMPLATE, "lprnet", 2, plan()), "capture.size=null"))
    seen = set(islice(training_texts(config), 5))
    made = synthetic_set("fresh", config, 6, seen, tmp_path / "set")
    assert len(made.texts) == 6 and not made.texts & seen and not made.real
    assert made.digest == synthetic_set("fresh", config, 6, seen, tmp_path / "set").digest
    assert made.without(list(made.texts)[:2]).left_out == 2


def test_broken_pictures_are_counted(tmp_path: Path) -> None:
    folder = plates_in(tmp_path / "set", 3, 0)
    (folder / "000001.png").write_bytes(b"no picture")
    found = real_set("mine", str(folder))
    assert (len(found.items), found.refused) == (2, 1)


def test_no_text_is_in_training_and_test(tmp_path: Path) -> None:
    pool = plates_in(tmp_path / "crops", 10, 0)
    other = real_set("other", str(plates_in(tmp_path / "other", 4, 1)))
    settings = Scarcity(str(pool), [0, 2, 6], 4, "template", "lprnet", 0.5, [0])
    crops = parted(settings, [real_set("same", str(pool)), other])
    trained = {item.text for item in crops.pool}
    assert len(crops.pool) == 6 and [one.name for one in crops.tests] == [HELD_OUT, "other"]
    assert all(not trained & one.texts for one in crops.tests)
    points = points_of(settings, TEMPLATE, plan(), crops.pool, tmp_path / "made")
    assert [(p.crops, p.synthetic) for p in points] == [
        (0, True),
        (2, False),
        (2, True),
        (6, False),
        (6, True),
    ]
    assert all(held_out(text) for text in crops.tests[0].texts) or not any(map(held_out, trained))
    config = composed(points[2].cell.overrides)
    listed = real_set("listed", config.data.path)
    assert config.data.share == 0.5 and [item.text for item in listed.items] == [
        i.text for i in crops.pool[:2]
    ]
    assert len({digest_of(point.cell.overrides) for point in points}) == 5
    with pytest.raises(UserError, match=r"7 wanted, .* has 6"):
        parted(Scarcity(str(pool), [7], 4, "template", "lprnet", 0.5, [0]), [])


def test_a_result_is_made_once(tmp_path: Path) -> None:
    cache, made = Cache(tmp_path), []

    def make() -> dict[str, object]:
        made.append(1)
        return {"exact": 0.5}

    assert cache.get("a", "key", make) == cache.get("a", "key", make) == {"exact": 0.5}
    cache.get("a", "other", make)
    assert len(made) == 2 and digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1})
    cache.path("a", "key").write_text("{half")
    with pytest.raises(UserError, match="not a result"):
        cache.get("a", "key", make)


def test_seeds_together(tmp_path: Path) -> None:
    items = real_set("mine", str(plates_in(tmp_path / "set", 4, 0))).items
    truths = [item.text for item in items]
    good = scored(items, [Said(text) for text in truths])
    half = scored(items, [Said(text) for text in [*truths[:2], "", truths[3] + "A"]])
    assert good["exact"] == 1.0 and half["exact"] == 0.5 and [w[0] for w in half["wrong"]] == [2, 3]
    both = over_seeds([good, half])
    assert both["exact"] == 0.75 and both["exact_by_seed"] == [1.0, 0.5]
    assert both["exact_ci"][0] <= 0.75 <= both["exact_ci"][1] and both["exact_ci"] != [0.75, 0.75]
    assert over_seeds([good])["exact_ci"] == [1.0, 1.0]
    apart = gap([good], [half])
    pair = paired([good, good], [half, good])
    assert (pair["difference"], pair["by_seed"], pair["more"], pair["less"]) == (0.25, [0.5, 0.0], 2, 0)
    assert pair["difference_ci"][0] >= 0 and paired([half], [half])["difference_ci"] == [0, 0]
    assert apart["gap"] == 0.5 and apart["gap_ci"][0] < 0.5 < apart["gap_ci"][1]
