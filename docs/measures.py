"""Measure the bundled weights by our commands, and keep what was found beside them."""

from __future__ import annotations

import hashlib
import json
import os
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import onnx
from kept import EDITOR, GENERATOR, READER, ROOT, kept, loaded, only, weights_of
from torch.backends.cpu import get_cpu_capability

from recognizer.proof.made import commit

REAL_SETS = {"ccpd": "CCPD crops, 94x24", "street": "street crops, 136x36"}
DRAWN_SETS = {  # types, camera, plates
    "default": ("all", "default", 1500),
    "hard": ("all", "hard", 4000),
    "hard_jp": ("jp", "hard", 1500),
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


def measure(real: Path, *what: str) -> None:
    """Measure the bundled weights and keep what was found beside them."""
    if absent := [name for name in REAL_SETS if not (real / name / "labels.tsv").is_file()]:
        sys.exit(f"{real / absent[0]}: no labels.tsv in it")
    if "reader" in (what or ("reader",)):
        sets = {name: read_by_reader(name, real) for name in (*REAL_SETS, *DRAWN_SETS)}
        before = loaded(READER).get("speed", {}) if READER.exists() else {}
        kept(
            READER, {"commit": commit(), "weights": weights_of(READER), "sets": sets, "speed": timed(before)}
        )
    if "speed" in (what or ("speed",)):
        found = loaded(READER)
        taken = {
            "commit": commit(),
            "command": TIMED,
            "network": network(),
            **only(measured(TIMED, real), ("cpu_ms",)),
        }
        kept(READER, {**found, "speed": {**timed(found["speed"]), get_cpu_capability(): taken}})
    for name, metrics, command in (("generator", GENERATOR, DRAWN), ("editor", EDITOR, EDITED)):
        if name in (what or (name,)):
            report = measured(command, real)
            made = {"command": command, "commit": commit(), "weights": weights_of(metrics)}
            kept(metrics, {**made, "report": report})


def timed(speed: dict[str, Any]) -> dict[str, Any]:
    """What of it was timed with today's network."""
    return {name: one for name, one in speed.items() if one.get("network") == network()}


def network() -> str:
    """A digest of the bundled export without its weights: what was timed with another is not its time."""
    steps = steps_of(onnx.load(READER.parent / "plates.onnx").graph)
    return hashlib.sha256(json.dumps(steps).encode()).hexdigest()[:12]


def steps_of(graph: onnx.GraphProto) -> list[Any]:
    """Of a graph and its branches: operators and what they are told, without weights."""
    steps: list[Any] = []
    for node in graph.node:
        told = [one for one in node.attribute if one.type not in (one.TENSOR, one.GRAPH)]
        steps.append([node.op_type, *sorted(map(str, told))])
        steps += [steps_of(one.g) for one in node.attribute if one.type == one.GRAPH]
    return steps
