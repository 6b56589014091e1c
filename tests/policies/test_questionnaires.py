"""Questionnaires of the library: whole, valid, and sparing nobody a question that counts."""

from __future__ import annotations

import re
from datetime import date
from itertools import islice
from random import Random
from typing import Any

import pytest
from fhir.resources.R4B.questionnaire import Questionnaire

from mappings.catalogue import FactDefinition
from mappings.dates import span
from mappings.evidence import Basis, Reading
from policies import model
from policies.cases import Case, GivenFacts, load_cases, run
from policies.engine import Engine
from policies.evaluator import evaluate
from policies.model import Policy, Service, criteria_of
from policies.questionnaires.parts import is_narrative, parts_of
from policies.questionnaires.resource import questionnaire
from tests.forms import Json, asked, enabled, items

BASE = "https://cds.example.org"
ENGINE = Engine.load()
PAIRS = [(policy, service) for policy in ENGINE.registry.policies for service in policy.services]
NAMES = [f"{policy.id} {service.id}" for policy, service in PAIRS]
each_service = pytest.mark.parametrize(("policy", "service"), PAIRS, ids=NAMES)


def form_of(policy: Policy, service: Service) -> Json:
    payer = ENGINE.payers.name(policy.payer)
    form = questionnaire(policy, service, ENGINE.catalogue, BASE, payer)
    assert form is not None
    return form


@each_service
def test_a_questionnaire_is_valid_fhir(policy: Policy, service: Service) -> None:
    form = form_of(policy, service)
    parsed = Questionnaire.model_validate(form)
    assert parsed.url == f"{BASE}/fhir/Questionnaire/{form['id']}"
    assert re.fullmatch(r"[A-Za-z0-9\-.]{1,64}", form["id"])
    assert re.fullmatch(r"[A-Z][A-Za-z0-9_]{0,254}", form["name"])


@each_service
def test_a_questionnaire_says_what_it_is(policy: Policy, service: Service) -> None:
    form = form_of(policy, service)
    assert (form["version"], form["status"]) == (policy.version, "active")
    assert form["effectivePeriod"]["start"] == policy.effective_from.isoformat()
    assert policy.title in form["title"]
    assert service.title in form["title"]
    related = [extension["valueRelatedArtifact"] for extension in form["extension"]]
    assert [(r["type"], r["display"]) for r in related] == [
        ("derived-from", source.title) for source in policy.sources.values()
    ]


@each_service
def test_it_meets_what_its_profiles_ask(policy: Policy, service: Service) -> None:
    """dtr-std-questionnaire of DTR 2.0.1 and 2.1: text 1..1, subjectType 1..1 Patient, one supportLink."""
    form = form_of(policy, service)
    assert form["text"]["status"] == "generated"
    assert form["text"]["div"].startswith('<div xmlns="http://www.w3.org/1999/xhtml">')
    assert form["subjectType"] == ["Patient"]
    for item in items(form):
        links = [e for e in item.get("extension", ()) if e["url"].endswith("/questionnaire-supportLink")]
        assert len(links) <= 1


@each_service
def test_every_item_has_a_name_of_its_own_and_a_text(policy: Policy, service: Service) -> None:
    form = form_of(policy, service)
    names = [item["linkId"] for item in items(form)]
    assert len(names) == len(set(names))
    assert all(item["text"].strip() for item in items(form))
    assert all(item["item"] for item in items(form) if item["type"] == "group")


@pytest.mark.req("B3.137")
@each_service
def test_every_question_is_a_fact_that_only_a_statement_can_tell(policy: Policy, service: Service) -> None:
    for name, item in asked(form_of(policy, service)).items():
        fact = ENGINE.catalogue.facts[name]
        assert is_narrative(fact)
        assert not item.get("required")
        assert "initial" not in item
        assert answer_type(fact) == item["type"]
        assert [option["valueCoding"]["code"] for option in item.get("answerOption", ())] == list(
            fact.options
        )


@pytest.mark.req("B3.138")
@each_service
def test_nobody_is_asked_what_is_settled_later(policy: Policy, service: Service) -> None:
    """Where the pump is used, and by whom it is delivered, is known when the order goes out."""
    later = {"care_setting", "home_administration", "discharge_facility_type"}
    assert later <= ENGINE.catalogue.facts.keys()
    assert not later & asked(form_of(policy, service)).keys()


def answer_type(fact: FactDefinition) -> str:
    if fact.type == "decimal":
        return "quantity" if fact.unit else "decimal"
    return {"boolean": "boolean", "integer": "integer", "date": "date", "enum": "choice"}[fact.type]


