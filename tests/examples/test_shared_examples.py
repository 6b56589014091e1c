"""The twenty example orders give their expected determination, from the chart alone (no HTTP)."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import msgspec
import pytest

from cards.deck import build_cards
from mappings.chart import Chart
from mappings.evidence import Origin
from mappings.parsing import read
from policies.determination import Report
from policies.engine import Engine
from tests.examples.agreement import disagreements, unsaid

EXAMPLES = Path(__file__).parent.parent.parent.parent / "shared" / "examples"
NAMES = sorted(path.name for path in EXAMPLES.glob("*-*") if path.is_dir())
TODAY = date(2026, 11, 24)


def decide(name: str, engine: Engine) -> Report:
    request = json.loads((EXAMPLES / name / "request.json").read_text(encoding="utf-8"))
    chart = Chart(request["context"]["patientId"], engine.value_sets)
    for key, value in request["prefetch"].items():
        chart.add(read(json.dumps(value).encode(), key).items, Origin.PREFETCH)
    drafts = read(json.dumps(request["context"]["draftOrders"]).encode(), "draftOrders")
    return engine.decide([item.resource for item in drafts.items], chart, TODAY)


def expectation(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((EXAMPLES / name / "expected.json").read_text(encoding="utf-8"))
    return found


@pytest.mark.req("B6.154")
@pytest.mark.skipif(not NAMES, reason="shared/ is absent")
@pytest.mark.parametrize("name", NAMES)
def test_an_example_gives_its_expected_determination(name: str, engine: Engine) -> None:
    report = decide(name, engine)
    assert report.not_evaluated == []
    assert len(report.determinations) == 1
    assert disagreements(msgspec.to_builtins(report.determinations[0]), expectation(name)) == []


@pytest.mark.req("B6.154")
@pytest.mark.skipif(not NAMES, reason="shared/ is absent")
@pytest.mark.parametrize("name", NAMES)
def test_the_card_of_an_example_says_every_criterion_it_must(name: str, engine: Engine) -> None:
    report, expected = decide(name, engine), expectation(name)
    cards = build_cards(report, lambda text: text)
    if expected["card"]["indicator"] == "no warning card":
        assert cards == []
        return
    assert [card["indicator"] for card in cards] == [expected["card"]["indicator"]]
    assert unsaid(cards[0], msgspec.to_builtins(report.determinations[0]), expected) == []
