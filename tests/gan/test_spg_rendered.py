"""Rendered lessons: the second text in exactly the style of the first, true masks, batches by place alone."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch")

import torch
from tiny_edits import SIZES, TYPES, camera, mixture, rendered

from gan.outline import GLYPHS
from gan.runtime.window import Window
from gan.spg.batches import Edits
from gan.spg.rendered import Lesson, Rendered, drawn, nearest_size, new_fields
from synth.catalogue import load_type
from synth.errors import UserError
from synth.grammar import grammar_of

BIG = ((48, 144), (64, 128))


def lessons(count: int = 10) -> list[Lesson]:
    made = rendered(BIG)
    return [made.lesson(3, n, size) for size in made.groups() for n in range(count)]


def test_source_and_target_differ_in_their_characters_alone() -> None:
    """But for JPEG and blur, which reach a little further."""
    far, near = [], []
    for lesson in lessons():
        changed = np.abs(lesson.source.astype(int) - lesson.target).mean(axis=2)
        characters = torch.from_numpy(lesson.masks.max(axis=2) > 0)[None, None].float()
        around = torch.nn.functional.max_pool2d(characters, 25, 1, 12)[0, 0].numpy() > 0
        far.append(float(changed[~around].mean()) if (~around).any() else 0.0)
        near.append(float(changed[characters[0, 0].numpy() > 0].mean()))
        assert lesson.text != lesson.own
    assert np.median(far) < 3 and np.median(near) > 5 * np.median(far), (far, near)


def test_masks_are_where_the_characters_are() -> None:
    """The hints are nearly the masks: nominal plates, laid with an error."""
    for lesson in lessons():
        for number, planes in enumerate((lesson.condition, lesson.asked)):
            true, hint = lesson.masks[..., number] > 127, planes[..., GLYPHS] > 127
            overlap = (true & hint).sum() / max(1, (true | hint).sum())
            assert overlap > 0.3, (lesson.type, lesson.text, overlap)


def test_a_lesson_is_a_function_of_its_place() -> None:
    one, other = (rendered().lesson(1, 7, SIZES[0]) for _ in range(2))
    assert np.array_equal(one.target, other.target) and np.array_equal(one.condition, other.condition)
    assert one.text == other.text
    assert not np.array_equal(one.source, rendered().lesson(1, 8, SIZES[0]).source)


def test_two_texts_of_one_place_share_ground_and_strokes() -> None:
    grammar = grammar_of("cn/blue")
    one, other = (drawn("cn/blue", grammar.sample("legal", 0, n), 5, 9) for n in (1, 2))
    same = (one.mask == 0) & (other.mask == 0)
    near = torch.nn.functional.max_pool2d(torch.from_numpy(~same)[None, None].float(), 5, 1, 2)[0, 0] == 0
    assert np.array_equal(one.image[near.numpy()], other.image[near.numpy()])


@pytest.mark.parametrize("name", ["cn/blue", "cn/nev_small", "jp/private", "jp/kei_private"])
@pytest.mark.parametrize("mode", ["uniform", "legal"])
def test_new_texts_are_of_the_same_grammar_and_lengths(name: str, mode: str) -> None:
    grammar, rng = grammar_of(name), np.random.default_rng(0)
    own = grammar.sample(mode, 0, 5)
    new = [new_fields(grammar, own, rng, mode) for _ in range(20)]
    texts = {"".join(fields.values()) for fields in new}
    assert "".join(own.values()) not in texts and len(texts) > 15
    for fields in new:
        assert {k: len(v) for k, v in fields.items()} == {k: len(v) for k, v in own.items()}
        assert grammar.problem("".join(fields.values()), mode) is None
    again = new_fields(grammar, own, np.random.default_rng(0), mode, frozenset(texts))
    assert "".join(again.values()) not in texts


def test_types_go_to_the_size_of_their_shape() -> None:
    assert nearest_size(load_type("cn/blue"), BIG) == (48, 144)
    assert nearest_size(load_type("cn/yellow_double"), BIG) == (64, 128)
    assert rendered().groups()[SIZES[0]] == ["cn/blue", "cn/yellow"]


@pytest.mark.parametrize(
    ("types", "jitter", "message"),
    [((), 0.0, "plates.types: empty"), (TYPES, 0.5, "gan.rendered.jitter: 0.5"), (("cn/bleu",), 0.0, "bleu")],
)
def test_a_bad_plan_is_one_line(types: tuple[str, ...], jitter: float, message: str) -> None:
    with pytest.raises(UserError, match=message):
        Rendered.of(camera(), types, SIZES, jitter)


def test_batches_are_of_one_size_and_real_from_phase_two_on() -> None:
    edits = Edits(mixture(share=0.5, begins=32), Window(4), 0)
    made = [edits.batch(number) for number in range(16)]
    assert {tuple(batch.source.shape[2:]) for batch in made} == set(SIZES)
    assert all(batch.real == 0 for batch in made[:8])
    late = {(tuple(batch.source.shape[2:]), batch.real) for batch in made[8:]}
    assert late == {(SIZES[0], 2), (SIZES[1], 0)}
    again = edits.batch(9)
    assert torch.equal(again.source, made[9].source) and again.texts == made[9].texts


def test_given_is_in_the_range_of_the_networks() -> None:
    batch = Edits(mixture(), Window(4), 0).batch(0).given(torch.device("cpu"))
    assert -1 <= float(batch.source.min()) < 0 < float(batch.source.max()) <= 1
    assert float(batch.masks.min()) >= 0 and 0.5 < float(batch.masks.max()) <= 1


def test_a_drawing_teaches_there_and_back() -> None:
    there, back = rendered().lessons(1, range(6, 8), SIZES[0])
    assert np.array_equal(there.source, back.target) and np.array_equal(there.target, back.source)
    assert np.array_equal(there.condition, back.asked) and (there.text, there.own) == (back.own, back.text)
    assert np.array_equal(there.masks[..., 0], back.masks[..., 1])
    assert rendered().lessons(1, [7], SIZES[0])[0].text == back.text
