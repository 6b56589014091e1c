"""The packaged policies: their cases hold and cover every criterion, no clause is lost, no quote is wrong."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from policies.cases import load_cases, misses, run
from policies.clauses import DERIVED, INFORMATION, MISSING, clause_rows, stated_clauses, stray_clauses
from policies.coverage import coverage
from policies.engine import Engine
from policies.library import LIBRARY, policy_files
from policies.lint import lint
from policies.model import Policy

FOLDERS = [path.parent.relative_to(LIBRARY).as_posix() for path in policy_files(LIBRARY)]


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


@pytest.mark.parametrize("folder", FOLDERS)
def test_the_cases_of_a_policy_cover_it(folder: str, engine: Engine) -> None:
    rows = coverage(policy_in(folder, engine), engine.catalogue, engine.value_sets)
    assert {row.name: row.missing for row in rows if row.missing} == {}
    assert {row.name: row.contradicted for row in rows if row.contradicted} == {}


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_clause_of_a_document_is_taken_up(folder: str, engine: Engine) -> None:
    policy = policy_in(folder, engine)
    assert [row.clause for row in clause_rows(policy) if row.how == MISSING] == []
    assert [clause for clause, _ in stray_clauses(policy)] == []


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_clause_that_a_policy_answers_is_reached_by_a_case(folder: str, engine: Engine) -> None:
    policy = policy_in(folder, engine)
    answers = (
        run(case, policy, engine.catalogue, engine.value_sets)
        for case in load_cases(policy, engine.catalogue)
    )
    # That a code is listed is answered by the order alone; cases have none.
    reached = {clause for listing in policy.codes.values() for clause in listing}
    reached.update(clause for answer in answers if answer is not None for clause in stated_clauses(answer))
    claimed = [row.clause for row in clause_rows(policy) if row.how not in (DERIVED, INFORMATION, MISSING)]
    assert [clause for clause in claimed if clause not in reached] == []


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_quote_stands_in_the_document(folder: str, engine: Engine, shared: Path) -> None:
    policy = policy_in(folder, engine)
    found = lint([policy], engine.catalogue, date(2026, 11, 24), shared / "policies-source")
    assert [f.what for f in found if "source" in f.what or "sha256" in f.what] == []
