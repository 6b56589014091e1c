"""When the most recent clinical document was written."""

from __future__ import annotations

from collections.abc import Iterable

from mappings.clinical_documents import clinical_documents
from mappings.evidence import Reading, Reason, unknown
from mappings.fhir import DocumentReference, QuestionnaireResponse
from mappings.operators.base import Context, operator, texts


@operator(DocumentReference, QuestionnaireResponse)
def latest_document(context: Context, paperwork: Iterable[str]) -> Reading:
    """The date of the latest clinical document up to day 0, as the days that it may mean.

    The date is that of the care where the document tells it (context.period), else of the document.
    paperwork: facts (portal request, enrolment ...) whose statement is no clinical documentation.
    """
    found = clinical_documents(context, texts(paperwork))
    if not found:
        return unknown(Reason.NO_DATA)
    last = max(found, key=lambda document: (document.day.last, document.day.first))
    return Reading(last.day, evidence=(last.evidence,))
