"""A client says which response types and which version of CRD it wants; nonsense there is no error."""

from __future__ import annotations

import re
from typing import Any

import pytest
from flask.testing import FlaskClient

from cards.deck import most_severe
from cards.response_types import EXTERNAL_REFERENCE, INSTRUCTIONS, RESPONSE_TYPES, TOPIC_SYSTEMS
from cds_service.configuration import MAX_CARDS, Configuration, read_configuration
from tests.service.bodies import PATIENT, SIGN, Json, bundle, observation, pump_order, sign
from tests.service.conftest import client_of
from tests.service.fake_engine import FakeEngine

PREFETCH = {"patient": PATIENT, "observations": bundle(observation())}


def configured(**options: Any) -> Json:
    return {"davinci-crd.configuration": {name.replace("_", "-"): value for name, value in options.items()}}


def cards(client: FlaskClient, extension: Any, *orders: Json) -> list[Json]:
    response = client.post(SIGN, json=sign(*orders, prefetch=PREFETCH, extension=extension))
    assert response.status_code == 200
    found: list[Json] = response.json["cards"]
    return found


# Discovery


@pytest.mark.req("B4.140")
@pytest.mark.req("B4.141")
@pytest.mark.req("B4.142")
@pytest.mark.req("B4.146")
def test_discovery_has_an_option_for_each_response_type_and_for_the_number_of_cards(
    client: FlaskClient,
) -> None:
    for service in client.get("/cds-services").json["services"]:
        options = service["extension"]["davinci-crd.configuration-options"]
        assert all(set(option) == {"code", "type", "name", "description", "default"} for option in options)
        by_code = {option["code"]: option for option in options}
        assert len(by_code) == len({o["name"] for o in options}) == len({o["description"] for o in options})
        assert by_code.keys() == {kind.code for kind in RESPONSE_TYPES} | {"max-cards"}
        assert all(re.fullmatch(r"[a-z-]+", name) for name in by_code)
        assert (by_code["max-cards"]["type"], by_code["max-cards"]["default"]) == ("integer", MAX_CARDS)
        for kind in RESPONSE_TYPES:
            assert (by_code[kind.code]["type"], by_code[kind.code]["default"]) == ("boolean", kind.on)


@pytest.mark.req("B4.145")
@pytest.mark.req("A10.96")
def test_discovery_lists_the_versions(client: FlaskClient) -> None:
    for service in client.get("/cds-services").json["services"]:
        assert service["extension"]["davinci-crd.version"] == ["2.0", "2.2"]


# The request


@pytest.mark.req("B4.143")
def test_a_response_type_that_is_off_is_not_given(client: FlaskClient, fake_engine: FakeEngine) -> None:
    assert len(cards(client, None)) == 1
    assert cards(client, configured(guideline=False)) == []
    assert len(cards(client, configured(instructions=False))) == 1
    fake_engine.undecided = True
    assert len(cards(client, configured(guideline=False))) == 1
    assert cards(client, configured(instructions=False)) == []


def test_a_fault_is_told_whatever_is_off(client: FlaskClient, fake_engine: FakeEngine) -> None:
    fake_engine.error = ValueError()
    assert len(cards(client, configured(instructions=False, max_cards=0))) == 1


@pytest.mark.req("B4.143")
@pytest.mark.req("B4.146")
@pytest.mark.parametrize(("asked", "given"), [(0, 0), (1, 1), (2, 2), (3, 3), (10, 3)])
def test_no_more_cards_than_asked_for(client: FlaskClient, asked: int, given: int) -> None:
    orders = [pump_order(name) for name in ("a", "b", "c")]
    assert len(cards(client, configured(max_cards=asked), *orders)) == given


@pytest.mark.req("B4.146")
def test_the_most_severe_cards_are_kept_in_their_order() -> None:
    deck = [
        {"indicator": name, "n": n} for n, name in enumerate(("info", "warning", "info", "critical", "info"))
    ]
    assert [card["n"] for card in most_severe(deck, 3)] == [0, 1, 3]
    assert [card["n"] for card in most_severe(deck, 2)] == [1, 3]
    assert most_severe(deck, 9) == deck


@pytest.mark.req("A2.23")
@pytest.mark.req("B4.143")
@pytest.mark.parametrize(
    "extension",
    [
        None,
        [],
        "text",
        5,
        {},
        [{"url": "davinci-crd.configuration"}],
        {"davinci-crd.configuration": None},
        {"davinci-crd.configuration": []},
        {"davinci-crd.configuration": "off"},
        {"com.example.other": {"coverage-info": False}},
        configured(alt_drug=True),
        configured(alt_drug=False, coverage=True, dtr_clin=True),
        configured(guideline=None),
        configured(guideline="false"),
        configured(guideline=0),
        configured(guideline=[]),
        configured(max_cards="1"),
        configured(max_cards=-1),
        configured(max_cards=0.5),
        configured(max_cards=True),
        configured(max_cards=None),
        configured(max_cards=10**30),
        {"davinci-crd.requestedVersion": None},
        {"davinci-crd.requestedVersion": "9.9"},
        {"davinci-crd.requestedVersion": 2.2},
        {"davinci-crd.requestedVersion": ["2.2"]},
        {"davinci-crd.requestedVersion": ""},
    ],
)
def test_what_does_not_fit_is_ignored(client: FlaskClient, extension: Any) -> None:
    (card,) = cards(client, extension)
    assert card["source"]["topic"] == {"system": TOPIC_SYSTEMS["2.0"], "code": "guideline"}


@pytest.mark.req("B4.145")
@pytest.mark.req("B2.117")
@pytest.mark.parametrize(
    ("asked", "version"), [("2.0", "2.0"), ("2.0.1", "2.0"), ("2.2", "2.2"), ("2.2.1", "2.2")]
)
def test_the_topic_is_that_of_the_version_asked_for(client: FlaskClient, asked: str, version: Any) -> None:
    (card,) = cards(client, {"davinci-crd.requestedVersion": asked})
    assert card["source"]["topic"]["system"] == TOPIC_SYSTEMS[version]


@pytest.mark.req("B4.145")
def test_a_setting_tells_the_version_of_requests_that_ask_for_none(fake_engine: FakeEngine) -> None:
    client = client_of(fake_engine, crd_version="2.2")
    assert cards(client, None)[0]["source"]["topic"]["system"] == TOPIC_SYSTEMS["2.2"]
    (card,) = cards(client, {"davinci-crd.requestedVersion": "2.0"})
    assert card["source"]["topic"]["system"] == TOPIC_SYSTEMS["2.0"]
    assert client.post(SIGN, json={"hook": "order-sign"}).status_code == 400


def test_a_configuration_knows_what_is_wanted() -> None:
    assert Configuration().wants(EXTERNAL_REFERENCE)
    read = read_configuration(configured(guideline=False, claim=False), "2.2")
    assert not read.wants(EXTERNAL_REFERENCE)
    assert read.wants(INSTRUCTIONS)
    assert (read.version, read.max_cards) == ("2.2", MAX_CARDS)
