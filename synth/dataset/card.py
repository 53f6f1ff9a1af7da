"""card.md: what a data set is, how it was made, and that no plate in it is real."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from synth.dataset.manifest import Manifest
from synth.dataset.mark import EDITING
from synth.dataset.stats import widest_spread


def card_text(
    manifest: Manifest,
    config: Mapping[str, Any],
    balance: Mapping[str, Any],
    command: str = "",
    licence: str = "MIT",
) -> str:
    """The Markdown text; `config` is the whole configuration, `balance` a summary of `Balance`."""
    types = [
        f"| {name} | {kind['count']} | {len(kind['slots'])} | {_spread(kind)} |"
        for name, kind in balance["by_type"].items()
    ]
    splits = ", ".join(f"{name} {count}" for name, count in manifest.splits.items())
    made = ["```", command, "```", ""] if command else []
    settings = [f"| {key} | {value} |" for key, value in shown(config).items()]
    return "\n".join(
        [
            "# Synthetic licence plates",
            "",
            f"{manifest.total} pictures of licence plates ({splits}), format `{manifest.format}`.",
            "",
            *about(config),
            "A number may by chance be one that exists. Each JPEG says what it is in a comment.",
            "",
            "## How it was made",
            "",
            f"Platesmith {manifest.version}, configuration `{manifest.config_sha}`, "
            f"contents `{manifest.digest[:16]}`:",
            "",
            *made,
            "| key | value |",
            "|---|---|",
            *settings,
            "",
            "`config.yaml` has every key.",
            "",
            "## Balance",
            "",
            f"{len(types)} types; largest minus smallest count: "
            f"types {balance['types']['spread']}, regions {balance['regions']['spread']}, "
            f"characters of one slot, of those that occur, at most {widest_spread(balance)}. "
            "All counts are in `balance.json`, drawn in `balance.png`.",
            "",
            "| type | pictures | slots | widest spread of a slot |",
            "|---|---|---|---|",
            *types,
            "",
            *legibility(balance.get("checks", {})),
            "## Licence",
            "",
            f"{licence}, as the generator. The labels are exact; use them to train and test",
            "licence-plate readers, and say in your results that the pictures are synthetic.",
            "",
        ]
    )


def about(config: Mapping[str, Any]) -> list[str]:
    """What the pictures are: computed, or pictures of the user's with other numbers."""
    if not edits(config.get("stages")):
        return [
            "**Every plate here is synthetic.** The numbers are drawn at random, the pictures are computed;",
            "none is a photograph of a vehicle.",
        ]
    return [
        "**Every number here is synthetic**, drawn at random. Some or all of the pictures are those of",
        "a folder that was given, with such a number put on them; they may be photographs of vehicles.",
    ]


def edits(stages: Any) -> bool:
    """Whether the stage that edits given pictures is among these, or in one of them."""
    return isinstance(stages, Mapping) and (EDITING in stages or any(map(edits, stages.values())))


def shown(config: Mapping[str, Any]) -> dict[str, str]:
    """The keys that say what is in the set, for people; of the stages their names."""
    whole = {
        "plates": ", ".join(config.get("plates", {}).get("types", [])),
        "balance": config.get("balance", {}).get("mode", ""),
        "ambiguous": "I and O too" if config.get("balance", {}).get("ambiguous") else "",
        "stages": ", ".join(["template", *(config.get("stages") or {})]),
        "split": ", ".join(f"{name} {share:g}" for name, share in config.get("split", {}).items()),
    }
    plain = {key: value for key, value in config.items() if isinstance(value, str | int | float)}
    return {**{key: value for key, value in whole.items() if value}, **{k: str(v) for k, v in plain.items()}}


def legibility(checks: Mapping[str, int]) -> list[str]:
    """What stages found of the pictures' legibility, if any looked."""
    found = []
    if count := checks.get("checked", 0):
        again, wrong = checks["redrawn"] / count, checks["misread"] / count
        found += [
            f"The bundled reader read the {count} easy pictures (seen from the front, no character cut).",
            f"{again:.1%} were read wrongly and drawn again in another style, at most twice; "
            f"{wrong:.1%} are still read wrongly.",
        ]
    if count := checks.get("again", 0):
        found += [
            f"{count} captures were taken again, because a character could not be seen "
            f"(`capture.legibility_floor`); in {checks['hidden']} one still cannot.",
        ]
    return ["## Legibility", "", *found, ""] if found else []


def _spread(kind: Mapping[str, Any]) -> int:
    return max((slot["spread"] for slot in kind["slots"].values()), default=0)
