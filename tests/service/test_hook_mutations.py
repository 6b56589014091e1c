"""A good request of the hooks that look for their orders, with any part replaced by anything, is answered."""

from __future__ import annotations

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
from tests.service.bodies import BOOK, DISPATCH, START, Json, without_echo
from tests.service.test_mutations import ODD, Path, places, replaced


def looked_for(hook: str, context: Json) -> Json:
    """A sample whose order is in prefetch: only named, behind an appointment, or open in a visit."""
    body = SAMPLES["too-few-tests"]()
    patient, user = body["context"]["patientId"], body["context"]["userId"]
    orders = [entry["resource"] for entry in body["context"]["draftOrders"]["entry"]]
    order = next(order for order in orders if order["resourceType"] == "DeviceRequest")
    held = order | {"status": "active", "encounter": {"reference": "Encounter/e1"}}
    name = f"{order['resourceType']}/{order['id']}"
    prefetch = {
        "patient": body["prefetch"]["patient"],
        "coverage": body["prefetch"]["coverage"],
        "deviceRequests": {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": held}]},
        "serviceRequests": None,
        "medicationRequests": None,
    }
    written = msgspec.json.encode(context).replace(b"ORDER", name.encode())
    return {
        "hook": hook,
        "hookInstance": "1",
        "context": {"patientId": patient, "userId": user, **msgspec.json.decode(written)},
        "prefetch": prefetch,
        "extension": {"davinci-crd.configuration": {"max-cards": 5}, "davinci-crd.requestedVersion": "2.2"},
    }


APPOINTMENT = {
    "resourceType": "Appointment",
    "id": "a1",
    "basedOn": [
        {
            "extension": [
                {
                    "url": "http://hl7.org/fhir/StructureDefinition/alternate-reference",
                    "valueReference": {"reference": "ORDER"},
                }
            ]
        },
        {"reference": "ORDER"},
    ],
    "serviceType": [{"coding": [{"code": "E0784"}]}],
}
BODIES = [
    (
        DISPATCH,
        looked_for(
            "order-dispatch", {"dispatchedOrders": ["ORDER"], "order": "ORDER", "performer": "Organization/x"}
        ),
    ),
    (
        BOOK,
        looked_for(
            "appointment-book",
            {"appointments": {"resourceType": "Bundle", "entry": [{"resource": APPOINTMENT}]}},
        ),
    ),
    (START, looked_for("encounter-start", {"encounterId": "e1"})),
]
PLACES = [(url, body, at) for url, body in BODIES for at in places(body)]


@pytest.fixture(scope="module")
def real_client(engine: Engine) -> FlaskClient:
    return create_app(Settings(), engine).test_client()


@pytest.mark.parametrize(("url", "body"), BODIES, ids=["dispatch", "book", "start"])
def test_the_request_itself_is_judged(url: str, body: Json, real_client: FlaskClient) -> None:
    (card,) = real_client.post(url, json=body).json["cards"]
    assert "coverage-hooks.determination" in card["extension"]


@settings(
    max_examples=150,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(place=st.sampled_from(PLACES), value=ODD)
def test_any_part_may_be_anything(
    place: tuple[str, Json, Path], value: Any, real_client: FlaskClient
) -> None:
    url, body, at = place
    data = msgspec.json.encode(replaced(body, at, value))
    response = real_client.post(url, data=data, content_type="application/json")
    if response.status_code == 200:
        assert not any("had a fault" in card["summary"] for card in response.json["cards"])
        # An order goes back as it came, nulls included; what is added holds none.
        assert b"null" not in msgspec.json.encode(without_echo(response.json))
    else:
        assert response.status_code in (400, 412, 422)
        assert response.json["resourceType"] == "OperationOutcome"
