"""Alphabets of a country: characters by name, words, patterns, tables and weights, from `conf/alphabet`."""

from __future__ import annotations

import functools
import unicodedata
from dataclasses import field, fields
from pathlib import Path

from pydantic import TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from synth.confdata import conf_folder, first_problem, read_yaml, shown_path
from synth.errors import UserError, nearest
from synth.spec import STRICT, PlateType

SEPARATORS = str.maketrans(
    "", "", "・·•.‧∙-－‐–—―−ー 　\t"
)  # on plates or in labels, never characters of a text


@dataclass(frozen=True, config=STRICT)
class Patterns:
    """Forms written as one letter a slot (`ddddl`), each with its share of real plates."""

    codes: dict[str, str]  # letter -> alphabet
    shares: dict[str, float]


@dataclass(frozen=True, config=STRICT)
class Alphabets:
    """What the grammar of a country is made of."""

    country: str
    file: str  # as the user knows it
    alphabets: dict[str, str]
    ambiguous: dict[str, str] = field(default_factory=dict)  # alphabet -> characters that look like others
    words: dict[str, list[str]] = field(default_factory=dict)
    folds: dict[str, str] = field(default_factory=dict)  # spelling variant -> normal form
    patterns: dict[str, Patterns] = field(default_factory=dict)
    tables: dict[str, dict[str, str]] = field(default_factory=dict)  # table -> earlier value -> characters
    weights: dict[str, dict[str, float]] = field(default_factory=dict)  # relative frequency of a value

    def characters(self, name: str, ambiguous: bool = False) -> str:
        """The characters of an alphabet, in order, with those that look like others on demand."""
        if name.startswith("'"):
            return name.strip("'")
        if name not in self.alphabets:
            raise UserError(f"{self.file}: no alphabet {name!r}; {nearest(name, self.alphabets)}")
        extra = self.ambiguous.get(name, "") if ambiguous else ""
        return self.alphabets[name] + extra

    def fold(self, text: str) -> str:
        """The normal form: half-width capitals, no separators, one spelling of each name."""
        text = unicodedata.normalize("NFKC", text).upper().translate(SEPARATORS)
        for variant, normal in self.folds.items():
            text = text.replace(variant, normal)
        return text


KEYS = frozenset(one.name for kind in (Alphabets, Patterns) for one in fields(kind))


def alphabets_of(plate: PlateType) -> Alphabets:
    """Those of the plate's country; a country of one's own has `alphabet-COUNTRY.yaml` beside the type."""
    own = Path(plate.file).parent / f"alphabet-{plate.country}.yaml"
    return load_alphabets(plate.country, None if bundled(plate.country).is_file() else own)


def bundled(country: str) -> Path:
    return conf_folder() / "alphabet" / f"{country}.yaml"


@functools.cache
def load_alphabets(country: str, own: Path | None = None) -> Alphabets:
    """The bundled ones of a country, or those of a file of one's own."""
    path = own or bundled(country)
    if not path.is_file():
        known = nearest(country, sorted(p.stem for p in bundled(country).parent.glob("*.yaml")))
        mend = f"write them into {path}" if own else f"write conf/alphabet/{country}.yaml"
        raise UserError(f"country: no alphabets for {country!r}; {known}, or {mend}")
    shown = shown_path(path)
    try:
        return TypeAdapter(Alphabets).validate_python({"country": country, "file": shown} | read_yaml(path))
    except ValidationError as error:
        raise UserError(f"{shown}: {first_problem(error, KEYS)}") from error
