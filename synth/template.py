"""The first stage: sample number -> type, text, clean plate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from synth.balance import deal, ones
from synth.catalogue import load_type
from synth.errors import UserError
from synth.grammar import MODES, candidates, grammar_of
from synth.render import Plate, Variation, render
from synth.sample import Sample
from synth.seeding import rng_for
from synth.spec import PlateType

LOWEST, HIGHEST = 8, 1024  # pixels of a plate: fewer show nothing, more fill the memory


@dataclass(frozen=True)
class Plan:
    """Which plate each sample is: types in exact decks, texts from each type's grammar or from a list."""

    types: tuple[str, ...]
    mode: str = "uniform"
    ambiguous: bool = False  # sample I and O too, where CBLPRD has them
    texts: tuple[str, ...] = ()
    weights: tuple[int, ...] = ()  # how many of each type in a deck; one each when empty
    places: tuple[str, ...] = ()  # where each text stands, for whoever has to mend it

    def __post_init__(self) -> None:
        if not isinstance(self.ambiguous, bool):
            raise UserError(f"balance.ambiguous: {self.ambiguous!r} is not true or false")
        if not self.types:
            raise UserError("plates.types: empty; name at least one type, for example plates.types=[cn/blue]")
        if self.mode not in MODES:
            raise UserError(f"balance.mode: unknown mode {self.mode!r}; known: {', '.join(MODES)}")

    def check(self) -> None:
        """Raise what would stop the drawing later: a broken type, two of one name, a text that fits none."""
        files: dict[str, str] = {}
        for name in self.types:
            grammar_of(name, self.ambiguous)
            kind = load_type(name)
            if files.setdefault(kind.id, kind.file) != kind.file:
                raise UserError(f"plates.types: {files[kind.id]} and {kind.file} are both called {kind.id}")
        for number in range(len(self.texts)):
            self.able(number)

    def of(self, seed: int, index: int) -> tuple[PlateType, dict[str, str]]:
        """The type and the fields of sample `index`."""
        if self.texts:
            return self.given(seed, index)
        number, ordinal = deal(seed, "types", index, self.weights or ones(len(self.types)))
        name = self.types[number]
        return load_type(name), grammar_of(name, self.ambiguous).sample(self.mode, seed, ordinal)

    def given(self, seed: int, index: int) -> tuple[PlateType, dict[str, str]]:
        """A text of the list, on one of the types that can show it."""
        able = self.able(index % len(self.texts))
        legal = [name for name, is_legal in able if is_legal] or [name for name, _ in able]
        name = legal[int(rng_for(seed, index, "given").integers(len(legal)))]
        return load_type(name), grammar_of(name).parse(self.texts[index % len(self.texts)])

    def able(self, number: int) -> list[tuple[str, bool]]:
        """The types that can show text `number`, and whether each could legally carry it."""
        text = self.texts[number]
        found = candidates(text, self.types)
        if not found:
            reason = grammar_of(self.types[0]).problem(text, "uniform")
            where = self.places[number] if self.places else f"texts: line {number + 1}"
            raise UserError(f"{where}: {text!r} fits none of the types; {self.types[0]}: {reason}")
        return found


@dataclass(frozen=True)
class Template:
    """Stage `template`: draws the plan's plates, clean, `height_px` high."""

    plan: Plan
    height_px: int = 64
    variation: Variation = field(default_factory=Variation)

    def __post_init__(self) -> None:
        if not isinstance(self.height_px, int) or not LOWEST <= self.height_px <= HIGHEST:
            raise UserError(
                f"height_px: {self.height_px!r} is not a whole number between {LOWEST} and {HIGHEST}"
            )

    def draw(self, seed: int, index: int) -> Sample:
        return self.batch(seed, [index])[0]

    def batch(self, seed: int, indices: Sequence[int]) -> list[Sample]:
        """All texts first, then all plates: code that runs many times in a row runs faster."""
        planned = [self.plan.of(seed, index) for index in indices]
        plates = [
            render(kind, fields, self.height_px, rng_for(seed, index, "template"), self.variation)
            for index, (kind, fields) in zip(indices, planned, strict=True)
        ]
        return [as_sample(plate, seed, index) for index, plate in zip(indices, plates, strict=True)]


def as_sample(plate: Plate, seed: int, index: int) -> Sample:
    """A rendered plate as the sample that goes through the stages."""
    return Sample(
        index=index,
        seed=seed,
        type=plate.type.id,
        text=plate.text,
        fields=plate.fields,
        rows=plate.rows,
        image=plate.image,
        alpha=plate.alpha,
        quad=plate.quad,
        row_quads=plate.row_quads,
        char_quads=plate.char_quads,
        plate=plate,
        mask=plate.mask,
        stages=({"name": "template", "height_px": plate.image.shape[0]},),
    )
