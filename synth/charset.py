"""Alphabets of a country: characters by name, words, patterns, tables and weights, from `conf/alphabet`."""

from __future__ import annotations

import functools
import unicodedata
from dataclasses import field

from pydantic import TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from synth.confdata import conf_folder, first_problem, read_yaml
from synth.errors import UserError, nearest
from synth.spec import STRICT

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
    alphabets: dict[str, str]
    ambiguous: dict[str, str] = field(default_factory=dict)  # alphabet -> characters that look like others
    words: dict[str, list[str]] = field(default_factory=dict)
    folds: dict[str, str] = field(default_factory=dict)  # spelling variant -> normal form
    patterns: dict[str, Patterns] = field(default_factory=dict)
    tables: dict[str, dict[str, str]] = field(default_factory=dict)  # table -> earlier value -> characters
    weights: dict[str, dict[str, float]] = field(default_factory=dict)  # relative frequency of a value

    @property
    def file(self) -> str:
        return f"conf/alphabet/{self.country}.yaml"

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


@functools.cache
def load_alphabets(country: str) -> Alphabets:
    path = conf_folder() / "alphabet" / f"{country}.yaml"
    if not path.is_file():
        known = sorted(p.stem for p in path.parent.glob("*.yaml"))
        raise UserError(f"country: no alphabets for {country!r}; {nearest(country, known)}")
    try:
        return TypeAdapter(Alphabets).validate_python({"country": country} | read_yaml(path))
    except ValidationError as error:
        raise UserError(f"conf/alphabet/{country}.yaml: {first_problem(error)}") from error
