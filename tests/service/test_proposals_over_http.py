"""Proposals as a client gets them: over real HTTP, with the policies and settings of a running service."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
import requests
from werkzeug.serving import make_server

from cards.response_types import (
    ADDITIONAL_ORDERS,
    ALTERNATE_REQUEST,
    COVERAGE_RECORDS,
    FORM_COMPLETION,
    LAUNCH_SMART,
)
from cds_service.app import create_app
from cds_service.samples import all_shown, paperwork_missing
from cds_service.settings import Settings
from policies.engine import Engine
from tests.cards.test_alternate import TREPROSTINIL, pump
from tests.cards.test_alternate import request as northwood
from tests.mappings.orders import Json
from tests.proposals import broken, cards, coverage, hook, only, resources
from tests.service.bodies import SELECT, SIGN, START

NOW = datetime(2026, 3, 16, 15, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def base(engine: Engine) -> Iterator[str]:
    settings = Settings(
        smart_app_url="https://app.example.org/launch?tenant=1", smart_app_label="Open the app"
    )
    server = make_server("127.0.0.1", 0, create_app(settings, engine, clock=lambda: NOW), threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()


def post(base: str, request: Json, path: str = SIGN) -> Any:
    answer = requests.post(f"{base}{path}", json=request, timeout=20)
    assert answer.status_code == 200
    return answer.json()


def test_a_sample_gets_education_and_the_application(base: str) -> None:
    request = paperwork_missing()
    response = post(base, request)
    assert broken(request, response) == []
    orders = resources(only(response, ADDITIONAL_ORDERS))
    assert [order["code"]["coding"][0]["code"] for order in orders] == ["G0108", "G0109"]
    assert {order["authoredOn"] for order in orders} == {"2026-03-16"}
    (launch,) = (card for card in cards(response, LAUNCH_SMART) if "links" in card)
    assert launch["links"][0]["url"] == "https://app.example.org/launch?tenant=1"
    assert post(base, request) == response


@pytest.mark.req("B3.136")
def test_the_form_that_coverage_information_or_a_task_names_is_served(base: str) -> None:
    request = paperwork_missing()
    (action,) = post(base, request)["systemActions"]
    information = next(
        e for e in action["resource"]["extension"] if e["url"].endswith("ext-coverage-information")
    )
    (named,) = (part["valueCanonical"] for part in information["extension"] if part["url"] == "questionnaire")
    request["extension"] = {"davinci-crd.configuration": {"coverage-info": False}}
    (card,) = (c for c in cards(post(base, request), FORM_COMPLETION) if "suggestions" in c)
    (task,) = resources(card)
    assert task["input"][0]["valueCanonical"] == named
    address = named.partition("|")[0].replace(Settings().base_url, base)
    form = requests.get(address, timeout=20).json()
    assert (form["resourceType"], f"{form['url']}|{form['version']}") == ("Questionnaire", named)


def test_an_order_that_meets_everything_gets_no_proposal(base: str) -> None:
    assert post(base, all_shown())["cards"] == []


def test_the_whole_order_comes_back_under_the_covered_code(base: str) -> None:
    order = pump(extension=[{"url": "http://example.org/x", "valueDecimal": 0.25}], priority="urgent")
    request = northwood(order, TREPROSTINIL)
    response = post(base, request)
    assert broken(request, response) == []
    (changed,) = resources(only(response, ALTERNATE_REQUEST))
    code = changed.pop("codeCodeableConcept")
    assert code["coding"][0]["code"] == "K0455"
    assert changed == {name: value for name, value in order.items() if name != "codeCodeableConcept"}
    taken = northwood(changed | {"codeCodeableConcept": code}, TREPROSTINIL)
    assert cards(post(base, taken), ALTERNATE_REQUEST) == []


def test_order_select_proposes_for_what_is_selected_only(base: str) -> None:
    request = northwood(pump(), pump(name="other"), TREPROSTINIL)
    for draft in request["context"]["draftOrders"]["entry"][:2]:
        draft["resource"]["supportingInfo"] = [{"reference": "MedicationRequest/drug"}]
    request["hook"] = "order-select"
    request["context"]["selections"] = ["DeviceRequest/other"]
    card = only(post(base, request, SELECT), ALTERNATE_REQUEST)
    assert [order["id"] for order in resources(card)] == ["other"]


@pytest.mark.req("B4.141")
def test_a_client_switches_a_type_by_its_option(base: str) -> None:
    request = paperwork_missing()
    request["extension"] = {
        "davinci-crd.configuration": {
            "clinical-reminder": False,
            "launch-smart": False,
            "form-completion": False,
        }
    }
    response = post(base, request)
    assert cards(response, ADDITIONAL_ORDERS) == []
    assert cards(response, LAUNCH_SMART) == []
    assert response["cards"]


def starting_visit(**elements: Any) -> Json:
    """A request whose coverage has ended."""
    ended = coverage(period={"start": "2024-01-01", "end": "2025-12-31"}, **elements)
    request = hook(chart=[ended, pump(status="active", encounter={"reference": "Encounter/e"})])
    del request["context"]["draftOrders"]
    request["hook"] = "encounter-start"
    request["context"]["encounterId"] = "e"
    request["extension"] = {"davinci-crd.requestedVersion": "2.2"}
    return request


def test_a_visit_that_starts_gets_the_correction_of_its_coverage_in_crd_2_2(base: str) -> None:
    request = starting_visit()
    response = post(base, request, START)
    assert broken(request | {"context": {"draftOrders": {"entry": []}}}, response, "2.2") == []
    (corrected,) = resources(only(response, COVERAGE_RECORDS))
    (ended,) = (entry["resource"] for entry in request["prefetch"]["coverage"]["entry"])
    assert corrected == ended | {"status": "cancelled"}


@pytest.mark.parametrize("elements", [{"zz": {"HERE": 1}}, {"HERE": 1}])
def test_a_coverage_that_is_no_utf_8_is_not_sent_back(base: str, elements: Json) -> None:
    body = msgspec.json.encode(starting_visit(**elements)).replace(b"HERE", b"\xff")
    answer = requests.post(base + START, data=body, headers={"Content-Type": "application/json"}, timeout=20)
    assert answer.status_code == 200
    response = json.loads(answer.content)
    assert response["cards"]
    assert "fault" not in answer.text
    assert cards(response, COVERAGE_RECORDS) == []
