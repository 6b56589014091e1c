"""An assertion as the FHIR extension coverage-information, in the shape of a CRD version."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from cards.coverage_information.assertion import Assertion, Detail, Reason
from cards.response_types import Version
from policies.repeated import Contact

URL = "http://hl7.org/fhir/us/davinci-crd/StructureDefinition/ext-coverage-information"
_CRD_CODES = "http://hl7.org/fhir/us/davinci-crd/CodeSystem/temp"
_DETAIL_CODES: dict[Version, str] = {
    "2.0": _CRD_CODES,
    "2.2": "http://terminology.hl7.org/CodeSystem/crd-coverage-detail",
}

Extension = dict[str, Any]


def extension(assertion: Assertion, assertion_id: str, today: str, version: Version) -> Extension:
    """The extension. today: the day on which it is asserted, as YYYY-MM-DD."""
    return {"url": URL, "extension": list(_parts(assertion, assertion_id, today, version))}


def _parts(a: Assertion, assertion_id: str, today: str, version: Version) -> Iterator[Extension]:
    yield {"url": "coverage", "valueReference": {"reference": a.coverage}}
    yield {"url": "covered", "valueCode": a.covered}
    if a.pa_needed:
        yield {"url": "pa-needed", "valueCode": a.pa_needed}
    for name, codes in (
        ("doc-needed", a.doc_needed),
        ("doc-purpose", a.doc_purpose),
        ("info-needed", a.info_needed),
    ):
        for code in codes:
            yield {"url": name, "valueCode": code}
    for coding in a.billing_codes:
        yield {"url": "billingCode", "valueCoding": coding}
    for reason in a.reasons:
        yield {"url": "reason", "valueCodeableConcept": _reason(reason)}
    for detail in a.details:
        yield {"url": "detail", "extension": list(_detail(detail, version))}
    for canonical in a.questionnaires:
        yield {"url": "questionnaire", "valueCanonical": canonical}
    yield {"url": "date", "valueDate": today}
    yield {"url": "coverage-assertion-id", "valueString": assertion_id}
    if a.contact is not None:
        yield {"url": "contact", **_contact(a.contact, version)}
    if a.expires and version != "2.0":
        yield {"url": "expiry-date", "valueDate": a.expires}


def _reason(reason: Reason) -> dict[str, Any]:
    coding = [{"system": _CRD_CODES, "code": reason.code}] if reason.code else []
    return {"coding": coding, "text": reason.text} if coding else {"text": reason.text}


def _detail(detail: Detail, version: Version) -> Iterator[Extension]:
    if version != "2.0":
        yield {"url": "category", "valueCode": detail.category}
    coding = {"system": _DETAIL_CODES[version], "code": detail.code}
    yield {"url": "code", "valueCodeableConcept": {"coding": [coding]}}
    element, value = detail.value
    yield {"url": "value", element: value}
    if detail.about:
        yield {"url": "qualification", "valueString": detail.about}


def _contact(contact: Contact, version: Version) -> dict[str, Any]:
    """A ContactPoint in CRD 2.0, a ContactDetail in 2.2."""
    point = {"system": contact.system, "value": contact.value}
    if version == "2.0":
        return {"valueContactPoint": point}
    return {"valueContactDetail": {"name": contact.name, "telecom": [point]}}
