"""Where the cards' numbers are kept, of which weights they are, and how tables of them look."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from recognizer.proof.cache import file_digest

ROOT = Path(__file__).resolve().parents[1]
READER = ROOT / "recognizer/weights/metrics.json"
GENERATOR = ROOT / "gan/weights/metrics.json"
EDITOR = ROOT / "gan/weights/spg.json"
WEIGHTS = {READER: "plates.*", GENERATOR: "pix2pix.*", EDITOR: "spg.safetensors"}  # what the numbers are of
UNKNOWN = "Not measured for these weights yet."


def loaded(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return found


def kept(path: Path, content: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", "utf-8")


def weights_of(metrics: Path) -> dict[str, str]:
    """The digests of the weights that these numbers are of."""
    files = sorted(path for path in metrics.parent.glob(WEIGHTS[metrics]) if path != metrics)
    return {path.name: file_digest(path) for path in files}


def only(found: Mapping[str, Any], keys: Sequence[str]) -> dict[str, Any]:
    return {key: found[key] for key in keys if key in found}


def lines_of(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """A table in Markdown."""
    return ["| " + " | ".join(row) + " |" for row in (head, ["---"] * len(head), *rows)]
