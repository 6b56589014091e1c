"""Whether what is known of some facts stands in the medical record, and not in a form alone."""

from __future__ import annotations

from collections.abc import Iterable

from mappings.evidence import Basis, Evidence, Reading, Reason, unknown
from mappings.fhir import DocumentReference, QuestionnaireResponse
from mappings.operators.base import Context, operator, texts


@operator(DocumentReference, QuestionnaireResponse)
def record_behind(context: Context, facts: Iterable[str]) -> Reading:
    """Whether a record stands behind every one of the facts about which anything is known.

    True: each is computed from the chart, or stated with a DocumentReference behind the statement.
    False: one rests on a form alone. Unknown: nothing is known of any, or no document at all is in
    the chart, so that the documents may just be missing here.
    """
    shown: list[Evidence] = []
    bare: list[Evidence] = []
    for name in texts(facts):
        fact = context.fact(name)
        stated, computed = fact.stated, fact.computed
        if computed.known and not computed.inferred:
            shown.extend(computed.evidence)
        elif stated is not None and stated.known:
            (bare if stated.basis is Basis.ATTESTED else shown).extend(stated.evidence)
    if bare and not context.chart.has(DocumentReference):
        return unknown(Reason.NO_DATA, "stated in a form; no document at all is on file", tuple(bare))
    if bare:
        return Reading(False, evidence=tuple(bare), note="stated in a form with no record behind it")
    if shown:
        return Reading(True, evidence=tuple(dict.fromkeys(shown)))
    return unknown(Reason.NO_DATA)
