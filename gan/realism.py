"""How real do synthetic plates look? Distributions side by side, and a classifier that tries to tell.

    python -m gan.realism source.path=my_plates/ capture=default

Real crops come from a folder with labels.tsv; the same texts are rendered, captured, scaled, coded like them.
The classifier learns on one half of the texts and is judged on the other: 50 % is perfect, 100 % a give-away.
"""

from __future__ import annotations

import functools
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from hydra.utils import instantiate
from omegaconf import DictConfig

from synth.app import command
from synth.capture.sensor import recoded
from synth.dataset.atomic import disk_errors, write_atomic
from synth.dataset.chart import png
from synth.dataset.sources import read_source
from synth.errors import UserError
from synth.sample import Image
from synth.template import Plan, Template

PERCENTILES = (5, 25, 50, 75, 95)


def luma(image: Image) -> np.ndarray:
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY))


def ground_mask(image: Image) -> np.ndarray:
    """H W, 255 on the larger of the two parts that Otsu's level of the middle makes: the ground."""
    grey = luma(image)
    level, _ = cv2.threshold(middle(grey), 0, 255, cv2.THRESH_OTSU)
    dark = cv2.inRange(grey, 0, float(level))
    return np.asarray(dark if middle(dark).mean() > 127 else cv2.bitwise_not(dark))


def middle(picture: np.ndarray) -> np.ndarray:
    """The part of a crop that is plate whatever its tilt."""
    height, width = picture.shape[:2]
    return np.ascontiguousarray(
        picture[round(0.25 * height) : round(0.75 * height), round(0.1 * width) : round(0.9 * width)]
    )


def ground_hsv(image: Image) -> np.ndarray:
    """Hue in degrees, saturation and value in percent of the mean ground colour in the middle."""
    inner = middle(image)
    colour = np.array(cv2.mean(inner, ground_mask(inner))[:3], np.float32)[None, None] / 255
    return np.asarray(cv2.cvtColor(colour, cv2.COLOR_RGB2HSV)[0, 0] * (1, 100, 100))


def contrast(image: Image) -> float:
    """Grey levels between the lighter and the darker part of the middle."""
    grey, ground = luma(middle(image)), ground_mask(middle(image)) > 0
    return abs(float(grey[~ground].mean() - grey[ground].mean())) if not ground.all() else 0.0


def fill(image: Image) -> float:
    """Percent of the crop whose chroma is near that of the ground, gaps closed: how much of it is plate."""
    lab = cv2.cvtColor(image, cv2.COLOR_RGB2LAB).astype(np.float32)
    inner = middle(image)
    ground = np.array(cv2.mean(middle(lab), ground_mask(inner))[1:3])
    near = (np.linalg.norm(lab[..., 1:] - ground, axis=2) < 22).astype(np.uint8)
    side = max(3, round(0.2 * image.shape[0]) | 1)
    return float(cv2.morphologyEx(near, cv2.MORPH_CLOSE, np.ones((side, side), np.uint8)).mean() * 100)


def gradients(image: Image) -> tuple[np.ndarray, np.ndarray]:
    """H W each: change of grey along x and along y in the middle."""
    grey = luma(middle(image)).astype(np.float32)
    return cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1)


def slope(image: Image) -> float:
    """Percent that lying strokes fall to the right, from the directions of edges."""
    gx, gy = gradients(image)
    lying = np.abs(gy) > 1.3 * np.abs(gx)
    return float(-100 * (gx * gy)[lying].sum() / max((gy * gy)[lying].sum(), 1.0))


def lean(image: Image) -> float:
    """Percent that upright strokes move right on their way down."""
    gx, gy = gradients(image)
    upright = np.abs(gx) > 1.3 * np.abs(gy)
    return float(-100 * (gx * gy)[upright].sum() / max((gx * gx)[upright].sum(), 1.0))


MEASURES: dict[str, Callable[[Image], float]] = {
    "brightness": lambda image: float(luma(image).mean()),
    "deviation": lambda image: float(luma(image).std()),
    "contrast": contrast,
    "ground hue": lambda image: float(ground_hsv(image)[0]),
    "ground saturation": lambda image: float(ground_hsv(image)[1]),
    "ground value": lambda image: float(ground_hsv(image)[2]),
    "sharpness": lambda image: float(cv2.Laplacian(luma(image), cv2.CV_64F).var()),
    "fill": fill,
    "slope": slope,
    "lean": lean,
}


