"""Northwood over orders with charts: members, drugs and formulations, compounding, examinations.

The case files give the facts; here drugs, diagnoses and visits of a chart have to reach them.
"""

from __future__ import annotations

import pytest

from tests.mappings.orders import RXNORM, SNOMED, Json, concept
from tests.policies.northwood import INTERMITTENT, SETS, answer, device_order, judged, lacking, states, visit

DOXORUBICIN = ("3639", "doxorubicin (conventional)")
DAY = "2025-12-15"


# Whom the policy is for


@pytest.mark.parametrize(
    ("typology", "outcome", "clause", "state"),
    [
        ("512", "met", "appl-2", "met"),
        ("2", "met", "appl-2", "met"),
        ("11", "not-applicable", "appl-1", "met"),
        ("12", "not-applicable", "appl-1", "met"),
        ("14", "not-applicable", "appl-1", "met"),
        (None, "needs-documentation", "appl-2", "unknown"),
    ],
    ids=["commercial", "Medicaid", "Medicare Advantage", "Original Medicare", "dual eligible", "unknown"],
)
def test_the_line_of_business_decides_whose_criteria_count(
    typology: str | None, outcome: str, clause: str, state: str
) -> None:
    found = judged(
        *DOXORUBICIN, reason="C49.9", drug={"hours": 8, "continuous": True}, says=SETS, line=typology
    )
    assert (found.outcome, states(found, clause)) == (outcome, (state,))


def test_without_a_coverage_the_line_of_business_is_asked_for() -> None:
    found = judged(*DOXORUBICIN, reason="C49.9", says=SETS, coverages=[])
    assert (found.outcome, lacking(found)) == ("needs-documentation", {"appl-2"})


@pytest.mark.parametrize("code", ["E0784", "A4224", "A4225"])
def test_insulin_pumps_and_their_supplies_are_referred(code: str) -> None:
    found = answer(device_order(code, DAY))["pump"]
    assert (found.outcome, states(found, "ins-1")) == ("not-applicable", ("met",))


# Drugs: the closed lists, and what stands nearest to them


@pytest.mark.parametrize(
    ("rxnorm", "text", "reason", "outcome", "lacks"),
    [
        ("3639", "doxorubicin", "C49.9", "met", set()),
        ("214525", "doxorubicin liposomal", "C49.9", "not-met", {"A-1"}),
        ("11202", "vincristine", "C49.9", "met", set()),
        ("11202", "vincristine liposomal", "C49.9", "needs-documentation", {"A-1"}),
        ("2555", "cisplatin", "C67.9", "not-met", {"A-1", "other-1"}),
        ("11124", "vancomycin", "M86.9", "not-met", {"C-1", "other-1"}),
        ("5224", "heparin", "O09.90", "not-met", {"other-1"}),
    ],
)
def test_a_drug_reaches_its_situation(
    rxnorm: str, text: str, reason: str, outcome: str, lacks: set[str]
) -> None:
    found = judged(rxnorm, text, reason=reason, says=SETS)
    assert (found.outcome, lacking(found)) == (outcome, lacks)


@pytest.mark.parametrize(
    ("hours", "outcome", "lacks"),
    [(7.9, "not-met", {"A-2", "set1-3"}), (8, "met", set()), (8.1, "met", set())],
)
def test_eight_hours_are_enough(hours: float, outcome: str, lacks: set[str]) -> None:
    found = judged(*DOXORUBICIN, reason="C49.9", drug={"hours": hours, "continuous": True}, says=SETS)
    assert (found.outcome, lacking(found)) == (outcome, lacks)


@pytest.mark.parametrize(
    ("diagnosis", "outcome"),
    [("E83.111", "met"), ("E83.110", "met"), ("T45.4X1A", "not-met"), ("E83.19", "needs-documentation")],
)
def test_deferoxamine_is_for_chronic_iron_overload(diagnosis: str, outcome: str) -> None:
    found = judged("3131", "deferoxamine", reason=diagnosis)
    assert (found.outcome, lacking(found)) == (outcome, set() if outcome == "met" else {"dfo-1"})


