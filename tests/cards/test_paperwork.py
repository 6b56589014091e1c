"""Forms, an application and coverage records: when they are proposed, and what they hold."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from cards.proposals.context import Context, SmartApp
from cards.proposals.coverage_records import coverage_cards
from cards.response_types import (
    ADDITIONAL_ORDERS,
    ALTERNATE_REQUEST,
    COVERAGE_INFORMATION,
    COVERAGE_RECORDS,
    FORM_COMPLETION,
    LAUNCH_SMART,
    ResponseType,
)
from cds_service.samples import all_shown
from mappings.parsing import read
from policies.engine import Engine
from tests.cards.test_additional import insulin
from tests.cards.test_alternate import TREPROSTINIL, pump
from tests.cards.test_alternate import request as northwood
from tests.mappings.orders import Json, chart_of
from tests.proposals import NOW, answered, broken, cards, coverage, hook, only, resources

FORM = "https://cds.example.org/Questionnaire/aetna.cpb-0161|2026-01-01"
APP = SmartApp("https://app.example.org/launch", "Open the app")
PAYER = {"resourceType": "Organization", "id": "payer", "name": "Aetna"}


def form_of(_: Any) -> str | None:
    return FORM


def forms(response: Json) -> list[Json]:
    return [c for c in cards(response, FORM_COMPLETION) if "suggestions" in c]


def with_payer(request: Json) -> Json:
    request["prefetch"]["coverage"]["entry"] = [
        {"resource": coverage(payor=[{"reference": "Organization/payer"}])},
        {"resource": PAYER},
    ]
    return request


def alone(kind: ResponseType) -> bool:
    """What a client wants that switches coverage information off."""
    return kind != COVERAGE_INFORMATION


@pytest.mark.req("B2.123")
def test_a_form_is_a_task_to_complete_the_questionnaire(engine: Engine) -> None:
    request = with_payer(insulin(encounterId="e"))
    response = answered(engine, request, questionnaire=form_of, wanted=alone)
    assert broken(request, response) == []
    (card,) = forms(response)
    (task,) = resources(card)
    sdc = "http://hl7.org/fhir/uv/sdc/CodeSystem/temp"
    asked, afterwards = task.pop("input")
    assert asked == {
        "type": {"coding": [{"system": sdc, "code": "questionnaire"}], "text": "questionnaire"},
        "valueCanonical": FORM,
    }
    assert afterwards["valueCodeableConcept"]["coding"][0]["code"] == "initial-claim-include"
    assert task == {
        "resourceType": "Task",
        "basedOn": [{"reference": "DeviceRequest/pump"}],
        "status": "ready",
        "intent": "order",
        "code": {"coding": [{"system": sdc, "code": "complete-questionnaire"}]},
        "description": "Complete the form on Aetna CPB 0161 Infusion Pumps for E0784",
        "for": {"reference": "Patient/p"},
        "encounter": {"reference": "Encounter/e"},
        "authoredOn": "2026-02-16",
        "requester": {"type": "Organization", "display": "Aetna", "reference": "Organization/payer"},
        "reasonCode": {"text": "Documentation for Aetna"},
    }


@pytest.mark.req("B2.119")
def test_coverage_information_takes_the_place_of_the_form(engine: Engine) -> None:
    assert forms(answered(engine, insulin(), questionnaire=form_of)) == []


def test_crd_2_2_has_one_input(engine: Engine) -> None:
    request = insulin()
    response = answered(engine, request, questionnaire=form_of, version="2.2", wanted=alone)
    assert broken(request, response, "2.2") == []
    (card,) = forms(response)
    (task,) = resources(card)
    assert [i["valueCanonical"] for i in task["input"]] == [FORM]
    assert task["requester"] == {"type": "Organization", "display": "Aetna"}


def test_without_a_questionnaire_there_is_no_form(engine: Engine) -> None:
    assert forms(answered(engine, insulin())) == []


def test_no_form_where_nothing_is_open(engine: Engine) -> None:
    later = datetime(2026, 3, 16, 15, 0, tzinfo=UTC)
    assert answered(engine, all_shown(), now=later, questionnaire=form_of)["cards"] == []


@pytest.mark.req("A4.54")
def test_the_application_is_offered_only_where_the_settings_name_one(engine: Engine) -> None:
    assert "smart" not in json.dumps(answered(engine, insulin()))
    request = insulin()
    response = answered(engine, request, smart_app=APP)
    (card,) = (c for c in cards(response, LAUNCH_SMART) if c.get("links", [{}])[0].get("type") == "smart")
    (link,) = card["links"]
    context = link.pop("appContext")
    assert link == {"label": "Open the app", "url": "https://app.example.org/launch", "type": "smart"}
    assert json.loads(context) == {"order": "DeviceRequest/pump", "policy": "aetna.cpb-0161@2026-01-01"}
    assert broken(request, response) == []


def test_the_application_learns_nothing_of_the_patient_from_the_card(engine: Engine) -> None:
    patient = {
        "resourceType": "Patient",
        "id": "p",
        "birthDate": "1971-03-04",
        "name": [{"family": "Plantedname"}],
    }
    request = insulin()
    request["prefetch"]["patient"] = patient
    for card in cards(answered(engine, request, smart_app=APP), LAUNCH_SMART):
        for link in card.get("links", ()):
            context = link["appContext"]
            assert not any(word in context for word in ("Plantedname", "1971", "Patient/", "E10.65"))


@pytest.mark.parametrize(
    "kind", [ALTERNATE_REQUEST, ADDITIONAL_ORDERS, FORM_COMPLETION, LAUNCH_SMART, COVERAGE_RECORDS]
)
def test_each_type_is_switched_by_itself(kind: ResponseType, engine: Engine) -> None:
    ended = hook(*insulin_drafts(), chart=[coverage(period=ENDED)])
    switched: set[str] = set()
    for request in (insulin(), northwood(pump(), TREPROSTINIL), ended):
        whole, without, alone, none = (
            uuids(engine, request, wanted)
            for wanted in (
                lambda other: other != COVERAGE_INFORMATION,
                lambda other: other not in (kind, COVERAGE_INFORMATION),
                lambda other: other == kind,
                lambda _: False,
            )
        )
        assert whole - without == alone - none
        assert without <= whole
        switched |= whole - without
    assert switched


def uuids(engine: Engine, request: Json, wanted: Callable[[ResponseType], bool]) -> set[str]:
    response = answered(engine, request, wanted=wanted, questionnaire=form_of, smart_app=APP)
    return {card["uuid"] for card in response["cards"]}


def insulin_drafts() -> list[Json]:
    return [entry["resource"] for entry in insulin()["context"]["draftOrders"]["entry"]]


ENDED = {"start": "2024-01-01", "end": "2025-12-31"}


def with_coverage(*coverages: Json) -> Json:
    return hook(*insulin_drafts(), chart=coverages)


def test_a_coverage_that_has_ended_is_proposed_to_be_cancelled_as_a_whole(engine: Engine) -> None:
    written = coverage(period=ENDED, extension=[{"url": "http://x", "valueString": "keep"}])
    request = with_coverage(written)
    response = answered(engine, request)
    assert broken(request, response) == []
    card = only(response, COVERAGE_RECORDS)
    assert card["source"]["label"] == "Aetna"
    assert card["summary"] == "The coverage of Aetna on file ended on 2025-12-31"
    assert resources(card) == [written | {"status": "cancelled"}]
    assert card["extension"] == {"davinci-crd.associated-resource": [{"reference": "Coverage/cov"}]}


RIGHT: dict[str, list[Json]] = {
    "it has not ended": [coverage()],
    "it ends today": [coverage(period={"end": "2026-02-16"})],
    "it ended some time this year": [coverage(period={"end": "2026"})],
    "another counts": [coverage(period=ENDED), coverage(id="now")],
    "another payer's counts": [coverage(period=ENDED), coverage("Some Other Plan", id="now")],
    "it is cancelled": [coverage(status="cancelled", period=ENDED)],
    "it is cancelled before its end": [coverage(status="cancelled")],
    "it is somebody else's": [coverage(period=ENDED, beneficiary={"reference": "Patient/x"})],
    "none is on file": [],
}


@pytest.mark.parametrize("name", RIGHT)
def test_a_coverage_is_left_alone_when(name: str, engine: Engine) -> None:
    assert cards(answered(engine, with_coverage(*RIGHT[name])), COVERAGE_RECORDS) == []


def test_of_several_ended_coverages_the_latest_is_proposed(engine: Engine) -> None:
    older = coverage(id="older", period={"end": "2023-06-30"})
    card = only(answered(engine, with_coverage(older, coverage(period=ENDED))), COVERAGE_RECORDS)
    assert [r["id"] for r in resources(card)] == ["cov"]


@pytest.mark.parametrize(
    ("hook_name", "version", "expected"),
    [
        ("order-sign", "2.2", 0),
        ("order-select", "2.2", 0),
        ("encounter-start", "2.2", 1),
        ("order-sign", "2.0", 1),
    ],
)
def test_crd_2_2_keeps_coverage_records_away_from_clinicians(
    hook_name: str, version: Any, expected: int, engine: Engine
) -> None:
    ended = coverage(period=ENDED)
    context = Context(
        hook=hook_name,
        patient_id="p",
        user_id="Practitioner/u",
        today=NOW.date(),
        chart=chart_of([ended]),
        orderables=engine.orderables,
        drafts=(),
        written={},
        coverage=lambda _: msgspec.Raw(json.dumps(ended).encode()),
        questionnaire=form_of,
        version=version,
    )
    assert len(list(coverage_cards(context, lambda name: name))) == expected


def test_a_coverage_of_which_only_parts_are_at_hand_is_not_updated(engine: Engine) -> None:
    request = with_coverage(coverage(period=ENDED))
    whole = json.dumps(request["prefetch"].pop("coverage"))
    assert read(whole.encode()).items
    assert cards(answered(engine, request), COVERAGE_RECORDS) == []


def test_words_from_the_request_cannot_become_markup(engine: Engine) -> None:
    hostile = "<img src=x> [go](http://evil.example) **x**"
    request = with_coverage(coverage(hostile, period=ENDED))
    card = only(answered(engine, request), COVERAGE_RECORDS)
    assert "<img" not in card["detail"]
    assert "[go]" not in card["detail"]
