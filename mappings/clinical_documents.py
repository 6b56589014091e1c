"""Which documents of the record speak of the patient's condition, and not only of paperwork.

A document counts when it is current, finished (no preliminary text) and dated on or before day 0.
One that stands behind statements (context.related) is clinical when a statement is: a portal receipt
or a directory print-out filed as a note supports no medical necessity. One that stands alone counts.
Source: https://hl7.org/fhir/R4/documentreference.html
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING

from msgspec import Struct

from mappings.chart import Chart
from mappings.conditions import words_of
from mappings.dates import Span, span
from mappings.evidence import Evidence
from mappings.fhir import DocumentReference, QuestionnaireResponse, ResponseItem

if TYPE_CHECKING:
    from mappings.operators.base import Context

_UNFINISHED = ("preliminary", "entered-in-error")


class Document(Struct, frozen=True):
    """A clinical document and the days that its date may mean."""

    day: Span
    evidence: Evidence


def clinical_documents(context: Context, paperwork: Collection[str]) -> list[Document]:
    """The clinical documents up to day 0. paperwork: facts whose statement alone is no clinical one."""
    chart = context.chart
    found = []
    for document in chart.of(DocumentReference):
        day = span(document.date)
        if document.status != "current" or document.docStatus in _UNFINISHED or day is None:
            continue
        if day.first > context.as_of or _is_paperwork(document, chart, paperwork):
            continue
        says = document.description or words_of(document.type) or "clinical document"
        found.append(Document(day, context.evidence(document, document.date, says=says)))
    return found


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
