"""The bundled reader: small, documented, and exact on clean plates of the seven Chinese types."""

from __future__ import annotations

import pytest
from hydra import compose, initialize_config_module

from recognizer.backends import ENDING, FOLDER
from recognizer.reader import Reader
from synth.template import Plan, Template

FILES = {name: FOLDER / f"plates{ending}" for name, ending in ENDING.items()}
ABSENT = [path.name for path in FILES.values() if not path.is_file()]
CARD = FOLDER / "README.md"
PLATES = 6  # a type

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(bool(ABSENT), reason=f"recognizer/weights lacks {', '.join(ABSENT)}: not trained yet"),
]


def seven() -> list[str]:
    with initialize_config_module("conf", version_base="1.3"):
        return list(compose("generate", ["plates=cn7", "out=x"]).plates.types)


@pytest.mark.parametrize("backend", ENDING)
def test_small(backend: str) -> None:
    assert FILES[backend].stat().st_size < 10e6


def test_a_card_lies_beside_them() -> None:
    lines = CARD.read_text(encoding="utf-8").splitlines()
    for path in FILES.values():
        assert any(path.name in line for line in lines), f"{CARD}: no line about {path.name}"
    assert any("python -m recognizer.train" in line for line in lines)


def test_both_files_hold_the_same_reader() -> None:
    legends = [Reader.from_pretrained(backend=backend).legend for backend in ENDING]
    assert legends[0] == legends[1]


@pytest.mark.parametrize("backend", ENDING)
@pytest.mark.parametrize("name", seven())
def test_clean_plates_are_read_exactly(backend: str, name: str) -> None:
    samples = Template(Plan((name,), "legal"), 64).batch(20, range(PLATES))
    read = Reader.from_pretrained(backend=backend, threads=1).read([sample.image for sample in samples])
    assert [one.text for one in read] == [sample.text for sample in samples]
