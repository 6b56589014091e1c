"""What is more than a request may hold is refused by its number, and exactly from there on."""

from __future__ import annotations

import json

import pytest

from tests.service.bodies import PATIENT, SIGN, bundle, code, observation, pump_order, sign
from tests.service.conftest import client_of
from tests.service.fake_engine import FakeEngine


def test_resources_are_counted_up_to_the_limit(fake_engine: FakeEngine) -> None:
    client = client_of(fake_engine, resource_limit=12)
    # The order, its Bundle, the Patient and the searchset are four.
    for number, status in ((8, 200), (9, 413)):
        found = bundle(*(observation(f"o{n}") for n in range(number)))
        response = client.post(SIGN, json=sign(prefetch={"patient": PATIENT, "observations": found}))
        assert response.status_code == status
    assert code(response.json) == "too-many-resources"


@pytest.mark.parametrize("path", [SIGN, "/determinations"])
def test_orders_are_counted_up_to_the_limit(fake_engine: FakeEngine, path: str) -> None:
    client = client_of(fake_engine, order_limit=3)
    for number, status in ((3, 200), (4, 422)):
        body = sign(*(pump_order(f"o{n}") for n in range(number)), prefetch={"patient": PATIENT})
        response = client.post(path, json=body)
        assert response.status_code == status
    assert code(response.json) == "too-many-orders"
    assert response.json["issue"][0]["expression"] == ["context.draftOrders"]


@pytest.mark.parametrize("where", ["extension", "prefetch", "context"])
def test_nesting_without_end_is_refused_wherever_it_stands(fake_engine: FakeEngine, where: str) -> None:
    client = client_of(fake_engine)
    body = sign(prefetch={"patient": PATIENT, "deep": "@"}, extension="@")
    body["context"]["deep"] = "@"
    # How deep it may be is for the interpreter to say: 1,000 levels, 10,000 from Python 3.12 on.
    for levels, status in ((500, 200), (200_000, 422)):
        inside = "[" * levels + "]" * levels
        text = json.dumps(body[where]).replace('"@"', inside)
        whole = json.dumps(body | {where: "#"}).replace('"#"', text).replace('"@"', "1")
        response = client.post(SIGN, data=whole, content_type="application/json")
        assert response.status_code == status
    assert code(response.json) == "too-deep"


def test_a_refusal_repeats_nothing_of_the_body(fake_engine: FakeEngine) -> None:
    client = client_of(fake_engine, order_limit=1, resource_limit=30)
    orders = [pump_order(f"secret-mrn-{n}") for n in range(40)]
    for number in (2, 40):
        response = client.post(SIGN, json=sign(*orders[:number]))
        assert response.status_code in (413, 422)
        assert b"secret-mrn" not in response.data
