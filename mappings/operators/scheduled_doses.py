"""How many doses of a class of drugs are scheduled a day."""

from __future__ import annotations

from collections.abc import Iterable

from mappings.drug_use import doses_on, drug_uses
from mappings.evidence import Reading, Reason, unknown
from mappings.fhir import Medication, MedicationRequest, MedicationStatement
from mappings.operators.base import Context, operator, texts


@operator(MedicationStatement, MedicationRequest, Medication)
def scheduled_doses(context: Context, drug_classes: Iterable[str], injected: bool = False) -> Reading:
    """Scheduled doses a day on day 0 of drugs of the classes, all added up.

    injected: only injections count; what is inhaled, infused by pump or given by another route
    adds nothing. As-needed doses, sliding scales and drugs without a schedule make the sum a lower
    bound (Bounds): enough where the sure doses suffice, unknown otherwise, never a "no". A drug
    that is both taken and prescribed counts once (mappings.drug_use).

    Unknown: no such drug on file (no_data), or only ones that are no longer taken (stale).
    """
    uses = drug_uses(context, texts(drug_classes))
    current = [use for use in uses if use.stretch.perhaps(context.as_of)]
    if not current:
        if uses:
            evidence = tuple(use.evidence for use in uses)
            return unknown(Reason.STALE, "no such drug on file is taken on the day of the order", evidence)
        return unknown(Reason.NO_DATA)
    doses = doses_on([use for use in current if use.injected or not injected], context.as_of)
    note = " + ".join(use.evidence.says for use in current)
    value = doses.low if doses.low == doses.high else doses
    return Reading(value, evidence=tuple(use.evidence for use in current), note=note)
