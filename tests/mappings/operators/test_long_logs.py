"""A chart with 60 days of sensor readings every five minutes stays cheap."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from datetime import datetime, timedelta
from types import FrameType
from typing import Any

import pytest

from mappings.book import FactBook
from mappings.chart import Chart
from mappings.evidence import Origin, Reason
from mappings.parsing import read
from tests.builders import GIVEN, insulin_pump_order
from tests.mappings.orders import catalogue, drugs, orders_in, value_sets

READINGS = 17_280
END = datetime.fromisoformat("2026-02-15T23:55:00")


def stream(code: str) -> bytes:
    entries = []
    for number in range(READINGS):
        at = END - timedelta(minutes=5 * number)
        entries.append(
            {
                "resource": {
                    "resourceType": "Observation",
                    "id": f"o{number}",
                    "status": "final",
                    "subject": {"reference": "Patient/p"},
                    "code": {"coding": [{"system": "http://loinc.org", "code": code}]},
                    "effectiveDateTime": f"{at.isoformat()}-05:00",
                    "valueQuantity": {
                        "value": 65 if number % 2000 < 4 else 120 + number % 60,
                        "unit": "mg/dL",
                    },
                }
            }
        )
    return json.dumps({"resourceType": "Bundle", "type": "searchset", "entry": entries}).encode()


def chart_of(code: str) -> Chart:
    chart = Chart("p", value_sets())
    chart.add(read(stream(code)).items, Origin.PREFETCH)
    return chart


def book(chart: Chart) -> FactBook:
    order = orders_in(insulin_pump_order(), chart)[0]
    return FactBook(catalogue(), drugs(), chart, order, order.day)


def all_values(chart: Chart) -> dict[str, Any]:
    facts = book(chart)
    found = {}
    for name in GIVEN | {"cgm_in_use": {}, "insulin_pump_in_use": {}, "hba1c_pct_series": {}}:
        reading = facts.fact(name, GIVEN.get(name, {})).computed
        found[name] = reading.value if reading.known else reading.reason
    return found


def test_a_stream_of_a_sensor_answers_what_it_can() -> None:
    found = all_values(chart_of("99504-3"))
    assert found["cgm_in_use"] is True
    # 60 days reach back to 18 December; two calendar months begin on the 16th.
    assert found["cgm_in_use_60d"] is Reason.TOO_SHORT_A_RECORD
    assert found["glucose_tests_per_day_avg_60d"] is Reason.NO_DATA
    assert found["hypoglycemia_episodes_3mo"] == 9


def calls_of(run: Callable[[], object]) -> int:
    """How many functions a run calls: what it costs, without a clock."""
    count = 0

    def called(_: FrameType, event: str, __: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(called)
    try:
        run()
    finally:
        sys.setprofile(None)
    return count


@pytest.mark.parametrize("code", ["99504-3", "41653-7", "2345-7"])
def test_a_log_is_walked_a_few_times_for_all_facts_and_never_again_for_a_second_policy(code: str) -> None:
    chart = chart_of(code)
    found = []
    first = calls_of(lambda: found.append(all_values(chart)))
    second = calls_of(lambda: found.append(all_values(chart)))
    assert found[0] == found[1]
    assert first < 120 * READINGS
    assert second < first / 10
