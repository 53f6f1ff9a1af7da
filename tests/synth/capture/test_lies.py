"""Plates that lie as those of real crops do: what `gan.align` wrote, in the place of pose and crop box."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hydra import compose, initialize_config_module
from hydra.utils import instantiate

from synth.capture.lies import MOVED, STRAY, WHERE, Lies
from synth.capture.stage import Capture
from synth.errors import UserError
from synth.template import Plan, Template

HEADER = "\t".join(("path", "text", "type", "score", *WHERE, "width", "height", "shape"))
CORNERS = ((4, 3, 90, 5, 88, 21, 2, 20), (10, -1, 93, 4, 92, 24, 9, 15))
ROWS = [
    "\t".join((f"{n}.jpg", "京A12345", "cn/blue", "0.9", *map(str, corners), "94", "24", "3.143"))
    for n, corners in enumerate(CORNERS)
]
REFUSED = ROWS[0].replace("0.9", "0.5").replace("\t4\t3\t", "\t40\t3\t")


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "alignments.tsv"
    path.write_text("\n".join([HEADER, *ROWS, REFUSED]) + "\n", encoding="utf-8")
    return path


def stage(*words: str) -> Capture:
    with initialize_config_module("conf", version_base="1.3"):
        config = compose(None, ["+capture=street", "+stages=capture", *words])
    made = instantiate(config.stages, _convert_="all")["capture"]
    assert isinstance(made, Capture)
    return made


def test_plates_lie_as_the_crops_did(table: Path) -> None:
    known = np.array(CORNERS).reshape(-1, 4, 2) / (94, 24)
    plates = Template(Plan(("cn/blue", "cn/yellow_double")), 64).batch(0, range(40))
    capture = stage(f"capture.cameras.street.lies.path={table}", "capture.cameras.street.lies.between=0")
    seen = set()
    for sample, done in zip(plates, capture(plates), strict=True):
        pose = done.stages[-1]["pose"]
        shares = done.quad / (done.image.shape[1], done.image.shape[0])
        aspect = 94 / 24 * (1 if done.type == "cn/blue" else 2 / 3.143)  # no plate is squeezed
        assert abs(shares - known[pose["crop"]]).max() <= MOVED[1] + STRAY[1] + 0.01
        assert abs(pose["aspect"] - aspect) < 2e-3 and done.image.shape[:2] == (64, round(64 * aspect))
        seen.add(pose["crop"])
        again = capture.replay(sample, done.stages[-1])
        assert np.array_equal(again.image, done.image) and np.array_equal(again.char_quads, done.char_quads)
    assert seen == {0, 1}  # the third was refused


def test_a_share_lies_so_and_the_others_are_as_ever(table: Path) -> None:
    plates = Template(Plan(("cn/blue",)), 64).batch(0, range(200))
    mixed = stage(f"capture.cameras.street.lies.path={table}", "capture.cameras.street.lies.share=0.5")(
        plates
    )
    free = [n for n, sample in enumerate(mixed) if "corners" not in sample.stages[-1]["pose"]]
    assert 70 < len(free) < 130
    for number, usual in zip(free, stage()([plates[n] for n in free]), strict=True):
        assert np.array_equal(mixed[number].image, usual.image)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "No such file or directory; give alignments.tsv"),
        (b"\xff\xfe", "not UTF-8; give alignments.tsv"),
        (b"", "no column height; align again with gan.align"),
        (HEADER.replace("\twidth", "").encode(), "no column width; align again"),
        (HEADER.replace("\tshape", "").encode(), "no column shape; align again"),
        (f"{HEADER}\n{ROWS[0]}\n".replace("\t3.143", "").encode(), "line 2 is no alignment; align again"),
        (f"{HEADER}\n{ROWS[0]}\n\n".encode(), "line 3 is no alignment; align again"),
        (f"{HEADER}\n{ROWS[0]}\n".replace("94\t24", "0\t24").encode(), "line 2 is no alignment"),
        (f"{HEADER}\n{ROWS[0]}\n".replace("0.9", "nan").encode(), "line 2 is no alignment"),
        (f"{HEADER}\n{REFUSED}\n".encode(), "no crop aligns with a score of 0.7; lower lies.accept"),
    ],
)
def test_a_broken_table_is_told_in_one_line(tmp_path: Path, content: bytes | None, said: str) -> None:
    path = tmp_path / "alignments.tsv"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UserError) as told:
        Lies(str(path))
    assert str(told.value).startswith(f"lies.path: {path}: ") and said in str(told.value)
    with pytest.raises(UserError, match=r"lies\.share"):
        Lies(share=2)
