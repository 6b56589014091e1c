"""A sixth payer comes by data alone: YAML, value sets, facts and cases, no line of Python."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest

from cds_service.samples import all_shown
from mappings.chart import Chart
from mappings.evidence import Origin
from mappings.parsing import read
from policies.cases import load_cases, misses, run
from policies.clauses import MISSING, clause_rows
from policies.engine import Engine

SIXTH = Path(__file__).parent / "sixth"


@pytest.fixture(scope="module")
def six() -> Engine:
    return Engine.load(SIXTH)


def test_the_cases_of_the_sixth_policy_hold(six: Engine) -> None:
    policy = six.registry.find("cms.ncd-280.14")
    assert policy is not None
    for case in load_cases(policy, six.catalogue):
        assert misses(case, run(case, policy, six.catalogue, six.value_sets)) == [], case.name
    assert [row.clause for row in clause_rows(policy) if row.how == MISSING] == []


def test_a_member_of_the_sixth_payer_is_judged_by_the_sixth_policy(six: Engine) -> None:
    request = json.loads(json.dumps(all_shown()).replace('"Aetna"', '"Original Medicare"'))
    chart = Chart(request["context"]["patientId"], six.value_sets)
    for key, value in request["prefetch"].items():
        chart.add(read(json.dumps(value).encode(), key).items, Origin.PREFETCH)
    drafts = read(json.dumps(request["context"]["draftOrders"]).encode())
    report = six.decide([item.resource for item in drafts.items], chart, date(2026, 11, 24))
    (found,) = report.determinations
    assert (found.policy.id, found.outcome) == ("cms.ncd-280.14", "needs-documentation")
    assert found.asks[0].startswith("Order a fasting C-peptide")


def test_the_other_payers_answer_as_before(six: Engine, engine: Engine) -> None:
    before = {policy.reference for policy in engine.registry.policies}
    after = {policy.reference for policy in six.registry.policies}
    assert after - before == {"cms.ncd-280.14@2004-12-17"}
