"""A cache bounded by bytes: drawn tiles and grounds are small at 64 pixels and large at 640."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

Value = TypeVar("Value")


class ByteCache(Generic[Value]):
    """Keeps what `make` returned until the total passes `limit` bytes, then starts afresh."""

    def __init__(self, limit: int, size: Callable[[Value], int]) -> None:
        self.limit, self.size = limit, size
        self.held: dict[Hashable, Value] = {}
        self.bytes = 0

    def get(self, key: Hashable, make: Callable[[], Value]) -> Value:
        value = self.held.get(key)
        if value is None:
            value = make()
            if self.bytes > self.limit:
                self.held.clear()
                self.bytes = 0
            self.held[key] = value
            self.bytes += self.size(value)
        return value
