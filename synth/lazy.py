"""Names of a package that load nothing before they are asked for, and modules that can be called."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from types import ModuleType
from typing import Any


def names_of(package: str, places: Mapping[str, str]) -> Callable[[str], object]:
    """The `__getattr__` of a package whose names stand in these modules; PACKAGE.NAME is a module itself."""

    def found(name: str) -> object:
        if name not in places:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        module = import_module(places[name])
        return module if places[name] == f"{package}.{name}" else getattr(module, name)

    return found


def also_called(module: str, function: Callable[..., Any]) -> None:
    """Let a module be called as this function: a command and a function of one name."""
    made = type(
        "Callable",
        (ModuleType,),
        {"__call__": staticmethod(function), "__signature__": inspect.signature(function)},
    )
    sys.modules[module].__class__ = made
