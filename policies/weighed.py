"""What weighing a condition gives. Never changed once it is made: a silent one is shared by all orders."""

from __future__ import annotations

from msgspec import Struct

from mappings.evidence import Evidence, Reason
from policies.logic import Truth


class Weighed(Struct):
    """The state of a condition and what it rests on.

    reason: why, when unknown. asks: what would settle the unknown tests. silent: unknown only
    because the record says nothing. attested: met or unmet by statements without a record behind
    them. parts: of a compound, in file order. fact: of a test, its name.
    """

    state: Truth
    reason: Reason | None = None
    evidence: tuple[Evidence, ...] = ()
    notes: tuple[str, ...] = ()
    asks: tuple[str, ...] = ()
    silent: bool = False
    attested: bool = False
    parts: tuple[Weighed, ...] = ()
    fact: str = ""
    label: str = ""
    operator: str = ""
