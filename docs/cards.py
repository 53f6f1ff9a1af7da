"""The numbers of README and cards: measured by our commands, kept as JSON, shown between marks in the text.

python docs/cards.py measure REAL      # REAL has ccpd/ and street/, each with labels.tsv; then shows
python docs/cards.py proof REPORT      # takes the table of a report.json of plate-benchmark; then shows
python docs/cards.py show              # writes the JSON's numbers into the text again

`measure REAL reader` (or generator, or editor) measures one of them. The text has `<!-- numbers: NAME -->`
before and `<!-- end -->` after what is written here; tests/test_cards.py fails where text, JSON and weights
disagree.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from gan.evaluate import table as generator_table
from gan.evaluate_edit import table as editor_table
from recognizer.proof.cache import file_digest
from recognizer.proof.made import commit
from recognizer.proof.report import Table, main_table, paired_table

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", ROOT / "recognizer/weights/README.md", ROOT / "gan/weights/README.md"]
READER = ROOT / "recognizer/weights/metrics.json"
GENERATOR = ROOT / "gan/weights/metrics.json"
EDITOR = ROOT / "gan/weights/spg.json"
WEIGHTS = {READER: "plates.*", GENERATOR: "pix2pix.*", EDITOR: "spg.safetensors"}  # what the numbers are of
PROOF = ROOT / "docs/proof.json"

CCPD, STREET = "CCPD crops, 94x24", "street crops, 136x36"
SETS = {"ccpd": CCPD, "street": STREET} | {
    name: f"captures, `capture={name}`, all types" for name in ("default", "hard")
}
READ = "python -m recognizer.evaluate source={source} source.path={path}"
MAKE = "python -m synth.generate plates=all stages=capture capture={name} count=1500 seed=90 out={name}"
DRAWN = "python -m gan.evaluate source.path=ccpd"
TIMED = "python -m recognizer.evaluate source.path=street backend=onnx threads=1"
EDITED = "python -m gan.evaluate_edit source.path=ccpd precision=auto"
KEPT = ("plates", "exact", "exact_ci", "exact_without_region", "characters", "type", "by_type")
SCORE = ("plates", "exact", "exact_ci", "gap", "gap_ci")

# Measured elsewhere: on other CCPD crops, cut and scaled alike, and on these street crops.
OTHERS = [
    ("LPRNet", "real plates", "89.5 %", "54.3 %"),
    ("CRNN, small and large", "real plates", "91.4, 94.9 %", ""),
    ("PP-OCRv4", "general text", "98.2 %", "99.6 %"),
    ("the best trained on CCPD", "real plates", "98.8 %", ""),
]
UNKNOWN = "Not measured for these weights yet."
Block = Callable[[], Iterator[str]]


def loaded(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return found


def kept(path: Path, content: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", "utf-8")


def weights_of(metrics: Path) -> dict[str, str]:
    """The digests of the weights that these numbers are of."""
    files = sorted(path for path in metrics.parent.glob(WEIGHTS[metrics]) if path != metrics)
    return {path.name: file_digest(path) for path in files}


def ran(command: str, folder: Path) -> None:
    """Run one of our commands in a folder."""
    print(command, file=sys.stderr, flush=True)
    words = [sys.executable, *shlex.split(command)[1:]]
    paths = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    subprocess.run(words, cwd=folder, env={**os.environ, "PYTHONPATH": paths}, check=True, stdout=sys.stderr)


def measured(command: str, folder: Path) -> dict[str, Any]:
    """What an evaluation writes into metrics.json."""
    with tempfile.TemporaryDirectory() as out:
        ran(f"{command} out={shlex.quote(out)}", folder)
        return loaded(Path(out) / "metrics.json")


def read_by_reader(name: str, real: Path) -> dict[str, Any]:
    """The bundled reader on a set: a real one of the folder `real`, or captures made for it."""
    if (real / name).is_dir():
        command = READ.format(source="labelled", path=name)
        return {"command": command, **only(measured(command, real), KEPT)}
    with tempfile.TemporaryDirectory() as folder:
        make, command = MAKE.format(name=name), READ.format(source="folder", path=name)
        ran(make, Path(folder))
        return {"command": f"{make} && {command}", **only(measured(command, Path(folder)), KEPT)}


def only(found: Mapping[str, Any], keys: Sequence[str]) -> dict[str, Any]:
    return {key: found[key] for key in keys if key in found}


def measure(real: Path, *what: str) -> None:
    """Measure the bundled weights and keep what was found beside them."""
    if "reader" in (what or ("reader",)):
        sets = {name: read_by_reader(name, real) for name in SETS}
        speed = {"command": TIMED, **only(measured(TIMED, real), ("cpu_ms",))}
        kept(READER, {"commit": commit(), "weights": weights_of(READER), "sets": sets, "speed": speed})
    for name, metrics, command in (("generator", GENERATOR, DRAWN), ("editor", EDITOR, EDITED)):
        if name in (what or (name,)):
            report = measured(command, real)
            made = {"command": command, "commit": commit(), "weights": weights_of(metrics)}
            kept(metrics, {**made, "report": report})


def take(report_file: Path) -> None:
    """Keep of a benchmark's report what the README shows; folders are named, not where they lie."""
    report = loaded(report_file)
    command = re.sub(r"=\S*/(?=[^/\s])", "=", report["made"]["command"])
    rows = {
        key: [
            {**row, "sets": {name: only(found, SCORE) for name, found in row["sets"].items()}}
            for row in report[key]
        ]
        for key in ("rows", "readers")
    }
    made = {"command": command, "commit": report["made"]["commit"], "images": report["config"]["images"]}
    same = only(report, ("sets", "reference", "baseline", "paired"))
    kept(PROOF, {"made": made, **same, **rows})


