"""Hook requests whose envelope and context hold anything, and samples with several parts replaced."""

from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz import REQUESTS
from tests.fuzz.good import DETERMINATIONS, GOOD
from tests.fuzz.strategies import ANYTHING
from tests.fuzz.target import Target
from tests.service.bodies import (
    BOOK,
    DISCHARGE,
    DISPATCH,
    PATIENT,
    SELECT,
    SIGN,
    START,
    bundle,
    dispatch,
    pump_order,
    select,
)
from tests.service.test_mutations import Path, places, replaced

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
CONTEXT = [
    "userId",
    "patientId",
    "draftOrders",
    "encounterId",
    "selections",
    "dispatchedOrders",
    "order",
    "performer",
    "appointments",
    "other",
]
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
OF_HOOK = {
    "order-sign": SIGN,
    "order-select": SELECT,
    "order-dispatch": DISPATCH,
    "appointment-book": BOOK,
    "encounter-start": START,
    "encounter-discharge": DISCHARGE,
}
PLACES = [list(places(body)) for _, body in GOOD]
FORMS = 2
HALF = REQUESTS // 2

suppressed = {"deadline": None, "derandomize": True, "suppress_health_check": list(HealthCheck)}


@settings(max_examples=HALF // FORMS, **suppressed)
@given(
    envelope=st.dictionaries(st.sampled_from(ENVELOPE), ANYTHING, max_size=4),
    context=st.dictionaries(st.sampled_from(CONTEXT), ANYTHING, max_size=4),
    server=st.none() | SERVERS,
    hook=st.sampled_from(list(OF_HOOK)),
)
def send_envelope(
    envelope: dict[str, Any], context: dict[str, Any], server: str | None, hook: str, target: Target
) -> None:
    order = pump_order(encounter={"reference": "Encounter/e1"})
    body = select(order, selections=["DeviceRequest/pump-1"], prefetch={"patient": PATIENT, "order": order})
    body["hook"] = hook
    body["context"] |= dispatch()["context"] | {"encounterId": "e1", "appointments": bundle()} | context
    body |= envelope
    if server is not None:
        body["fhirServer"] = server
    for path in (OF_HOOK[hook], DETERMINATIONS):
        target.post(path, msgspec.json.encode(body))


@settings(max_examples=HALF, **suppressed)
@given(
    number=st.integers(0, len(GOOD) - 1),
    chosen=st.lists(st.integers(0, 10_000), min_size=1, max_size=3),
    value=ANYTHING,
)
def send_replaced(number: int, chosen: list[int], value: Any, target: Target) -> None:
    path, body = GOOD[number]
    for place in chosen:
        body = _replaced(body, PLACES[number][place % len(PLACES[number])], value)
    target.post(path, msgspec.json.encode(body))


def _replaced(body: Any, at: Path, value: Any) -> Any:
    try:
        return replaced(body, at, value)
    except (KeyError, IndexError, TypeError):
        return body  # an earlier change took the place away


def test_any_envelope_is_answered(target: Target) -> None:
    send_envelope(target=target)
    target.finish(HALF)


def test_good_requests_with_several_parts_replaced_are_answered(target: Target) -> None:
    send_replaced(target=target)
    target.finish(HALF)
