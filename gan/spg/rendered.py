"""Rendered lessons: one drawn style, two texts, true masks and the true picture of the edit, without end.

The second text is drawn with the first one's random stream (ground, stroke weight, bolts) and captured with
exactly the numbers recorded for the first. What is told of the plates is less than the truth, as with a real
crop: the nominal plate, laid about where it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from gan.align import DRAWN_PX
from gan.outline import condition, onto
from synth.capture.sensor import recoded
from synth.capture.stage import Capture
from synth.catalogue import load_type
from synth.errors import UserError
from synth.grammar import Grammar, grammar_of
from synth.render import Variation, render
from synth.sample import Image, Sample
from synth.seeding import rng_for
from synth.spec import PlateType
from synth.template import Plan, as_sample

TRIES = 64  # at another text of the same lengths
GATHERED = 8  # draws in which each field is looked for at its length
ORDINALS = 2**20  # texts to choose from
NAME = "spg"


@dataclass(frozen=True)
class Lesson:
    """A plate, what is asked for in its place, and the truth."""

    source: Image  # H W 3
    condition: NDArray[np.uint8]  # H W COUNT, of the source's own text
    asked: NDArray[np.uint8]  # H W COUNT, of `text`
    target: Image  # H W 3
    masks: NDArray[np.uint8]  # H W 2: coverage of the characters of source and target
    text: str  # of the target
    own: str  # of the source
    type: str

    @property
    def turned(self) -> Lesson:
        """The edit back."""
        return Lesson(
            self.target,
            self.asked,
            self.condition,
            self.source,
            self.masks[..., ::-1],
            self.own,
            self.text,
            self.type,
        )


@dataclass(frozen=True)
class Rendered:
    """Draws lessons of any type at the size that suits its shape."""

    types: Sequence[str]
    sizes: Sequence[tuple[int, int]]  # height, width
    capture: Capture
    jitter: float = 0.012  # of the picture's height: how far corners are from where they are said to be
    mode: str = "uniform"  # of texts

    @classmethod
    def of(
        cls,
        capture: Capture,
        types: Sequence[str],
        sizes: Sequence[Sequence[int]],
        jitter: float = 0.012,
        mode: str = "uniform",
    ) -> Rendered:
        """From a configuration: checked, and each type at the nearest of the sizes."""
        Plan(tuple(types), mode).check()
        if not 0 <= jitter <= 0.2:
            raise UserError(f"gan.rendered.jitter: {jitter} is not within 0 and 0.2 picture heights")
        return cls(tuple(types), tuple((int(h), int(w)) for h, w in sizes), capture, jitter, mode)

    def groups(self) -> dict[tuple[int, int], list[str]]:
        """The types drawn at each size."""
        found: dict[tuple[int, int], list[str]] = {}
        for name in self.types:
            found.setdefault(nearest_size(load_type(name), self.sizes), []).append(name)
        return found

    def lessons(self, seed: int, places: Sequence[int], size: tuple[int, int]) -> list[Lesson]:
        """Two neighbouring places are one drawing, there and back: the drawing is dearer than the step."""
        drawings = {
            number: self.lesson(seed, number, size) for number in dict.fromkeys(p // 2 for p in places)
        }
        return [drawings[p // 2].turned if p % 2 else drawings[p // 2] for p in places]

    def lesson(self, seed: int, place: int, size: tuple[int, int]) -> Lesson:
        """Number `place` among the types of `size`; a pure function of its arguments."""
        rng = rng_for(seed, place, NAME)
        names = self.groups()[size]
        name = names[int(rng.integers(len(names)))]
        grammar = grammar_of(name)
        own = grammar.sample(self.mode, seed, int(rng.integers(ORDINALS)))
        new = new_fields(grammar, own, rng, self.mode)
        before, after = (drawn(name, fields, seed, place) for fields in (own, new))
        camera = replace(self.capture, size=(size[1], size[0]), keep_mask=True)
        recorded = camera.draw(before)
        source, target = (camera.replay(sample, recorded) for sample in (before, after))
        nominal = [render(load_type(name), fields, DRAWN_PX) for fields in (own, new)]
        corners = source.quad + self.jitter * size[0] * rng.standard_normal((4, 2))
        laid = onto(nominal[0], corners.astype(np.float32))
        told, asked = (condition(plate, laid, size) for plate in nominal)
        seen, true = (recoded(sample.image, int(recorded["quality"])) for sample in (source, target))
        assert source.mask is not None and target.mask is not None
        masks = np.stack([source.mask, target.mask], axis=-1)
        return Lesson(seen, told, asked, true, masks, target.text, source.text, name)


def nearest_size(kind: PlateType, sizes: Sequence[tuple[int, int]]) -> tuple[int, int]:
    """Height and width at which a type is worked on: the nearest in shape."""
    aspect = kind.width_mm / kind.height_mm
    return min(sizes, key=lambda size: abs(np.log(size[1] / size[0] / aspect)))


def drawn(name: str, fields: Mapping[str, str], seed: int, place: int) -> Sample:
    """A plate as the template draws it; two texts of one place differ in their characters alone."""
    rng = rng_for(seed, place, "template")
    return as_sample(render(load_type(name), dict(fields), DRAWN_PX, rng, Variation()), seed, place)


def new_fields(
    grammar: Grammar,
    own: Mapping[str, str],
    rng: np.random.Generator,
    mode: str = "uniform",
    taken: frozenset[str] = frozenset(),
) -> dict[str, str]:
    """Another text of the same grammar and the same field lengths, so that every character has its place.

    None of those `taken`. Fields are gathered from several draws where lengths vary; one that never comes
    at its length stays as it is.
    """
    for _ in range(TRIES):
        found: dict[str, str] = {}
        for _ in range(GATHERED):
            sample = grammar.sample(mode, 0, int(rng.integers(ORDINALS)))
            found |= {n: v for n, v in sample.items() if n not in found and len(v) == len(own[n])}
            if len(found) == len(own):
                break
        fields = {name: found.get(name, value) for name, value in own.items()}
        text = "".join(fields.values())
        if fields != dict(own) and text not in taken and grammar.problem(text, judged(mode)) is None:
            return fields
    raise UserError(
        f"{grammar.plate.id}: no other text of the lengths of {''.join(own.values())!r} was found"
    )


def judged(mode: str) -> str:
    """How a text sampled in this mode is valid."""
    return "uniform" if mode == "uniform" else "legal"
