"""Whether a regimen of so many doses a day has been kept for a while."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from mappings.dates import before, words
from mappings.drug_use import drug_uses
from mappings.evidence import Reading, Reason, unknown
from mappings.fhir import Medication, MedicationRequest, MedicationStatement
from mappings.operators.base import Context, operator, texts
from mappings.regimen import GAP, is_held, segments


@operator(MedicationStatement, MedicationRequest, Medication)
def regimen_held(
    context: Context,
    drug_classes: Iterable[str],
    duration: str,
    at_least: float,
    injected: bool = False,
) -> Reading:
    """Whether at least `at_least` doses a day were scheduled throughout the calendar `duration` up to day 0.

    Doses are counted as in scheduled_doses, on each day. Breaks of up to 14 days do not count, but they
    lie between two stretches: a regimen that began after the first day was not kept throughout. True
    when the sure doses suffice; False when even the possible ones do not (a drug that began later, by
    the start of its period, is not possible before); else unknown, e.g. where only the day of the
    prescription is known, which may be a renewal.
    """
    counted = [use for use in drug_uses(context, texts(drug_classes)) if use.injected or not injected]
    if not counted:
        return unknown(Reason.NO_DATA)
    first = before(context.as_of, duration)
    parts = segments(counted, first - timedelta(days=GAP), context.as_of)
    evidence = tuple(
        use.evidence for use in counted if use.stretch.first <= context.as_of and use.stretch.last >= first
    )
    if is_held(parts, first, float(at_least), sure=True):
        return Reading(True, evidence=evidence, note=f"at least {at_least:g} a day since {first} or earlier")
    if not is_held(parts, first, float(at_least), sure=False):
        note = f"fewer than {at_least:g} a day during part of the last {words(duration)}"
        return Reading(False, evidence=evidence, note=note)
    note = f"the record leaves open whether it was {at_least:g} a day all of the last {words(duration)}"
    return unknown(Reason.IMPRECISE, note, evidence)
