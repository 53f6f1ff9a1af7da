"""The plate reader as a library: `Reader.from_pretrained().read("plate.jpg").text`."""

from __future__ import annotations

from pathlib import Path
from typing import Any, overload

import numpy as np

from recognizer.backends import Backend, open_backend
from recognizer.beam import decoded_legally
from recognizer.decoding import PlateReading, decoded
from recognizer.pictures import Picture, as_picture, fit
from synth.errors import UserError

BATCH = 32


class Reader:
    """Reads plate crops of any size: a picture at a time, or a list of them."""

    def __init__(self, backend: Backend) -> None:
        self.backend = backend
        self.legend = backend.legend

    @classmethod
    def from_pretrained(
        cls, weights: str | Path | None = None, backend: str = "auto", threads: int | None = None
    ) -> Reader:
        """Weights of a file, or the bundled ones; `backend` is torch, onnx or auto."""
        return cls(open_backend(weights, backend, threads))

    @overload
    def read(self, image: Picture, grammar: bool = False, batch: int = BATCH) -> PlateReading: ...

    @overload
    def read(
        self, image: list[Any] | tuple[Any, ...], grammar: bool = False, batch: int = BATCH
    ) -> list[PlateReading]: ...

    def read(
        self, image: Picture | list[Any] | tuple[Any, ...], grammar: bool = False, batch: int = BATCH
    ) -> PlateReading | list[PlateReading]:
        """What stands on a file, array (RGB) or Pillow image; a list (or N H W 3) gives a list.

        With `grammar` the text is the likeliest that a plate type can show. A picture that cannot be read is
        a UserError that names it.
        """
        if not (isinstance(image, list | tuple) or (isinstance(image, np.ndarray) and image.ndim == 4)):
            return self.read([image], grammar)[0]
        if batch < 1:
            raise UserError(f"batch: {batch} is not a whole number above 0")
        decode = decoded_legally if grammar else decoded
        found: list[PlateReading] = []
        for start in range(0, len(image), batch):
            fitted = [
                fit(as_picture(one), self.legend.height, self.legend.width)
                for one in image[start : start + batch]
            ]
            found += decode(self.backend.probabilities(np.stack(fitted)), self.legend.codec)
        return found
