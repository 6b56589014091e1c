"""What could not be had, in words for the reader of a card."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from msgspec import Struct

from cds_service.prefetch import KINDS, REFERENCED


class Gap(Struct, frozen=True):
    """A resource type that could not be had, wholly or in part, and why."""

    kind: str
    reason: str


def sentences(gaps: Iterable[Gap], kinds: Collection[str] | None = None) -> tuple[str, ...]:
    """One sentence for each reason, with all types that it holds for.

    kinds: the types that matter, None for all. What others refer to (a Medication, an Organization)
    always matters.
    """
    said: dict[str, dict[str, None]] = {}
    for gap in gaps:
        if kinds is None or gap.kind in kinds or gap.kind in REFERENCED:
            label = KINDS[gap.kind].label if gap.kind in KINDS else gap.kind
            said.setdefault(gap.reason, {})[label] = None
    lines = ((", ".join(labels), reason) for reason, labels in said.items())
    return tuple(f"{labels[0].upper()}{labels[1:]}: {reason}." for labels, reason in lines)
