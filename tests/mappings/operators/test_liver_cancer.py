"""Cancer of the liver: which kind, where it has spread to, at what stage."""

from __future__ import annotations

from typing import Any

import pytest

from mappings.evidence import Reason
from tests.builders import condition, resource
from tests.implants import FLOXURIDINE, computed, order, told
from tests.mappings.orders import ANSWER, SNOMED, Json, concept

HEPATIC = "58100008"


def for_cancer(*reasons: str) -> tuple[Json, Json]:
    return order(FLOXURIDINE, *reasons, route=HEPATIC)


@pytest.mark.parametrize(
    ("code", "hcc", "primary"),
    [
        ("C22.0", True, True),
        ("C22.1", False, True),
        ("C22.2", False, True),
        ("C22.7", False, True),
        ("C22.8", Reason.IMPRECISE, True),
        ("C22.9", Reason.IMPRECISE, Reason.IMPRECISE),
        ("C18.7", False, False),
    ],
)
def test_the_code_tells_the_kind_of_liver_cancer(code: str, hcc: Any, primary: Any) -> None:
    chart, ordered = condition(code), for_cancer(code)
    assert told("dx_hcc", chart, order=ordered) == hcc
    assert told("dx_primary_liver_cancer", chart, order=ordered) == primary


def test_snomed_tells_it_too() -> None:
    assert told("dx_hcc", condition("25370001", SNOMED)) is True


@pytest.mark.parametrize(
    "more", [{"status": "resolved"}, {"verified": "provisional"}, {"verified": "refuted"}]
)
def test_a_cancer_that_is_over_or_suspected_proves_nothing(more: dict[str, Any]) -> None:
    assert computed("dx_hcc", condition("C22.0", **more), order=for_cancer("C22.0")).known is False


@pytest.mark.parametrize(
    ("chart", "reasons", "expected"),
    [
        (("E66.9",), ("Z51.11",), Reason.NO_DATA),
        (("E66.9",), ("Z51.11", "C50.911"), False),
        (("C18.7",), ("C18.7",), True),
        (("C20", "C78.7"), ("C78.7",), True),
        (("Z85.038", "C78.7"), ("C78.7",), Reason.IMPRECISE),
        (("C50.911", "C78.7"), ("C50.911", "C78.7"), False),
        (("C50.911", "C78.7"), ("C78.7",), False),
        (("C78.7",), ("C78.7",), Reason.NO_DATA),
        (("C80.1", "C78.7"), ("C80.1", "C78.7"), Reason.NO_DATA),
        (("C22.0",), ("C22.0",), False),
        (("C22.9",), ("C22.9",), Reason.NO_DATA),
        (("G80.0",), ("G80.0",), False),
        (("C50.911", "C78.7"), (), Reason.NO_DATA),
        ((), ("C50.911",), Reason.NO_DATA),
    ],
)
def test_another_primary_rules_colorectal_cancer_out_and_a_metastasis_alone_does_not(
    chart: tuple[str, ...], reasons: tuple[str, ...], expected: Any
) -> None:
    assert told("dx_colorectal_cancer", *map(condition, chart), order=for_cancer(*reasons)) == expected


def test_a_diagnosis_in_words_leaves_the_primary_cancer_open() -> None:
    chart = [condition("C50.911"), condition("") | {"code": {"text": "bowel tumor"}}]
    assert told("dx_colorectal_cancer", chart, order=for_cancer("C50.911")) is Reason.NO_DATA


@pytest.mark.parametrize(
    ("code", "expected"),
    [("C50.911", True), ("C18.7", True), ("C80.1", Reason.NO_DATA), ("C78.7", Reason.NO_DATA)],
)
def test_a_primary_cancer_has_a_stated_site(code: str, expected: Any) -> None:
    assert told("dx_primary_cancer", condition(code)) == expected


SITES = "metastases_sites"


