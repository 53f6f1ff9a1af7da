"""What the `_target_`s of a configuration build, with every mistake told in one line that names its key."""

from __future__ import annotations

import functools
import inspect
import json
import re
import typing
from collections.abc import Mapping
from dataclasses import is_dataclass
from typing import Any

from hydra.errors import InstantiationException
from hydra.utils import get_object, instantiate
from pydantic import ConfigDict, PydanticUserError, TypeAdapter, ValidationError

from synth.errors import UserError, extra, nearest

TARGET = "_target_"
TRAIN = ("torch", "torchvision", "safetensors")  # what the extra of that name brings
SAID = {
    "list_type": "a list",
    "tuple_type": "a list",
    "dict_type": "a mapping of keys to values",
    "float_type": "a number",
    "int_type": "a whole number",
    "bool_type": "true or false",
    "string_type": "a text",
}


def made(settings: Any, key: str) -> Any:
    """The object that plain settings describe; `key` is where the user finds them."""
    check(settings, key)
    try:
        return instantiate(settings, _convert_="all")
    except InstantiationException as error:
        if (missing := missing_module(error)) in TRAIN:
            raise UserError(
                f"{key}: {missing} is not installed; {extra('train')}, or take stages=capture"
            ) from error
        inside = re.search(r"full_key: (\S+)", str(error))
        where = f"{key}.{inside.group(1)}" if inside else key
        said = str(error.__cause__ or error)
        raise UserError(said if said.startswith(f"{where}.") else f"{where}: {said}") from error


def missing_module(error: BaseException | None) -> str | None:
    """The name of a module whose absence lies behind an error."""
    while error is not None:
        if isinstance(error, ModuleNotFoundError) and error.name:
            return error.name.split(".", 1)[0]
        error = error.__cause__ or error.__context__
    return None


def check(settings: Any, key: str) -> None:
    """Compare everything given to a `_target_` with the annotations of what it calls."""
    if isinstance(settings, list):
        for number, inner in enumerate(settings):
            check(inner, f"{key}.{number}")
    if not isinstance(settings, dict):
        return
    hints, known = signature(settings[TARGET]) if isinstance(settings.get(TARGET), str) else ({}, None)
    for name, value in settings.items():
        if str(name).startswith("_"):
            continue
        if known is not None and name not in known:
            raise UserError(f"{key}.{name}: no such key; {nearest(str(name), known)}")
        check(value, f"{key}.{name}")
        if name in hints:
            check_value(value, hints[name], f"{key}.{name}")


def check_value(value: Any, hint: Any, key: str) -> None:
    """A value where an annotation asks for one; what is built by a `_target_` is left to that."""
    if isinstance(value, dict) and TARGET in value:
        return
    if isinstance(value, dict) and typing.get_origin(hint) is Mapping:
        for name, inner in value.items():
            check_value(inner, typing.get_args(hint)[1], f"{key}.{name}")
        return
    if is_dataclass(hint) or getattr(hint, "_is_protocol", False):
        raise UserError(f"{key}: {value!r} is not a mapping with {TARGET}")
    try:
        adapter(hint).validate_json(json.dumps(value))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join([key, *(str(part) for part in first["loc"] if isinstance(part, int))])
        wanted = SAID.get(first["type"])
        why = f"is not {wanted}" if wanted else f"does not fit ({first['msg']})"
        raise UserError(f"{where}: {first['input']!r} {why}") from error
    except PydanticUserError:  # an annotation that pydantic knows nothing about
        return


@functools.cache
def adapter(hint: Any) -> TypeAdapter[Any]:
    return TypeAdapter(hint, config=ConfigDict(strict=True))


@functools.cache
def signature(target: str) -> tuple[dict[str, Any], tuple[str, ...] | None]:
    """The annotations and names of what a target takes; None where any name goes, or nobody can tell."""
    try:
        called = get_object(target)
        parameters = inspect.signature(called).parameters.values()
        hints = typing.get_type_hints(called.__init__ if inspect.isclass(called) else called)
    except Exception:  # the same mistake comes again, and is told, when it is built
        return {}, None
    free = any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters)
    return hints, None if free else tuple(parameter.name for parameter in parameters)
