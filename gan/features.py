"""What an outside network sees in a picture: features of PP-OCRv4, which others trained to read other things.

The features are the mean over all places of the last map of its convolutional part, 480 numbers a picture.
FID and KID compare two sets of pictures by them (`gan.scores`).
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from gan.outside import model_file, session_of
from synth.errors import UserError, extra
from synth.sample import Image

LAYER = "conv2d_203.tmp_0"  # 480 channels, before the attention layers
SIZE = (192, 48)  # width, height the network sees, whatever the picture's
AT_ONCE = 32

Features = NDArray[np.float64]


@functools.cache
def network() -> Any:
    """The outside reader's network, cut open at LAYER; one for the process."""
    try:
        import onnx
    except ImportError as error:
        raise UserError(f"outside features need onnx; {extra('judge,onnx')}") from error
    model = onnx.load(str(model_file()))
    del model.graph.output[:]
    model.graph.output.append(onnx.helper.make_tensor_value_info(LAYER, onnx.TensorProto.FLOAT, None))
    return session_of(model.SerializeToString())


def features(pictures: Sequence[Image]) -> Features:
    """N 480 of N pictures, H W 3 RGB of any size."""
    found = []
    for start in range(0, len(pictures), AT_ONCE):
        batch = np.stack([as_input(picture) for picture in pictures[start : start + AT_ONCE]])
        (maps,) = network().run([LAYER], {"x": batch})  # N 480 H W
        found.append(maps.astype(np.float64).mean((2, 3)))
    return np.concatenate(found)


def as_input(picture: Image) -> NDArray[np.float32]:
    """3 48 192 in [-1, 1], BGR, as the network was trained."""
    sized = cv2.resize(picture, SIZE, interpolation=cv2.INTER_LINEAR)
    return np.asarray(sized[:, :, ::-1].transpose(2, 0, 1) / np.float32(127.5) - 1, np.float32)
