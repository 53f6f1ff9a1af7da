"""Is a data set sound? Broken pictures, bad labels, repeats, leaks between splits, odd sizes and quads."""

from __future__ import annotations

import hashlib
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from synth.dataset.mark import is_whole
from synth.dataset.picture import Labelled, Problem, decode
from synth.dataset.sources import detect, stream
from synth.dataset.stats import Balance, widest_spread

CheckText = Callable[[str, str], str | None]  # (text, type) -> what is wrong with it

LENGTHS = range(3, 15)
ODD = 4.0  # times larger or smaller than the median is an odd size
TINY_PX = 6
SLACK = 0.6  # of the picture: a tight crop cuts to the text and leaves the plate's corners outside
CHINESE = frozenset(
    "京津冀晋蒙辽吉黑沪苏浙皖闽赣鲁豫鄂湘粤桂琼渝川贵云藏陕甘青宁新港澳挂学领使临警试超应急民航"
)


@dataclass(frozen=True)
class Report:
    """What was found; `problems` has every single one."""

    source: str
    pictures: int
    problems: list[Problem]
    texts: int  # different ones
    sizes: dict[str, int]  # "94x24": 500, the most frequent first
    balance: dict[str, Any]

    @property
    def ok(self) -> bool:
        return not self.problems

    @property
    def counts(self) -> dict[str, int]:
        """Problems by kind."""
        return dict(Counter(problem.kind for problem in self.problems).most_common())

    @property
    def duplicates(self) -> int:
        return self.counts.get("duplicate", 0)

    def text(self, shown: int = 5) -> str:
        """For a terminal: the facts, then each kind of problem with its first cases."""
        size = ", ".join(f"{name} ({count})" for name, count in list(self.sizes.items())[:4])
        out = [
            f"{self.pictures} pictures read as {self.source}, {self.texts} texts, "
            f"splits {self.balance['splits']}",
            f"sizes: {size}",
            f"{self._types()}; widest spread of a slot {widest_spread(self.balance)}",
        ]
        for kind, count in self.counts.items():
            cases = [str(problem) for problem in self.problems if problem.kind == kind][:shown]
            out.append(f"{kind}: {count}")
            out += [f"  {case}" for case in cases]
        return "\n".join([*out, "no problems" if self.ok else f"{len(self.problems)} problems"])

    def _types(self) -> str:
        types = self.balance["types"]
        if list(types["counts"]) == [""]:
            return f"no types: this {self.source} set names none"
        return f"{types['distinct']} types, {types['min']} to {types['max']} pictures each"

    def to_dict(self) -> dict[str, Any]:
        problems = [{"where": p.where, "kind": p.kind, "message": p.message} for p in self.problems]
        return {
            "source": self.source,
            "pictures": self.pictures,
            "texts": self.texts,
            "ok": self.ok,
            "counts": self.counts,
            "sizes": self.sizes,
            "balance": self.balance,
            "problems": problems,
        }


def validate(
    path: str | Path,
    source: str | None = None,
    check_text: CheckText | None = None,
    progress: Callable[[int], None] | None = None,
) -> Report:
    """Read every picture of a data set once; `source` is guessed when it is not given."""
    path = Path(path)
    name = source or detect(path)
    checker = Checker(check_text or plausible)
    problems: list[Problem] = []
    for number, found in enumerate(stream(name, path), 1):
        problems.extend([found] if isinstance(found, Problem) else checker.check(found))
        if progress:
            progress(number)
    problems.extend(checker.at_the_end())
    if not checker.count and not problems:
        problems.append(Problem(str(path), "missing", f"no picture found as source={name}"))
    sizes = Counter(f"{width}x{height}" for width, height in checker.sizes)
    return Report(
        source=name,
        pictures=checker.count,
        problems=problems,
        texts=len(checker.texts),
        sizes=dict(sizes.most_common()),
        balance=checker.balance.summary(),
    )


