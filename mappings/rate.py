"""A rate of doses, and the lengths of the units of time in which rates are written."""

from __future__ import annotations

from fractions import Fraction

import msgspec


class Rate(msgspec.Struct, frozen=True):
    """Scheduled doses per day, from `low` to `high`; both None when unknown.

    As-needed doses are not scheduled: `as_needed` with 0. An unknown rate has a `problem`
    ("no_data", "narrative_only", "conflicting") and a phrase that `says` it; without a problem
    nothing was stated at all.
    """

    low: float | None = None
    high: float | None = None
    as_needed: bool = False
    problem: str = ""
    says: str = ""

    @property
    def known(self) -> bool:
        """Whether there is a number (0 for as-needed doses)."""
        return self.low is not None


AS_NEEDED = Rate(low=0.0, high=0.0, as_needed=True)

# UCUM codes, which FHIR uses for periodUnit. A month is 30.4375 days, a year 365.25 (UCUM mo_j, a_j).
DAYS = {
    "s": Fraction(1, 86_400),
    "min": Fraction(1, 1440),
    "h": Fraction(1, 24),
    "d": Fraction(1),
    "wk": Fraction(7),
    "mo": Fraction(487, 16),
    "a": Fraction(1461, 4),
}


def exactly(per_day: Fraction) -> Rate:
    """The rate that is this number."""
    return between(per_day, per_day)


def between(low: Fraction, high: Fraction) -> Rate:
    """The rate that lies in this range."""
    return Rate(low=float(low), high=float(high))
