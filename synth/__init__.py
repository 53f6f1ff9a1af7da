"""Renderer and data-set pipeline: plate types as data, clean plates, camera effects, labelled sets.

from synth import draw, generate

`generate` makes a data set, `draw` one plate; see `synth.api`. Nothing is loaded before it is asked for.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from synth.api import DataSet, draw, generate
    from synth.errors import UserError

__all__ = ["DataSet", "UserError", "draw", "generate"]
__version__ = "0.1.0"

if not TYPE_CHECKING:  # a type checker would take any name for granted

    def __getattr__(name: str) -> object:
        from importlib import import_module

        if name == "generate":  # a module that can be called, as the command has its name
            return import_module("synth.generate")
        if name not in __all__:
            raise AttributeError(f"module 'synth' has no attribute {name!r}")
        return getattr(import_module("synth.errors" if name == "UserError" else "synth.api"), name)
