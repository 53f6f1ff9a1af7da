"""The outside reader: PP-OCRv4 from the rapidocr wheel, trained by others, restricted to our alphabet."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from synth.errors import UserError, extra
from synth.grammar import grammar_of
from synth.sample import Image, Points, Sample

HEIGHT_PX, BLANK = 48, 0


def model_file() -> Path:
    """The recognition network inside the rapidocr wheel."""
    try:
        import rapidocr_onnxruntime
    except ImportError as error:
        raise UserError(f"the outside reader needs {error.name}; {extra('judge')}") from error
    return Path(rapidocr_onnxruntime.__file__).parent / "models" / "ch_PP-OCRv4_rec_infer.onnx"


def session_of(model: str | bytes, threads: int = 1) -> Any:
    """A network of ONNX Runtime, from a file or its bytes, on the CPU."""
    import onnxruntime  # rapidocr needs it too

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


class Judge:
    """Reads one line of text a picture."""

    def __init__(self, threads: int = 1) -> None:
        self.session = session_of(str(model_file()), threads)
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


@functools.cache
def the_judge() -> Judge:
    """One for the process; loading takes a second."""
    return Judge()


@dataclass(frozen=True)
class Verdict:
    """What was on a plate, what the outside reader read, and how hard the camera made it."""

    truth: str
    reading: str
    severity: float | None


def judge_samples(
    judge: Judge, name: str, samples: Sequence[Sample], fields: Sequence[str] = (), mode: str = "legal"
) -> list[Verdict]:
    """Read samples of one type; with `fields` only these are asked for (Japanese serials)."""
    grammar = grammar_of(name)
    asked = list(fields) or list(grammar.shown)
    alphabet = alphabet_of(name, asked, mode)
    cut = [asked_pictures(sample, fields) for sample in samples]
    texts = iter(judge.read([picture for pictures in cut for picture in pictures], alphabet))
    return [
        Verdict(
            "".join(sample.fields[field] for field in asked),
            "".join(next(texts) for _ in pictures),
            next((s["severity"] for s in sample.stages if "severity" in s), None),
        )
        for sample, pictures in zip(samples, cut, strict=True)
    ]


def alphabet_of(name: str, fields: Sequence[str] = (), mode: str = "legal") -> str:
    """The characters that some fields of a type may show; those of the whole plate where none are given."""
    grammar = grammar_of(name)
    return "".join(sorted(set().union(*(grammar.characters(f, mode) for f in fields or grammar.shown))))


def asked_pictures(sample: Sample, fields: Sequence[str]) -> list[Image]:
    """The pictures to feed: each row, or the run of characters of the fields asked for."""
    if not fields:
        return row_pictures(sample.image, sample.row_quads)
    first = sum(len(value) for name, value in sample.fields.items() if name not in fields)
    return [upright(sample.image, hull(sample.char_quads[first:]), 0.12)]


def hull(quads: Points) -> Points:
    """One quad around the quads of neighbouring characters."""
    return np.stack([quads[0, 0], quads[-1, 1], quads[-1, 2], quads[0, 3]])


def matching(truth: str, reading: str) -> int:
    """Characters of the truth found in the reading in order (longest common subsequence)."""
    row = [0] * (len(reading) + 1)
    for a in truth:
        before = 0
        for n, b in enumerate(reading, 1):
            before, row[n] = row[n], before + 1 if a == b else max(row[n], row[n - 1])
    return row[-1]
