"""The checker of responses finds every fault that is planted in a good response, and no other."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from cards.response_types import Version
from tests.conformance.crd_check import violations
from tests.conformance.crd_report import FACTS, Json

TEMP = "http://hl7.org/fhir/us/davinci-crd/CodeSystem/temp"
SDC = "http://hl7.org/fhir/uv/sdc/CodeSystem/temp"
SECOND = "0d4b1c44-8f22-4c39-a3d5-11f0aa7d2a06"
VERSIONS: tuple[Version, ...] = ("2.0", "2.2")
Change = Callable[[Json], Any]


def order(**elements: Any) -> Json:
    """A pump order that fulfils the profile."""
    found: Json = {
        "resourceType": "DeviceRequest",
        "id": "pump-1",
        "status": "draft",
        "intent": "order",
        "codeCodeableConcept": {"text": "Insulin pump"},
        "subject": {"reference": "Patient/p1"},
        "authoredOn": "2026-02-16",
        "requester": {"reference": "Practitioner/dr"},
    }
    return found | elements


def part(url: str, **value: Any) -> Json:
    return {"url": url, **value}


def detail(version: Version, code: str, **value: Any) -> Json:
    parts = [part("category", valueCode="cat-limitation")] if version == "2.2" else []
    coding = {"system": FACTS["details"][version]["system"], "code": code}
    parts += [part("code", valueCodeableConcept={"coding": [coding]}), part("value", **value)]
    return part("detail", extension=parts)


def assertion(version: Version, coverage: str = "Coverage/c1", id_: str = "a1") -> Json:
    """A coverage-information extension with most of its parts."""
    contact: Json = {"system": "phone", "value": "555-0100"}
    parts = [
        part("coverage", valueReference={"reference": coverage}),
        part("covered", valueCode="conditional"),
        part("pa-needed", valueCode="auth-needed"),
        part("doc-needed", valueCode="clinical"),
        part("doc-purpose", valueCode="withpa"),
        part("info-needed", valueCode="OTH"),
        part("billingCode", valueCoding={"system": "urn:x", "code": "E0784"}),
        part("reason", valueCodeableConcept={"text": "HbA1c is not on file"}),
        detail(version, "allowed-quantity", valueQuantity={"value": 3, "unit": "month"}),
        part("questionnaire", valueCanonical="http://payer.example/Questionnaire/q"),
        part("date", valueDate="2026-02-16"),
        part("coverage-assertion-id", valueString=id_),
        part("contact", valueContactPoint=contact)
        if version == "2.0"
        else part("contact", valueContactDetail={"telecom": [contact]}),
    ]
    return {"url": FACTS["extension_url"], "extension": parts}


def task(version: Version) -> Json:
    def concept(system: str, code: str) -> Json:
        return {"coding": [{"system": system, "code": code}]}

    inputs: list[Json] = [
        {"type": concept(SDC, "questionnaire"), "valueCanonical": "http://payer.example/Questionnaire/q"}
    ]
    if version == "2.0":
        after = concept(TEMP, "prior-auth-include")
        inputs.append({"type": concept(TEMP, "after-completion-action"), "valueCodeableConcept": after})
    return {
        "resourceType": "Task",
        "status": "ready",
        "intent": "order",
        "code": concept(SDC, "complete-questionnaire"),
        "for": {"reference": "Patient/p1"},
        "authoredOn": "2026-02-16",
        "requester": {"display": "Payer"},
        "input": inputs,
    }


def card(version: Version, **more: Any) -> Json:
    return {
        "uuid": "0d4b1c44-8f22-4c39-a3d5-11f0aa7d2a05",
        "summary": "HbA1c is not shown",
        "detail": "**HbA1c**",
        "indicator": "info",
        "source": {
            "label": "Payer",
            "url": "https://payer.example",
            "topic": {"system": FACTS["card_types"][version]["system"], "code": "guideline"},
        },
        "extension": {"davinci-crd.associated-resource": [{"reference": "DeviceRequest/pump-1"}]},
    } | more


def good(version: Version) -> Json:
    """Cards of each shape, and a coverage-information for two coverages."""
    replace = [
        {"type": "delete", "description": "Take it out", "resourceId": "DeviceRequest/pump-1"},
        {"type": "create", "description": "Order another", "resource": order(id="pump-2")},
    ]
    return {
        "cards": [
            card(
                version,
                links=[
                    {"label": "Policy", "url": "https://payer.example/policy", "type": "absolute"},
                    {
                        "label": "App",
                        "url": "https://app.example",
                        "type": "smart",
                        "appContext": "{}",
                        "autolaunchable": True,
                    },
                ],
                overrideReasons=[{"system": "urn:x", "code": "no", "display": "Not now"}],
            ),
            card(
                version,
                uuid=SECOND,
                selectionBehavior="at-most-one",
                suggestions=[
                    {
                        "label": "Other pump",
                        "uuid": "0d4b1c44-8f22-4c39-a3d5-11f0aa7d2a07",
                        "isRecommended": True,
                        "actions": replace,
                    },
                    {
                        "label": "Form",
                        "uuid": "0d4b1c44-8f22-4c39-a3d5-11f0aa7d2a08",
                        "actions": [{"type": "create", "description": "Fill in", "resource": task(version)}],
                    },
                ],
            ),
        ],
        "systemActions": [
            {
                "type": "update",
                "description": "What the payer's policy says",
                "resource": order(
                    extension=[
                        {"url": "urn:other", "valueString": "kept"},
                        assertion(version),
                        assertion(version, "Coverage/c2", "a2"),
                    ]
                ),
            }
        ],
    }


SENT = order(extension=[{"url": "urn:other", "valueString": "kept"}])


@pytest.mark.parametrize("version", VERSIONS)
def test_a_good_response_breaks_nothing(version: Version) -> None:
    assert violations(good(version), version, hook="order-sign", sent=[SENT]) == []
    assert violations({"cards": []}, version) == []
    assert violations({"cards": [], "systemActions": []}, version, hook="order-sign") == []


def first(response: Json) -> Json:
    return response["cards"][0]


def suggestion(response: Json) -> Json:
    return response["cards"][1]["suggestions"][0]


def system(response: Json) -> Json:
    return response["systemActions"][0]


def updated(response: Json) -> Json:
    return system(response)["resource"]


def extension(response: Json, number: int = 1) -> list[Json]:
    return updated(response)["extension"][number]["extension"]


def says(name: str, *values: Any) -> Change:
    """A change of both repetitions: the part of this name gets these values, none removes it."""

    def change(response: Json) -> None:
        for number in (1, 2):
            parts = extension(response, number)
            old = next((p for p in parts if p["url"] == name), None)
            kind = next((key for key in old or {} if key.startswith("value")), "valueCode")
            parts[:] = [p for p in parts if p["url"] != name]
            parts += [part(name, **{kind: value}) for value in values]

    return change


def both(*changes: Change) -> Change:
    def change(response: Json) -> None:
        for one in changes:
            one(response)

    return change


def adds(name: str, **value: Any) -> Change:
    return lambda r: extension(r).append(part(name, **value))


def in_detail(change: Change) -> Change:
    return lambda r: change(next(p for p in extension(r) if p["url"] == "detail"))


FAULTS: list[tuple[str, Change]] = [
    ("A4.35", lambda r: r.pop("cards")),
    ("A4.35", lambda r: r.update(cards=["text"])),
    ("A4.35", lambda r: r.update(other=1)),
    ("A4.35", lambda r: first(r).update(color="red")),
    ("A10.96", lambda r: r.update(extension=[1])),
    ("A10.96", lambda r: first(r).update(extension=[1])),
    ("A10.96", lambda r: system(r).update(extension=[1])),
    ("A5.61", lambda r: r.pop("systemActions")),
    ("A4.36", lambda r: first(r).update(extension={"x": None})),
    ("A4.36", lambda r: first(r).update(extension={"x": {}})),
    ("A4.36", lambda r: first(r).update(extension={"x": [""]})),
    ("A4.36", lambda r: first(r).update(overrideReasons=[])),
    ("A4.36", lambda r: updated(r).update(note=[])),
    ("A4.37", lambda r: first(r).update(summary="x" * 140)),
    ("A4.37", lambda r: first(r).pop("summary")),
    ("A4.38", lambda r: first(r).update(indicator="hard-stop")),
    ("A4.39", lambda r: first(r).pop("source")),
    ("A4.39", lambda r: first(r)["source"].pop("label")),
    ("A4.40", lambda r: first(r)["source"].pop("topic")),
    ("A4.40", lambda r: first(r)["source"].update(topic={"coding": [{"code": "x", "system": "y"}]})),
    ("A4.41", lambda r: first(r)["source"].update(url="payer.example")),
    ("A4.41", lambda r: first(r)["source"].update(icon="icon.png")),
    ("B2.117", lambda r: first(r)["source"].update(topic={"system": "urn:x", "code": "guideline"})),
    ("A4.42", lambda r: first(r).pop("uuid")),
    ("A4.42", lambda r: first(r).update(uuid=f"urn:uuid:{SECOND}")),
    ("A4.42", lambda r: first(r).update(uuid="card 1")),
    ("A4.42", lambda r: first(r).update(uuid=SECOND)),
    ("A4.43", lambda r: first(r).update(detail=7)),
    ("A4.44", lambda r: r["cards"][1].pop("selectionBehavior")),
    ("A4.45", lambda r: r["cards"][1]["suggestions"][1].update(isRecommended=True)),
    ("A4.46", lambda r: suggestion(r).pop("label")),
    ("A4.46", lambda r: suggestion(r).update(isRecommended="yes")),
    ("A4.47", lambda r: suggestion(r).pop("uuid")),
    ("A4.48", lambda r: suggestion(r).update(actions={"type": "create"})),
    ("A4.49", lambda r: suggestion(r).update(actionSelectionBehavior="any")),
    ("A4.50", lambda r: suggestion(r)["actions"][1].update(type="add")),
    ("A4.50", lambda r: suggestion(r)["actions"][1].pop("description")),
    ("A4.51", lambda r: suggestion(r)["actions"][1].pop("resource")),
    ("A4.52", lambda r: suggestion(r)["actions"][0].update(resourceId="pump-1")),
    ("A4.53", lambda r: first(r)["links"][0].pop("label")),
    ("A4.53", lambda r: first(r)["links"][0].update(url="/policy")),
    ("A4.53", lambda r: first(r)["links"][0].update(url="https://")),
    ("A4.53", lambda r: first(r)["links"][0].update(target="_blank")),
    ("A4.53", lambda r: first(r)["links"][0].pop("type")),
    ("A4.53", lambda r: first(r).update(links="https://payer.example")),
    ("A4.54", lambda r: first(r)["links"][0].update(appContext="{}")),
    ("A4.54", lambda r: first(r)["links"][1].update(appContext={"a": 1})),
    ("A4.55", lambda r: first(r)["links"][1].update(autolaunchable="yes")),
    ("A4.56", lambda r: first(r)["overrideReasons"][0].pop("display")),
    ("A4.56", lambda r: first(r)["overrideReasons"][0].update(coding=[])),
    ("B2", lambda r: r["cards"][1].update(links=first(r)["links"])),
    ("B2.120", lambda r: first(r).update(extension={"davinci-crd.associated-resource": ["x"]})),
    (
        "B2.120",
        lambda r: first(r).update(extension={"davinci-crd.associated-resource": [{"reference": "pump"}]}),
    ),
    ("B2.124", lambda r: suggestion(r)["actions"].pop(1)),
    ("A5.60", lambda r: system(r).pop("description")),
    ("B3.125", lambda r: system(r).update(type="create")),
    ("B3.125", lambda r: system(r).update(resourceId="DeviceRequest/pump-1")),
    ("B3.125", lambda r: r["cards"][1]["suggestions"][1]["actions"].append(system(r))),
    ("B3.125", lambda r: updated(r).pop("id")),
    ("B3.126", lambda r: updated(r).update(priority="urgent")),
    ("B3.126", lambda r: updated(r)["extension"].pop(0)),
    ("B3.127", lambda r: updated(r).update(id="pump-9")),
    ("FHIR", lambda r: updated(r).update(subject="Patient/p1")),
    ("FHIR", lambda r: updated(r).update(color="red")),
    ("FHIR", lambda r: suggestion(r)["actions"][1]["resource"].update(resourceType="Pump")),
    ("B2.121", lambda r: suggestion(r)["actions"][1]["resource"].pop("authoredOn")),
    ("B2.121", lambda r: suggestion(r)["actions"][1]["resource"].pop("requester")),
    ("B2.121", lambda r: suggestion(r)["actions"][1]["resource"].update(status="new")),
    ("B2.121", lambda r: suggestion(r)["actions"][1]["resource"].update(intent="wish")),
    ("B2.123", lambda r: r["cards"][1]["suggestions"][1]["actions"][0]["resource"].update(status="draft")),
    ("B2.123", lambda r: r["cards"][1]["suggestions"][1]["actions"][0]["resource"].pop("for")),
    (
        "B2.123",
        lambda r: r["cards"][1]["suggestions"][1]["actions"][0]["resource"].update(code={"text": "x"}),
    ),
    ("B3", says("coverage")),
    ("B3", says("covered")),
    ("B3", says("covered", "covered", "covered")),
    ("B3", says("date")),
    ("B3", says("date", "2026-02")),
    ("B3", says("coverage-assertion-id")),
    ("B3", adds("pa-needed", valueCode="auth-needed")),
    ("B3", adds("color", valueString="red")),
    ("B3", adds("dependency", valueString="DeviceRequest/x")),
    ("B3", says("covered", "yes")),
    ("B3", says("pa-needed", "no")),
    ("B3", says("doc-needed", "no-doc")),
    ("B3", says("doc-purpose", "PA")),
    ("B3", says("info-needed", "weather")),
    ("B3", lambda r: updated(r)["extension"][1].update(valueString="x")),
    (
        "B3",
        adds(
            "reason", valueCodeableConcept={"coding": [{"system": "urn:x", "code": "gold-card"}], "text": "x"}
        ),
    ),
    ("B3", in_detail(lambda d: d["extension"].pop())),
    ("B3", in_detail(lambda d: d["extension"].append(part("color", valueString="red")))),
    ("B3", in_detail(lambda d: d["extension"][-1].update(valueString="3 months"))),
    ("B3.139", says("coverage", {"reference": "#c1"})),
    ("B3.132", says("billingCode", {"code": "E0784"})),
    ("q1", says("doc-needed")),
    ("q2", says("covered", "not-covered")),
    ("q3", says("covered", "covered")),
    ("q4", both(says("pa-needed", "satisfied"), adds("satisfied-pa-id", valueString="1"))),
    ("q5", says("pa-needed", "satisfied")),
    ("q5", adds("satisfied-pa-id", valueString="1")),
    ("q7", says("reason", {"coding": [{"system": "urn:x", "code": "y"}]})),
    ("B3.129", says("coverage-assertion-id", "a1")),
    ("B3.130", says("coverage", {"reference": "Coverage/c1"})),
]
ONLY_20: list[tuple[str, Change]] = [
    ("B3", adds("expiry-date", valueDate="2026-12-31")),
    ("B3", adds("doc-needed", valueCode="admin")),
    ("B3", says("covered", "indeterminate")),
    ("B3", says("doc-needed", "patient")),
    ("B2.121", lambda r: suggestion(r)["actions"][1]["resource"].update(status="active")),
    ("B2.123", lambda r: r["cards"][1]["suggestions"][1]["actions"][0]["resource"]["input"].pop(1)),
    ("q2", says("pa-needed")),
]
ONLY_22: list[tuple[str, Change]] = [
    ("B3", says("doc-needed", "both")),
    ("B3", adds("response", valueReference={"reference": "QuestionnaireResponse/x"})),
    ("B3", adds("contact", valueContactPoint={"system": "phone", "value": "1"})),
    ("B3", in_detail(lambda d: d["extension"].pop(0))),
    (
        "B2.123",
        lambda r: r["cards"][1]["suggestions"][1]["actions"][0]["resource"].update(
            focus={"reference": "x/y"}
        ),
    ),
    ("B2.123", lambda r: r["cards"][1]["suggestions"][1]["actions"][0]["resource"]["input"].pop(0)),
    ("B2.124", lambda r: suggestion(r)["actions"].append(suggestion(r)["actions"][1])),
    ("q3", says("info-needed")),
    ("B3", says("detail")),
    ("q4", says("pa-needed", "no-auth")),
    ("q6", both(says("reason"), says("doc-purpose"))),
    ("q8", both(says("reason"), says("info-needed", "detail-code"))),
    (
        "q9",
        both(
            says("reason"),
            says("doc-purpose"),
            says("info-needed", "performer"),
            says("pa-needed", "indeterminate"),
        ),
    ),
]
PLANTED = [(v, *fault) for v in VERSIONS for fault in FAULTS] + [
    *(("2.0", *fault) for fault in ONLY_20),
    *(("2.2", *fault) for fault in ONLY_22),
]


@pytest.mark.parametrize(
    ("version", "rule", "change"), PLANTED, ids=[f"{v}-{rule}-{i}" for i, (v, rule, _) in enumerate(PLANTED)]
)
def test_a_planted_fault_is_found(version: Version, rule: str, change: Change) -> None:
    response = good(version)
    change(response)
    found = violations(response, version, hook="order-sign", sent=[SENT])
    assert rule in {violation.rule for violation in found}, [str(v) for v in found]


@pytest.mark.parametrize("version", VERSIONS)
def test_an_update_that_changes_nothing_is_found(version: Version) -> None:
    response = good(version)
    found = violations(response, version, sent=[copy.deepcopy(updated(response))])
    assert [v.rule for v in found] == ["B3.128"]


@pytest.mark.parametrize("version", VERSIONS)
def test_a_secondary_hook_must_not_ask_for_documentation(version: Version) -> None:
    found = violations(good(version), version, hook="order-select", sent=[SENT])
    assert {v.rule for v in found} == {"B1.99"}


def test_what_the_sender_left_out_is_not_held_against_the_response() -> None:
    response = good("2.0")
    del updated(response)["requester"]
    sent = {key: value for key, value in SENT.items() if key != "requester"}
    assert violations(response, "2.0", sent=[sent]) == []
    assert [v.rule for v in violations(response, "2.0")] == ["B2.121"]


def test_a_null_in_a_list_of_a_resource_is_fhir() -> None:
    response = good("2.0")
    name = {
        "family": "Doe",
        "given": ["A", "B"],
        "_given": [None, {"extension": [{"url": "urn:x", "valueString": "y"}]}],
    }
    patient = {"resourceType": "Patient", "id": "p2", "name": [name]}
    updated(response)["contained"] = [patient]
    assert violations(response, "2.0", sent=[SENT | {"contained": [patient]}]) == []


def test_no_object_is_no_response() -> None:
    assert [v.rule for v in violations([], "2.0")] == ["A3.25"]
