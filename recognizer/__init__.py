"""Plate readers trained on synthetic plates, and the benchmark that proves the data.

from recognizer import Reader
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from recognizer.decoding import PlateReading
    from recognizer.reader import Reader

__all__ = ["PlateReading", "Reader"]

if not TYPE_CHECKING:  # a type checker would take any name for granted

    def __getattr__(name: str) -> object:
        from importlib import import_module

        modules = {"PlateReading": "recognizer.decoding", "Reader": "recognizer.reader"}
        if name not in modules:
            raise AttributeError(f"module 'recognizer' has no attribute {name!r}")
        return getattr(import_module(modules[name]), name)
