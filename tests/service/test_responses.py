"""Every response holds to the rules of CDS Hooks and CRD for cards."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from cards.response_types import Version
from cds_service.app import create_app
from cds_service.samples import SAMPLES
from cds_service.settings import Settings
from policies.engine import Engine
from tests.conformance.crd_check import sent_with, violations
from tests.conformance.crd_report import Violation
from tests.fhir_stub import Fault, FhirStub
from tests.service.bodies import HCPCS, PATIENT, SIGN, Json, bundle, observation, pump_order, sign
from tests.service.fake_engine import FakeEngine

PREFETCH = {"patient": PATIENT, "observations": bundle(observation())}


def broken(body: Json, answer: Json, version: Version = "2.0") -> list[Violation]:
    """What an answer to an order-sign request breaks."""
    return violations(answer, version, hook="order-sign", sent=sent_with(body))


@pytest.fixture(scope="module")
def real_client(engine: Engine) -> FlaskClient:
    return create_app(Settings(show_met=True), engine).test_client()


@pytest.mark.req("A4.35", "A4.36", "A4.37", "A4.38", "A4.39", "A4.40", "A4.41", "A4.42", "A4.43")
@pytest.mark.req(
    "A4.44", "A4.45", "A4.46", "A4.47", "A4.48", "A4.49", "A4.50", "A4.51", "A4.53", "A4.56", "A4.58"
)
@pytest.mark.req("B2.112", "B2.120", "B2.121")
@pytest.mark.parametrize("name", SAMPLES)
@pytest.mark.parametrize("version", ["2.0", "2.2"])
def test_cards_of_the_library_hold_to_the_rules(
    real_client: FlaskClient, name: str, version: Version
) -> None:
    body = SAMPLES[name]() | {"extension": {"davinci-crd.requestedVersion": version}}
    answer = real_client.post(SIGN, json=body).json
    assert broken(body, answer, version) == []
    card, *_ = answer["cards"]
    assert card["links"]
    assert all(link["type"] == "absolute" for link in card["links"])
    order = card["extension"]["coverage-hooks.determination"]["order"]
    assert card["extension"]["davinci-crd.associated-resource"] == [{"reference": order}]


@pytest.mark.req("B2.113", "B2.120")
def test_a_comparison_holds_to_the_rules_and_names_its_order(real_client: FlaskClient) -> None:
    body = SAMPLES["too-few-tests"]()
    body["prefetch"]["coverage"] = bundle()
    answer = real_client.post(SIGN, json=body).json
    assert broken(body, answer) == []
    (card,) = answer["cards"]
    assert "links" not in card
    assert "suggestions" not in card
    assert card["extension"]["davinci-crd.associated-resource"]


@pytest.mark.req("B2.114")
def test_no_card_sends_anybody_to_a_portal(real_client: FlaskClient) -> None:
    """HUSKY's document wants the authorization request filled in on its web portal."""
    coverage = {
        "resourceType": "Coverage",
        "id": "c1",
        "status": "active",
        "beneficiary": {"reference": "Patient/p1"},
        "payor": [{"display": "HUSKY Health"}],
    }
    code = {"coding": [{"system": HCPCS, "code": "E0781"}]}
    body = sign(
        pump_order(codeCodeableConcept=code), prefetch={"patient": PATIENT, "coverage": bundle(coverage)}
    )
    (card,) = real_client.post(SIGN, json=body).json["cards"]
    assert "**Next**" in card["detail"]
    assert "portal" not in card["detail"] + card["summary"]


@pytest.mark.req("B2.113")
@pytest.mark.req("B2.120")
def test_notices_hold_to_the_rules_and_name_their_orders(
    client: FlaskClient, fake_engine: FakeEngine
) -> None:
    fake_engine.undecided = True
    body = sign(pump_order("a"), pump_order("b"), prefetch=PREFETCH)
    answer = client.post(SIGN, json=body).json
    assert broken(body, answer) == []
    assert [card["extension"]["davinci-crd.associated-resource"] for card in answer["cards"]] == [
        [{"reference": "DeviceRequest/a"}],
        [{"reference": "DeviceRequest/b"}],
    ]
    assert all("links" not in card and "suggestions" not in card for card in answer["cards"])


@pytest.mark.req("B2.116")
@pytest.mark.parametrize(
    ("payers", "label"),
    [
        (["Aetna"], "Aetna"),
        (["Aetna", "Aetna"], "Aetna"),
        (["Aetna", "HUSKY Health"], "coverage-hooks"),
        (["Somebody"], "coverage-hooks"),
        ([], "coverage-hooks"),
    ],
)
def test_a_notice_comes_from_the_insurer_where_one_is_known(
    client: FlaskClient, fake_engine: FakeEngine, payers: list[str], label: str
) -> None:
    fake_engine.undecided = True
    coverages = [
        {"resourceType": "Coverage", "id": f"c{n}", "status": "active", "payor": [{"display": payer}]}
        for n, payer in enumerate(payers)
    ]
    body = sign(prefetch=PREFETCH | {"coverage": bundle(*coverages)})
    (card,) = client.post(SIGN, json=body).json["cards"]
    assert card["source"]["label"] == label


def test_a_fault_and_a_blank_chart_hold_to_the_rules(client: FlaskClient, fake_engine: FakeEngine) -> None:
    with FhirStub(faults={"*": Fault(status=503)}) as stub:
        body = sign(fhirServer=stub.base)
        assert broken(body, client.post(SIGN, json=body).json) == []
    fake_engine.error = ValueError()
    body = sign(prefetch=PREFETCH)
    assert broken(body, client.post(SIGN, json=body).json) == []


def test_an_order_without_an_id_is_answered_and_refers_to_nothing(client: FlaskClient) -> None:
    nameless: Json = {name: value for name, value in pump_order().items() if name != "id"}
    body = sign(nameless, prefetch=PREFETCH)
    answer = client.post(SIGN, json=body).json
    assert broken(body, answer) == []
    (card,) = answer["cards"]
    assert "davinci-crd.associated-resource" not in card["extension"]


@pytest.mark.req("A2.24")
@pytest.mark.req("A4.42")
def test_the_same_call_may_come_twice(client: FlaskClient) -> None:
    body = sign(prefetch=PREFETCH)
    first, second = (client.post(SIGN, json=body) for _ in range(2))
    assert first.status_code == second.status_code == 200
    assert first.data == second.data