@pytest.mark.parametrize(
    ("codes", "expected"),
    [
        (("C78.7",), Reason.IMPRECISE),
        (("C78.7", "C78.01"), ("liver", "lung")),
        (("C78.02",), ("lung",)),
        (("C78.7", "C79.51"), ("bone", "liver")),
        (("C78.7", "C79.31"), ("brain", "liver")),
        (("C78.7", "C78.6"), ("liver", "peritoneum")),
        (("C78.7", "C77.2"), ("liver", "lymph-node")),
        (("C78.7", "C79.71"), ("liver", "other")),
        (("C18.7",), Reason.NO_DATA),
        ((), Reason.NO_DATA),
    ],
)
def test_codes_can_show_a_spread_and_never_that_there_is_no_other(
    codes: tuple[str, ...], expected: Any
) -> None:
    assert told(SITES, *map(condition, codes)) == expected


def test_only_active_confirmed_metastases_count() -> None:
    liver = condition("C78.7")
    assert told(SITES, liver, condition("C78.01", status="resolved")) is Reason.IMPRECISE
    assert told(SITES, liver, condition("C78.01", verified="refuted")) is Reason.IMPRECISE
    assert told(SITES, liver, condition("C78.01", onsetDateTime="2026-02-17")) is Reason.IMPRECISE
    suspected = computed(SITES, condition("C78.01", verified="provisional"))
    assert (suspected.reason, suspected.note) == (Reason.IMPRECISE, "metastases are suspected, not confirmed")


STAGE = "dukes_stage"


def staged(value: str, on: str = "2026-01-05", code: str = "21908-9", status: str = "final") -> Json:
    return resource(
        "Observation",
        {
            "status": status,
            "code": concept(("http://loinc.org", code)),
            "effectiveDateTime": on,
            "valueCodeableConcept": {"text": value},
        },
    )


@pytest.mark.parametrize(
    ("value", "stage"),
    [
        ("Dukes D", "D"),
        ("Duke's Class B", "B"),
        ("Dukes' stage C", "C"),
        ("Stage IV", "D"),
        ("IVA", "D"),
        ("stage IIIB", "C"),
        ("Stage II", "B"),
        ("Stage 1", "A"),
        ("cM1", "D"),
        ("pM1b", "D"),
        ("cM0", Reason.NO_DATA),
        ("unknown", Reason.NO_DATA),
        ("Invasive", Reason.NO_DATA),
    ],
)
def test_stages_are_read_in_the_classes_of_dukes(value: str, stage: Any) -> None:
    assert told(STAGE, staged(value)) == stage


def test_the_stage_of_the_cancer_itself_counts() -> None:
    assert told(STAGE, condition("C18.7", stage=[{"summary": {"text": "Stage IV"}}])) == "D"
    assert told(STAGE, condition("C50.911", stage=[{"summary": {"text": "Stage IV"}}])) is Reason.NO_DATA


def test_the_latest_stage_counts() -> None:
    assert told(STAGE, staged("Stage II", "2024-01-05"), staged("Stage IV", "2026-01-05")) == "D"
    assert told(STAGE, staged("Stage II"), staged("Stage IV")) is Reason.CONFLICTING
    assert told(STAGE, staged("Stage II"), staged("Stage IV", "2026-02-17")) == "B"
    assert told(STAGE, staged("Stage IV", status="preliminary")) is Reason.NO_DATA


def test_a_distant_metastasis_is_stage_d_and_lymph_nodes_are_not() -> None:
    assert told(STAGE, condition("C18.7"), condition("C78.7")) == "D"
    assert told(STAGE, condition("C18.7"), condition("C77.2")) is Reason.NO_DATA
    assert told(STAGE, condition("C50.911"), condition("C78.7")) is Reason.NO_DATA


def test_a_staging_result_under_the_name_of_the_fact_is_a_staging_result() -> None:
    result = resource(
        "Observation",
        {
            "status": "final",
            "code": concept(("urn:coverage-hooks:fact", SITES)),
            "effectiveDateTime": "2026-01-05",
            "valueCodeableConcept": concept((ANSWER, "liver")),
        },
    )
    assert told(SITES, condition("C78.7"), result) == ("liver",)
    assert told(SITES, condition("C78.7"), condition("C78.01"), result) is Reason.CONFLICTING
