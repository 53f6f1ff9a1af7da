"""What is known of a labelled picture, and a reading counted against it."""

from __future__ import annotations

import functools

from recognizer.decoding import fields_of
from recognizer.metrics import Metrics
from synth.catalogue import load_type, type_names
from synth.dataset.picture import Labelled

ANY = ("single", "")  # type names that say nothing: the colour says more


def group_of(item: Labelled) -> str:
    """What a plate is counted under in `by_type`: its type, or its colour where the type says nothing."""
    return item.colour if item.type in ANY and item.colour else item.type or "unknown"


@functools.cache
def types_named(name: str) -> frozenset[str]:
    """The catalogue types that a data set's word may mean: id, its last part, or the label."""
    return frozenset(n for n in type_names() if name in (n, n.split("/")[1], load_type(n).label))


def type_of(item: Labelled) -> str:
    """The one catalogue type that a picture's word means; its own word where it is none or several."""
    meant = types_named(group_of(item))
    return next(iter(meant)) if len(meant) == 1 else item.type


def true_fields(item: Labelled, group: str, read_type: str) -> dict[str, str]:
    """The fields of the true text, in its order: as a type shows it, the likely ones tried first."""
    for name in dict.fromkeys([*sorted(types_named(group)), read_type, *type_names()]):
        if found := fields_of(item.text, name):
            return {key: value for key, value in found.items() if value}
    return dict(item.fields) if "".join(item.fields.values()) == item.text else {}


def count(
    metrics: Metrics, item: Labelled, text: str, read_type: str | None, confidence: float | None
) -> None:
    """Add a reading; readers that tell neither type nor confidence are asked for neither."""
    group = group_of(item)
    lengths = {name: len(value) for name, value in true_fields(item, group, read_type or "").items()}
    meant = types_named(group)
    type_right = read_type in meant if read_type is not None and meant else None
    metrics.update(item.text, text, group, 1, lengths, type_right, confidence)
