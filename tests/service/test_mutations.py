"""A good request with any part replaced by anything is answered: no fault, no crash, no null."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cds_service.app import create_app
from cds_service.samples import SAMPLES
from cds_service.settings import Settings
from policies.engine import Engine
from tests.service.bodies import SIGN, without_echo

Path = tuple[str | int, ...]


def places(value: Any, at: Path = ()) -> Iterator[Path]:
    """Every place inside a JSON value."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, below in inner:
        yield (*at, key)
        yield from places(below, (*at, key))


BODIES = [build() for build in SAMPLES.values()]
for body in BODIES:
    # A log of readings says the same many times over.
    observations = body["prefetch"]["observations"]["entry"]
    body["prefetch"]["observations"]["entry"] = observations[:6] + observations[-6:]
PLACES = [(number, at) for number, body in enumerate(BODIES) for at in places(body)]

ODD = st.recursive(
    st.sampled_from(
        [
            None, True, False, 0, -1, 1e308, 2**70, "", " ", "\u0000", "x" * 5_000, "2026-02-30", "9999-12-31T24:00:00Z",
            "0000", "-1", "NaN", "Patient/other", "#", "#x", "urn:uuid:1", "http://", "../..", "é\u202e", "entered-in-error",
        ]
    )
    | st.text(max_size=8)
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(
        ["coding", "code", "system", "value", "reference", "resourceType", "start", "end", "entry", "resource", "id"]
    ), inner, max_size=3),
    max_leaves=4,
)  # fmt: skip


def replaced(body: Any, at: Path, value: Any) -> Any:
    changed = copy.deepcopy(body)
    inner = changed
    for key in at[:-1]:
        inner = inner[key]
    inner[at[-1]] = value
    return changed


def orders_of(data: bytes) -> list[Any]:
    """The draft orders of a body, without their extensions."""
    entries = msgspec.json.decode(data)["context"]["draftOrders"]["entry"]
    drafts = [entry["resource"] for entry in entries if isinstance(entry, dict) and "resource" in entry]
    return [
        {k: v for k, v in draft.items() if k != "extension"} for draft in drafts if isinstance(draft, dict)
    ]


@pytest.fixture(scope="module")
def real_client(engine: Engine) -> FlaskClient:
    return create_app(Settings(), engine).test_client()


REQUIRED = {"resourceType", "entry", "resource"}
NAMES = sorted(
    {
        name
        for _, at in PLACES
        for name in at[2:]
        if at[0] in ("context", "prefetch") and isinstance(name, str)
    }
    - {*REQUIRED, *(key for body in BODIES for key in body["prefetch"])}
)


def without(value: Any, name: str) -> Any:
    """A resource in which no element has this name."""
    if isinstance(value, dict):
        return {key: without(inner, name) for key, inner in value.items() if key != name}
    return [without(inner, name) for inner in value] if isinstance(value, list) else value


@pytest.mark.req("B1.109")
@pytest.mark.parametrize("name", NAMES)
def test_an_element_that_is_nowhere_is_no_error(name: str, real_client: FlaskClient) -> None:
    body = copy.deepcopy(BODIES[0])
    body["context"]["draftOrders"] = without(body["context"]["draftOrders"], name)
    body["prefetch"] = {key: without(value, name) for key, value in body["prefetch"].items()}
    response = real_client.post(SIGN, json=body)
    assert response.status_code == 200
    assert not any("had a fault" in card["summary"] for card in response.json["cards"])


@settings(
    max_examples=200,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(place=st.sampled_from(PLACES), value=ODD)
def test_any_part_may_be_anything(place: tuple[int, Path], value: Any, real_client: FlaskClient) -> None:
    number, at = place
    data = msgspec.json.encode(replaced(BODIES[number], at, value))
    response = real_client.post(SIGN, data=data, content_type="application/json")
    if response.status_code == 200:
        assert not any("had a fault" in card["summary"] for card in response.json["cards"])
        answer = response.json
        # An order goes back as it came, nulls included; what is added holds none.
        assert b"null" not in msgspec.json.encode(without_echo(answer))
        for action in answer["systemActions"]:
            del action["resource"]["extension"]
            assert action["resource"] in orders_of(data)
    else:
        assert response.status_code in (400, 412, 422)
        assert response.json["resourceType"] == "OperationOutcome"
