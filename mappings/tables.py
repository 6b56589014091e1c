"""The packaged tables: each is read once, before requests come, and then shared by all threads.

Left to the first request that needs it, a table would be read by several threads at a time, and
msgspec may crash the process when two of them use a type for the first time at once.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, TypeVar

T = TypeVar("T")

_tables: list[Callable[[], Any]] = []


def table(read: Callable[[], T]) -> Callable[[], T]:
    """Decorates what reads a table: it is read once."""
    once = cache(read)
    _tables.append(once)
    return once


def read_all() -> None:
    """Read what was not read yet. Raises DocumentError for a table that cannot be used."""
    for read in _tables:
        read()
