"""An answer that keeps to the form is read as a value of its fact."""

from __future__ import annotations

import json
from datetime import date

import pytest

from mappings.chart import Chart
from mappings.dates import span
from mappings.evidence import Basis, Origin
from mappings.parsing import read
from mappings.statements import Statements
from policies.engine import Engine
from policies.questionnaires.resource import questionnaire
from policies.questionnaires.response import draft
from tests.forms import Json, asked

DAY = date(2026, 3, 16)


def answers_of(item: Json) -> list[tuple[Json, object]]:
    """Answers that the form allows, and the values they stand for."""
    if item["type"] == "choice":
        codings = [option["valueCoding"] for option in item["answerOption"]]
        return [({"valueCoding": coding}, coding["code"]) for coding in codings]
    if item["type"] == "quantity":
        (unit,) = [
            e["valueCoding"] for e in item["extension"] if e["url"].endswith("/questionnaire-unitOption")
        ]
        quantity = {"value": 3.5, "unit": unit["display"], "system": unit["system"], "code": unit["code"]}
        return [({"valueQuantity": quantity}, 3.5)]
    return {
        "boolean": [({"valueBoolean": True}, True), ({"valueBoolean": False}, False)],
        "integer": [({"valueInteger": 4}, 4.0)],
        "date": [({"valueDate": "2026-02-01"}, span("2026-02-01"))],
    }[item["type"]]


def forms(engine: Engine) -> list[Json]:
    return [
        form
        for policy in engine.registry.policies
        for service in policy.services
        if (form := questionnaire(policy, service, engine.catalogue, "https://cds.example.org", "Payer"))
    ]


def test_every_kind_of_question_is_in_the_library(engine: Engine) -> None:
    kinds = {item["type"] for form in forms(engine) for item in asked(form).values()}
    assert kinds == {"boolean", "choice", "date", "integer", "quantity"}


def test_every_answer_that_a_form_allows_is_read(engine: Engine) -> None:
    for form in forms(engine):
        for name, item in asked(form).items():
            fact = engine.catalogue.facts[name]
            for answer, value in answers_of(item):
                response = draft(form, "Patient/p1", ["DeviceRequest/1"], "2026-03-01T09:00:00+00:00")
                response |= {"status": "completed", "item": [{"linkId": name, "answer": [answer]}]}
                chart = Chart("p1", engine.value_sets)
                chart.add(read(json.dumps(response).encode()).items, Origin.PREFETCH)
                reading = Statements(chart, DAY).reading(name, fact.type, fact.unit)
                assert reading is not None
                assert (reading.value, reading.basis) == (value, Basis.ATTESTED), (name, answer)


def test_a_draft_as_it_was_given_states_nothing(engine: Engine) -> None:
    response = draft(forms(engine)[0], "Patient/p1", [], "2026-03-01T09:00:00+00:00")
    assert "extension" not in response
    chart = Chart("p1", engine.value_sets)
    chart.add(read(json.dumps(response).encode()).items, Origin.PREFETCH)
    assert Statements(chart, DAY).reading("diabetes_team", "boolean", "") is None


@pytest.mark.parametrize("base", ["https://cds.example.org", "https://example.org/cds"])
def test_the_draft_names_form_and_version(engine: Engine, base: str) -> None:
    policy = engine.registry.policies[0]
    form = questionnaire(policy, policy.services[0], engine.catalogue, base, "Payer")
    assert form is not None
    response = draft(form, "Patient/p1", ["Coverage/1"], "2026-03-01T09:00:00+00:00")
    assert response["questionnaire"] == f"{form['url']}|{policy.version}"
    assert form["url"].startswith(f"{base}/fhir/Questionnaire/")
