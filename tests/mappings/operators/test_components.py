"""Results that are components of a panel."""

from __future__ import annotations

from typing import Any

import pytest

from mappings.components import Part
from mappings.evidence import Reason
from mappings.fhir import Observation, ObservationComponent
from tests.builders import LOINC, UCUM, a1c, ago, asked, concept, days_ago, observation, reading, told
from tests.mappings.orders import FACT, Json, chart_of

HBA1C = "hba1c_latest_pct"
PANEL = "24323-8"


def component(code: str, value: float | None, unit: str = "%", system: str = LOINC, **more: Any) -> Json:
    found: Json = {"code": concept((system, code), text="Hemoglobin A1c")}
    if value is not None:
        found["valueQuantity"] = {"value": value, "unit": unit, "system": UCUM, "code": unit}
    return found | more


def panel(*components: Json, on: str = "2026-01-20", of: str = PANEL, **more: Any) -> Json:
    return observation(of, None, "", on, id="panel", **{"component": list(components), **more})


@pytest.mark.parametrize(
    ("components", "expected"),
    [
        ([component("4548-4", 8.1)], 8.1),
        ([component("2160-0", 1.1, "mg/dL"), component("4548-4", 8.1)], 8.1),
        ([component("59261-8", 64, "mmol/mol")], 8.0),
        ([component("4548-4", 8.1, "mg/dL")], Reason.UNIT_MISMATCH),
        ([component("4548-4", None)], Reason.NO_DATA),
        ([component("2160-0", 8.1)], Reason.NO_DATA),
        ([{"valueQuantity": {"value": 8.1, "code": "%"}}], Reason.NO_DATA),
    ],
)
def test_a_component_is_a_result_of_its_own(components: list[Json], expected: Any) -> None:
    assert told(HBA1C, panel(*components)) == expected


def test_its_evidence_is_the_panel_and_names_the_component() -> None:
    (shown,) = reading(HBA1C, panel(component("4548-4", 8.1))).evidence
    assert (shown.resource, shown.date, shown.value) == ("Observation/panel", "2026-01-20", 8.1)
    assert shown.says == "in the component Hemoglobin A1c"


def test_a_comparator_stands_before_the_component() -> None:
    quantity = {"value": 14, "comparator": ">", "unit": "%", "system": UCUM, "code": "%"}
    (shown,) = reading(HBA1C, panel(component("4548-4", None, valueQuantity=quantity))).evidence
    assert shown.says == "reported as > 14, in the component Hemoglobin A1c"


@pytest.mark.parametrize("status", ["preliminary", "cancelled", "entered-in-error"])
def test_a_panel_that_does_not_count_has_no_results(status: str) -> None:
    assert told(HBA1C, panel(component("4548-4", 8.1), status=status)) is Reason.NO_DATA


@pytest.mark.parametrize(
    ("on", "expected"), [(days_ago(1), 8.1), (days_ago(0), 8.1), (days_ago(-1), Reason.NO_DATA)]
)
def test_the_day_is_that_of_the_panel(on: str, expected: Any) -> None:
    assert told(HBA1C, panel(component("4548-4", 8.1), on=on)) == expected


def test_components_and_single_results_are_one_series() -> None:
    chart = [a1c(7.6, ago("P6M")), panel(component("4548-4", 7.4)), a1c(7.9, "2026-02-10")]
    assert told("hba1c_above_7_6mo", chart) is True
    chart[1] = panel(component("4548-4", 6.9))
    assert told("hba1c_above_7_6mo", chart) is False


def test_what_stands_alone_and_in_the_panel_counts_once() -> None:
    shown = reading("hba1c_pct_series", a1c(8.1, "2026-01-20"), panel(component("4548-4", 8.1)))
    assert shown.value == ("2026-01-20: 8.1 %",)


def test_the_other_components_hold_for_each() -> None:
    rest = {"code": {"text": "state"}, "valueCodeableConcept": {"text": "at rest"}}
    mean = component("8414-5", 27, "mm[Hg]")
    found = reading("mpap_rest_mmhg", panel(mean, rest))
    assert (found.value, found.note) == (27, "at rest")
    assert told("mpap_rest_mmhg", panel(mean)) is Reason.IMPRECISE


def test_the_functional_class_of_a_component_is_told_once() -> None:
    answer = {"code": concept((LOINC, "88020-3")), "valueCodeableConcept": {"text": "NYHA class III"}}
    for code in (PANEL, "88020-3"):
        found = reading("nyha_class", panel(answer, of=code))
        assert (found.value, len(found.evidence)) == ("III", 1)


def test_a_component_may_have_the_name_of_a_fact() -> None:
    named = {"code": concept((FACT, "dawn_phenomenon")), "valueBoolean": True}
    found = reading("dawn_phenomenon", panel(named))
    assert found.value is True
    assert found.evidence[0].says == "in the component dawn_phenomenon"


def test_what_no_value_set_holds_is_not_read() -> None:
    chart = chart_of([panel(component("2160-0", 1.1, "mg/dL"))])
    assert not any(
        isinstance(found, Part) for found in chart._by_code(Observation).get((LOINC, "2160-0"), [])
    )


def test_a_value_of_the_panel_is_none_of_its_components() -> None:
    """Every value[x] that an Observation may have is overridden by the component's, present or not."""
    fields = Observation.__struct_fields__
    assert {name for name in fields if name.startswith("value")} <= set(
        ObservationComponent.__struct_fields__
    )
    assert (
        asked(panel(component("4548-4", None), valueQuantity={"value": 9, "code": "%"})).value(HBA1C) is None
    )
