"""What the demo page shows, without the page."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from recognizer.panels import Wish, any_text, boxed, drawn, panel, reader_of, told

WISH = Wish("cn/blue", "沪B88888", seed=1, count=2, severity=0.2, capture="mild", height_px=48)


def test_a_panel_has_a_picture_a_seed_and_what_is_read_in_them() -> None:
    seen = panel("capture", WISH, reader_of(None))
    assert seen.picture is not None and seen.picture.shape[0] == 2 * 48 + 8
    assert seen.said.count("沪B88888") == 2 and len(seen.said.splitlines()) == 2


def test_every_control_changes_the_picture() -> None:
    seen = panel("capture", WISH, None).picture
    assert seen is not None
    for other in ({"text": "沪B88889"}, {"seed": 7}, {"severity": 0.9}, {"capture": "hard"}, {"boxes": True}):
        changed = panel("capture", replace(WISH, **other), None).picture  # type: ignore[arg-type]
        assert changed is not None and not np.array_equal(changed, seen), other


def test_what_cannot_be_drawn_is_said_in_words() -> None:
    wrong = panel("template", replace(WISH, text="沪B8888"), None)
    assert wrong.picture is None and "does not fit" in wrong.said
    own = panel("pix2pix", replace(WISH, pix2pix="no such.safetensors"), None)
    assert own.picture is None and "no such.safetensors: no such file" in own.said
    missing = panel("nosuch", WISH, None)
    assert missing.picture is None and "not part of this version" in missing.said


def test_an_upload_is_read_in_words() -> None:
    crop = drawn("capture", WISH, 1)
    said = told(crop.image, reader_of(None))
    assert said.startswith("## 沪B88888") and "cn/blue" in said and "| region | 沪 |" in said
    assert told(None, reader_of(None)).startswith("Upload") and "plate-train-recognizer" in told(None, None)


def test_quads_are_drawn_on_a_copy() -> None:
    crop = drawn("template", WISH, 1)
    before = crop.image.copy()
    assert not np.array_equal(boxed(crop), before) and np.array_equal(crop.image, before)


def test_another_text_is_one_the_type_can_show() -> None:
    assert any_text("jp/private", 1) == any_text("jp/private", 1) != any_text("jp/private", 2)