@pytest.mark.parametrize(
    ("formulation", "kidney", "outcome", "lacks"),
    [
        (("236594", "amphotericin B liposomal"), "N18.4", "met", set()),
        (("236594", "amphotericin B liposomal"), "N18.30", "needs-documentation", {"C-lip-2"}),
        (("81507", "amphotericin B lipid complex"), "I10", "needs-documentation", {"C-lip-2"}),
        (("732", "amphotericin B"), "I10", "met", set()),
    ],
)
def test_a_liposomal_amphotericin_needs_its_reason(
    formulation: tuple[str, str], kidney: str, outcome: str, lacks: set[str]
) -> None:
    says = INTERMITTENT | {"ampho_b_toxicity": False}
    found = judged(*formulation, reason="B37.7", conditions=(kidney,), drug={"hours": 2}, says=says)
    assert (found.outcome, lacks <= lacking(found)) == (outcome, True)


# Compounding


@pytest.mark.parametrize(
    ("hcpcs", "met"),
    [("J7999", ("met", "unmet")), ("J2270", ("unmet", "met")), (None, ("met", "unmet"))],
)
def test_a_compounded_drug_is_denied_under_every_code(hcpcs: str | None, met: tuple[str, str]) -> None:
    drug = {"hcpcs": hcpcs} if hcpcs else {}
    says = {"cancer_pain_intractable": True, "drug_compounded": True}
    found = judged("7052", "morphine", reason="G89.3", conditions=("C34.90",), drug=drug, says=says)
    assert (found.outcome, states(found, "comp-1", "comp-2")) == ("excluded", met)


# The face-to-face examination


@pytest.mark.parametrize(
    ("on", "outcome"),
    [
        ("2025-06-14", "needs-documentation"),
        ("2025-06-15", "met"),
        ("2025-06-16", "met"),
        ("2025-12-15", "met"),
    ],
)
def test_an_examination_on_file_is_at_most_six_months_old(on: str, outcome: str) -> None:
    found = judged(*DOXORUBICIN, reason="C49.9", says=SETS, chart=[visit(on, reasons=("C49.9",))])
    assert found.outcome == outcome


@pytest.mark.parametrize("chart", [[], [visit("2025-12-16")], [visit("2025-12-01", by="other")]])
def test_an_examination_that_is_not_on_file_is_a_to_do(chart: list[Json]) -> None:
    found = judged(*DOXORUBICIN, reason="C49.9", says=SETS, chart=chart)
    assert (found.outcome, states(found, "doc-2")) == ("met", ("unknown",))


def test_an_examination_about_an_ankle_asks_for_another() -> None:
    found = judged(
        *DOXORUBICIN, reason="C49.9", says=SETS, chart=[visit("2025-12-01", reasons=("S93.401A",))]
    )
    assert (found.outcome, lacking(found)) == ("needs-documentation", {"doc-4"})


# Opioids


def test_an_oral_opioid_that_was_stopped_without_effect_opens_situation_b() -> None:
    stopped = {
        "resourceType": "MedicationStatement",
        "id": "m",
        "status": "stopped",
        "medicationCodeableConcept": concept((RXNORM, "7804")),
        "statusReason": [concept((SNOMED, "266721009"))],
        "effectivePeriod": {"start": "2025-01-01", "end": "2025-06-01"},
        "dosage": [{"route": concept((SNOMED, "26643006"))}],
    }
    says = SETS | {"cancer_pain_intractable": True}
    found = judged(
        "3423", "hydromorphone", reason="G89.3", conditions=("C34.90",), says=says, chart=[stopped]
    )
    assert (found.outcome, states(found, "B-2a", "morph-1")) == ("met", ("met", "met"))


def test_meperidine_is_named_as_excepted() -> None:
    says = SETS | {"cancer_pain_intractable": True, "oral_transdermal_opioid_failed": True}
    found = judged("6754", "meperidine", reason="G89.3", conditions=("C34.90",), says=says)
    assert (found.outcome, lacking(found)) == ("not-met", {"B-1", "other-1"})


def test_the_reason_of_the_order_closes_the_path_of_another_disease() -> None:
    found = judged("7052", "morphine", reason="M54.50", chart=[])
    assert (found.outcome, lacking(found)) == ("not-met", {"morph-1"})
