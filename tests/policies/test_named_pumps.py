"""Pumps that are ordered by their name, without a code that policies list."""

from __future__ import annotations

from datetime import date
from typing import Any

import msgspec
import pytest

from mappings.parsing import read
from policies.determination import Report
from policies.engine import Engine
from tests.builders import insulin_pump_order
from tests.mappings.orders import chart_of, patient

LOCAL = {"system": "urn:oid:1.2.840.114350.1", "code": "98765"}


def judged(engine: Engine, item: dict[str, Any]) -> Report:
    drafts = insulin_pump_order(codeCodeableConcept=item)
    requests = [found.resource for draft in drafts for found in read(msgspec.json.encode(draft)).items]
    return engine.decide(requests, chart_of([patient()]), date(2026, 2, 16))


@pytest.mark.parametrize(
    "item",
    [{"text": "MiniMed 780G insulin pump"}, {"coding": [LOCAL], "text": "Insulin pump"}],
    ids=["by its model", "by its kind, beside a local code"],
)
def test_a_pump_ordered_by_its_name_is_judged(engine: Engine, item: dict[str, Any]) -> None:
    report = judged(engine, item)
    found = {d.policy.id: d.outcome for d in report.determinations}
    assert found["aetna.cpb-0161"] == "needs-documentation"
    assert not report.not_evaluated


@pytest.mark.parametrize("text", ["MiniMed 780G reservoirs", "Insulin pump training", "Wheelchair"])
def test_what_only_goes_with_a_pump_is_not_listed_by_its_name(engine: Engine, text: str) -> None:
    report = judged(engine, {"text": text})
    assert not report.determinations
    assert [n.why for n in report.not_evaluated] == ["no loaded policy lists this order"]


def prescribed(text: str) -> dict[str, Any]:
    """A pump as a pharmacy is asked for it."""
    order, _ = insulin_pump_order()
    kept = {name: value for name, value in order.items() if name not in ("codeCodeableConcept", "parameter")}
    return kept | {"resourceType": "MedicationRequest", "medicationCodeableConcept": {"text": text}}


def answered(engine: Engine, *drafts: dict[str, Any]) -> Report:
    requests = [found.resource for draft in drafts for found in read(msgspec.json.encode(draft)).items]
    return engine.decide(requests, chart_of([patient()]), date(2026, 2, 16))


@pytest.mark.parametrize("text", ["Omnipod 5 G6 Intro Kit (Gen 5)", "V-GO 20 device"])
def test_a_pump_that_is_prescribed_like_a_drug_is_judged(engine: Engine, text: str) -> None:
    insulin = insulin_pump_order()[1]
    report = answered(engine, prescribed(text), insulin)
    aetna = next(d for d in report.determinations if d.policy.id == "aetna.cpb-0161")
    assert (aetna.outcome, aetna.order_label) == ("needs-documentation", text)
    assert {d.order for d in report.determinations} == {aetna.order}
    assert not report.not_evaluated


@pytest.mark.parametrize("text", ["Insulin lispro 100 unit/mL for use in Omnipod 5", "For V-GO 20: Humalog"])
def test_a_drug_for_a_pump_is_no_pump(engine: Engine, text: str) -> None:
    assert not answered(engine, prescribed(text)).determinations
