"""What the clinician states: QuestionnaireResponse items whose linkId is a fact's name.

A response to which a DocumentReference points (context.related) is documented; one without is an
attestation, and so is one with only papers of a supplier or manufacturer behind it (readings A21).
The latest day counts; two statements of that day that differ are conflicting.
Responses dated after day 0 do not count, nor do drafts (status in-progress, stopped). Of a period that
ends on day 0, a statement made before the period began says nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import date
from typing import Any

from msgspec import Struct

from mappings.chart import Chart, reference_of
from mappings.dates import Span, span
from mappings.evidence import Basis, Evidence, Origin, Reading, Reason, unknown
from mappings.fhir import Answer, DocumentReference, QuestionnaireResponse, ResponseItem
from mappings.suppliers import by_supplier
from mappings.units import in_unit

_FINAL = ("completed", "amended")
_SUPPLIER_SAYS = "stated by a supplier or manufacturer"
_NO_RECORD = "paper of a supplier or manufacturer, no record behind the statement"

YES_NO = {
    "yes": True,
    "true": True,
    "Y": True,
    "373066001": True,
    "no": False,
    "false": False,
    "N": False,
    "373067005": False,
}
"""Coded answers to a yes-or-no question: ours, HL7 v2 table 0136 and SNOMED CT."""


class Behind(Struct, frozen=True):
    """A document behind a response, and whether only a supplier or manufacturer wrote it."""

    document: DocumentReference
    by_supplier: bool


class Statement(Struct, frozen=True):
    """One answered item."""

    answers: tuple[Answer, ...]
    response: QuestionnaireResponse
    documents: tuple[Behind, ...]
    day: Span


class Statements:
    """All statements of a chart by fact name."""

    def __init__(self, chart: Chart, as_of: date) -> None:
        self._chart = chart
        self._by_name: dict[str, list[Statement]] = {}
        documents = _documents(chart, as_of)
        for response in chart.of(QuestionnaireResponse):
            day = span(response.authored)
            if response.status not in _FINAL or day is None or day.on_or_before(as_of) is not True:
                continue
            related = tuple(documents.get(reference_of(response), ()))
            for item in _answered(response.item):
                self._by_name.setdefault(item.linkId, []).append(
                    Statement(item.answer, response, related, day)
                )

    @property
    def names(self) -> Collection[str]:
        """What is stated at all."""
        return self._by_name.keys()

    def reading(self, name: str, kind: str, unit: str, since: date | None = None) -> Reading | None:
        """What the latest statements say of a fact of a type; None when nobody states it.

        kind: the fact's type in the catalogue. unit: the unit that a stated quantity is read in.
        since: the first day of the period that is asked about; a statement made before it is stale.
        """
        statements = self._by_name.get(name)
        if not statements:
            return None
        last = max(statement.day.last for statement in statements)
        latest = [statement for statement in statements if statement.day.last == last]
        values = [_value(statement.answers, kind, unit) for statement in latest]
        known = {value for value in values if value is not None}
        evidence = tuple(
            evidence
            for statement, value in zip(latest, values, strict=True)
            for evidence in self._evidence(statement, value, unit)
        )
        if not known:
            return unknown(Reason.UNIT_MISMATCH, "the statement cannot be read as an answer", evidence)
        if since is not None and any(statement.day.first < since for statement in latest):
            note = f"the statement is older than the period that is asked about, from {since} on"
            return unknown(Reason.STALE, note, evidence)
        if len(known) > 1:
            return unknown(Reason.CONFLICTING, "statements of the same day differ", evidence)
        documented = any(not behind.by_supplier for statement in latest for behind in statement.documents)
        return Reading(
            value=known.pop(),
            evidence=evidence,
            basis=Basis.DOCUMENTED if documented else Basis.ATTESTED,
        )

    def _evidence(self, statement: Statement, value: Any, unit: str) -> Iterator[Evidence]:
        response = statement.response
        author = () if response.author is None else (response.author,)
        yield Evidence(
            resource=reference_of(response),
            origin=Origin.STATEMENT,
            date=response.authored[:10],
            value=plain(value),
            unit=unit if isinstance(value, float) else "",
            says=_SUPPLIER_SAYS if by_supplier(self._chart, author, response) else "stated by the clinician",
        )
        for behind in statement.documents:
            document = behind.document
            yield Evidence(
                resource=reference_of(document),
                origin=self._chart.origin(document),
                date=document.date[:10],
                says=_NO_RECORD if behind.by_supplier else "record behind the statement",
            )


def plain(value: Any) -> Any:
    """A value as JSON can hold it."""
    if isinstance(value, Span):
        return value.first.isoformat() if value.exact else f"{value.first} to {value.last}"
    return list(value) if isinstance(value, tuple) else value


def _documents(chart: Chart, as_of: date) -> dict[str, list[Behind]]:
    """Reference of a response -> the current documents that stand behind it."""
    found: dict[str, list[Behind]] = {}
    for document in chart.of(DocumentReference):
        day = span(document.date)
        if document.status != "current" or document.docStatus in ("preliminary", "entered-in-error"):
            continue
        if day is not None and day.on_or_before(as_of) is False:
            continue
        if document.context is not None and document.context.related:
            behind = Behind(document, by_supplier(chart, document.author, document))
            for related in document.context.related:
                resource = chart.resolve(related, document)
                name = reference_of(resource) if resource is not None else related.reference
                found.setdefault(name, []).append(behind)
    return found


def _answered(items: tuple[ResponseItem, ...]) -> Iterator[ResponseItem]:
    for item in items:
        if item.answer:
            yield item
        yield from _answered(item.item)
        for answer in item.answer:
            yield from _answered(answer.item)


def _value(answers: tuple[Answer, ...], kind: str, unit: str) -> Any:
    """The answers as a value of the fact's type, None when they do not fit it."""
    if kind == "list":
        words = tuple(sorted({text for answer in answers if (text := _text(answer))}))
        return words or None
    answer = answers[0]
    if len(answers) > 1:
        return None
    if kind == "boolean":
        if answer.valueBoolean is None and answer.valueCoding is not None:
            return YES_NO.get(answer.valueCoding.code)
        return answer.valueBoolean
    if kind in ("decimal", "integer"):
        if answer.valueQuantity is not None:
            return in_unit(answer.valueQuantity, unit)
        number = answer.valueDecimal if answer.valueDecimal is not None else answer.valueInteger
        return None if number is None else float(number)
    if kind == "date":
        return span(answer.valueDate or answer.valueDateTime)
    return _text(answer) or None


def _text(answer: Answer) -> str:
    if answer.valueCoding is not None:
        return answer.valueCoding.code
    return answer.valueString.strip()