@each_service
def test_every_question_cites_the_policy(policy: Policy, service: Service) -> None:
    quotes = {criterion.citation.quote for criterion in policy.criteria()}
    for item in asked(form_of(policy, service)).values():
        helps = item["item"]
        assert helps
        for shown in helps:
            assert shown["type"] == "display"
            (control,) = shown["extension"][0]["valueCodeableConcept"]["coding"]
            assert control["code"] == "help"
            assert any(f'"{quote}"' in shown["text"] for quote in quotes)


@each_service
def test_every_narrative_fact_of_the_service_is_asked_once(policy: Policy, service: Service) -> None:
    wanted = {
        name
        for part in parts_of(policy, service)
        for criterion in criteria_of(part)
        for condition in (criterion.condition, criterion.applies_when)
        if condition is not None
        for test in model.tests_of(condition)
        for name in (test.fact, *test.predicate.facts)
        if is_narrative(ENGINE.catalogue.facts[name])
    }
    assert set(asked(form_of(policy, service))) == wanted


@each_service
def test_every_question_is_shown_while_nothing_is_answered(policy: Policy, service: Service) -> None:
    form = form_of(policy, service)
    assert enabled(form, {}) == set(asked(form))


@each_service
def test_a_condition_names_a_question_that_stands_outside_of_its_item(
    policy: Policy, service: Service
) -> None:
    form = form_of(policy, service)
    questions = asked(form)
    for item in items(form):
        conditions = item.get("enableWhen", [])
        assert ("enableBehavior" in item) == (len(conditions) > 1)
        inside = {item["linkId"], *(inner["linkId"] for inner in items(item))}
        for condition in conditions:
            assert condition["question"] in questions
            assert condition["question"] not in inside


def test_asking_spares_some_questions() -> None:
    """Else the next test would prove nothing."""
    spared = [name for pair in PAIRS for name, item in asked(form_of(*pair)).items() if "enableWhen" in item]
    assert {"refuses_excision", "rigidity", "palliative_intent", "rental_cap_reached"} <= set(spared)


SPARING = [pair for pair in PAIRS if any("enableWhen" in item for item in items(form_of(*pair)))]


@pytest.mark.parametrize(("policy", "service"), SPARING, ids=[f"{p.id} {s.id}" for p, s in SPARING])
def test_what_a_form_spares_never_changes_the_answer(policy: Policy, service: Service) -> None:
    """The cases of the policy, with random answers: those that the form hides change no outcome."""
    form, chance = form_of(policy, service), Random(f"{policy.id} {service.id}")
    cases = _cases(policy, service.id)
    hidden = 0
    for _ in range(80):
        case = chance.choice(cases)
        answers = {
            name: _any_answer(ENGINE.catalogue.facts[name], chance)
            for name in asked(form)
            if chance.random() < 0.85
        }
        seen = {name: value for name, value in answers.items() if name in enabled(form, answers)}
        hidden += len(seen) < len(answers)
        whole, shortened = (_judged(policy, case, given) for given in (answers, seen))
        assert whole == shortened, (case.name, answers, seen)
    assert hidden > 10


def _cases(policy: Policy, service: str) -> list[Case]:
    """Some cases of a policy whose order a service takes."""
    judged = (
        (case, run(case, policy, ENGINE.catalogue, ENGINE.value_sets))
        for case in load_cases(policy, ENGINE.catalogue)
    )
    return list(islice((case for case, found in judged if found and found.service == service), 40))


def _judged(policy: Policy, case: Case, answers: dict[str, Any]) -> tuple[str, str] | None:
    """Outcome and state of the criteria, where the answers stand in for what the case states."""
    facts = {n: r for n, r in case.given.items() if not is_narrative(ENGINE.catalogue.facts[n])}
    facts |= {n: Reading(value=value, basis=Basis.DOCUMENTED) for n, value in answers.items()}
    book = GivenFacts(ENGINE.catalogue, facts)
    found = evaluate(policy, book, ENGINE.value_sets, "DeviceRequest/1", case.as_of)
    return found and (found.outcome, found.criteria.state)


def _any_answer(fact: FactDefinition, chance: Random) -> Any:
    if fact.type == "boolean":
        return chance.random() < 0.5
    if fact.type == "enum":
        return chance.choice(fact.options)
    if fact.type == "date":
        return span(date(2026, chance.randint(1, 12), 1).isoformat())
    return float(chance.randint(0, 12))
