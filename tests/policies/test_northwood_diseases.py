"""Northwood over orders with charts: results, heart failure, immune globulin, leukemia, Parkinson.

The case files give the facts; here each threshold is met from the record.
"""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from tests.mappings.orders import SNOMED, Json, concept
from tests.policies.northwood import INTERMITTENT, SETS, judged, lacking, practitioner, states, visit

DOXORUBICIN = ("3639", "doxorubicin (conventional)")
DAY = "2025-12-15"


def lab(code: str, value: float, unit: str, on: str = "2025-12-14", **more: Any) -> Json:
    quantity = {"value": value, "unit": unit, "code": unit}
    return {
        "resourceType": "Observation",
        "id": f"{code}-{on}-{value}",
        "status": "final",
        "code": concept(("http://loinc.org", code)),
        "effectiveDateTime": on,
        "valueQuantity": quantity,
    } | more


# Results


@pytest.mark.parametrize(
    ("results", "outcome"),
    [
        ([("17861-6", 11.9, "mg/dL"), ("1751-7", 4.0, "g/dL")], "needs-documentation"),
        ([("17861-6", 12.0, "mg/dL"), ("1751-7", 4.0, "g/dL")], "met"),
        ([("17861-6", 11.2, "mg/dL"), ("1751-7", 2.5, "g/dL")], "met"),
        ([("29265-6", 2.99, "mmol/L")], "needs-documentation"),
        ([("29265-6", 3.0, "mmol/L")], "met"),
        ([("17861-6", 14.0, "mg/dL")], "needs-documentation"),
        ([("1995-0", 1.9, "mmol/L")], "needs-documentation"),
    ],
)
def test_the_calcium_is_corrected_before_it_is_compared(
    results: list[tuple[str, float, str]], outcome: str
) -> None:
    says = SETS | {
        "hypercalcemia_cancer_related": True,
        "hypercalcemia_symptomatic": True,
        "courses_this_episode": 1,
    }
    course = {"boundsDuration": {"value": 5, "unit": "d", "code": "d"}}
    chart = [lab(*result) for result in results]
    found = judged(
        "25544",
        "gallium nitrate",
        reason="E83.52",
        conditions=("C34.90",),
        drug=course,
        says=says,
        chart=chart,
    )
    assert (found.outcome, lacking(found)) == (outcome, set() if outcome == "met" else {"F-2"})


REST, EXERCISE = "263678003", "309604004"


def pressure(value: float, state: str) -> Json:
    part = {"code": {"text": "state"}, "valueCodeableConcept": concept((SNOMED, state))}
    return lab("8414-5", value, "mm[Hg]", component=[part])


@pytest.mark.parametrize(
    ("rest", "exertion", "outcome"),
    [(25, 30, "not-met"), (26, 30, "met"), (25, 31, "met"), (25, None, "needs-documentation")],
)
def test_secondary_pulmonary_hypertension_needs_a_pressure(
    rest: float, exertion: float | None, outcome: str
) -> None:
    says = SETS | {
        "ph_progressed_despite_treatment": True,
        "severe_dyspnea_on_exertion": True,
        "fatigability": True,
        "ccb_ruled_out": True,
    }
    chart = [pressure(rest, REST)] + ([pressure(exertion, EXERCISE)] if exertion is not None else [])
    found = judged(
        "343048",
        "treprostinil",
        code="K0455",
        reason="I27.21",
        conditions=("M34.9",),
        drug={"route": "subcutaneous"},
        says=says,
        chart=chart,
    )
    assert (found.outcome, states(found, "E-2s-0", "E-1a", "E-1b")) == (outcome, ("met", "met", "met"))


@pytest.mark.parametrize("code", ["E0779", "E0780", "E0781", "E0791"])
def test_a_prostanoid_through_another_pump_is_excluded_whatever_the_kind(code: str) -> None:
    found = judged(
        "343048", "treprostinil", code=code, reason="I27.0", drug={"route": "subcutaneous"}, says=SETS
    )
    assert (found.outcome, states(found, "E-3", "E-3x", "E-2p")) == ("excluded", ("unmet", "met", "met"))


def test_k0455_with_another_drug_is_not_addressed() -> None:
    found = judged(*DOXORUBICIN, code="K0455", reason="C49.9", says=SETS)
    assert (found.outcome, states(found, "E-3x")) == ("met", ("absent",))


# Heart failure

