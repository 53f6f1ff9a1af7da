"""Write a reader as one ONNX file that needs no torch, checked against torch before it is kept.

python -m recognizer.export out=reader.onnx
python -m recognizer.export weights=runs/reader/weights.safetensors out=reader.onnx

Input `images` is N H W 3 uint8 RGB, stretched to the reader's size; the graph does the rest. Outputs are
`text` (N T C) and `type` (N K), calibrated probabilities; characters, types and size stand in the metadata.
"""

from __future__ import annotations

import contextlib
import io
import json
import logging
import warnings
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from omegaconf import DictConfig

from recognizer.backends import FOLDER, KIND, Backend, OnnxBackend, TorchBackend
from recognizer.branch import branched
from recognizer.pictures import fit
from synth.app import command
from synth.dataset.atomic import disk_errors
from synth.dataset.optional import need
from synth.errors import UserError
from synth.template import Plan, Template

TOLERANCE = 1e-4
OPSET = 18
SHOWN = ("cn/blue", "cn/yellow_double", "jp/private")  # to both, to compare them


def export(weights: Path, out: Path) -> float:
    """Export a checkpoint; returns how far ONNX Runtime and torch are apart at most."""
    torch = need("torch", "train")
    onnx = need("onnx", "onnx")
    need("onnxscript", "onnx")
    expected = TorchBackend(weights)
    header = expected.header
    example = torch.zeros((2, header.height, header.width, 3), dtype=torch.uint8)
    with silent():
        program = torch.onnx.export(
            whole(expected.network, header.temperature),
            (example,),
            dynamo=True,
            input_names=["images"],
            output_names=["text", "type"],
            dynamic_shapes=({0: torch.export.Dim("plates")},),
            opset_version=OPSET,
            verbose=False,
        )
    model = program.model_proto
    forget_sources(model)
    branched(onnx, model.graph)
    described = {"kind": KIND, "header": json.dumps(asdict(header), ensure_ascii=False)}
    onnx.helper.set_model_props(model, described)
    temporary = out.with_name(f".{out.name}.tmp")
    with disk_errors(out.parent):
        out.parent.mkdir(parents=True, exist_ok=True)
        try:
            temporary.write_bytes(model.SerializeToString())
            apart = difference(expected, temporary)
            if apart > TOLERANCE:
                raise UserError(f"{out}: not written: it differs from torch by {apart:.1e}; report this")
            temporary.replace(out)
        finally:
            temporary.unlink(missing_ok=True)
    return apart


def forget_sources(model: Any) -> None:
    """Remove the exporter's notes on every node: they name the files of the machine it ran on."""
    graph = model.graph
    parts = (*graph.node, *graph.initializer, *graph.value_info, *graph.input, *graph.output)
    for part in (model, graph, *parts):
        del part.metadata_props[:]
        part.doc_string = ""


def whole(network: Any, temperature: float) -> Any:
    """The network between conversion of pictures and softmax, so that nobody can get those wrong."""
    from torch import Tensor, nn

    from recognizer.data import as_input

    class Whole(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.network = network

        def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:  # N H W 3 uint8
            text, kind = self.network(as_input(images.permute(0, 3, 1, 2)))
            return (text / temperature).softmax(2), kind.softmax(1)

    return Whole().eval()


def difference(expected: Backend, path: Path) -> float:
    """The largest difference of any probability between a backend and ONNX Runtime, at batch 1 and 32.

    On noisy plates: of pure noise a millionth of a corner's place changes the flat picture.
    """
    backend = OnnxBackend(path, threads=1)
    plates = Template(Plan(SHOWN), backend.legend.height).batch(0, range(32))
    images = np.stack([fit(plate.image, backend.legend.height, backend.legend.width) for plate in plates])
    noise = np.random.default_rng(0).integers(-40, 41, images.shape)
    images = (images + noise).clip(0, 255).astype(np.uint8)
    images[1] = 255  # no contrast at all
    apart = 0.0
    for given in (images[:1], images):
        for ours, theirs in zip(backend.probabilities(given), expected.probabilities(given), strict=True):
            apart = max(apart, float(np.abs(ours - theirs).max()))
    return apart


@contextlib.contextmanager
def silent() -> Iterator[None]:
    """The exporter talks a lot, about other people's operators too."""
    level = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(level)


@command("export")
def main(config: DictConfig) -> None:
    """Export a reader to ONNX."""
    weights = FOLDER / "plates.safetensors" if config.weights is None else Path(config.weights)
    out = Path(config.out)
    if out.suffix != ".onnx":
        raise UserError(f"out={out}: must end in .onnx, as in out=reader.onnx")
    apart = export(weights, out)
    print(f"{out}: {out.stat().st_size / 1e6:.1f} MB, differs from torch by {apart:.1e} at most")


if __name__ == "__main__":
    main()
