"""The worked example of docs/authoring.md is complete: what the guide shows is loaded and checked."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest

from policies.cases import load_cases, misses, run
from policies.clauses import MISSING, clause_rows
from policies.coverage import coverage
from policies.engine import Engine
from policies.lint import lint
from policies.model import Policy

GUIDE = Path(__file__).parent.parent.parent / "docs" / "authoring.md"
BLOCK = re.compile(r"```yaml file=(\S+)\n(.*?)```", re.S)


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> tuple[Engine, Policy]:
    folder = tmp_path_factory.mktemp("my-policies")
    for name, text in BLOCK.findall(GUIDE.read_text(encoding="utf-8")):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    engine = Engine.load(folder)
    policy = engine.registry.find("example-plan.dme-14")
    assert policy is not None
    return engine, policy


def test_the_cases_of_the_guide_hold(example: tuple[Engine, Policy]) -> None:
    engine, policy = example
    for case in load_cases(policy, engine.catalogue):
        assert misses(case, run(case, policy, engine.catalogue, engine.value_sets)) == [], case.name


def test_the_cases_of_the_guide_cover_every_criterion(example: tuple[Engine, Policy]) -> None:
    engine, policy = example
    rows = coverage(policy, engine.catalogue, engine.value_sets)
    assert {row.name: row.missing for row in rows if row.missing} == {}


def test_the_clauses_of_the_guide_are_all_accounted_for(example: tuple[Engine, Policy]) -> None:
    _, policy = example
    assert [row.clause for row in clause_rows(policy) if row.how == MISSING] == []


def test_lint_finds_nothing_to_mend_in_the_guide(example: tuple[Engine, Policy]) -> None:
    engine, policy = example
    findings = lint([policy], engine.catalogue, date(2026, 11, 24))
    assert [finding.what for finding in findings if finding.error] == []


def test_the_member_of_the_guide_finds_the_payer(example: tuple[Engine, Policy]) -> None:
    engine, policy = example
    assert engine.payers.name(policy.payer) == "Example Plan"


def test_the_guide_tells_what_to_order_for_its_fact(example: tuple[Engine, Policy]) -> None:
    engine, _ = example
    (choice,) = engine.orderables.by_fact["hba1c_latest"].choices
    assert choice.items[0].codes[0].code == "4548-4"