HEART = {
    "symptomatic_despite_gdmt": True,
    "mcs_transplant_ineligible": True,
    "palliative_intent": True,
    "hf_symptom_improvement_on_drug_at_discharge": True,
}


def inotrope(*chart: Json, specialty: str = "207RA0001X", **says: Any) -> Any:
    stay = visit("2025-12-01", by="x", **{"class": {"code": "IMP"}})
    told = {name: value for name, value in (SETS | HEART | says).items() if value is not None}
    return judged(
        "52769", "milrinone", reason="I50.84", says=told, chart=[stay, *practitioner("x", specialty), *chart]
    )


def test_an_inotrope_is_met_from_stage_stay_and_specialist_on_file() -> None:
    found = inotrope()
    assert (found.outcome, states(found, "D-0a", "D-3", "D-4", "D-5a")) == (
        "met",
        ("met", "met", "met", "absent"),
    )


def test_a_general_cardiologist_leaves_the_evaluation_open() -> None:
    assert lacking(inotrope(specialty="207RC0000X")) == {"D-3"}


@pytest.mark.parametrize(
    ("on", "state"), [(date(2025, 9, 14), "unmet"), (date(2025, 9, 15), "met"), (date(2025, 9, 16), "met")]
)
def test_on_a_renewal_the_evaluation_is_at_most_three_months_old(on: date, state: str) -> None:
    found = inotrope(hf_last_quarterly_evaluation_date=on, hf_evaluation_documents_response=True)
    assert states(found, "D-5a") == (state,)


# Immune globulin, blinatumomab, Parkinson's disease


@pytest.mark.parametrize(
    ("text", "hcpcs", "route", "outcome"),
    [
        ("Hizentra", "J1559", "subcutaneous", "met"),
        ("Gammagard Liquid", "J1569", "subcutaneous", "met"),
        ("Gammagard Liquid", "J1569", "intravenous", "excluded"),
        ("Privigen", "J1459", "intravenous", "excluded"),
    ],
)
def test_an_immune_globulin_is_judged_by_its_product_and_route(
    text: str, hcpcs: str, route: str, outcome: str
) -> None:
    says = INTERMITTENT | {
        "home_administration": True,
        "practitioner_home_determination": True,
        "fda_approved": True,
    }
    found = judged("", text, reason="D83.9", drug={"hours": 2, "route": route, "hcpcs": hcpcs}, says=says)
    assert found.outcome == outcome


@pytest.mark.parametrize(
    ("diagnosis", "outcome"),
    [("D83.9", "met"), ("D80.1", "needs-documentation"), ("D84.81", "not-met")],
)
def test_only_a_primary_immune_deficiency_counts(diagnosis: str, outcome: str) -> None:
    says = INTERMITTENT | {
        "home_administration": True,
        "practitioner_home_determination": True,
        "fda_approved": True,
    }
    drug = {"hours": 2, "route": "subcutaneous", "hcpcs": "J1559"}
    found = judged(
        "617615",
        "immune globulin subcutaneous",
        reason=diagnosis,
        conditions=("C91.10",),
        drug=drug,
        says=says,
    )
    assert (found.outcome, "H-4" in lacking(found)) == (outcome, outcome != "met")


def blinatumomab(
    cycle: int, *, vials: float = 25, day: str = DAY, reason: str = "C91.02", **more: Any
) -> Any:
    supply = {
        "quantity": {"value": vials, "unit": "vial"},
        "expectedSupplyDuration": {"value": 28, "unit": "d", "code": "d"},
    }
    says = SETS | {"dx_bcp_all": True} | more.pop("says", {})
    return judged(
        "1597258",
        "blinatumomab",
        day=day,
        reason=reason,
        drug={"elements": {"dispenseRequest": supply}},
        order={"facts": {"blinatumomab_cycle_number": cycle}},
        says=says,
        **more,
    )


@pytest.mark.parametrize(("cycle", "outcome"), [(8, "met"), (9, "met"), (10, "not-met")])
def test_nine_cycles_for_relapse(cycle: int, outcome: str) -> None:
    found = blinatumomab(cycle)
    assert (found.outcome, lacking(found)) == (outcome, set() if outcome == "met" else {"J-1a"})


@pytest.mark.parametrize(
    ("residue", "outcome"),
    [((0.09, "%"), "not-met"), ((0.1, "%"), "met"), ((0.001, "1"), "met"), ((0.0001, "1"), "not-met")],
)
def test_residual_disease_is_read_as_percent_or_fraction(residue: tuple[float, str], outcome: str) -> None:
    found = blinatumomab(4, reason="C91.01", says={"remission_number": 1, "mrd_pct": residue})
    assert (found.outcome, states(found, "J-2a", "J-1b")) == (outcome, ("met", "unmet"))


