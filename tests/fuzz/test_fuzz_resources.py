"""Requests whose resources are generated from the shapes that are read, with values that fit or do not."""

from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz import RESOURCES
from tests.fuzz.strategies import orders, resources
from tests.fuzz.target import Target
from tests.service.bodies import PATIENT, SELECT, SIGN, bundle, select, sign

# Each example is sent in several forms.
FORMS = 5


@settings(
    max_examples=RESOURCES // FORMS,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
@given(drafts=st.lists(orders(), min_size=1, max_size=2), found=st.lists(resources(), max_size=4))
def send(drafts: list[Any], found: list[Any], target: Target) -> None:
    patient = {"patient": PATIENT}
    one_by_one = {f"key{number}": resource for number, resource in enumerate(found)}
    names = [f"{draft['resourceType']}/{draft['id']}" for draft in drafts]
    bodies = [
        (SIGN, sign(*drafts, prefetch=patient | {"observations": bundle(*found)})),
        (SIGN, sign(*drafts, prefetch=one_by_one)),
        (SIGN, sign(*drafts, *found, prefetch=patient)),
        (SELECT, select(*drafts, selections=names, prefetch=patient | {"record": bundle(*found)})),
        (
            "/determinations?policies=aetna.cpb-0161",
            sign(*drafts, prefetch=patient | {"record": bundle(*found)}),
        ),
    ]
    for path, body in bodies:
        target.post(path, msgspec.json.encode(body))


def test_generated_resources_are_answered(target: Target) -> None:
    send(target=target)
    target.finish(RESOURCES)
