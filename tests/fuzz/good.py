"""Requests that are answered: of each hook, of the other routes that take a body; fuzzing changes them."""

from __future__ import annotations

from cds_service.samples import SAMPLES
from tests.service.bodies import DISCHARGE, SELECT, SIGN, Json
from tests.service.store.test_feedback import accepted, overridden
from tests.service.test_hook_mutations import BODIES as LOOKED_FOR
from tests.service.test_questionnaires import COVERAGE, PACKAGE, parameters

DETERMINATIONS = "/determinations"
FEEDBACK = f"{SIGN}/feedback"
REASON = {"reason": {"code": "x", "system": "http://example.org"}, "userComment": "seen"}


def _small(body: Json) -> Json:
    """A sample with few of its readings: a log says the same many times over."""
    observations = body["prefetch"]["observations"]
    observations["entry"] = observations["entry"][:3] + observations["entry"][-3:]
    return body


def _selected(body: Json) -> Json:
    drafts = [entry["resource"] for entry in body["context"]["draftOrders"]["entry"]]
    names = [f"{draft['resourceType']}/{draft['id']}" for draft in drafts]
    return body | {"hook": "order-select", "context": body["context"] | {"selections": names}}


def _package(body: Json) -> Json:
    """The orders of a sample, with the coverage of their patient."""
    covered = COVERAGE | {"beneficiary": {"reference": f"Patient/{body['context']['patientId']}"}}
    drafts = [("order", entry["resource"]) for entry in body["context"]["draftOrders"]["entry"]]
    return parameters(*drafts, ("coverage", covered), ("questionnaire", "http://example.org/form|1"))


SIGNED = [_small(build()) for build in SAMPLES.values()]
_visit = next(body for _, body in LOOKED_FOR if body["hook"] == "encounter-start")
GOOD: list[tuple[str, Json]] = [
    *((SIGN, body) for body in SIGNED),
    *((SELECT, _selected(body)) for body in SIGNED),
    *((DETERMINATIONS, body) for body in SIGNED),
    *LOOKED_FOR,
    (DISCHARGE, _visit | {"hook": "encounter-discharge"}),
    (FEEDBACK, {"feedback": [accepted(), overridden(overrideReason=REASON)]}),
    *((PACKAGE, _package(body)) for body in SIGNED),
]
