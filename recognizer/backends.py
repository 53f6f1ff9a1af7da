"""What runs a reader's network: torch on a checkpoint, or ONNX Runtime, without torch, on an export."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from recognizer.decoding import Legend, Probabilities, probabilities
from synth.dataset.optional import need
from synth.errors import UserError, nearest

if TYPE_CHECKING:
    from torch import nn

    from recognizer.checkpoint import Header

FOLDER = Path(__file__).parent / "weights"
ENDING = {"torch": ".safetensors", "onnx": ".onnx"}
KIND = "platesmith reader"  # in the metadata of an ONNX file


def weights_of(start: str) -> Path:
    """The file of weights that a training begins with: one of one's own, or `bundled`."""
    return FOLDER / "plates.safetensors" if start == "bundled" else Path(start)


class Backend(Protocol):
    """Calibrated probabilities of pictures that have the legend's size."""

    legend: Legend

    def probabilities(self, fitted: NDArray[np.uint8]) -> Probabilities: ...  # N H W 3


class TorchBackend:
    """A checkpoint, run by torch."""

    def __init__(self, path: Path, threads: int | None = None) -> None:
        from dataclasses import asdict

        torch = need("torch", "train")
        from gan.blocks import folded

        self.threads = threads or torch.get_num_threads()
        network, self.header = load_checkpoint(path)
        fast = folded(network)  # with channels last a quarter faster
        self.network = fast.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.legend = Legend.of(asdict(self.header))

    def probabilities(self, fitted: NDArray[np.uint8]) -> Probabilities:
        from gan.artist import with_threads
        from recognizer.reading import scores_of_fitted

        with with_threads(self.threads):
            return probabilities(scores_of_fitted(self.network, fitted), self.legend.temperature)


class OnnxBackend:
    """An export, run by ONNX Runtime."""

    def __init__(self, path: Path, threads: int | None = None) -> None:
        runtime = need("onnxruntime", "onnx")
        if not path.is_file():
            raise UserError(missing(path))
        options = runtime.SessionOptions()
        options.log_severity_level = 4  # what is wrong is told by the exception
        if threads:
            options.intra_op_num_threads = threads
        try:
            self.session = runtime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        except Exception as error:  # its exceptions have no common base
            raise UserError(f"{path}: not a readable ONNX file; export it again with plate-export") from error
        self.legend = onnx_legend(path, self.session.get_modelmeta().custom_metadata_map)

    def probabilities(self, fitted: NDArray[np.uint8]) -> Probabilities:
        text, kind = self.session.run(["text", "type"], {"images": fitted})
        return text, kind


def onnx_legend(path: Path, metadata: Mapping[str, str]) -> Legend:
    """The legend in the metadata of an export."""
    try:
        if metadata["kind"] != KIND:
            raise KeyError("kind")
        return Legend.of(json.loads(metadata["header"]))
    except (KeyError, TypeError, ValueError) as error:
        raise UserError(f"{path}: not a plate reader; give a file that plate-export wrote") from error


def load_checkpoint(path: Path) -> tuple[nn.Module, Header]:
    """A checkpoint's network in eval mode and its header; every fault is one line that names the file."""
    from hydra.errors import HydraException

    from recognizer.checkpoint import load

    if not path.is_file():
        raise UserError(missing(path))
    try:
        return load(path)
    except (HydraException, RuntimeError, TypeError, ValueError, KeyError, AttributeError) as error:
        raise UserError(
            f"{path}: weights of another network ({str(error).splitlines()[0][:120]}); "
            "use the file its training wrote"
        ) from error


def missing(path: Path) -> str:
    """What to do about weights that are not there."""
    if path.parent == FOLDER:
        fix = "train them with plate-train-recognizer and plate-export, or give a file with weights="
        return f"{path}: the bundled weights are missing; {fix}"
    return f"{path}: no such weights file; leave weights= out for the bundled ones"


def open_backend(weights: str | Path | None, backend: str, threads: int | None) -> Backend:
    """The backend of a weights file, of the bundled weights when none is given."""
    if backend not in ("auto", *ENDING):
        raise UserError(f"backend={backend}: unknown; {nearest(backend, ('auto', *ENDING))}")
    if threads is not None and (not isinstance(threads, int) or threads < 1):
        raise UserError(f"threads: {threads!r} is not a whole number above 0; null leaves it to the backend")
    name = chosen(weights) if backend == "auto" else backend
    path = FOLDER / f"plates{ENDING[name]}" if weights is None else Path(weights)
    if path.suffix in ENDING.values() and path.suffix != ENDING[name]:
        fix = "make it with plate-export" if name == "onnx" else "give the checkpoint it was made from"
        raise UserError(f"{path}: backend={name} reads {ENDING[name]} files; {fix}, or set backend=auto")
    return OnnxBackend(path, threads) if name == "onnx" else TorchBackend(path, threads)


def chosen(weights: str | Path | None) -> str:
    """ONNX for an ONNX file, and for the bundled weights where ONNX Runtime is installed: it is faster."""
    if weights is not None:
        return "onnx" if Path(weights).suffix == ENDING["onnx"] else "torch"
    bundled = (FOLDER / "plates.onnx").is_file()
    return "onnx" if bundled and importlib.util.find_spec("onnxruntime") else "torch"