@pytest.mark.parametrize(
    ("vials", "line", "outcome"),
    [(25, "512", "met"), (26, "512", "excluded"), (30, "2", "needs-documentation")],
)
def test_vials_beyond_25_are_denied_and_for_medicaid_left_to_the_state(
    vials: float, line: str, outcome: str
) -> None:
    found = blinatumomab(1, vials=vials, line=line)
    assert found.outcome == outcome
    assert states(found, "appl-9") == (("unknown",) if line == "2" else ("absent",))


@pytest.mark.parametrize(
    ("day", "birth", "age", "in_force"),
    [
        ("2026-01-24", "2000-01-01", "met", "unmet"),
        ("2026-01-25", "2000-01-01", "met", "met"),
        ("2026-01-26", "2025-12-28", "unmet", "met"),
        ("2026-01-26", "2025-12-26", "met", "met"),
        ("2026-01-26", "2025-12-27", "unmet", "met"),
    ],
)
def test_the_cd19_indication_has_its_day_and_its_age(day: str, birth: str, age: str, in_force: str) -> None:
    says = {
        "cd19_positive": True,
        "ph_negative": True,
        "all_disease_status": "remission",
        "remission_number": 1,
        "mrd_pct": (0.01, "%"),
    }
    found = blinatumomab(1, day=day, reason="C91.01", birth=birth, says=says, chart=())
    assert states(found, "J-3a", "J-3b") == (in_force, age)
    assert found.outcome == ("met" if (age, in_force) == ("met", "met") else "not-met")


@pytest.mark.parametrize(
    ("day", "outcome"), [("2026-01-24", "not-met"), ("2026-01-25", "met"), ("2026-01-26", "met")]
)
@pytest.mark.parametrize("name", ["apomorphine", "foscarbidopa/foslevodopa"])
def test_parkinson_infusions_have_their_day(name: str, day: str, outcome: str) -> None:
    says = SETS | {"motor_symptoms_inadequately_controlled": True, "non_infusion_therapy_tried": True}
    found = judged("", name, reason="G20.B2", day=day, drug={"hours": 16, "route": "subcutaneous"}, says=says)
    assert (found.outcome, lacking(found)) == (outcome, set() if outcome == "met" else {"PD-1", "other-1"})


def test_a_dopamine_agonist_on_file_is_not_the_second_class_and_an_atypical_syndrome_excludes() -> None:
    says = SETS | {
        "motor_fluctuations": True,
        "neurologist_evaluation": True,
        "bradykinesia": True,
        "tremor": True,
        "levodopa_responsive": True,
        "on_periods_defined": True,
        "off_hours_per_day": (3, "h/d"),
        "levodopa_carbidopa_tried": True,
    }
    agonist = {
        "resourceType": "MedicationStatement",
        "id": "m",
        "status": "active",
        "medicationCodeableConcept": {"text": "ropinirole"},
        "effectivePeriod": {"start": "2024-01-01"},
    }
    drug = {"hours": 16, "hcpcs": "J7340"}
    name = ("", "levodopa-carbidopa enteral suspension")
    found = judged(*name, reason="G20.A1", drug=drug, says=says, specialty="2084N0400X", chart=[agonist])
    assert (found.outcome, lacking(found)) == ("not-met", {"I-4c"})
    other = judged(
        *name,
        reason="G20.A1",
        conditions=("G90.3",),
        drug=drug,
        says=says,
        specialty="207Q00000X",
        chart=[agonist],
    )
    assert (other.outcome, states(other, "I-x1", "I-1b")) == ("excluded", ("met", "unmet"))


@pytest.mark.parametrize(
    ("off", "state"),
    [
        ((2.9, "h/d"), "unmet"),
        ((3.0, "h/d"), "met"),
        ((3.1, "h/d"), "met"),
        ((3, "h"), "met"),
        ((175, "min/d"), "unmet"),
        ("2-4 h", "unknown"),
    ],
)
def test_off_time_is_read_in_hours_a_day(off: Any, state: str) -> None:
    says = SETS | {"off_hours_per_day": off}
    found = judged(
        "",
        "levodopa-carbidopa enteral suspension",
        reason="G20.A2",
        drug={"hours": 16, "hcpcs": "J7340"},
        says=says,
    )
    assert states(found, "I-4a") == (state,)
