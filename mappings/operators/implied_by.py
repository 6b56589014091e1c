"""What follows from another fact."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from mappings.evidence import Reading, Reason, unknown
from mappings.operators.base import Context, operator


@operator()
def implied_by(context: Context, fact: str, values: Iterable[Any], gives: Any, because: str) -> Reading:
    """`gives`, when another fact has (or, a list, holds) one of `values`; any statement goes before it.

    A leukemia in relapse is in no remission. because: why, in words; it becomes the note.
    """
    found = context.fact(fact)
    value = context.value(fact)
    held = value if isinstance(value, tuple) else (value,)
    if not set(values) & {one for one in held if one is not None}:
        return unknown(Reason.NO_DATA)
    readings = [
        reading for reading in (found.stated, found.computed) if reading is not None and reading.known
    ]
    evidence = tuple(entry for reading in readings for entry in reading.evidence)
    return Reading(gives, evidence=evidence, note=because, inferred=True)