@dataclass
class Checker:
    """What has to be remembered from picture to picture."""

    check_text: CheckText
    count: int = 0
    balance: Balance = field(default_factory=Balance)
    texts: dict[str, tuple[str, str]] = field(
        default_factory=dict
    )  # text -> split and place of its first picture
    names: set[str] = field(default_factory=set)
    hashes: dict[bytes, str] = field(default_factory=dict)
    sizes: list[tuple[int, int]] = field(default_factory=list)
    places: list[str] = field(default_factory=list)  # of the sizes

    def check(self, item: Labelled) -> Iterator[Problem]:
        """Everything that can be said about one picture at once."""
        self.count += 1
        self.balance.update(item)
        why = self.check_text(item.text, item.type)
        if why:
            yield Problem(item.where, "text", f"{item.text!r}: {why}")
        if item.name in self.names:
            yield Problem(item.where, "repeated", f"{item.name} is listed twice")
        self.names.add(item.name)
        yield from self._leak(item)
        yield from self._picture(item)

    def at_the_end(self) -> Iterator[Problem]:
        """What needs all pictures: sizes far from the median."""
        if not self.sizes:
            return
        sizes = np.array(self.sizes, np.float64)
        ratio = sizes / np.median(sizes, axis=0)
        for at in np.flatnonzero(
            ((ratio > ODD) | (ratio < 1 / ODD)).any(axis=1) | (sizes < TINY_PX).any(axis=1)
        ):
            width, height = self.sizes[at]
            yield Problem(self.places[at], "size", f"{width}x{height} is far from the others")

    def _leak(self, item: Labelled) -> Iterator[Problem]:
        split, where = self.texts.setdefault(item.text, (item.split, item.where))
        if split != item.split:
            yield Problem(item.where, "leak", f"{item.text} is in {item.split} and in {split} ({where})")

    def _picture(self, item: Labelled) -> Iterator[Problem]:
        try:
            content = item.blob.read()
        except OSError as error:
            yield Problem(item.where, "picture", f"{item.name} cannot be read ({error.strerror or error})")
            return
        image = decode(content)
        if image is None or not is_whole(content):
            what = "cut off" if content and not is_whole(content) else "not a picture"
            yield Problem(item.where, "picture", f"{item.name} is {what}")
            return
        digest = hashlib.blake2b(content, digest_size=16).digest()
        first = self.hashes.setdefault(digest, item.name)
        if first != item.name:
            yield Problem(item.where, "duplicate", f"{item.name} is the same picture as {first}")
        height, width = image.shape[:2]
        self.sizes.append((width, height))
        self.places.append(item.where)
        yield from quad_problems(item, width, height)


def quad_problems(item: Labelled, width: int, height: int) -> Iterator[Problem]:
    """A quad far outside the picture, folded over, or without area."""
    if item.quad is None:
        return
    low, high = item.quad.min(axis=0), item.quad.max(axis=0)
    slack = np.array([width, height]) * SLACK + 1
    if (
        not np.isfinite(item.quad).all()
        or (low < -slack).any()
        or (high > np.array([width, height]) + slack).any()
    ):
        yield Problem(
            item.where, "quad", f"{item.name}: the plate's corners lie outside the picture {width}x{height}"
        )
    elif cv2.contourArea(item.quad) < 4 or not cv2.isContourConvex(item.quad):
        yield Problem(item.where, "quad", f"{item.name}: the plate's corners make no quadrangle")


def plausible(text: str, type_name: str = "") -> str | None:
    """What is wrong with a text, judged without its type's grammar: empty, odd length, alien characters."""
    if not text:
        return "empty"
    if len(text) not in LENGTHS:
        return f"{len(text)} characters"
    japanese = type_name.startswith("jp") or any("\u3041" <= c <= "\u309f" for c in text)
    alien = [c for c in text if not _known(c, japanese)]
    return f"{alien[0]!r} stands on no plate" if alien else None


def _known(character: str, japanese: bool) -> bool:
    if character.isascii():
        return character.isdigit() or character.isupper()
    if character in CHINESE:
        return True
    return japanese and unicodedata.name(character, "").startswith(("CJK UNIFIED", "HIRAGANA", "KATAKANA"))
