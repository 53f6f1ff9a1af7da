"""Generators that make rendered plates look photographed, and the editor of real ones.

from gan import edit

`edit` puts new text on a picture; see `gan.api`. Nothing is loaded before it is asked for.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gan.api import EditedPlate, edit

__all__ = ["EditedPlate", "edit"]

if not TYPE_CHECKING:  # a type checker would take any name for granted
    from synth.lazy import names_of

    __getattr__ = names_of(__name__, {"EditedPlate": "gan.api", "edit": "gan.edit"})
