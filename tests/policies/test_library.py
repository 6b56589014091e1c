"""The packaged policies: their cases hold and cover every criterion, no clause is lost, no quote is wrong."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from policies.cases import load_cases, misses, run
from policies.clauses import MISSING, clause_rows, stray_clauses
from policies.coverage import coverage
from policies.engine import Engine
from policies.library import LIBRARY, policy_files
from policies.lint import lint
from policies.model import Policy, criteria_of

FOLDERS = [path.parent.relative_to(LIBRARY).as_posix() for path in policy_files(LIBRARY)]
COVERED = ["husky/ambulatory_infusion_pumps", "independence/implantable_pumps"]
COVERED_SERVICES = [
    ("aetna/infusion_pumps", "external-insulin-pump"),
    ("aetna/infusion_pumps", "external-pump"),
    ("aetna/infusion_pumps", "supplies"),
]


def policy_in(folder: str, engine: Engine) -> Policy:
    return next(p for p in engine.registry.policies if Path(p.file).parent == LIBRARY / folder)


@pytest.mark.parametrize("folder", FOLDERS)
def test_the_cases_of_a_policy_hold(folder: str, engine: Engine) -> None:
    policy = policy_in(folder, engine)
    missed = {
        f"{case.name} (line {case.line})": found
        for case in load_cases(policy, engine.catalogue)
        if (found := misses(case, run(case, policy, engine.catalogue, engine.value_sets)))
    }
    assert missed == {}


@pytest.mark.parametrize("folder", COVERED)
def test_the_cases_of_a_policy_show_every_criterion_in_every_state(folder: str, engine: Engine) -> None:
    rows = coverage(policy_in(folder, engine), engine.catalogue, engine.value_sets)
    assert {row.name: row.missing for row in rows if row.missing} == {}


@pytest.mark.parametrize(("folder", "service"), COVERED_SERVICES)
def test_the_cases_of_a_service_show_every_criterion_in_every_state(
    folder: str, service: str, engine: Engine
) -> None:
    policy = policy_in(folder, engine)
    (found,) = (s for s in policy.services if s.id == service)
    names = {c.id for c in criteria_of(found.criteria)} | {r.criterion.id for r in found.reservations}
    rows = coverage(policy, engine.catalogue, engine.value_sets)
    mine = [row for row in rows if row.name.split(" > ")[0].split(".")[0] in names]
    assert len(mine) >= len(names)
    assert {row.name: row.missing for row in mine if row.missing} == {}


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_clause_of_a_document_is_taken_up(folder: str, engine: Engine) -> None:
    policy = policy_in(folder, engine)
    assert [row.clause for row in clause_rows(policy) if row.how == MISSING] == []
    assert [clause for clause, _ in stray_clauses(policy)] == []


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_quote_stands_in_the_document(folder: str, engine: Engine, shared: Path) -> None:
    policy = policy_in(folder, engine)
    found = lint([policy], engine.catalogue, date(2026, 11, 24), shared / "policies-source")
    assert [f.what for f in found if "source" in f.what or "sha256" in f.what] == []
