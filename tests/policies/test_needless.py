"""Which answers spare which questions: rule by rule, and over random trees of criteria."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from random import Random
from typing import Any

import pytest
from msgspec import structs

from mappings.catalogue import Catalogue
from mappings.evidence import Basis, Reading
from mappings.terminology import ValueSets
from policies.cases import GivenFacts
from policies.determination import Determination
from policies.evaluator import evaluate
from policies.loader import load_policy
from policies.model import Citation, Compound, Condition, Criterion, Group, Node, Policy, Service
from policies.model import Test as Demand
from policies.predicates import compile_predicate
from policies.questionnaires.offer import asked_nodes, asks_something_open
from policies.questionnaires.parts import is_narrative
from policies.questionnaires.resource import questionnaire
from tests.forms import Json, asked, enabled, items
from tests.policies.small_policy import VALID

DAY = date(2025, 7, 1)
A, B, C, D = "tumor_unresectable", "refuses_excision", "bradykinesia", "tremor"
STATED = (A, B, C, D, "rigidity", "postural_instability", "palliative_intent", "spasticity_chronic")
COMPUTED = ("dx_diabetes", "insulin_pump_in_use", "cgm_in_use")

Build = Callable[..., Policy]


@pytest.fixture
def build(tmp_path: Path, catalogue: Catalogue, value_sets: ValueSets) -> Build:
    """A policy of one service with nothing but the criteria that are given."""
    path = tmp_path / "policy.yaml"
    path.write_text(VALID, encoding="utf-8")
    bare = load_policy(path, catalogue, value_sets)

    def with_criteria(*nodes: Node, **parts: Any) -> Policy:
        service = Service("pump", "Pump", None, group("all", *nodes), (), 0)
        nothing: dict[str, Any] = {"referrals": (), "scope": (), "exclusions": (), "documentation": ()}
        return structs.replace(bare, services=(service,), **(nothing | parts))

    return with_criteria


class Maker:
    """Makes criteria; ids count up."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._count = 0

    def test(self, fact: str, demand: Any = True, ask: str = "") -> Demand:
        return Demand(fact, {}, compile_predicate(demand, self._catalogue.facts[fact]), ask, 0)

    def leaf(self, condition: Condition | str, **elements: Any) -> Criterion:
        self._count += 1
        shown = self.test(condition) if isinstance(condition, str) else condition
        citation = Citation("doc", "quote")
        return Criterion(f"c{self._count}", (), "It is so", shown, citation, 0, **elements)


def group(operator: str, *nodes: Node, **elements: Any) -> Group:
    name = f"g{id(nodes)}"
    return Group(id=elements.pop("id", name), operator=operator, nodes=nodes, line=0, **elements)


@pytest.fixture
def make(catalogue: Catalogue) -> Maker:
    return Maker(catalogue)


@pytest.fixture
def form(catalogue: Catalogue) -> Callable[[Policy], Json]:
    def written(policy: Policy) -> Json:
        found = questionnaire(policy, policy.services[0], catalogue, "https://cds.example.org", "Plan")
        assert found is not None
        return found

    return written


Form = Callable[[Policy], Json]


def conditions(form: Json, name: str) -> tuple[str, list[tuple[str, Any]]]:
    """enableBehavior and the conditions of an item."""
    item = next(item for item in items(form) if item["linkId"] == name)
    found = [
        (c["question"], c.get("answerBoolean", c.get("answerCoding", {}).get("code")))
        for c in item.get("enableWhen", ())
    ]
    return item.get("enableBehavior", ""), found


def test_an_alternative_is_spared_by_the_ones_before_it(build: Build, make: Maker, form: Form) -> None:
    found = form(build(group("any", make.leaf(A), make.leaf(B), make.leaf(C))))
    assert conditions(found, A) == ("", [])
    assert conditions(found, B) == ("", [(A, True)])
    assert conditions(found, C) == ("all", [(A, True), (B, True)])


def test_the_answer_that_meets_is_the_one_that_spares(build: Build, make: Maker, form: Form) -> None:
    found = form(build(group("any", make.leaf(make.test(A, False)), make.leaf(B))))
    assert conditions(found, B) == ("", [(A, False)])


def test_an_alternative_of_two_spares_when_both_are_met(build: Build, make: Maker, form: Form) -> None:
    both = group("all", make.leaf(A), make.leaf(B))
    found = form(build(group("any", both, make.leaf(C))))
    assert conditions(found, C) == ("any", [(A, True), (B, True)])


