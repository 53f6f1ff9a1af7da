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
    from synth.lazy import names_of

    __getattr__ = names_of(
        __name__,
        {
            "DataSet": "synth.api",
            "UserError": "synth.errors",
            "draw": "synth.api",
            "generate": "synth.generate",
        },
    )
