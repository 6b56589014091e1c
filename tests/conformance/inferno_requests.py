"""Hook requests in the shapes that Inferno's presets have, about pumps and a member of Aetna.

Three for each hook: prefetch under the keys of Inferno and a FHIR server that cannot be reached;
prefetch under keys of no meaning and no server; no coverage, and a server that may not be called.
"""

from __future__ import annotations

from typing import Any

from cards.response_types import Version
from cds_service.contexts import HOOKS, Hook
from tests.conformance.crd_report import Json

# A port that nobody listens on: it is reserved.
UNREACHABLE = "http://127.0.0.1:1/r4"
FOREIGN = "https://inferno.healthit.gov/reference-server/r4"
COVERED, OTHER_KEYS, NO_COVERAGE = range(3)

_PROFILES = "http://hl7.org/fhir/us/davinci-crd/StructureDefinition/profile-"
_PATIENT, _USER, _VISIT = "Patient/pat1", "Practitioner/pra1", "Encounter/enc1"

PATIENT: Json = {
    "resourceType": "Patient",
    "id": "pat1",
    "name": [{"family": "Rowan", "given": ["Ida"]}],
    "gender": "female",
    "birthDate": "1988-02-23",
}
USER: Json = {
    "resourceType": "Practitioner",
    "id": "pra1",
    "name": [{"family": "Sorrel", "given": ["Ada"]}],
}
COVERAGE: Json = {
    "resourceType": "Coverage",
    "id": "cov1",
    "status": "active",
    "subscriberId": "10A3D58WH456",
    "beneficiary": {"reference": _PATIENT},
    "payor": [{"reference": "Organization/org1"}],
}
PAYER: Json = {"resourceType": "Organization", "id": "org1", "active": True, "name": "Aetna"}
VISIT: Json = {
    "resourceType": "Encounter",
    "id": "enc1",
    "status": "in-progress",
    "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB"},
    "subject": {"reference": _PATIENT},
}
_ASKED: Json = {
    "status": "draft",
    "intent": "original-order",
    "insurance": [{"reference": "Coverage/cov1"}],
    "subject": {"reference": _PATIENT},
    "encounter": {"reference": _VISIT},
    "authoredOn": "2026-01-12T00:00:00Z",
    "requester": {"reference": _USER},
}
PUMP: Json = {
    "resourceType": "DeviceRequest",
    "id": "devreq1",
    "meta": {"profile": [f"{_PROFILES}devicerequest"]},
    "codeCodeableConcept": {
        "coding": [
            {
                "system": "https://bluebutton.cms.gov/resources/codesystem/hcpcs",
                "code": "E0784",
                "display": "External ambulatory infusion pump, insulin",
            }
        ]
    },
    "performer": {"reference": "Organization/dme1"},
    **_ASKED,
}
IMPLANT: Json = {
    "resourceType": "ServiceRequest",
    "id": "servreq1",
    "meta": {"profile": [f"{_PROFILES}servicerequest"]},
    "code": {"coding": [{"system": "http://www.ama-assn.org/go/cpt", "code": "62362"}]},
    **_ASKED,
}
_HOUR = {"start": "2026-03-10T09:00:00Z", "end": "2026-03-10T11:00:00Z"}
APPOINTMENT: Json = {
    "resourceType": "Appointment",
    "id": "124",
    "status": "proposed",
    "serviceType": [
        {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/service-type", "code": "124"}]}
    ],
    **_HOUR,
    "requestedPeriod": [_HOUR],
    "basedOn": [{"reference": "ServiceRequest/servreq1"}],
    "participant": [
        {"actor": {"reference": _PATIENT}, "required": "required", "status": "accepted"},
        {"actor": {"reference": _USER}, "required": "required", "status": "accepted"},
    ],
}


def bodies(hook: Hook, version: Version) -> list[Json]:
    """The requests of a hook, by COVERED, OTHER_KEYS and NO_COVERAGE."""
    named = prefetch(hook, COVERAGE, PAYER)
    renamed = {f"key{number}": value for number, value in enumerate(reversed(named.values()))}
    covered = _body(hook, version, COVERED, named)
    return [
        covered | {"fhirServer": UNREACHABLE},
        {k: v for k, v in _body(hook, version, OTHER_KEYS, renamed).items() if k != "fhirAuthorization"},
        _body(hook, version, NO_COVERAGE, prefetch(hook)) | {"fhirServer": FOREIGN},
    ]


def prefetch(hook: Hook, *coverages: Json) -> Json:
    """Prefetch under the keys of Inferno's presets; coverages: what was found with the payer."""
    coverage: Json = {
        "resourceType": "Bundle",
        "type": "searchset",
        "total": min(len(coverages), 1),
        "link": [{"relation": "self", "url": f"{FOREIGN}/Coverage?patient=pat1"}],
    }
    if coverages:
        coverage["entry"] = [
            {"fullUrl": f"{FOREIGN}/{r['resourceType']}/{r['id']}", "resource": r} for r in coverages
        ]
    found = {"patient": PATIENT, "coverage": coverage}
    if hook != "order-dispatch":
        found["user"] = USER
    if hook == "appointment-book":
        found["order"] = IMPLANT
    elif hook in ("order-dispatch", "encounter-start", "encounter-discharge"):
        found["order"] = _bundle("searchset", PUMP) if "encounter" in hook else PUMP
        found["encounter"] = VISIT
    return found


def _body(hook: Hook, version: Version, number: int, prefetched: Json) -> Json:
    extension: Json = {"davinci-crd.configuration": {"alt-drug": True}}
    if version != "2.0":
        extension["davinci-crd.requestedVersion"] = version
    return {
        "hookInstance": f"d1577c69-dfbe-44ad-ba6d-3e05e95{HOOKS.index(hook)}{number}2ea",
        "hook": hook,
        "fhirAuthorization": {
            "access_token": "SAMPLE_TOKEN",
            "token_type": "Bearer",
            "expires_in": 300,
            "scope": "user/Patient.read user/DeviceRequest.read user/Practitioner.read",
            "subject": "cds-service",
        },
        "context": _context(hook, number),
        "prefetch": prefetched,
        "extension": extension,
    }


def _context(hook: Hook, number: int) -> Json:
    if hook == "order-dispatch":
        # The second request has the shape of version 1.1.
        order = (
            {"dispatchedOrders": ["DeviceRequest/devreq1"]}
            if number == OTHER_KEYS
            else {"order": "DeviceRequest/devreq1"}
        )
        return {"patientId": "pat1", **order, "performer": "Organization/dme1"}
    found: Json = {"userId": _USER, "patientId": "pat1", "encounterId": "enc1"}
    if hook in ("order-sign", "order-select"):
        found["draftOrders"] = _bundle("collection", PUMP)
    if hook == "order-select":
        found["selections"] = ["DeviceRequest/devreq1"]
    if hook == "appointment-book":
        found["appointments"] = _bundle("collection", APPOINTMENT)
    return found


def _bundle(kind: str, *resources: Any) -> Json:
    return {"resourceType": "Bundle", "type": kind, "entry": [{"resource": r} for r in resources]}
