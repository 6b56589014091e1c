"""Outcome, states, asks and reservations of a small policy over given facts."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from mappings.catalogue import Catalogue
from mappings.dates import span
from mappings.evidence import SILENT, Basis, Evidence, Reading, Reason, unknown
from mappings.terminology import ValueSets
from policies.cases import GivenFacts
from policies.determination import Determination, walk
from policies.evaluator import evaluate
from policies.loader import load_policy
from policies.model import Policy
from tests.policies.small_policy import VALID

DAY = date(2025, 7, 1)
FINE: dict[str, Any] = {
    "dx_diabetes": True,
    "insulin_injections_per_day": 4.0,
    "diabetes_education_completed": True,
    "last_treating_physician_visit_date": span("2025-05-01"),
    "member_lob": "commercial",
    "member_age_years": 40.0,
}

Judge = Callable[..., Determination]


@pytest.fixture
def judge_text(tmp_path: Path, catalogue: Catalogue, value_sets: ValueSets) -> Callable[[str], Judge]:
    """The judge of a policy given as text."""

    def build(text: str) -> Judge:
        path = tmp_path / "policy.yaml"
        path.write_text(text, encoding="utf-8")
        return _judge(load_policy(path, catalogue, value_sets), catalogue, value_sets)

    return build


@pytest.fixture
def judge(judge_text: Callable[[str], Judge]) -> Judge:
    return judge_text(VALID)


def _judge(policy: Policy, catalogue: Catalogue, value_sets: ValueSets) -> Judge:
    def run(day: date = DAY, **facts: Any) -> Determination:
        given = {**FINE, **facts}
        readings = {
            name: value
            if isinstance(value, Reading)
            else Reading(value, evidence=(Evidence("Note/1"),), basis=Basis.DOCUMENTED)
            for name, value in given.items()
            if value is not None
        }
        found = evaluate(policy, GivenFacts(catalogue, readings), value_sets, "DeviceRequest/1", day)
        assert found is not None
        return found

    return run


def state(determination: Determination, name: str) -> str:
    roots = (
        determination.criteria,
        *determination.exclusions,
        *determination.documentation,
        *determination.reservations,
    )
    return next(node.state for root in roots for node in walk(root) if node.id == name)


def test_everything_shown_is_met(judge: Judge) -> None:
    assert judge().outcome == "met"
    assert judge().asks == []


def test_a_contradicted_criterion_is_not_met_and_is_what_lacks(judge: Judge) -> None:
    found = judge(diabetes_education_completed=False)
    assert (found.outcome, found.lacking) == ("not-met", ["taught"])


def test_silence_is_unknown_and_asks(judge: Judge) -> None:
    found = judge(diabetes_education_completed=None)
    assert (found.outcome, found.asks) == ("needs-documentation", ["File the certificate."])


def test_one_alternative_that_is_met_is_enough(judge: Judge) -> None:
    assert judge(insulin_injections_per_day=0.0, insulin_pump_in_use=True).outcome == "met"


def test_the_parameter_of_the_day_counts(judge: Judge) -> None:
    visit = span("2026-01-01")
    before = judge(date(2025, 12, 31), insulin_injections_per_day=3.0, insulin_pump_in_use=False)
    after = judge(
        date(2026, 1, 1),
        insulin_injections_per_day=3.0,
        insulin_pump_in_use=False,
        last_treating_physician_visit_date=visit,
    )
    assert (state(before, "injects"), state(after, "injects")) == ("met", "unmet")


def test_an_order_before_the_policy_is_not_applicable_and_says_so(judge: Judge) -> None:
    found = judge(date(2024, 12, 31))
    assert found.outcome == "not-applicable"
    assert found.criteria.criteria[0].clauses == ["plan-1/start"]
    assert judge(date(2025, 1, 1)).outcome != "not-applicable"


def test_a_referral_sends_the_order_elsewhere(judge: Judge) -> None:
    found = judge(member_lob="medicaid")
    assert (found.outcome, found.criteria.criteria[0].clauses) == ("not-applicable", ["plan-1/refer"])


@pytest.mark.parametrize(("age", "outcome"), [(17.0, "not-applicable"), (18.0, "met"), (19.0, "met")])
def test_an_order_outside_the_scope_is_not_addressed_and_not_refused(
    judge: Judge, age: float, outcome: str
) -> None:
    assert judge(member_age_years=age).outcome == outcome


def test_what_shuts_the_scope_is_cited_as_unmet(judge: Judge) -> None:
    node = judge(member_age_years=17.0).criteria.criteria[0]
    assert (node.clauses, node.state) == (["plan-1/adults"], "unmet")


def test_an_open_scope_asks_and_does_not_turn_the_order_away(judge: Judge) -> None:
    found = judge(member_age_years=None)
    assert (found.outcome, found.lacking) == ("needs-documentation", ["adults"])


def test_an_exclusion_beats_a_met_path(judge: Judge) -> None:
    found = judge(order_is_replacement=True, pump_functioning=True)
    assert (found.outcome, state(found, "upgrade")) == ("excluded", "met")


def test_an_exclusion_outside_its_scope_is_moot(judge: Judge) -> None:
    found = judge(pump_functioning=True)
    assert found.outcome == "met"
    assert all(node.id != "upgrade" for node in found.exclusions)


def test_a_silent_record_never_fires_an_exclusion_and_never_blocks(judge: Judge) -> None:
    found = judge(order_is_replacement=True)
    node = next(node for node in found.exclusions if node.id == "upgrade")
    assert (found.outcome, node.state, node.evidenced) == ("met", "unmet", False)


def test_where_the_policy_reads_silence_as_a_no_only_silence_is_one(
    judge_text: Callable[[str], Judge],
) -> None:
    limb = "fact: insulin_pump_in_use\n              is: true\n"
    judge = judge_text(VALID.replace(limb, limb + "              if_silent: unmet\n"))
    hint = unknown(Reason.CONFLICTING, evidence=(Evidence("Device/1"),))
    assert state(judge(insulin_pump_in_use=None), "on_pump") == "unmet"
    assert state(judge(insulin_pump_in_use=hint), "on_pump") == "unknown"
    assert state(judge(insulin_pump_in_use=unknown(Reason.FETCH_FAILED)), "on_pump") == "unknown"
    assert state(judge(insulin_pump_in_use=True), "on_pump") == "met"


def test_an_exclusion_to_which_the_record_points_without_deciding_blocks(judge: Judge) -> None:
    hint = unknown(Reason.CONFLICTING, evidence=(Evidence("Note/2"),))
    found = judge(allergy_to_pump_drug=hint)
    assert (found.outcome, state(found, "allergy")) == ("needs-documentation", "unknown")
    assert "allergy" in found.lacking


def test_a_missing_required_document_needs_documentation_even_when_it_is_old(judge: Judge) -> None:
    old = judge(last_treating_physician_visit_date=span("2024-12-31"))
    assert (old.outcome, state(old, "visit")) == ("needs-documentation", "unmet")
    assert "visit" in old.lacking


def test_a_reservation_turns_a_covered_failure_into_a_question(judge: Judge) -> None:
    found = judge(diabetes_education_completed=False, pregnant=True)
    assert (found.outcome, state(found, "taught")) == ("needs-documentation", "unmet")
    assert next(n for n in walk(found.criteria) if n.id == "taught").reserved


def test_a_reservation_covers_nothing_else(judge: Judge) -> None:
    assert judge(dx_diabetes=False, pregnant=True).outcome == "not-met"
    assert judge(diabetes_education_completed=False, pregnant=False).outcome == "not-met"
    assert judge(diabetes_education_completed=False).outcome == "not-met"


def test_a_reservation_to_which_the_record_points_leaves_the_decision_open(judge: Judge) -> None:
    hint = unknown(Reason.CONFLICTING, evidence=(Evidence("Observation/1"),))
    found = judge(diabetes_education_completed=False, pregnant=hint)
    assert (found.outcome, state(found, "taught")) == ("needs-documentation", "unmet")
    assert found.lacking == ["taught", "pregnancy"]


def test_a_reservation_that_may_apply_does_not_disturb_what_is_met(judge: Judge) -> None:
    hint = unknown(Reason.CONFLICTING, evidence=(Evidence("Observation/1"),))
    assert (judge(pregnant=hint).outcome, judge(pregnant=hint).lacking) == ("met", [])


def test_an_attestation_alone_is_not_enough_for_this_payer(judge: Judge) -> None:
    word = Reading(True, evidence=(Evidence("QuestionnaireResponse/1"),), basis=Basis.ATTESTED)
    found = judge(diabetes_education_completed=word)
    node = next(n for n in walk(found.criteria) if n.id == "taught")
    assert (found.outcome, node.state, node.reason) == ("needs-documentation", "unknown", "attested_only")


def test_later_duties_prior_authorization_and_caveats_are_reported(judge: Judge) -> None:
    found = judge(diabetes_education_completed=False)
    assert [stated.says for stated in found.later] == ["Send the form"]
    assert found.prior_authorization is not None
    assert found.prior_authorization.answer == "required"
    assert [stated.says for stated in found.caveats] == ["A guideline only"]
    assert judge().caveats == []


def test_every_criterion_carries_its_citation_and_evidence(judge: Judge) -> None:
    for node in walk(judge().criteria):
        if not node.criteria and node.state == "met":
            assert node.citation is not None
            assert node.citation.quote
            assert node.evidence


def test_the_silent_reading_is_the_default_of_a_fact_nobody_gave(catalogue: Catalogue) -> None:
    assert GivenFacts(catalogue, {}).fact("dx_diabetes").computed is SILENT
