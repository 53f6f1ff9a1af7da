"""The numbers of README and cards: measured by our commands, kept as JSON, shown between marks in the text.

python docs/cards.py measure REAL      # REAL has ccpd/ and street/, each with labels.tsv; then shows
python docs/cards.py proof REPORT      # takes a report.json of plate-benchmark as docs/benchmark/; then shows
python docs/cards.py row REAL          # reads the bundled reader's row of that report again; then shows
python docs/cards.py show              # writes the JSON's numbers into the text again

`measure REAL reader` (or speed, generator, editor) measures one of them; `speed` is the reader's on this kind
of processor, kept when other weights of the same network are measured. The text has `<!-- numbers: NAME -->`
before and `<!-- end -->` after what is written here; tests/test_cards.py fails where text, JSON and weights
disagree.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from statistics import fmean
from typing import Any

from kept import EDITOR, GENERATOR, READER, ROOT, UNKNOWN, lines_of, loaded
from measures import DRAWN_SETS, REAL_SETS, TIMED, measure
from proven import proof, read_again, take

from gan.evaluate import table as generator_table
from gan.evaluate_edit import table as editor_table
from recognizer.proof.report import percent
from synth.catalogue import load_type

PAGES = [ROOT / "README.md", ROOT / "recognizer/weights/README.md", ROOT / "gan/weights/README.md"]

# Measured elsewhere: on other CCPD crops, cut and scaled alike, and on these street crops.
OTHERS = [
    ("LPRNet", "real plates", "89.5 %", "54.3 %"),
    ("CRNN, small and large", "real plates", "91.4, 94.9 %", ""),
    ("PP-OCRv4", "general text", "98.2 %", "99.6 %"),
    ("the best trained on CCPD", "real plates", "98.8 %", ""),
]
KINDS = {"all": "all", "jp": "Japanese"}
Block = Callable[[], Iterator[str]]


def title(name: str) -> str:
    """What a set is called in the tables."""
    if name in REAL_SETS:
        return REAL_SETS[name]
    types, camera, _ = DRAWN_SETS[name]
    return f"captures, `capture={camera}`, {KINDS[types]} types"


def exact(found: Mapping[str, Any]) -> str:
    low, high = found["exact_ci"]
    return f"{percent(found['exact'])} % ({100 * low:.1f} to {100 * high:.1f})"


def rivals() -> Iterator[str]:
    """The bundled reader beside readers of others."""
    sets = loaded(READER)["sets"]
    ours = ("**the bundled reader**", "synthetic plates alone", exact(sets["ccpd"]), exact(sets["street"]))
    yield from lines_of(["exact plates", "learnt from", *REAL_SETS.values()], [ours, *OTHERS])


def reader() -> Iterator[str]:
    """The sets of the reader's card."""
    found = loaded(READER)
    rows = [
        [
            title(name),
            str(one["plates"]),
            exact(one),
            f"{percent(one['exact_without_region'])} %",
            f"{percent(one['characters'])} %",
            f"{percent(one['type'])} %",
        ]
        for name, one in found["sets"].items()
    ]
    yield from lines_of(["set", "plates", "exact", "without province", "characters", "type"], rows)
    colours = found["sets"]["street"]["by_type"].items()
    yield from (
        "",
        "Street crops by colour: " + ", ".join(f"{name} {percent(x)} %" for name, x in colours) + ".",
    )
    yield from ("", *told_of_hard(found["sets"]), "")
    for processor, taken in found["speed"].items():
        told = ", ".join(f"{ms:.2f} ms at batch {size}" for size, ms in taken["cpu_ms"].items())
        yield f"CPU time a plate, ONNX, one core with {processor}: {told} (at commit {taken['commit']})."
        yield ""
    yield from (f"Measured at commit {found['commit']}:", "", "```bash")
    yield from (line for one in found["sets"].values() for line in one["command"].split(" && "))
    yield TIMED
    yield "```"


def told_of_hard(sets: Mapping[str, Any]) -> Iterator[str]:
    """Rows and fields of what is hardest to read."""
    rows: dict[bool, list[float]] = {False: [], True: []}
    for name, share in sets["hard"]["by_type"].items():
        rows[len(load_type(name).rows) > 1].append(share)
    one, two = (percent(fmean(rows[many])) for many in (False, True))
    yield f"`capture=hard`, means over types: one row {one} %, two rows {two} %."
    fields = (f"{name} {percent(share)} %" for name, share in sets["hard_jp"]["by_field"].items())
    yield "Fields of the Japanese ones: " + ", ".join(fields) + "."


def generator() -> Iterator[str]:
    """What plate-evaluate-gan prints."""
    return printed(GENERATOR, generator_table)


def editor() -> Iterator[str]:
    """What plate-evaluate-edit prints."""
    return printed(EDITOR, editor_table)


def printed(metrics: Path, table: Callable[[dict[str, Any]], str]) -> Iterator[str]:
    if not metrics.exists():
        yield UNKNOWN
        return
    found = loaded(metrics)
    yield from table(found["report"]).splitlines()
    yield from ("", f"`{found['command']}`, measured at commit {found['commit']}.")


BLOCKS: dict[str, Block] = {
    "rivals": rivals,
    "reader": reader,
    "generator": generator,
    "editor": editor,
    "proof": proof,
}
MARKED = re.compile(r"(<!-- numbers: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def filled(text: str, blocks: Mapping[str, Block] = BLOCKS) -> str:
    """The text with what lies between its marks written anew."""
    return MARKED.sub(lambda m: f"{m[1]}\n" + "\n".join(blocks[m[2]]()) + f"\n\n{m[3]}", text)


def show() -> None:
    """Write the numbers into the pages."""
    for page in PAGES:
        page.write_text(filled(page.read_text("utf-8")), "utf-8")


def main() -> None:
    match sys.argv[1:]:
        case ["measure", real, *what] if set(what) <= {"reader", "speed", "generator", "editor"}:
            measure(Path(real).resolve(), *what)
        case ["proof", report]:
            take(Path(report))
        case ["row", real]:
            read_again(Path(real).resolve())
        case ["show"]:
            pass
        case _:
            sys.exit(__doc__)
    show()


if __name__ == "__main__":
    main()
