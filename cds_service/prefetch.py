"""Which data the loaded policies need, as FHIR queries: the prefetch templates of discovery.

The same queries are asked of the FHIR server when prefetch does not answer them. They follow from
the facts that the policies use (Catalogue.reads), so a new policy changes discovery by itself.

Templates hold only tokens that CDS Hooks 2.0 allows for the hook: order-dispatch has no user, and no
hook may name what lies inside its orders. CRD 2.2 lets templates say that, in expressions that it
lays down (crd_prefetch.json, from its example discovery); a setting offers these beside the queries
for the record, whose keys then make way. Observations are asked
for by code, because a patient's readings can be ten thousands; the codes stand without system,
since servers differ in how they compare systems. Results that have no public code are asked for by
our own system. Long queries are split: many servers and proxies refuse URLs beyond 2,000 characters.

Sources: CDS Hooks 2.0, sections Prefetch Template, Prefetch tokens, Prefetch query restrictions; CRD
2.2.1, section Prefetch.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from urllib.parse import quote

import msgspec
from msgspec import Struct

from cards.response_types import Version
from cds_service.contexts import ENCOUNTER_HOOKS, Hook
from mappings.codes import FACT_SYSTEM, systems
from mappings.terminology import ValueSets

PATIENT_TOKEN = "{{context.patientId}}"
URL_LIMIT = 1_800

# What statements and the choice of the payer rest on, whatever the policies' facts read.
ALWAYS = ("Patient", "Coverage", "QuestionnaireResponse", "DocumentReference")

# Types that belong to no patient: they come with what refers to them.
REFERENCED = ("Medication", "Organization", "Practitioner", "PractitionerRole")


class Kind(Struct, frozen=True):
    """How a resource type is asked for: its prefetch key, its name for people, what comes with it."""

    key: str
    label: str
    include: str = ""


KINDS: dict[str, Kind] = {
    "Patient": Kind("patient", "the patient"),
    "Coverage": Kind("coverage", "coverage", "payor"),
    "Condition": Kind("conditions", "diagnoses"),
    "Observation": Kind("observations", "results and measurements"),
    "MedicationStatement": Kind("medicationStatements", "medication history", "medication"),
    "MedicationRequest": Kind("medicationRequests", "prescriptions", "medication"),
    "MedicationAdministration": Kind("medicationAdministrations", "given medication", "medication"),
    "Procedure": Kind("procedures", "procedures"),
    "Encounter": Kind("encounters", "visits"),
    "AllergyIntolerance": Kind("allergies", "allergies"),
    "Device": Kind("devices", "devices"),
    "DeviceUseStatement": Kind("deviceUseStatements", "use of devices", "device"),
    "DeviceRequest": Kind("deviceRequests", "earlier device orders"),
    "ServiceRequest": Kind("serviceRequests", "earlier service orders"),
    "DocumentReference": Kind("documents", "documents"),
    "QuestionnaireResponse": Kind("questionnaireResponses", "answered forms"),
    "Goal": Kind("goals", "goals"),
    "DetectedIssue": Kind("detectedIssues", "detected issues"),
    "Appointment": Kind("appointments", "appointments"),
    "Task": Kind("tasks", "tasks"),
    "NutritionOrder": Kind("nutritionOrders", "nutrition orders"),
    "VisionPrescription": Kind("visionPrescriptions", "vision prescriptions"),
    "CommunicationRequest": Kind("communicationRequests", "communication orders"),
}

# The one who orders, for orders that do not say; a key with a token that a client cannot fill is
# left out by it, so one of the two role keys comes at most.
_USER = {
    "user": "{{context.userId}}",
    "practitionerRoles": (
        "PractitionerRole?_id={{userPractitionerRoleId}}&_include=PractitionerRole:practitioner"
    ),
}


# What order-dispatch names and does not hold; a client whose context has `dispatchedOrders` leaves
# the first out, since it cannot fill the token.
_DISPATCHED = {"order": "{{context.order}}", "performer": "{{context.performer}}"}

# The order types that policies read.
JUDGED = ("DeviceRequest", "ServiceRequest", "MedicationRequest")

# What one key of CRD 2.2 and one of ours ask for alike.
_SHARED = ("patient", "coverage")


class Query(Struct, frozen=True):
    """One query: the prefetch key under which it is offered, the type it asks for, its template."""

    key: str
    kind: str
    template: str

    def path(self, patient_id: str) -> str:
        """The query for one patient, relative to the base of a FHIR server."""
        return self.template.replace(PATIENT_TOKEN, quote(patient_id, safe=""))


def queries(
    reads: Mapping[str, set[str] | None], value_sets: ValueSets, style: Version = "2.0"
) -> tuple[Query, ...]:
    """The queries that get what facts read, in the order of KINDS.

    reads: resource type -> value sets of the codes that matter, None for all. style: of discovery.
    Raises ValueError for a type that nobody knows how to ask for.
    """
    wanted: dict[str, set[str] | None] = {**reads, **dict.fromkeys(ALWAYS)}
    unknown = wanted.keys() - KINDS.keys() - set(REFERENCED)
    if unknown:
        raise ValueError(f"no query is known for {', '.join(sorted(unknown))}")
    # Every fact may be on file under our own code (mappings.recorded).
    wanted.setdefault("Observation", set())
    kinds = [kind for kind in KINDS if kind in wanted]
    found = [query for kind in kinds for query in _queries(kind, wanted[kind], value_sets)]
    taken = {key for keys in _crd_2_2().values() for key in keys} if style == "2.2" else set()
    return tuple(_making_way(query, taken.difference(_SHARED)) for query in found)


def _making_way(query: Query, taken: Collection[str]) -> Query:
    """A query under a key that CRD has not taken: patientDevices for devices."""
    if query.key not in taken:
        return query
    return msgspec.structs.replace(query, key=f"patient{query.key[0].upper()}{query.key[1:]}")


def templates(hook: Hook, asked: Sequence[Query], style: Version = "2.0") -> dict[str, str]:
    """The prefetch object of a service in discovery; what a template rests on stands before it."""
    found = dict(_crd_2_2()[hook]) if style == "2.2" else {}
    for query in asked:
        found.setdefault(query.key, query.template)
    if hook in ENCOUNTER_HOOKS:
        found |= _open_orders(asked)
    if hook != "order-dispatch":
        return found | {key: template for key, template in _USER.items() if key not in found}
    return found | _DISPATCHED if style == "2.0" else found


def _open_orders(asked: Sequence[Query]) -> dict[str, str]:
    """The open orders of an encounter, for types that no query asks for as a whole."""
    missing = [kind for kind in JUDGED if all(query.kind != kind for query in asked)]
    return {
        KINDS[kind].key: (
            f"{kind}?patient={PATIENT_TOKEN}&encounter={{{{context.encounterId}}}}&status=active,draft"
        )
        for kind in missing
    }


@cache
def _crd_2_2() -> dict[str, dict[str, str]]:
    """Hook -> key -> the expression of CRD 2.2."""
    text = (Path(__file__).parent / "crd_prefetch.json").read_bytes()
    return msgspec.json.decode(text, type=dict[str, dict[str, str]])


def _queries(kind: str, sets: set[str] | None, value_sets: ValueSets) -> Iterator[Query]:
    key, include = KINDS[kind].key, KINDS[kind].include
    if kind == "Patient":
        yield Query(key, kind, f"Patient/{PATIENT_TOKEN}")
        return
    template = f"{kind}?patient={PATIENT_TOKEN}"
    if include:
        template += f"&_include={kind}:{include}"
    if kind != "Observation" or sets is None:
        yield Query(key, kind, template)
        return
    template += "&code="
    parts = list(_split(_codes(sets, value_sets), URL_LIMIT - len(template)))
    for number, codes in enumerate(parts, 1):
        yield Query(key if len(parts) == 1 else f"{key}{number}", kind, template + codes)


def _codes(sets: set[str], value_sets: ValueSets) -> list[str]:
    """The codes of value sets as a search takes them, each once, in a stable order."""
    found = {code for name in sets for system in systems() for code in value_sets.codes(name, system)}
    return [f"{FACT_SYSTEM}|", *sorted(quote(code, safe="-._~") for code in found)]


def _split(codes: Iterable[str], limit: int) -> Iterator[str]:
    """Comma lists of at most `limit` characters."""
    line = ""
    for code in codes:
        if line and len(line) + 1 + len(code) > limit:
            yield line
            line = ""
        line = f"{line},{code}" if line else code
    yield line