def test_options_that_meet_spare(build: Build, make: Maker, form: Form) -> None:
    effects = make.leaf(make.test("pain_trial_adl_effects", {"one_of": ["tolerable", "none-adverse"]}))
    found = form(build(group("any", effects, make.leaf(B))))
    options = [("pain_trial_adl_effects", "tolerable"), ("pain_trial_adl_effects", "none-adverse")]
    assert conditions(found, B) == ("all", options)


def test_a_titled_group_is_spared_as_a_whole(build: Build, make: Maker, form: Form) -> None:
    other = group("all", make.leaf(B), make.leaf(C), id="other", title="Otherwise")
    found = form(build(group("any", make.leaf(A), other)))
    assert conditions(found, "group.other") == ("", [(A, True)])
    assert conditions(found, B) == conditions(found, C) == ("", [])
    assert enabled(found, {A: True}) == {A}


@pytest.mark.parametrize("operator", ["all", "at_least"])
def test_what_is_asked_together_is_never_spared(operator: str, build: Build, make: Maker, form: Form) -> None:
    found = form(build(group(operator, make.leaf(A), make.leaf(B), count=1)))
    assert conditions(found, B) == ("", [])


def test_what_a_computed_fact_decides_spares_nothing(build: Build, make: Maker, form: Form) -> None:
    first = group("all", make.leaf(A), make.leaf("dx_diabetes"))
    assert conditions(form(build(group("any", first, make.leaf(B)))), B) == ("", [])


def test_a_gate_or_a_scope_may_shut_an_alternative_so_it_spares_nothing(
    build: Build, make: Maker, form: Form
) -> None:
    gate = make.test("dx_diabetes")
    for first in (
        group("all", make.leaf(A), gate=gate),
        group("all", make.leaf(A), applies_when=gate),
        make.leaf(A, applies_when=gate),
    ):
        assert conditions(form(build(group("any", first, make.leaf(B)))), B) == ("", [])


def test_a_negation_spares_nothing(build: Build, make: Maker, form: Form) -> None:
    first = make.leaf(Compound("not", (make.test(A),)))
    assert conditions(form(build(group("any", first, make.leaf(B)))), B) == ("", [])


def test_a_number_spares_nothing(build: Build, make: Maker, form: Form) -> None:
    first = make.leaf(make.test("mrd_pct", {"at_least": 1}))
    assert conditions(form(build(group("any", first, make.leaf(B)))), B) == ("", [])


def test_a_scope_that_is_denied_spares_what_stands_in_it(build: Build, make: Maker, form: Form) -> None:
    found = form(build(make.leaf(B, applies_when=make.test(A))))
    assert conditions(found, A) == ("", [])
    assert conditions(found, B) == ("", [(A, False)])


def test_a_fact_of_two_criteria_is_asked_once_and_above_both(build: Build, make: Maker, form: Form) -> None:
    first = group("all", make.leaf(A), id="first", title="First")
    second = group("all", make.leaf(B), make.leaf(C), id="second", title="Second")
    third = group("all", make.leaf(C), id="third", title="Third")
    found = form(build(group("any", first, second, third)))
    assert conditions(found, C) == ("", [])
    assert C in {item["linkId"] for item in found["item"]}
    assert C in enabled(found, {A: True, B: True})


def test_a_fact_that_a_rule_reads_too_is_never_spared(build: Build, make: Maker, form: Form) -> None:
    policy = build(group("any", make.leaf(A), make.leaf(B)))
    (rule,) = policy.prior_authorization
    policy = structs.replace(policy, prior_authorization=(structs.replace(rule, condition=make.test(B)),))
    assert conditions(form(policy), B) == ("", [])


def test_the_question_is_that_of_the_criterion(build: Build, make: Maker, form: Form) -> None:
    own = form(build(make.leaf(A, ask="Is it past surgery?")))
    assert asked(own)[A]["text"] == "Is it past surgery?"
    of_test = form(build(make.leaf(Compound("all", (make.test(A, ask="Can it be cut?"), make.test(B))))))
    assert asked(of_test)[A]["text"] == "Can it be cut?"
    differing = form(build(make.leaf(A, ask="Is it past surgery?"), make.leaf(A, ask="Is it inoperable?")))
    assert asked(differing)[A]["text"] == "Is the tumor unresectable?"


def test_a_yes_says_what_it_stands_for(build: Build, make: Maker, form: Form) -> None:
    found = form(build(make.leaf(A, ask="Which surgeon found the tumor unresectable?")))
    assert asked(found)[A]["text"].endswith("Yes or no: unresectable tumor?")


