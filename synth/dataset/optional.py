"""Libraries that only one format needs: imported when used, named with their extra when missing."""

from __future__ import annotations

import importlib
from typing import Any

from synth.errors import UserError, extra


def need(module: str, brought_by: str) -> Any:
    """The module, or a UserError that says which extra of this package brings it."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        library = module.split(".", 1)[0]
        raise UserError(f"{library} is not installed; {extra(brought_by)}") from error
