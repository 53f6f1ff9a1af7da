"""Texts of a plate type, from its data alone: sample them, parse them, say what is wrong with them.

A field has forms. A form is a run of slots, each with its alphabet (`digits digits letters`), or one of a
list of words (`@regions`), or a named set of patterns (`#serial5`). Two sets of forms exist: `uniform`,
everything the type can show, and `legal`, what an authority could issue; `table` narrows a legal field by an
earlier one.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

from synth.balance import deal, deal_one, ones
from synth.charset import Alphabets
from synth.errors import UserError, nearest
from synth.seeding import rng_for
from synth.spec import PlateType, TextField

Value = TypeVar("Value")
MODES = ("uniform", "legal", "natural")


@dataclass(frozen=True)
class Form:
    """One way to write a field: an alphabet a slot, or words instead."""

    slots: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    share: float = 1.0  # of real plates, for mode natural

    def lengths(self) -> set[int]:
        return {len(word) for word in self.words} if self.words else {len(self.slots)}

    def regex(self) -> str:
        if self.words:
            return "|".join(re.escape(word) for word in sorted(self.words, key=len, reverse=True))
        return "".join(f"[{re.escape(chars)}]" for chars in self.slots)


class Grammar:
    """The grammar of one plate type. `ambiguous` also samples letters that look like digits."""

    def __init__(self, plate: PlateType, alphabets: Alphabets, ambiguous: bool = False) -> None:
        self.plate, self.alphabets, self.ambiguous = plate, alphabets, ambiguous
        self.uniform = {f.name: self._forms(f, f.uniform, ambiguous) for f in plate.fields}
        self.legal = {f.name: self._forms(f, f.legal or f.uniform, False) for f in plate.fields}
        self.real = {
            f.name: (*self.legal[f.name], *(self._forms(f, f.common, False) if f.common else ()))
            for f in plate.fields
        }
        widest = {f.name: self._forms(f, f.uniform, True) for f in plate.fields}
        self.shown = {name: (*forms, *self.legal[name]) for name, forms in widest.items()}
        self.tables = {f.name: self._table(f) for f in plate.fields}
        weighted = [f for f in plate.fields if f.natural]
        self.weights = {f.name: self._named(self.alphabets.weights, f.natural or "", f) for f in weighted}
        self._regex = self._compile(self.shown)
        self._legal_regex = self._compile(self.legal)

    # -- building ----------------------------------------------------------------------------------

    def _forms(self, field: TextField, written: list[str], ambiguous: bool) -> tuple[Form, ...]:
        if not written:
            raise UserError(
                f"{self.plate.file}: field {field.name}: no form; write at least one, such as [digits]"
            )
        forms: list[Form] = []
        for text in written:
            if text.startswith("@"):
                forms.append(Form(words=tuple(self._named(self.alphabets.words, text[1:], field))))
            elif text.startswith("#"):
                named = self._named(self.alphabets.patterns, text[1:], field)
                forms += [
                    Form(
                        tuple(self.alphabets.characters(named.codes.get(c, c), ambiguous) for c in pattern),
                        (),
                        share,
                    )
                    for pattern, share in named.shares.items()
                ]
            else:
                for name in text.split():
                    if not name.startswith("'"):
                        self._named(self.alphabets.alphabets, name, field)
                forms.append(Form(tuple(self.alphabets.characters(name, ambiguous) for name in text.split())))
            self._need_some(forms, field, text)
        return tuple(forms)

    def _need_some(self, forms: list[Form], field: TextField, text: str) -> None:
        """Refuse what a form made of nothing: an empty list, alphabet or literal."""
        nothing = text.startswith("@") and not forms[-1].words
        if not forms or nothing or any(not slot for form in forms for slot in form.slots):
            where = f"{self.plate.file}: field {field.name}"
            raise UserError(f"{where}: {text!r} has no characters; mend {self.alphabets.file} or the form")

    def _named(self, known: Mapping[str, Value], name: str, field: TextField) -> Value:
        """A word list, pattern set or weights table of the alphabet file, told apart from a typing error."""
        if name not in known:
            hint = nearest(name, known)
            where = f"{self.plate.file}: field {field.name}"
            raise UserError(f"{where}: {self.alphabets.file} has no {name!r}; {hint}")
        return known[name]

    def _table(self, field: TextField) -> tuple[str, dict[str, str]] | None:
        names = [f.name for f in self.plate.fields]
        for earlier, table in field.table.items():
            if earlier not in names[: names.index(field.name)]:
                raise UserError(
                    f"{self.plate.file}: field {field.name}: table names {earlier!r}, no field before it"
                )
            if table not in self.alphabets.tables:
                hint = nearest(table, self.alphabets.tables)
                raise UserError(f"{self.plate.file}: field {field.name}: no table {table!r}; {hint}")
            return earlier, self.alphabets.tables[table]
        return None

    @staticmethod
    def _compile(forms: dict[str, tuple[Form, ...]]) -> re.Pattern[str]:
        groups = [f"(?P<{name}>{'|'.join(f.regex() for f in each)})" for name, each in forms.items()]
        return re.compile("".join(groups))

    # -- facts -------------------------------------------------------------------------------------

    def lengths(self) -> dict[str, set[int]]:
        """Every length each field can have."""
        return {name: set().union(*(f.lengths() for f in forms)) for name, forms in self.shown.items()}

    def characters(self, field: str, mode: str = "uniform") -> set[str]:
        """Every character a field can show, or with mode legal those an authority issues."""
        forms = self.legal[field] if mode == "legal" else self.shown[field]
        return {c for form in forms for part in (form.words or form.slots) for c in part}

    # -- reading -----------------------------------------------------------------------------------

    def parse(self, text: str) -> dict[str, str]:
        """The fields of a text this type can show, else a UserError with the reason."""
        folded = self.alphabets.fold(text)
        match = self._regex.fullmatch(folded)
        if match is None:
            raise UserError(f"{self.plate.id}: {text!r}: {self._why(folded)}")
        return match.groupdict()

    def problem(self, text: str, mode: str = "legal") -> str | None:
        """Why a text is not valid for the type, or None. Mode uniform asks only whether it can be shown."""
        folded = self.alphabets.fold(text)
        match = self._regex.fullmatch(folded)
        if match is None:
            return self._why(folded)
        return None if mode == "uniform" else self._illegal(folded, match.groupdict())

    def _illegal(self, folded: str, shown: dict[str, str]) -> str | None:
        match = self._legal_regex.fullmatch(folded)
        if match is None:
            for name, forms in self.legal.items():
                if not any(re.fullmatch(form.regex(), shown[name]) for form in forms):
                    return f"{name} {shown[name]!r} is never issued: {describe(forms)}"
            return "its parts are legal alone, not together"
        fields = match.groupdict()
        for name, table in self.tables.items():
            if table is not None:
                earlier, allowed = table
                if fields[name] not in allowed.get(fields[earlier], ""):
                    letters = allowed.get(fields[earlier], "none")
                    return f"{name} {fields[name]!r} is not issued in {fields[earlier]} (issued: {letters})"
        return None

    def _why(self, folded: str) -> str:
        """The first field that does not fit, found by matching ever shorter beginnings."""
        if not folded:
            return "the text is empty"
        everything = set().union(*(self.characters(name) for name in self.shown))
        for char in folded:
            if char not in everything:
                return f"character {char!r} is on no plate of this type"
        names = list(self.shown)
        for count in range(len(names) - 1, -1, -1):
            match = self._compile({n: self.shown[n] for n in names[:count]}).match(folded)
            if match is not None:
                rest, name = folded[match.end() :], names[count]
                expected = describe(self.shown[name])
                whole = re.match(f"(?:{'|'.join(f.regex() for f in self.shown[name])})", rest)
                if whole is not None and count == len(names) - 1:
                    return f"{rest[whole.end() :]!r} is left over after {name} {whole.group()!r}"
                return f"{name} {rest!r} does not fit: {expected}"
        return "does not fit"

    # -- sampling ----------------------------------------------------------------------------------

    def sample(self, mode: str, seed: int, ordinal: int) -> dict[str, str]:
        """Text number `ordinal` of this type as its fields; a pure function of its arguments."""
        if mode == "natural":
            return self._natural(seed, ordinal)
        if mode not in MODES:
            raise UserError(f"balance: unknown mode {mode!r}; {nearest(mode, MODES)}")
        fields: dict[str, str] = {}
        ordinals: dict[str, int] = {}
        for name, forms in (self.uniform if mode == "uniform" else self.legal).items():
            key = f"{self.plate.id}/{mode}/{name}"
            table = self.tables[name] if mode == "legal" else None
            if table is not None:
                earlier, allowed = table
                given = fields[earlier]
                fields[name], ordinals[name] = deal_one(
                    seed, f"{key}/{given}", ordinals[earlier], allowed[given]
                )
            else:
                fields[name], ordinals[name] = self._dealt(forms, key, seed, ordinal)
        return fields

    @staticmethod
    def _dealt(forms: tuple[Form, ...], key: str, seed: int, ordinal: int) -> tuple[str, int]:
        """A value of a field from exact decks, and which one of that value it is (for one-slot fields)."""
        number, which = deal(seed, key, ordinal, ones(len(forms))) if len(forms) > 1 else (0, ordinal)
        form = forms[number]
        if form.words:
            return deal_one(seed, f"{key}/{number}", which, form.words)
        if len(form.slots) == 1:
            return deal_one(seed, f"{key}/{number}/0", which, form.slots[0])
        chars = [
            deal_one(seed, f"{key}/{number}/{slot}", which, chars)[0] for slot, chars in enumerate(form.slots)
        ]
        return "".join(chars), which

    def _natural(self, seed: int, ordinal: int) -> dict[str, str]:
        """Real frequencies: forms by share, regions and first letters by weight, the rest evenly."""
        rng = rng_for(seed, ordinal, f"natural/{self.plate.id}")
        fields: dict[str, str] = {}
        for spec in self.plate.fields:
            forms = self.real[spec.name]
            form = forms[pick(rng.random(), tuple(f.share for f in forms))]
            weights = self.weights.get(spec.name, {})
            table = self.tables[spec.name]
            parts: tuple[str, ...] = form.slots or ("",)
            if table is not None:
                parts = (table[1][fields[table[0]]],)
            chosen = []
            for part in parts:
                values = form.words or part
                shares = tuple(weights.get(value, weights.get("default", 1.0)) for value in values)
                chosen.append(values[pick(rng.random(), shares)])
            fields[spec.name] = "".join(chosen)
        return fields


@functools.lru_cache(maxsize=1024)
def cumulative(shares: tuple[float, ...]) -> tuple[float, ...]:
    total, below = sum(shares), 0.0
    return tuple((below := below + share / total) for share in shares)


def pick(u: float, shares: tuple[float, ...]) -> int:
    """The number of the share that u, uniform in [0, 1), falls into."""
    return next((n for n, upper in enumerate(cumulative(shares)) if u < upper), len(shares) - 1)


def describe(forms: tuple[Form, ...]) -> str:
    """What a field may be, for an error message: `5 characters of 0-9A-Z`."""
    if forms[0].words:
        return f"one of {len(forms[0].words)} names such as {', '.join(forms[0].words[:3])}"
    shown = list(dict.fromkeys(" ".join(map(ranges, form.slots)) for form in forms))
    more = f" or {len(shown) - 3} more forms" if len(shown) > 3 else ""
    return "expected " + " or ".join(shown[:3]) + more


def ranges(chars: str) -> str:
    """`0123456789ABC` as [0-9A-C]."""
    codes = sorted(set(map(ord, chars)))
    runs: list[list[int]] = []
    for code in codes:
        if runs and runs[-1][1] == code - 1 and code < 0x3000:
            runs[-1][1] = code
        else:
            runs.append([code, code])
    parts = [
        chr(a) if a == b else f"{chr(a)}{chr(b)}" if b == a + 1 else f"{chr(a)}-{chr(b)}" for a, b in runs
    ]
    return "[" + "".join(parts) + "]"


@functools.cache
def grammar_of(name: str, ambiguous: bool = False) -> Grammar:
    """The grammar of a catalogue type."""
    from synth.catalogue import load_type
    from synth.charset import alphabets_of

    plate = load_type(name)
    return Grammar(plate, alphabets_of(plate), ambiguous)


def candidates(text: str, names: list[str] | tuple[str, ...]) -> list[tuple[str, bool]]:
    """The types that can show a text, and whether each could legally carry it; legal ones first."""
    found = []
    for name in names:
        grammar = grammar_of(name)
        if grammar.problem(text, "uniform") is None:
            found.append((name, grammar.problem(text) is None))
    return sorted(found, key=lambda item: not item[1])
