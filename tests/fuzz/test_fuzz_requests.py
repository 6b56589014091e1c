"""Hook requests whose envelope and context hold anything, and samples with several parts replaced."""

from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz import REQUESTS
from tests.fuzz.strategies import ANYTHING
from tests.fuzz.target import Target
from tests.service.bodies import PATIENT, SELECT, SIGN, pump_order, sign
from tests.service.test_mutations import BODIES, PLACES, Path, replaced

ENVELOPE = [
    "hook",
    "hookInstance",
    "context",
    "prefetch",
    "fhirServer",
    "fhirAuthorization",
    "extension",
    "other",
]
CONTEXT = ["userId", "patientId", "draftOrders", "encounterId", "selections", "other"]
SERVERS = st.sampled_from(
    [
        "http://169.254.169.254",
        "http://10.0.0.1/",
        "file:///etc/passwd",
        "http://[",
        "//x",
        "https://a@b",
        "http://127.0.0.1:1/r4",
    ]
)
PATHS = (SIGN, SELECT, "/determinations")
FORMS = len(PATHS)
HALF = REQUESTS // 2

thorough = settings(
    max_examples=HALF // FORMS, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
)


@thorough
@given(
    envelope=st.dictionaries(st.sampled_from(ENVELOPE), ANYTHING, max_size=4),
    context=st.dictionaries(st.sampled_from(CONTEXT), ANYTHING, max_size=4),
    server=st.none() | SERVERS,
    hook=st.sampled_from(["order-sign", "order-select"]),
)
def test_any_envelope_is_answered(
    envelope: dict[str, Any], context: dict[str, Any], server: str | None, hook: str, target: Target
) -> None:
    body = sign(pump_order(), prefetch={"patient": PATIENT}, hook=hook)
    body["context"] |= context
    body |= envelope
    if server is not None:
        body["fhirServer"] = server
    for path in PATHS:
        target.post(path, msgspec.json.encode(body))


@thorough
@given(changes=st.lists(st.tuples(st.sampled_from(PLACES), ANYTHING), min_size=1, max_size=3))
def test_samples_with_several_parts_replaced_are_answered(
    changes: list[tuple[tuple[int, Path], Any]], target: Target
) -> None:
    number = changes[0][0][0]
    body = BODIES[number]
    for (of, at), value in changes:
        if of == number:
            body = _replaced(body, at, value)
    for path in PATHS:
        target.post(path, msgspec.json.encode(body))


def _replaced(body: Any, at: Path, value: Any) -> Any:
    try:
        return replaced(body, at, value)
    except (KeyError, IndexError, TypeError):
        return body  # an earlier change took the place away


def test_all_were_sent(target: Target) -> None:
    target.finish(REQUESTS)
