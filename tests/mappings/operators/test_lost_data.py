"""Lost data is unknown: taking a whole resource type out of a chart never makes a yes into a no.

Each fact gets a chart in which everything supports it, from several resource types, among
resources about other things. Left out are the facts that count (self-tests, injections and the
regimen made of them, episodes), and bolus insulin, whose "no" is a regimen in which none is listed.
An insulin pump is supported by what injections cannot outweigh once it is gone: devices and diagnoses.
"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mappings.evidence import Reason
from tests.builders import (
    ASPART,
    CGM,
    GIVEN,
    GLARGINE,
    HCPCS,
    ICD,
    INSULIN_PUMP,
    LISPRO,
    SNOMED,
    a1c,
    ago,
    allergy,
    asked,
    concept,
    condition,
    days_ago,
    device,
    dosage,
    encounter,
    insulin_pump_order,
    log,
    observation,
    prescribed,
    procedure,
    reading,
    resource,
    sensor,
    taken,
    use_of,
)

PUMP_DEVICE, MONITOR = device(INSULIN_PUMP), device(CGM)
ADJUSTED = dosage(3, "1 unit per 10 g carbs before meals")


def certificate(name: str) -> Any:
    code = concept(("urn:coverage-hooks:fact", name))
    return resource("DocumentReference", {"status": "current", "date": "2026-01-10", "type": code})


def by_name(name: str) -> Any:
    return observation(name, None, "", "2026-01-10", "urn:coverage-hooks:fact", valueBoolean=True)


SUPPORT: dict[str, list[Any]] = {
    "dx_diabetes": [
        condition("E10.65"),
        condition("E13.9"),
        by_name("dx_diabetes"),
        certificate("dx_diabetes"),
    ],
    "dx_type2_diabetes": [condition("E11.9"), by_name("dx_type2_diabetes"), certificate("dx_type2_diabetes")],
    "hba1c_above_7_6mo": [
        a1c(8.0, ago("P7M")),
        a1c(60, "2025-12-01", "mmol/mol"),
        a1c(8.2, "2026-01-20"),
        certificate("hba1c_above_7_6mo"),
    ],
    "cgm_in_use": [
        MONITOR,
        use_of(MONITOR, "2024-01-01"),
        use_of("Dexcom G7", "2024-01-01"),
        sensor(120, days_ago(3)),
        by_name("cgm_in_use"),
        procedure("95251", days_ago(20), "http://www.ama-assn.org/go/cpt"),
    ],
    "cgm_in_use_60d": [
        MONITOR,
        use_of(MONITOR, "2024-01-01"),
        observation(
            "104637-4",
            95,
            "%",
            "",
            effectiveDateTime=None,
            effectivePeriod={"start": "2025-10-01", "end": days_ago(2)},
        ),
        certificate("cgm_in_use_60d"),
    ],
    "insulin_pump_in_use": [
        PUMP_DEVICE,
        use_of(PUMP_DEVICE, "2024-01-01"),
        condition("Z96.41"),
    ],
    "pump_functioning": [PUMP_DEVICE, use_of(PUMP_DEVICE, "2024-01-01"), by_name("pump_functioning")],
    "severe_glycemic_excursions": [
        condition("E10.10", onsetDateTime="2025-12-01"),
        encounter("2025-11-01", "Practitioner/dr", reasonCode=[concept((ICD, "E10.641"))]),
        by_name("severe_glycemic_excursions"),
    ],
    "diabetes_education_completed": [
        procedure("G0109", "2025-01-12", HCPCS),
        certificate("diabetes_education_completed"),
        by_name("diabetes_education_completed"),
    ],
    "insulin_self_adjusts": [
        taken(LISPRO, None, dosage=[ADJUSTED]),
        prescribed(ASPART, None, dosageInstruction=[ADJUSTED]),
        certificate("insulin_self_adjusts"),
    ],
    "pregnant": [
        condition("O24.410", onsetDateTime="2025-12-01"),
        observation("82810-3", None, "", "2026-01-10", valueCodeableConcept=concept((SNOMED, "77386006"))),
        certificate("pregnant"),
    ],
}

ORDER = insulin_pump_order(reason="E11.65")

OTHER = [
    condition("E66.9"),
    condition("I10"),
    taken(GLARGINE, 1),
    prescribed(LISPRO, 3),
    observation("8867-4", 70, "/min", "2026-01-10"),
    procedure("97802", "2026-01-10", "http://www.ama-assn.org/go/cpt"),
    encounter("2026-01-27", "Practitioner/nurse"),
    allergy(("http://www.nlm.nih.gov/research/umls/rxnorm", "7980")),
    device((SNOMED, "337414009")),
    *log(2, days_ago(20), days_ago(10)),
]


@pytest.mark.parametrize("fact", SUPPORT)
@given(data=st.data())
def test_taking_a_resource_type_out_never_turns_a_yes_into_a_no(fact: str, data: st.DataObject) -> None:
    pool = SUPPORT[fact]
    chosen = data.draw(st.lists(st.sampled_from(range(len(pool))), min_size=1, unique=True))
    others = data.draw(st.lists(st.sampled_from(range(len(OTHER))), unique=True))
    chart = [pool[n] for n in chosen] + [OTHER[n] for n in others]
    if reading(fact, chart, order=ORDER).value is not True:
        return
    for lost in sorted({item["resourceType"] for item in chart}):
        rest = [item for item in chart if item["resourceType"] != lost]
        assert reading(fact, rest, order=ORDER).value is not False, lost


@pytest.mark.parametrize("fact", SUPPORT)
def test_the_whole_support_makes_a_yes(fact: str) -> None:
    """Otherwise the property above would hold for want of a yes."""
    assert reading(fact, SUPPORT[fact], order=ORDER).value is True
    assert reading(fact, SUPPORT[fact], OTHER, order=ORDER).value is True


def test_an_empty_chart_knows_nothing() -> None:
    for fact in SUPPORT:
        assert not reading(fact).known, fact


FAILED = {"MedicationRequest": "timeout", "DeviceUseStatement": "timeout", "Observation": "timeout"}
WHOLE: list[tuple[str, list[Any], Any]] = [
    ("insulin_pump_in_use", [condition("E10.65"), taken(GLARGINE, 1), taken(LISPRO, 3)], False),
    ("insulin_injections_per_day", [taken(GLARGINE, 1)], 1),
    ("glucose_tests_per_day_avg_60d", list(log(3, "2025-12-16", "2026-02-15")), 3.0),
    ("cgm_in_use", [MONITOR, use_of(MONITOR, "2024-01-01", days_ago(20))], False),
    ("hba1c_above_7_6mo", [a1c(8.0, ago("P7M")), a1c(8.0, "2026-01-20")], True),
    ("bolus_insulin_in_use", [taken(GLARGINE, 1)], False),
]


@pytest.mark.parametrize(("fact", "chart", "value"), WHOLE)
def test_a_query_that_failed_makes_unknown_what_it_could_have_changed(
    fact: str, chart: list[Any], value: Any
) -> None:
    assert reading(fact, chart).value == value
    found = asked(chart, failures=FAILED).book.fact(fact, GIVEN.get(fact, {})).computed
    assert found.reason is Reason.FETCH_FAILED
    assert "could not be fetched: timeout" in found.note


@pytest.mark.parametrize(
    ("fact", "chart"),
    [
        ("cgm_in_use", [MONITOR, use_of(MONITOR, "2024-01-01")]),
        ("bolus_insulin_in_use", [taken(LISPRO, 3)]),
        ("mdi_during_event_window", [taken(GLARGINE, 1), taken(LISPRO, 3)]),
    ],
)
def test_a_yes_stands_although_a_query_failed(fact: str, chart: list[Any]) -> None:
    assert asked(chart, failures=FAILED).book.fact(fact, GIVEN.get(fact, {})).computed.value is True
