"""Northwood's policy file: its cases hold and cover it, and every clause has its place."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from policies.cases import Case, load_cases, misses, run
from policies.clauses import MISSING, clause_rows, stray_clauses
from policies.library import LIBRARY
from policies.lint import lint
from policies.loader import load_policy
from policies.model import Policy
from tests.mappings.orders import catalogue, value_sets

POLICY = load_policy(
    LIBRARY / "northwood" / "external_infusion_pump" / "policy.yaml", catalogue(), value_sets()
)


@pytest.mark.parametrize("case", load_cases(POLICY, catalogue()), ids=lambda case: case.name)
def test_a_case_holds(case: Case) -> None:
    assert misses(case, run(case, POLICY, catalogue(), value_sets())) == []


def test_every_clause_of_the_document_has_its_place() -> None:
    assert [row.clause for row in clause_rows(POLICY) if row.how == MISSING] == []
    assert list(stray_clauses(POLICY)) == []
    assert len(clause_rows(POLICY)) == 192


def test_quotes_stand_in_the_source_and_nothing_is_left_to_mend(shared: Path) -> None:
    found = lint([POLICY], catalogue(), date(2026, 11, 25), shared / "policies-source")
    assert [finding.what for finding in found] == []


def test_a_policy_in_force_before_revision_22_holds_the_dates_of_revision_22() -> None:
    def on(policy: Policy, name: str, day: date) -> object:
        return policy.parameters[name].on(day)

    assert POLICY.effective_from == date(2022, 12, 7)
    assert on(POLICY, "cd19_from", date(2023, 1, 1)) == date(2026, 1, 25)
    assert on(POLICY, "parkinson_infusion_from", date(2026, 2, 1)) == date(2026, 1, 25)
