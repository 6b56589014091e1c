"""Which documents of the record speak of the patient's condition, and not only of paperwork.

A document counts when it is current, finished (no preliminary text) and dated on or before day 0.
One that stands behind statements (context.related) is clinical when a statement is: a portal receipt
or a directory print-out filed as a note supports no medical necessity. One that stands alone counts,
unless its type or category is plainly another kind of paper (clinical_documents.yaml), or a supplier
or manufacturer wrote it.
Source: https://hl7.org/fhir/R4/documentreference.html
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from mappings.chart import Chart
from mappings.codes import key, systems
from mappings.conditions import words_of
from mappings.dates import Span, span
from mappings.documents import read
from mappings.evidence import Evidence
from mappings.fhir import CodeableConcept, DocumentReference, QuestionnaireResponse, ResponseItem
from mappings.pumps import texts_of
from mappings.suppliers import by_supplier
from mappings.tables import table
from mappings.words import has_words

if TYPE_CHECKING:
    from mappings.operators.base import Context

_LOINC = systems()["loinc"].uri
_UNFINISHED = ("preliminary", "entered-in-error")


class _Kinds(Struct, frozen=True, forbid_unknown_fields=True):
    loinc: dict[str, str]
    words: tuple[str, ...]


@table
def _not_clinical() -> _Kinds:
    return read(Path(__file__).parent / "clinical_documents.yaml", _Kinds)


class Document(Struct, frozen=True):
    """A clinical document and the days that its date may mean."""

    day: Span
    evidence: Evidence


def clinical_documents(context: Context, paperwork: Collection[str]) -> list[Document]:
    """The clinical documents up to day 0. paperwork: facts whose statement alone is no clinical one."""
    chart = context.chart
    found = []
    for document in chart.of(DocumentReference):
        if document.status != "current" or document.docStatus in _UNFINISHED:
            continue
        written = _date_of(document)
        day, filed = span(written), span(document.date)
        if day is None or any(known.first > context.as_of for known in (day, filed) if known is not None):
            continue
        if _is_other_paper(document, chart) or _is_paperwork(document, chart, paperwork):
            continue
        says = document.description or words_of(document.type) or "clinical document"
        found.append(Document(day, context.evidence(document, written, says=says)))
    return found


def _date_of(document: DocumentReference) -> str:
    """When the care was of which it tells, else when it was filed; none tells of what comes after it."""
    period = document.context.period if document.context is not None else None
    care, filed = span(period.end) if period is not None else None, span(document.date)
    if period is None or care is None or (filed is not None and care.last > filed.last):
        return document.date
    return period.end


def _is_other_paper(document: DocumentReference, chart: Chart) -> bool:
    """Whether it is plainly no clinical document: by its type, else by its category, or by its author."""
    if document.type is not None and _is_not_clinical(document.type):
        return True
    typed = document.type is not None and any(key(coding)[0] == _LOINC for coding in document.type.coding)
    if not typed and any(_is_not_clinical(category) for category in document.category):
        return True
    return by_supplier(chart, document.author, document)


def _is_not_clinical(concept: CodeableConcept) -> bool:
    kinds = _not_clinical()
    if any(system == _LOINC and code in kinds.loinc for system, code in map(key, concept.coding)):
        return True
    return any(has_words(text, words) for text in texts_of(concept) for words in kinds.words)


def _is_paperwork(document: DocumentReference, chart: Chart, paperwork: Collection[str]) -> bool:
    related = document.context.related if document.context is not None else ()
    responses = [
        resource
        for reference in related
        if isinstance(resource := chart.resolve(reference, document), QuestionnaireResponse)
    ]
    names = {name for response in responses for name in _stated(response.item)}
    return bool(names) and all(name in paperwork for name in names)


def _stated(items: tuple[ResponseItem, ...]) -> Iterator[str]:
    for item in items:
        if item.answer and item.linkId:
            yield item.linkId
        yield from _stated(item.item)
        for answer in item.answer:
            yield from _stated(answer.item)
