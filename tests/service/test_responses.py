"""Every response holds to the rules of CDS Hooks and CRD for cards."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from cds_service.app import create_app
from cds_service.samples import SAMPLES
from cds_service.settings import Settings
from policies.engine import Engine
from tests.fhir_stub import Fault, FhirStub
from tests.service.bodies import PATIENT, SIGN, Json, bundle, observation, pump_order, sign
from tests.service.card_rules import check_response
from tests.service.fake_engine import FakeEngine

PREFETCH = {"patient": PATIENT, "observations": bundle(observation())}
RULES = [35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 53, 54, 56, 58]


def all_rules(test: object) -> object:
    for number in RULES:
        test = pytest.mark.req(f"A4.{number}")(test)  # type: ignore[type-var]
    return test


@pytest.fixture(scope="module")
def real_client(engine: Engine) -> FlaskClient:
    return create_app(Settings(show_met=True), engine).test_client()


@all_rules
@pytest.mark.req("B2.112")
@pytest.mark.req("B2.120")
@pytest.mark.parametrize("name", SAMPLES)
@pytest.mark.parametrize("version", ["2.0", "2.2"])
def test_cards_of_the_library_hold_to_the_rules(real_client: FlaskClient, name: str, version: str) -> None:
    body = SAMPLES[name]() | {"extension": {"davinci-crd.requestedVersion": version}}
    answer = real_client.post(SIGN, json=body).json
    check_response(answer)
    card, *_ = answer["cards"]
    assert card["links"]
    assert all(link["type"] == "absolute" for link in card["links"])
    order = card["extension"]["coverage-hooks.determination"]["order"]
    assert card["extension"]["davinci-crd.associated-resource"] == [{"reference": order}]


@all_rules
@pytest.mark.req("B2.120")
def test_a_comparison_holds_to_the_rules_and_names_its_order(real_client: FlaskClient) -> None:
    body = SAMPLES["too-few-tests"]()
    body["prefetch"]["coverage"] = bundle()
    answer = real_client.post(SIGN, json=body).json
    check_response(answer)
    (card,) = answer["cards"]
    assert "links" not in card
    assert card["extension"]["davinci-crd.associated-resource"]


@pytest.mark.req("B2.113")
@pytest.mark.req("B2.120")
def test_notices_hold_to_the_rules_and_name_their_orders(
    client: FlaskClient, fake_engine: FakeEngine
) -> None:
    fake_engine.undecided = True
    answer = client.post(SIGN, json=sign(pump_order("a"), pump_order("b"), prefetch=PREFETCH)).json
    check_response(answer)
    assert [card["extension"]["davinci-crd.associated-resource"] for card in answer["cards"]] == [
        [{"reference": "DeviceRequest/a"}],
        [{"reference": "DeviceRequest/b"}],
    ]
    assert all("links" not in card and "suggestions" not in card for card in answer["cards"])


def test_a_fault_and_a_blank_chart_hold_to_the_rules(client: FlaskClient, fake_engine: FakeEngine) -> None:
    with FhirStub(faults={"*": Fault(status=503)}) as stub:
        check_response(client.post(SIGN, json=sign(fhirServer=stub.base)).json)
    fake_engine.error = ValueError()
    check_response(client.post(SIGN, json=sign(prefetch=PREFETCH)).json)


def test_an_order_without_an_id_is_answered_and_refers_to_nothing(client: FlaskClient) -> None:
    nameless: Json = {name: value for name, value in pump_order().items() if name != "id"}
    answer = client.post(SIGN, json=sign(nameless, prefetch=PREFETCH)).json
    check_response(answer)
    (card,) = answer["cards"]
    assert "davinci-crd.associated-resource" not in card["extension"]


@pytest.mark.req("A2.24")
@pytest.mark.req("A4.42")
def test_the_same_call_may_come_twice(client: FlaskClient) -> None:
    body = sign(prefetch=PREFETCH)
    first, second = (client.post(SIGN, json=body) for _ in range(2))
    assert first.status_code == second.status_code == 200
    assert first.data == second.data
