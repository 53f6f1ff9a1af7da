"""The plots of the report as PNG; matplotlib is an extra."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from io import BytesIO
from typing import Any

from recognizer.proof.report import good_rows, real_names, titled
from synth.dataset.optional import need

DPI = 130
Errors = tuple[list[float], list[float]]


def plots(report: Mapping[str, Any]) -> Iterator[tuple[str, bytes]]:
    """(title, PNG) of every plot there is something to show in."""
    if good_rows(report):
        yield "Synthetic and real", scores_plot(report)
        yield "By position", position_plot(report)
    yield from (
        (f"Few real crops: {one['name']}", scarcity_plot(report["scarcity"], one["name"]))
        for one in report["scarcity"].get("sets", [])
    )


def figure(width: float, height: float) -> tuple[Any, Any]:
    """A figure of its own, without pyplot's global state."""
    need("matplotlib", "benchmark")
    from matplotlib.figure import Figure

    made = Figure((width, height), layout="constrained")
    axes = made.subplots()
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", alpha=0.3)
    return made, axes


def png(made: Any) -> bytes:
    content = BytesIO()
    made.savefig(content, format="png", dpi=DPI)
    return content.getvalue()


def errors_of(found: Sequence[Mapping[str, Any]]) -> Errors:
    """Below and above, in percent; rounding may put a mean a hair outside its interval."""
    below = [max(100 * (one["exact"] - one["exact_ci"][0]), 0.0) for one in found]
    return below, [max(100 * (one["exact_ci"][1] - one["exact"]), 0.0) for one in found]


def scores_plot(report: Mapping[str, Any]) -> bytes:
    """A group of bars a reader: its synthetic score, then the real ones."""
    rows, names = good_rows(report), real_names(report)
    made, axes = figure(max(6.0, 1.1 * len(rows) + 2), 4.2)
    wide = 0.8 / (len(names) + 1)
    for number, name in enumerate(["synthetic", *names]):
        found = [row["sets"][row["own"] if number == 0 else name] for row in rows]
        places = [place + (number - len(names) / 2) * wide for place in range(len(rows))]
        heights = [100 * one["exact"] for one in found]
        colour = "0.75" if number == 0 else f"C{number - 1}"
        axes.bar(places, heights, wide, yerr=errors_of(found), label=name, color=colour, capsize=2)
    axes.set_xticks(range(len(rows)), ["\n".join(titled(row)) for row in rows], fontsize=8)
    axes.set_ylabel("exact plates, %")
    axes.set_ylim(0, 100)
    axes.legend(frameon=False, fontsize=8, loc="upper left", bbox_to_anchor=(1, 1))
    return png(made)


def position_plot(report: Mapping[str, Any]) -> bytes:
    """Characters right at each position, on the first real set or on each reader's own plates."""
    made, axes = figure(7, 4)
    names = real_names(report)
    for row in good_rows(report):
        shares = row["sets"][names[0] if names else row["own"]]["by_position"]
        places = [int(place) for place in shares]
        axes.plot(places, [100 * s for s in shares.values()], marker="o", ms=3, label=" ".join(titled(row)))
    axes.set_xlabel(f"position on the plate ({names[0] if names else 'synthetic'})")
    axes.set_ylabel("characters right, %")
    axes.set_ylim(0, 102)
    axes.legend(frameon=False, fontsize=7, loc="upper left", bbox_to_anchor=(1, 1))
    return png(made)


def scarcity_plot(curve: Mapping[str, Any], name: str) -> bytes:
    """Exact plates over the number of real crops, with and without synthetic ones."""
    made, axes = figure(6, 4)
    for synthetic, label, colour in ((True, "with our plates", "C0"), (False, "real crops alone", "C1")):
        points = [p for p in curve["points"] if p["synthetic"] == synthetic and p["sets"]]
        found = [point["sets"][name] for point in points]
        crops, heights = [point["crops"] for point in points], [100 * one["exact"] for one in found]
        if found:
            axes.errorbar(
                crops, heights, yerr=errors_of(found), marker="o", capsize=3, label=label, color=colour
            )
    axes.set_xlabel("real crops for training")
    axes.set_ylabel(f"exact plates of {name}, %")
    axes.set_ylim(0, 100)
    axes.legend(frameon=False)
    return png(made)