def percent(share: float, digits: int = 1) -> str:
    return f"{100 * share:.{digits}f} %"


def exact(found: Mapping[str, Any]) -> str:
    low, high = found["exact_ci"]
    return f"{percent(found['exact'])} ({100 * low:.1f} to {100 * high:.1f})"


def lines_of(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """A table in Markdown."""
    return ["| " + " | ".join(row) + " |" for row in (head, ["---"] * len(head), *rows)]


def rivals() -> Iterator[str]:
    """The bundled reader beside readers of others."""
    sets = loaded(READER)["sets"]
    ours = ("**the bundled reader**", "synthetic plates alone", exact(sets["ccpd"]), exact(sets["street"]))
    yield from lines_of(["exact plates", "learnt from", CCPD, STREET], [ours, *OTHERS])


def reader() -> Iterator[str]:
    """The sets of the reader's card."""
    found = loaded(READER)
    rows = [
        [
            SETS[name],
            str(one["plates"]),
            exact(one),
            percent(one["exact_without_region"]),
            percent(one["characters"]),
            percent(one["type"]),
        ]
        for name, one in found["sets"].items()
    ]
    yield from lines_of(["set", "plates", "exact", "without province", "characters", "type"], rows)
    colours = found["sets"]["street"]["by_type"].items()
    yield from (
        "",
        "Street crops by colour: " + ", ".join(f"{name} {percent(x)}" for name, x in colours) + ".",
    )
    speed = found["speed"]["cpu_ms"].items()
    told = ", ".join(f"{ms:.2f} ms at batch {size}" for size, ms in speed)
    yield from ("", f"CPU time a plate, from picture to text, one core, ONNX: {told}.")
    yield from ("", f"Measured at commit {found['commit']}:", "", "```bash")
    yield from (line for one in found["sets"].values() for line in one["command"].split(" && "))
    yield found["speed"]["command"]
    yield "```"


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


def proof() -> Iterator[str]:
    """The tables of the benchmark."""
    if not PROOF.exists():
        yield UNKNOWN
        return
    report = loaded(PROOF)
    for table in filter(has_rows, (main_table(report), paired_table(report))):
        yield from (table.note, "", *lines_of(table.head, table.rows), "")
    made = report["made"]
    yield f"`{made['command']}`, {made['images']:,} images a training, commit {made['commit']}."


def has_rows(table: Table) -> bool:
    return bool(table.rows)


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
        case ["measure", real, *what] if set(what) <= {"reader", "generator", "editor"}:
            measure(Path(real).resolve(), *what)
        case ["proof", report]:
            take(Path(report))
        case ["show"]:
            pass
        case _:
            sys.exit(__doc__)
    show()


if __name__ == "__main__":
    main()
