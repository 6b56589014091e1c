"""What is kept of the coverage-information in an answer: the elements that CRD counts.

Source: CRD 2.2, logical model CRDMetricData, request.response.coverageInfo.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from cds_service.store.keyed_hash import KeyedHash

_URL = "http://hl7.org/fhir/us/davinci-crd/StructureDefinition/ext-coverage-information"
_ELEMENTS = {
    "covered": "covered",
    "pa-needed": "paNeeded",
    "doc-needed": "docNeeded",
    "info-needed": "infoNeeded",
    "questionnaire": "questionnaire",
    "coverage-assertion-id": "assertionId",
    "satisfied-pa-id": "satisfiedId",
}
_REPEATING = ("questionnaire",)

Json = Mapping[str, Any]


def coverage_information(actions: Sequence[Json], hashes: KeyedHash) -> list[dict[str, Any]]:
    """One entry for each coverage-information extension on the orders of `systemActions`."""
    return [
        {"order": hashes.of("order", f"{order['resourceType']}/{order.get('id', '')}")} | _entry(extension)
        for action in actions
        if isinstance(order := action.get("resource"), Mapping)
        for extension in order.get("extension", ())
        if extension.get("url") == _URL
    ]


def _entry(extension: Json) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in _values(extension):
        if name in _REPEATING:
            found.setdefault(name, []).append(value)
        else:
            found.setdefault(name, value)
    return found


def _values(extension: Json) -> Iterator[tuple[str, str]]:
    for part in extension.get("extension", ()):
        name = _ELEMENTS.get(part.get("url", ""))
        value = next((value for key, value in part.items() if key.startswith("value")), None)
        if name and isinstance(value, str):
            yield name, value