def distributions(images: Sequence[Image]) -> dict[str, list[float]]:
    """Percentiles 5 25 50 75 95 of every measure."""
    return {
        name: np.percentile([measure(image) for image in images], PERCENTILES).round(1).tolist()
        for name, measure in MEASURES.items()
    }


def side_by_side(real: dict[str, list[float]], ours: dict[str, list[float]]) -> str:
    """A table of two distributions."""
    head = "".join(f"{p:>8}" for p in PERCENTILES)
    lines = [f"{'percentile':<18}{head}  |{head}", f"{'':<18}{'real':>40}  |{'ours':>40}"]
    for name in real:
        cells = ("".join(f"{value:8.1f}" for value in side[name]) for side in (real, ours))
        lines.append(f"{name:<18}" + "  |".join(cells))
    return "\n".join(lines)


def read_crops(folder: str | Path, type_: str, colour: str) -> tuple[list[Image], list[str]]:
    """Pictures and texts of a labelled folder, of one type and colour."""
    read = read_source("labelled", folder)
    if read.problems:
        print(read.summary(), file=sys.stderr)
    items = [item for item in read.items if (item.type, item.colour) == (type_, colour)]
    if len(items) < 20:
        raise UserError(
            f"{folder}: {len(items)} rows of labels.tsv have type {type_!r} and colour {colour!r}; "
            "20 are the least"
        )
    return [item.plate(straight=False) for item in items], [item.text for item in items]


def sheet(real: Sequence[Image], ours: Sequence[Image], count: int = 40, columns: int = 2) -> Image:
    """Pairs of the same text, real left and ours right, in `columns` columns."""
    pairs = [
        np.hstack([cv2.copyMakeBorder(a, 1, 1, 1, 1, 0), cv2.copyMakeBorder(b, 1, 1, 1, 9, 0)])
        for a, b in zip(real, ours, strict=True)
    ]
    last = min(count, len(pairs)) - columns + 1
    rows = [np.hstack(pairs[k : k + columns]) for k in range(0, last, columns)]
    return np.asarray(cv2.resize(np.vstack(rows), None, fx=3, fy=3, interpolation=cv2.INTER_NEAREST))


def captures(config: DictConfig, texts: list[str], size: tuple[int, int]) -> list[Image]:
    """The same texts, rendered and captured, at the real crops' size and coded as they are."""
    template = Template(Plan(tuple(config.plates.types), texts=tuple(texts)), config.height_px)
    capture = instantiate(config.capture, size=list(size), _convert_="all")
    taken = capture(template.batch(config.seed, range(len(texts))))
    return [recoded(sample.image, config.jpeg_quality) for sample in taken]


def judge_of(epochs: int) -> Callable[[Sequence[Image], Sequence[Image], Sequence[str], int], float]:
    """The classifier, on one thread; it alone needs torch."""
    import torch

    from gan.classifier import classifier_accuracy

    torch.set_num_threads(1)
    return functools.partial(classifier_accuracy, epochs=epochs)


@command("realism")
def main(config: DictConfig) -> int:
    """Compare captures with real crops."""
    accuracy = judge_of(config.classifier.epochs) if config.classifier.enabled else None
    real, texts = read_crops(str(config.source.path), config.source.type, config.source.colour)
    height, width = real[0].shape[:2]
    real = [image if image.shape == real[0].shape else cv2.resize(image, (width, height)) for image in real]
    ours = captures(config, texts, (width, height))
    report: dict[str, Any] = {"real": distributions(real), "ours": distributions(ours), "count": len(real)}
    print(side_by_side(report["real"], report["ours"]))
    if accuracy is not None:
        seeds = range(config.classifier.seeds)
        report["accuracy"] = [accuracy(real, ours, texts, seed) for seed in seeds]
        said = " ".join(f"{value:.3f}" for value in report["accuracy"])
        print(f"real or synthetic, held out: {np.mean(report['accuracy']):.3f} ({said}); 0.500 is perfect")
    out = Path(config.out)
    with disk_errors(out):
        out.mkdir(parents=True, exist_ok=True)
        write_atomic(out / "realism.json", (json.dumps(report, indent=1) + "\n").encode())
        write_atomic(out / "realism.png", png(sheet(real, ours)))
    return 0


if __name__ == "__main__":
    main()
