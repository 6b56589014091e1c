"""Whether any clinical document is on file."""

from __future__ import annotations

from collections.abc import Iterable

from mappings.clinical_documents import clinical_documents
from mappings.evidence import Reading, Reason, unknown
from mappings.fhir import DocumentReference, QuestionnaireResponse
from mappings.operators.base import Context, operator, texts

_SHOWN = 3


@operator(DocumentReference, QuestionnaireResponse)
def document_on_file(context: Context, paperwork: Iterable[str]) -> Reading:
    """True with the latest clinical documents up to day 0; else unknown, for notes may lie elsewhere.

    paperwork: as of latest_document.
    """
    found = clinical_documents(context, texts(paperwork))
    if not found:
        return unknown(Reason.NO_DATA)
    latest = sorted(found, key=lambda document: document.day.last, reverse=True)[:_SHOWN]
    return Reading(True, evidence=tuple(document.evidence for document in latest))
