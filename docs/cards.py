"""The numbers of README and cards: measured by our commands, kept as JSON, shown between marks in the text.

python docs/cards.py measure REAL      # REAL has ccpd/ and street/, each with labels.tsv; then shows
python docs/cards.py proof REPORT      # takes a report.json of plate-benchmark as docs/benchmark/; then shows
python docs/cards.py show              # writes the JSON's numbers into the text again

`measure REAL reader` (or speed, generator, editor) measures one of them; `speed` is the reader's on this kind
of processor, kept when other weights of the same network are measured. The text has `<!-- numbers: NAME -->`
before and `<!-- end -->` after what is written here; tests/test_cards.py fails where text, JSON and weights
disagree.
"""

from __future__ import annotations

import json
import math
import os
import re
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

from safetensors import safe_open
from torch.backends.cpu import get_cpu_capability

from gan.evaluate import table as generator_table
from gan.evaluate_edit import table as editor_table
from recognizer.proof.cache import file_digest
from recognizer.proof.made import commit
from recognizer.proof.plots import plots
from recognizer.proof.report import markdown, percent, with_interval
from synth.catalogue import load_type

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", ROOT / "recognizer/weights/README.md", ROOT / "gan/weights/README.md"]
READER = ROOT / "recognizer/weights/metrics.json"
GENERATOR = ROOT / "gan/weights/metrics.json"
EDITOR = ROOT / "gan/weights/spg.json"
WEIGHTS = {READER: "plates.*", GENERATOR: "pix2pix.*", EDITOR: "spg.safetensors"}  # what the numbers are of
PROOF = ROOT / "docs/benchmark/report.json"

CCPD, STREET = "CCPD crops, 94x24", "street crops, 136x36"
REAL_SETS = {"ccpd": CCPD, "street": STREET}
DRAWN_SETS = {  # types, camera, plates
    "default": ("all", "default", 1500),
    "hard": ("all", "hard", 4000),
    "hard_jp": ("jp", "hard", 1500),
}
SETS = REAL_SETS | {
    "default": "captures, `capture=default`, all types",
    "hard": "captures, `capture=hard`, all types",
    "hard_jp": "captures, `capture=hard`, Japanese types",
}
READ = "python -m recognizer.evaluate source={source} source.path={path}"
MAKE = "python -m synth.generate plates={} stages=capture capture={} count={} seed=90 out={}"
DRAWN = "python -m gan.evaluate source.path=ccpd"
TIMED = "python -m recognizer.evaluate source.path=street backend=onnx threads=1"
EDITED = "python -m gan.evaluate_edit source.path=ccpd precision=auto"
KEPT = (
    "plates",
    "exact",
    "exact_ci",
    "exact_without_region",
    "characters",
    "type",
    "region_mean",
    "by_type",
    "by_field",
)
TOLD = ("images", "kinds", "recognizers", "seeds", "seeds_of", "plates", "curriculum", "synthetic", "train")

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
    if name in REAL_SETS:
        command = READ.format(source="labelled", path=name)
        return {"command": command, **only(measured(command, real), KEPT)}
    with tempfile.TemporaryDirectory() as folder:
        make = MAKE.format(*DRAWN_SETS[name], name)
        command = READ.format(source="folder", path=name)
        ran(make, Path(folder))
        return {"command": f"{make} && {command}", **only(measured(command, Path(folder)), KEPT)}


def only(found: Mapping[str, Any], keys: Sequence[str]) -> dict[str, Any]:
    return {key: found[key] for key in keys if key in found}


def measure(real: Path, *what: str) -> None:
    """Measure the bundled weights and keep what was found beside them."""
    if absent := [name for name in REAL_SETS if not (real / name / "labels.tsv").is_file()]:
        sys.exit(f"{real / absent[0]}: no labels.tsv in it")
    if "reader" in (what or ("reader",)):
        sets = {name: read_by_reader(name, real) for name in SETS}
        before = loaded(READER).get("speed", {}) if READER.exists() else {}
        speed = {name: one for name, one in before.items() if one["parameters"] == parameters()}
        kept(READER, {"commit": commit(), "weights": weights_of(READER), "sets": sets, "speed": speed})
    if "speed" in (what or ("speed",)):
        found = loaded(READER)
        taken = {
            "commit": commit(),
            "command": TIMED,
            "parameters": parameters(),
            **only(measured(TIMED, real), ("cpu_ms",)),
        }
        kept(READER, {**found, "speed": {**found["speed"], get_cpu_capability(): taken}})
    for name, metrics, command in (("generator", GENERATOR, DRAWN), ("editor", EDITOR, EDITED)):
        if name in (what or (name,)):
            report = measured(command, real)
            made = {"command": command, "commit": commit(), "weights": weights_of(metrics)}
            kept(metrics, {**made, "report": report})


