"""The outside reader: PP-OCRv4 from the rapidocr wheel, trained by others, restricted to our alphabet.

    python -m recognizer.judge plates=cn7 stages=template count=300

reads that many plates of each type and prints the share read exactly. Two-row plates are fed row by row.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from omegaconf import DictConfig

from synth.app import command
from synth.errors import UserError
from synth.grammar import grammar_of
from synth.sample import Image, Points, Sample
from synth.template import Plan, Template

HEIGHT_PX, BLANK = 48, 0


class Judge:
    """Reads one line of text a picture."""

    def __init__(self, threads: int = 1) -> None:
        try:
            import onnxruntime
            import rapidocr_onnxruntime
        except ImportError as error:
            raise UserError(
                f"the outside reader needs {error.name}: pip install 'platesmith[judge]'"
            ) from error
        model = Path(rapidocr_onnxruntime.__file__).parent / "models" / "ch_PP-OCRv4_rec_infer.onnx"
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        self.session = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
        names = self.session.get_modelmeta().custom_metadata_map["character"].splitlines()
        self.characters = ["", *names, " "]  # class 0 is CTC's blank

    def allowed(self, alphabet: str) -> NDArray[np.int64]:
        """The classes of an alphabet, blank first."""
        wanted = set(alphabet)
        return np.array(
            [BLANK, *(n for n, c in enumerate(self.characters) if c in wanted and n)], dtype=np.int64
        )

    def read(self, pictures: Sequence[Image], alphabet: str) -> list[str]:
        """The text of each picture (H W 3 RGB, any size), in characters of the alphabet only."""
        classes = self.allowed(alphabet)
        texts: list[str] = []
        for start in range(0, len(pictures), 16):
            inputs = batched(pictures[start : start + 16])
            (scores,) = self.session.run(None, {"x": inputs})  # N T 6625
            best = classes[scores[:, :, classes].argmax(axis=2)]
            texts += [self.collapse(row) for row in best]
        return texts

    def collapse(self, classes: NDArray[np.int64]) -> str:
        kept = classes[np.flatnonzero(np.diff(classes, prepend=-1))]
        return "".join(self.characters[c] for c in kept if c != BLANK)


def batched(pictures: Sequence[Image]) -> NDArray[np.float32]:
    """N 3 48 W in [-1, 1], BGR, padded on the right with zeros, as the model was trained."""
    widths = [max(16, round(p.shape[1] * HEIGHT_PX / p.shape[0])) for p in pictures]
    batch = np.zeros((len(pictures), 3, HEIGHT_PX, max(320, *widths)), np.float32)
    for n, (picture, width) in enumerate(zip(pictures, widths, strict=True)):
        small = cv2.resize(picture, (width, HEIGHT_PX), interpolation=cv2.INTER_LINEAR)
        batch[n, :, :, :width] = small[:, :, ::-1].transpose(2, 0, 1) / np.float32(127.5) - 1
    return batch


def row_pictures(image: Image, row_quads: Points, margin: float = 0.12) -> list[Image]:
    """Each row of a two-row plate cut out upright, the whole picture of a one-row plate."""
    if len(row_quads) == 1:
        return [image]
    return [upright(image, quad, margin) for quad in row_quads]


def upright(image: Image, quad: Points, margin: float) -> Image:
    """The quad, widened by a share of its height, as an upright picture."""
    across = float(np.linalg.norm(quad[1] - quad[0]))
    down = float(np.linalg.norm(quad[3] - quad[0]))
    m = margin * down
    w, h = round(across + 2 * m), round(down + 2 * m)
    goal = np.array([[m, m], [w - m, m], [w - m, h - m], [m, h - m]], np.float32)
    matrix = cv2.getPerspectiveTransform(np.ascontiguousarray(quad, np.float32), goal)
    return cv2.warpPerspective(image, matrix, (w, h), borderMode=cv2.BORDER_REPLICATE)


@dataclass(frozen=True)
class Score:
    """How many plates of a type the reader read."""

    type: str
    plates: int
    exact: float
    characters: float
    wrong: tuple[tuple[str, str], ...]  # (truth, reading), the first few


def judge_samples(
    judge: Judge, name: str, samples: Sequence[Sample], fields: Sequence[str] = (), mode: str = "legal"
) -> Score:
    """Score one type; with `fields` only these fields are asked for (Japanese serials)."""
    grammar = grammar_of(name)
    asked = list(fields) or list(grammar.shown)
    alphabet = "".join(sorted(set().union(*(grammar.characters(field, mode) for field in asked))))
    pictures, owners, truths = [], [], []
    for n, sample in enumerate(samples):
        if fields:
            start = sum(len(v) for k, v in sample.fields.items() if k not in fields)
            quads = sample.char_quads[start:]
            pictures.append(upright(sample.image, hull(quads), 0.12))
            owners.append(n)
            truths.append("".join(sample.fields[field] for field in fields))
        else:
            rows = row_pictures(sample.image, sample.row_quads)
            pictures += rows
            owners += [n] * len(rows)
            truths.append(sample.text)
    readings = [""] * len(samples)
    for owner, text in zip(owners, judge.read(pictures, alphabet), strict=True):
        readings[owner] += text
    return score(name, truths, readings)


def hull(quads: Points) -> Points:
    """One quad around the quads of neighbouring characters."""
    return np.stack([quads[0, 0], quads[-1, 1], quads[-1, 2], quads[0, 3]])


def score(name: str, truths: Sequence[str], readings: Sequence[str]) -> Score:
    pairs = list(zip(truths, readings, strict=True))
    wrong = tuple((t, r) for t, r in pairs if t != r)
    characters = float(np.mean([matching(t, r) / len(t) for t, r in pairs]))
    return Score(name, len(pairs), 1 - len(wrong) / len(pairs), characters, wrong[:8])


def matching(truth: str, reading: str) -> int:
    """Characters of the truth found in the reading in order (longest common subsequence)."""
    row = [0] * (len(reading) + 1)
    for a in truth:
        before = 0
        for n, b in enumerate(reading, 1):
            before, row[n] = row[n], before + 1 if a == b else max(row[n], row[n - 1])
    return row[-1]


@functools.cache
def the_judge() -> Judge:
    return Judge()


@command("judge")
def main(config: DictConfig) -> None:
    """Read plates of each type with the outside reader and print the share read exactly."""
    from synth.pipeline import stages_of

    stages = stages_of(config)
    fields: dict[str, Any] = dict(config.fields)
    print("| type | plates | exact | characters | wrong (truth > reading) |\n|---|---|---|---|---|")
    for name in config.plates.types:
        plan = Plan((name,), config.balance.mode, config.balance.ambiguous)
        samples = Template(plan, config.height_px).batch(config.seed, range(config.count))
        for stage in stages.values():
            samples = stage(samples)
        asked = fields.get(name.split("/")[0]) or []
        result = judge_samples(the_judge(), name, samples, asked, config.balance.mode)
        shown = ", ".join(f"{t} > {r}" for t, r in result.wrong[:4])
        what = f"{name} ({'+'.join(asked)})" if asked else name
        print(
            f"| {what} | {result.plates} | {result.exact:.1%} | {result.characters:.1%} | {shown} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
