"""What the demo page shows, without the page."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from recognizer.panels import NO_CROPS, Wish, any_text, boxed, drawn, panel, told
from recognizer.reader import Reader

WISH = Wish("cn/blue", "沪B88888", seed=1, count=2, severity=0.2, capture="mild", height_px=48)


@pytest.fixture(scope="module")
def reader() -> Reader:
    return Reader.from_pretrained()


def test_a_panel_has_a_picture_a_seed_and_what_is_read_in_them(reader: Reader) -> None:
    seen = panel("capture", WISH, reader)
    assert seen.picture is not None and seen.picture.shape[0] == 2 * 48 + 8
    assert seen.said.count("沪B88888") == 2 and len(seen.said.splitlines()) == 2


def test_every_control_changes_the_picture(reader: Reader) -> None:
    seen = panel("capture", WISH, reader).picture
    assert seen is not None
    for other in ({"text": "沪B88889"}, {"seed": 7}, {"severity": 0.9}, {"capture": "hard"}, {"boxes": True}):
        changed = panel("capture", replace(WISH, **other), reader).picture  # type: ignore[arg-type]
        assert changed is not None and not np.array_equal(changed, seen), other


def test_what_cannot_be_drawn_is_said_in_words(reader: Reader) -> None:
    wrong = panel("template", replace(WISH, text="沪B8888"), reader)
    assert wrong.picture is None and "does not fit" in wrong.said
    own = panel("pix2pix", replace(WISH, pix2pix="no such.safetensors"), reader)
    assert own.picture is None and "no such.safetensors: no such file" in own.said
    assert panel("spg", WISH, reader).said == NO_CROPS
    absent = panel("spg", replace(WISH, crops="no such folder"), reader)
    assert absent.picture is None and "no such folder" in absent.said


def test_an_upload_is_read_in_words(reader: Reader) -> None:
    crop = drawn("capture", WISH, 1)
    said = told(crop.image, reader)
    assert said.startswith("## 沪B88888") and "cn/blue" in said and "| region | 沪 |" in said
    assert told(None, reader).startswith("Upload")


def test_quads_are_drawn_on_a_copy() -> None:
    crop = drawn("template", WISH, 1)
    before = crop.image.copy()
    assert not np.array_equal(boxed(crop), before) and np.array_equal(crop.image, before)


def test_another_text_is_one_the_type_can_show() -> None:
    assert any_text("jp/private", 1) == any_text("jp/private", 1) != any_text("jp/private", 2)
