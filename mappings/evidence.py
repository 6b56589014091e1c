"""What a fact rests on, and why a fact is unknown.

A `Reading` is what one source (an operator over the chart, or the statements of the clinician)
says of a fact. Facts keep the readings apart so that the leaf which asks can weigh them
(mappings.book); nothing here knows policies.
"""

from __future__ import annotations

from enum import StrEnum
from math import inf
from typing import Any

from msgspec import Struct


class Reason(StrEnum):
    """Why a state is unknown (shared design, domain rule 2)."""

    NO_DATA = "no_data"
    STALE = "stale"
    TOO_SHORT_A_RECORD = "too_short_a_record"
    UNMAPPED_CODE = "unmapped_code"
    UNIT_MISMATCH = "unit_mismatch"
    CONFLICTING = "conflicting"
    FETCH_FAILED = "fetch_failed"
    NARRATIVE_ONLY = "narrative_only"
    ATTESTED_ONLY = "attested_only"
    IMPRECISE = "imprecise"
    """The record speaks but not sharply enough: a partial date, a range, a share between bounds."""


class Origin(StrEnum):
    """Where a resource came from."""

    PREFETCH = "prefetch"
    SERVER = "fhir-server"
    ORDER = "order"
    STATEMENT = "statement"


class Evidence(Struct, frozen=True, omit_defaults=True, rename={"origin": "from"}):
    """One resource a statement rests on. Absent fields are omitted when encoded."""

    resource: str
    origin: str = ""
    date: str = ""
    value: Any = None
    unit: str = ""
    says: str = ""
    """What the resource shows, in plain words, where value and unit alone would not tell."""


class Bounds(Struct, frozen=True):
    """A number of which only limits are known, e.g. at least two injections a day.

    A comparison that the limits cannot decide is unknown.
    """

    low: float
    high: float = inf


class Basis(StrEnum):
    """What stands behind a reading; ATTESTED alone does not suffice for every payer."""

    RECORD = "record"
    ORDER = "order"
    DOCUMENTED = "documented"
    ATTESTED = "attested"


class Reading(Struct, frozen=True):
    """What one source says of a fact.

    value: bool, float, int, str, dates.Span, or a tuple of these; None means it cannot tell.
    reason: set exactly when value is None.
    note: how the value came about, in plain words ("248 tests in 59 days").
    inferred: it follows from what the record does not show, and yields to any statement.
    """

    value: Any = None
    reason: Reason | None = None
    evidence: tuple[Evidence, ...] = ()
    note: str = ""
    basis: Basis = Basis.RECORD
    inferred: bool = False

    @property
    def known(self) -> bool:
        return self.value is not None


def unknown(reason: Reason, note: str = "", evidence: tuple[Evidence, ...] = ()) -> Reading:
    """A reading that cannot tell, with the reason."""
    return Reading(reason=reason, note=note, evidence=evidence)


SILENT = Reading(reason=Reason.NO_DATA)
"""The record says nothing at all."""