def test_a_service_of_computed_facts_has_no_questionnaire(
    build: Build, make: Maker, catalogue: Catalogue
) -> None:
    policy = build(make.leaf("dx_diabetes"))
    assert questionnaire(policy, policy.services[0], catalogue, "https://cds.example.org", "Plan") is None


def test_an_exclusion_for_another_kind_of_pump_is_not_asked(build: Build, make: Maker, form: Form) -> None:
    implanted = make.test("pump_class", {"one_of": ["implantable-fixed"]})
    worn = make.test("pump_class", {"one_of": ["external-insulin", "disposable"]})
    exclusions = (
        make.leaf(B, kind="exclusion", applies_when=implanted),
        make.leaf(C, kind="exclusion", applies_when=Compound("all", (make.test("dx_diabetes"), worn))),
    )
    policy = build(make.leaf(A), exclusions=exclusions)
    service = structs.replace(policy.services[0], when=Compound("any", (worn, worn)))
    policy = structs.replace(policy, services=(service,))
    assert set(asked(form(policy))) == {A, C}


def judged(policy: Policy, catalogue: Catalogue, value_sets: ValueSets, answers: Any) -> Determination:
    facts = {name: Reading(value=value, basis=Basis.DOCUMENTED) for name, value in answers.items()}
    found = evaluate(policy, GivenFacts(catalogue, facts), value_sets, "DeviceRequest/1", DAY)
    assert found is not None
    return found


@pytest.mark.parametrize("seed", range(20))
def test_random_criteria_are_judged_alike_without_the_hidden_answers(
    seed: int, build: Build, make: Maker, form: Form, catalogue: Catalogue, value_sets: ValueSets
) -> None:
    chance = Random(seed)
    for _ in range(15):
        policy = build(_random_node(chance, make, 3), make.leaf(A), make.leaf("palliative_intent"))
        written = form(policy)
        for _ in range(12):
            answers = {name: chance.random() < 0.6 for name in STATED if chance.random() < 0.9}
            record = {name: chance.random() < 0.5 for name in COMPUTED if chance.random() < 0.8}
            shown = enabled(written, answers)
            seen = {name: value for name, value in answers.items() if name in shown}
            whole = judged(policy, catalogue, value_sets, record | answers)
            shortened = judged(policy, catalogue, value_sets, record | seen)
            assert (whole.outcome, whole.criteria.state) == (shortened.outcome, shortened.criteria.state)


def _random_node(chance: Random, make: Maker, depth: int) -> Node:
    scope = _random_condition(chance, make, 1) if chance.random() < 0.15 else None
    if depth == 0 or chance.random() < 0.2:
        return make.leaf(_random_condition(chance, make, 2), applies_when=scope)
    operator = chance.choice(["any", "any", "any", "all", "at_least"])
    nodes = [_random_node(chance, make, depth - 1) for _ in range(chance.randint(2, 3))]
    title = chance.choice(["", "Titled"])
    gate = _random_condition(chance, make, 0) if chance.random() < 0.15 else None
    name = f"group-{chance.random()}"
    return group(operator, *nodes, count=1, id=name, title=title, gate=gate, applies_when=scope)


def _random_condition(chance: Random, make: Maker, depth: int) -> Condition:
    if depth == 0 or chance.random() < 0.6:
        return make.test(chance.choice(STATED * 2 + COMPUTED), chance.random() < 0.7)
    operator = chance.choice(["all", "any", "not"])
    count = 1 if operator == "not" else 2
    return Compound(operator, tuple(_random_condition(chance, make, depth - 1) for _ in range(count)))


def test_a_questionnaire_is_offered_for_what_is_open_and_can_be_answered(
    build: Build, make: Maker, catalogue: Catalogue, value_sets: ValueSets
) -> None:
    path = group("all", make.leaf(A), gate=make.test("dx_diabetes"))
    policy = build(group("any", path, make.leaf("cgm_in_use")))

    def offered(**record: bool) -> bool:
        found = judged(policy, catalogue, value_sets, record)
        return asks_something_open(found, asked_nodes(policy, policy.services[0], catalogue))

    assert offered(dx_diabetes=True)
    assert not offered(dx_diabetes=True, cgm_in_use=True)
    assert not offered(dx_diabetes=False)
    assert not offered(dx_diabetes=True, tumor_unresectable=True)


def test_the_facts_of_these_tests_are_what_they_are_taken_for(catalogue: Catalogue) -> None:
    assert all(is_narrative(catalogue.facts[name]) for name in STATED)
    assert not any(is_narrative(catalogue.facts[name]) for name in COMPUTED)
