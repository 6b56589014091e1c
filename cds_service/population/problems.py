"""Lines that could not be used, or not as they stand: where they are, never what they hold."""

from __future__ import annotations

import msgspec
from msgspec import Struct

from mappings.parsing import Item, read


class LineProblem(Struct, frozen=True):
    """file: name below the data folder, or of the file of orders. line: from 1."""

    file: str
    line: int
    what: str


def read_line(raw: bytes) -> tuple[tuple[Item, ...], list[str]]:
    """The resource of a line (none when nothing of it can be used) and what had to be mended."""
    try:
        received = read(raw)
    except RecursionError:
        return (), ["the line is nested too deeply"]
    except msgspec.ValidationError:
        return (), ["the line is no FHIR resource"]
    except (msgspec.DecodeError, UnicodeDecodeError):
        return (), ["the line is no JSON"]
    found = [
        f"{problem.where.lstrip('.')}: {problem.what}".removeprefix(": ") for problem in received.problems
    ]
    return received.items, found
