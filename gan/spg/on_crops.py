"""An editor on real crops, which have no true edit: what is read, how real it looks, its style."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from gan.batches import as_input, planes_of
from gan.features import Features, features
from gan.outline import condition
from gan.outside import alphabet_of, the_judge
from gan.pairs import Pairs
from gan.protocol import at_size, shares
from gan.scores import fid, kid
from gan.sight import fitted
from gan.spg.editor import Edited, Task, task_of
from gan.spg.ground import shadow
from gan.spg.probe import Numbers, beside, probe
from gan.spg.rendered import new_fields
from gan.spg.residue import still_read
from synth.catalogue import load_type
from synth.grammar import grammar_of
from synth.sample import Image

TWICE = 2  # the size at which traces are looked for, for that of the crops: ground beside small characters


def tasks_of(pairs: Pairs, draws: int, seed: int) -> list[Task]:
    """Every crop `draws` times, each time with another legal text that none of the crops has."""
    taken = frozenset(pairs.texts)
    found: list[Task] = []
    for turn in range(draws):
        for index in range(len(pairs)):
            own = pairs.alignment(index)
            rng = np.random.default_rng((seed, turn, index))
            fields = new_fields(grammar_of(own.plate.type.id), own.plate.fields, rng, "legal", taken)
            found.append(task_of(pairs.crops[index], own, "".join(fields.values())))
    return found


def exchanged(pairs: Pairs, draws: int, seed: int) -> list[Task]:
    """Every crop `draws` times with the text of another one: together they show the very texts of the crops.

    Features of a reader depend on what is read; here they do not tell edits from crops by their numbers.
    """
    alike: dict[tuple[str | int, ...], list[int]] = {}
    for index in range(len(pairs)):
        plate = pairs.alignment(index).plate
        alike.setdefault((plate.type.id, *map(len, plate.fields.values())), []).append(index)
    found: list[Task] = []
    for turn in range(draws):
        rng = np.random.default_rng((seed, turn, len(pairs)))
        for group in alike.values():
            mixed = rng.permutation(group)
            for crop, other in zip(mixed, np.roll(mixed, 1), strict=True):
                if pairs.texts[crop] != pairs.texts[other]:
                    found.append(task_of(pairs.crops[crop], pairs.alignment(crop), pairs.texts[other]))
    return found


@dataclass(frozen=True)
class Shown:
    """Pictures that are to show some texts, and what stood there before."""

    pictures: Sequence[Image]
    texts: Sequence[str]
    old: Sequence[str]
    types: Sequence[str]


def shown_by(tasks: Sequence[Task], pictures: Sequence[Image]) -> Shown:
    old = ["".join(task.found.plate.fields.values()) for task in tasks]
    texts = ["".join(task.plate.fields.values()) for task in tasks]
    return Shown(pictures, texts, old, [task.plate.type.id for task in tasks])


def reading(shown: Shown) -> dict[str, float]:
    """The outside reader on plates of one row: texts read exactly, characters, old texts still read."""
    said: list[tuple[str, str]] = []
    left = 0
    for name in dict.fromkeys(shown.types):
        if len(load_type(name).rows) != 1:
            continue
        mine = [n for n, other in enumerate(shown.types) if other == name]
        read = the_judge().read([shown.pictures[n] for n in mine], alphabet_of(name))
        said += [(shown.texts[n], text) for n, text in zip(mine, read, strict=True)]
        left += sum(still_read(shown.old[n], text) for n, text in zip(mine, read, strict=True))
    return {**shares(said), "old_text": left / len(said)} if said else {}


def distance(known: Features, pictures: Sequence[Image], seed: int) -> dict[str, float]:
    """FID and KID of pictures against crops whose features are known."""
    seen = features(pictures)
    found = kid(known, seen, seed)
    return {"fid": fid(known, seen), "kid": found.value, "kid_deviation": found.deviation}


def trace(tasks: Sequence[Task], pictures: Sequence[Image]) -> float:
    """How deep the old characters show on the new ground, in shares of their contrast before; a mean.

    An edit that never saw them has some too: whatever slopes by chance the way they did.
    """
    found = []
    for task, picture in zip(tasks, pictures, strict=True):
        height, width = (TWICE * side for side in task.found.size)
        larger = np.diag((TWICE, TWICE, 1.0)) @ task.found.homography
        own, asked = (
            as_input(planes_of([condition(plate, larger, (height, width))]))
            for plate in (task.found.plate, task.plate)
        )
        before, after = (as_input(planes_of([fitted(x, (height, width))])) for x in (task.crop, picture))
        found.append(float(shadow(after, asked, before, own)))
    return float(np.mean(found))


def scores(
    tasks: Sequence[Task], sets: dict[str, list[Image]], held_out: Pairs, train: Pairs, seed: int
) -> dict[str, dict[str, float]]:
    """A row a set of edited crops, and one of the held-out crops' own texts and of training crops."""
    size = tasks[0].crop.shape[1::-1]
    known = features(at_size(held_out.crops, size))
    report = {
        name: {
            **reading(shown_by(tasks, pictures)),
            "trace": trace(tasks, pictures),
            **distance(known, at_size(pictures, size), seed),
        }
        for name, pictures in sets.items()
    }
    own = Shown(held_out.crops, held_out.texts, [""] * len(held_out), held_out.types)
    report["held-out crops"] = reading(own)
    report["training crops"] = distance(known, at_size(train.crops, size), seed)
    return report


def distances(sets: dict[str, list[Image]], held_out: Pairs, seed: int) -> dict[str, dict[str, float]]:
    """FID and KID of each set against the held-out crops."""
    size = held_out.crops[0].shape[1::-1]
    known = features(at_size(held_out.crops, size))
    return {name: distance(known, at_size(pictures, size), seed) for name, pictures in sets.items()}


@dataclass(frozen=True)
class Probed:
    """Numbers of `gan.spg.probe`, one a task."""

    steps: list[Numbers]  # from a crop to its edit, each on its own ground
    crops: list[Numbers]
    free: list[Numbers]  # from a crop to its edit, on the ground free of both texts


def probes(tasks: Sequence[Task], edited: Sequence[Edited]) -> Probed:
    """How far each edit's style is from its crop's, and the crops' own styles."""
    found = Probed([], [], [])
    for task, done in zip(tasks, edited, strict=True):
        lay, size = task.found.homography, task.found.size
        own, asked = condition(task.found.plate, lay, size), condition(task.plate, lay, size)
        before = probe(task.crop, own)
        found.steps.append(probe(done.image, asked) - before)
        found.crops.append(before)
        found.free.append(beside(task.crop, done.image, own, asked))
    return found


def speed(edit: Callable[[Sequence[Task]], list[Edited]], tasks: Sequence[Task], rounds: int = 3) -> float:
    """Plates a second of one core's own time, whatever else it does: the best of some rounds over a batch."""
    part, best = tasks[:64], 0.0
    for _ in range(rounds):
        begun = time.process_time()
        edit(part)
        best = max(best, len(part) / (time.process_time() - begun))
    return best