def parameters() -> int:
    """How many numbers the bundled reader has: what was timed with others is not its time."""
    with safe_open(READER.parent / "plates.safetensors", "np") as file:
        return sum(math.prod(file.get_slice(name).get_shape()) for name in file.keys())  # noqa: SIM118


def take(report_file: Path) -> None:
    """Keep a benchmark's report, with its plots: no crop is shown, no folder told but by its name."""
    report = loaded(report_file)
    made = {**report["made"], "command": named(report["made"]["command"])}
    report = {**report, "made": made, "config": only(report["config"], TOLD)}
    PROOF.parent.mkdir(parents=True, exist_ok=True)
    kept(PROOF, report)
    drawn = dict(plots(report))
    for title, content in drawn.items():
        (PROOF.parent / plot_name(title)).write_bytes(content)
    (PROOF.parent / "README.md").write_text(page_of(report, drawn), "utf-8")


def named(command: str) -> str:
    """The command with folders by their last names: `out=/a/b` is `out=b`; lists (cn/blue) stay."""
    words = [re.sub(r"=[^\[\]\s]*/(?=[^/])", "=", word) for word in shlex.split(command)]
    return " ".join(word if re.fullmatch(r"[^\s'\"]+", word) else shlex.quote(word) for word in words)


def plot_name(title: str) -> str:
    return re.sub(r"\W+", "-", title.lower()) + ".png"


def page_of(report: Mapping[str, Any], titles: Iterable[str]) -> str:
    """The report as a page, its plots below."""
    shown = (f"![{title}]({plot_name(title)})" for title in titles)
    return "\n\n".join([markdown(report).rstrip(), *shown]) + "\n"


def exact(found: Mapping[str, Any]) -> str:
    low, high = found["exact_ci"]
    return f"{percent(found['exact'])} % ({100 * low:.1f} to {100 * high:.1f})"


def lines_of(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
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


def proof() -> Iterator[str]:
    """What the benchmark found: kinds of data by recognizer, what each adds to captures, few real crops."""
    if not PROOF.exists():
        yield UNKNOWN
        return
    report = loaded(PROOF)
    real = [one["name"] for one in report["sets"] if one["real"]]
    rows = {(row["data"], row["recognizer"]): row for row in report["rows"]}
    readers = list(dict.fromkeys(recognizer for _, recognizer in rows))
    seeds = {
        name: max(len(row["seeds"]) for (_, reader), row in rows.items() if reader == name)
        for name in readers
    }
    head = ["trained on", *(f"{name}, seeds: {seeds[name]}" for name in readers)]
    table = [
        [data, *(scores(rows.get((data, reader)), real) for reader in readers)]
        for data in dict.fromkeys(data for data, _ in rows)
    ]
    yield from (f"Plates read without any mistake, in percent, of {', '.join(real)}:", "")
    yield from lines_of(head, table)
    as_they_are = [f"{row['recognizer']} {scores(row, real)}" for row in report["readers"]]
    if as_they_are:
        yield from ("", f"The same of readers as they are: {'; '.join(as_they_are)}.")
    base = report["baseline"]
    yield from ("", f"{readers[0]} minus itself trained on {base}, plate by plate, in points:", "")
    ours = [row for row in report["paired"] if row["recognizer"] == readers[0]]
    yield from lines_of(["trained on", *real], [difference(row, real) for row in ours])
    curve = report["scarcity"]
    if curve.get("points"):
        names = [one["name"] for one in curve["sets"]]
        yield from (
            "",
            f"Few real crops ({', '.join(names)}), alone and with our plates ({curve['kind']}):",
            "",
        )
        yield from lines_of(["real crops", "alone", "with ours"], few(curve["points"], names))
    made, images = report["made"], report["config"]["images"]
    yield from (
        "",
        f"`{made['command']}`: {images:,} images a training, {made['machine']}, {made['trainings']}",
    )
    yield f"of one core, reported at commit {made['commit']}."


def scores(row: Mapping[str, Any] | None, names: Sequence[str]) -> str:
    """Exact shares on each set."""
    if row is None or not row["sets"]:
        return "; ".join(row["problems"]) if row else ""
    return ", ".join(percent(row["sets"][name]["exact"]) for name in names)


def difference(row: Mapping[str, Any], names: Sequence[str]) -> list[str]:
    found = [with_interval(row["sets"][name], "difference", "+") for name in names]
    return [row["data"], *found]


def few(points: Sequence[Mapping[str, Any]], names: Sequence[str]) -> Iterator[list[str]]:
    """A row for each number of crops."""
    found = {(point["crops"], point["synthetic"]): point for point in points}
    for crops in dict.fromkeys(count for count, _ in found):
        yield [str(crops), *(scores(found.get((crops, ours)), names) for ours in (False, True))]


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
        case ["show"]:
            pass
        case _:
            sys.exit(__doc__)
    show()


if __name__ == "__main__":
    main()
