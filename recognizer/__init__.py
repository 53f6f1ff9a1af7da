"""Plate readers trained on synthetic plates, and the benchmark that proves the data.

from recognizer import Reader
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from recognizer.decoding import PlateReading
    from recognizer.reader import Reader

__all__ = ["PlateReading", "Reader"]

if not TYPE_CHECKING:  # a type checker would take any name for granted
    from synth.lazy import names_of

    __getattr__ = names_of(__name__, {"PlateReading": "recognizer.decoding", "Reader": "recognizer.reader"})
