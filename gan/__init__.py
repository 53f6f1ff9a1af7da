"""Generators that make rendered plates look photographed, and the editor of real ones.

from gan import edit

`edit` puts new text on a picture; see `gan.api`. Nothing is loaded before it is asked for.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gan.api import EditedPlate, edit

__all__ = ["EditedPlate", "edit"]

if not TYPE_CHECKING:  # a type checker would take any name for granted

    def __getattr__(name: str) -> object:
        from importlib import import_module

        if name == "edit":  # a module that can be called, as the command has its name
            return import_module("gan.edit")
        if name not in __all__:
            raise AttributeError(f"module 'gan' has no attribute {name!r}")
        return getattr(import_module("gan.api"), name)
