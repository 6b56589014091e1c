"""For and against an implanted pump: allergy, infection, other implants, body size, earlier infusion."""

from __future__ import annotations

from typing import Any

import pytest

from mappings.evidence import Reason
from tests.builders import CPT, ago, allergy, condition, device, observation, procedure, use_of
from tests.implants import (
    BACLOFEN,
    EPOPROSTENOL,
    FOR_SPASTICITY,
    MORPHINE,
    ORAL,
    TREPROSTINIL,
    UNDER_THE_SKIN,
    computed,
    order,
    says,
    taken,
    told,
)
from tests.mappings.orders import HCPCS, ICD, RXNORM, SNOMED, Json, concept, drug, patient, pump

ALLERGY = "allergy_to_pump_drug"
NONE_KNOWN, PENICILLIN = (SNOMED, "716186003"), (RXNORM, "70618")


def verified(status: str) -> Json:
    return {"coding": [{"code": status}]}


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({}, True),
        ({"verificationStatus": None}, True),
        ({"verificationStatus": verified("unconfirmed")}, Reason.IMPRECISE),
        ({"verificationStatus": verified("presumed")}, Reason.IMPRECISE),
        ({"verificationStatus": verified("refuted")}, False),
        ({"verificationStatus": verified("entered-in-error")}, Reason.NO_DATA),
        ({"clinicalStatus": verified("resolved")}, False),
        ({"clinicalStatus": verified("inactive")}, False),
        ({"type": "allergy"}, True),
        ({"type": "intolerance"}, False),
        ({"recordedDate": "2026-02-16"}, True),
        ({"recordedDate": "2026-02-17"}, Reason.NO_DATA),
    ],
)
def test_an_allergy_counts_by_its_status_its_type_and_its_day(more: dict[str, Any], expected: Any) -> None:
    assert told(ALLERGY, allergy((RXNORM, MORPHINE), **more)) == expected


@pytest.mark.parametrize("code", [BACLOFEN, "197391"])
def test_an_allergy_to_the_drug_by_mouth_is_one_to_the_drug_in_the_pump(code: str) -> None:
    assert told(ALLERGY, allergy((RXNORM, code)), order=FOR_SPASTICITY) is True
    assert told(ALLERGY, allergy((RXNORM, code))) is False


def test_the_substance_of_a_reaction_names_the_drug_as_well() -> None:
    reaction = [{"substance": concept((RXNORM, MORPHINE))}]
    assert told(ALLERGY, allergy((SNOMED, "416098002"), reaction=reaction)) is True
    assert told(ALLERGY, allergy(code=concept(text="Allergy to morphine"))) is True


def test_an_allergy_to_opioids_may_be_one_to_morphine() -> None:
    assert told(ALLERGY, allergy(code=concept(text="opioids"))) is Reason.IMPRECISE
    assert told(ALLERGY, allergy(code=concept(text="opioids")), order=FOR_SPASTICITY) is False


def test_a_code_without_a_word_may_be_the_drug() -> None:
    assert told(ALLERGY, allergy((SNOMED, "91936005"))) is Reason.IMPRECISE
    named = {"coding": [{"system": SNOMED, "code": "91936005", "display": "Allergy to penicillin"}]}
    assert told(ALLERGY, allergy(code=named)) is False


def test_an_allergy_status_on_the_problem_list_asks_which_drug_it_means() -> None:
    narcotic, unnamed = condition("Z88.5"), condition("Z88.9")
    assert told(ALLERGY, narcotic) is Reason.IMPRECISE
    assert told(ALLERGY, narcotic, allergy(PENICILLIN)) is Reason.IMPRECISE
    assert told(ALLERGY, narcotic, order=FOR_SPASTICITY) is Reason.NO_DATA
    assert told(ALLERGY, unnamed, order=FOR_SPASTICITY) is Reason.IMPRECISE
    assert told(ALLERGY, unnamed, allergy(PENICILLIN)) is False
    assert told(ALLERGY, condition("Z88.5", status="resolved")) is Reason.NO_DATA
    assert told(ALLERGY, condition("Z88.0")) is Reason.NO_DATA
    assert told(ALLERGY, narcotic, allergy((RXNORM, MORPHINE))) is True


def test_any_drug_of_a_mixture_counts() -> None:
    mixed = pump("E0783"), drug(text="morphine + bupivacaine")
    assert told(ALLERGY, allergy((RXNORM, "1815")), order=mixed) is True


def test_the_list_of_allergies_denies_by_no_known_allergy_or_by_holding_others_only() -> None:
    assert told(ALLERGY, allergy(NONE_KNOWN)) is False
    assert told(ALLERGY, allergy((SNOMED, "409137002"))) is False
    assert told(ALLERGY, allergy(PENICILLIN)) is False
    assert told(ALLERGY) is Reason.NO_DATA


def test_no_known_allergy_yields_to_a_later_allergy_and_contradicts_an_earlier_one() -> None:
    denied = allergy(NONE_KNOWN, recordedDate="2025-06-01")
    assert told(ALLERGY, denied, allergy((RXNORM, MORPHINE), recordedDate="2025-07-01")) is True
    assert told(ALLERGY, denied, allergy((RXNORM, MORPHINE), recordedDate="2025-05-01")) is Reason.CONFLICTING


def test_without_a_drug_there_is_nothing_to_be_allergic_to() -> None:
    assert told(ALLERGY, allergy(NONE_KNOWN), order=(pump("E0783"),)) is Reason.NO_DATA


def test_an_allergy_to_baclofen_is_a_contraindication_to_oral_therapy_and_none_proves_no_absence() -> None:
    fact = "oral_antispasmodic_contraindicated"
    assert told(fact, allergy((RXNORM, BACLOFEN))) is True
    assert told(fact, allergy((RXNORM, BACLOFEN), type="intolerance")) is Reason.NO_DATA
    assert told(fact, allergy(NONE_KNOWN)) is Reason.NO_DATA


@pytest.mark.parametrize(
    ("code", "active", "risk"),
    [
        ("A41.9", True, True),
        ("R78.81", True, True),
        ("G00.9", True, True),
        ("T81.41XA", True, True),
        ("T85.735A", True, True),
        ("N39.0", True, Reason.NO_DATA),
        ("J18.9", True, Reason.NO_DATA),
        ("B35.1", True, Reason.NO_DATA),
        ("B20", Reason.IMPRECISE, Reason.NO_DATA),
        ("Z21", Reason.NO_DATA, Reason.NO_DATA),
        ("B18.1", Reason.IMPRECISE, Reason.NO_DATA),
        ("B94.8", Reason.NO_DATA, Reason.NO_DATA),
        # Infections of the other chapters, and what only an infection left behind.
        ("U07.1", True, Reason.NO_DATA),
        ("J44.0", True, Reason.NO_DATA),
        ("K04.7", True, Reason.NO_DATA),
        ("K35.33", True, Reason.NO_DATA),
        ("T87.43", True, Reason.NO_DATA),
        ("T83.61XA", True, Reason.NO_DATA),
        ("M72.6", True, Reason.NO_DATA),
        ("B02.9", True, Reason.NO_DATA),
        ("B02.23", Reason.NO_DATA, Reason.NO_DATA),
        ("B02.29", Reason.NO_DATA, Reason.NO_DATA),
        ("N12", Reason.IMPRECISE, Reason.NO_DATA),
        ("M72.0", Reason.NO_DATA, Reason.NO_DATA),
        ("M54.50", Reason.NO_DATA, Reason.NO_DATA),
    ],
)
def test_an_infection_is_active_and_may_endanger_the_pump(code: str, active: Any, risk: Any) -> None:
    assert told("active_infection", condition(code)) == active
    assert told("infection_raises_pump_risk", condition(code)) == risk


@pytest.mark.parametrize(
    ("code", "active"),
    [
        ("68566005", True),
        ("50417007", True),
        ("10001005", True),
        ("840539006", True),
        ("38822007", Reason.IMPRECISE),
    ],
)
def test_a_common_infection_is_known_by_its_snomed_code(code: str, active: Any) -> None:
    assert told("active_infection", condition(code, SNOMED)) == active


@pytest.mark.parametrize(
    "more", [{"status": "resolved"}, {"verified": "refuted"}, {"onsetDateTime": "2026-02-17"}]
)
def test_an_infection_that_is_over_refuted_or_yet_to_come_is_none(more: dict[str, Any]) -> None:
    past = condition("A41.9", **more)
    assert told("active_infection", past) is False
    assert told("active_infection", past, condition("N39.0")) is True
    assert told("active_infection", past, condition("N39.0", verified="provisional")) is Reason.IMPRECISE
    assert told("active_infection", past, condition("B20")) is Reason.IMPRECISE


def test_without_any_infection_on_file_the_record_says_nothing_of_one() -> None:
    assert told("active_infection", condition("G80.0")) is Reason.NO_DATA
    assert told("active_infection") is Reason.NO_DATA


def test_what_shows_that_an_infection_is_over_is_named() -> None:
    reading = computed("active_infection", condition("A41.9", status="resolved"))
    assert reading.inferred
    assert [evidence.says for evidence in reading.evidence] == ["A41.9: no longer active"]


OTHER = "other_programmable_implant"
PACEMAKER = (SNOMED, "14106009")


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("Z95.0", True),
        ("Z95.810", True),
        ("Z96.82", True),
        ("Z45.42", True),
        ("Z98.2", Reason.IMPRECISE),
        # The pump itself, a drainage device, or a cardiac device of another kind.
        ("Z45.49", Reason.IMPRECISE),
        ("Z45.41", Reason.IMPRECISE),
        ("Z45.09", Reason.IMPRECISE),
        ("Z96.641", Reason.NO_DATA),
    ],
)
def test_a_diagnosis_tells_of_another_implant(code: str, expected: Any) -> None:
    assert told(OTHER, condition(code)) == expected
    assert told(OTHER, condition(code, status="resolved")) is Reason.NO_DATA


def test_a_device_tells_of_another_implant_while_it_is_in_use() -> None:
    pacemaker = device(PACEMAKER)
    assert told(OTHER, pacemaker) is True
    assert told(OTHER, pacemaker, use_of(pacemaker, "2020-01-01")) is True
    assert (
        told(OTHER, pacemaker, use_of(pacemaker, "2020-01-01", "2024-01-01", status="completed"))
        is Reason.NO_DATA
    )
    assert told(OTHER, device(PACEMAKER, status="inactive")) is Reason.NO_DATA
    assert told(OTHER, device((SNOMED, "304120007"))) is Reason.NO_DATA


def test_an_implant_that_is_named_in_words_alone_asks() -> None:
    named = device(name="Spinal cord stimulator")
    assert told(OTHER, named) is Reason.NARRATIVE_ONLY
    assert told(OTHER, named, use_of(named, "2020-01-01")) is Reason.NARRATIVE_ONLY
    over = use_of(named, "2020-01-01", "2024-01-01", status="completed")
    assert told(OTHER, named, over) is Reason.NO_DATA
    assert told(OTHER, device(name="Knee joint")) is Reason.NO_DATA
    in_words = condition("") | {"code": concept(text="Pacemaker in situ")}
    assert told(OTHER, in_words) is Reason.NARRATIVE_ONLY
    resolved = condition("", status="resolved") | {"code": concept(text="Pacemaker in situ")}
    assert told(OTHER, resolved) is Reason.NO_DATA


@pytest.mark.parametrize(
    ("on", "status", "code", "expected"),
    [
        ("2019-03-01", "completed", "63685", Reason.IMPRECISE),
        ("2019", "completed", "33208", Reason.IMPRECISE),
        ("2026-02-16", "completed", "63685", Reason.IMPRECISE),
        ("2026-02-17", "completed", "63685", Reason.NO_DATA),
        ("", "completed", "63685", Reason.IMPRECISE),
        ("2019-03-01", "not-done", "63685", Reason.NO_DATA),
        ("2019-03-01", "entered-in-error", "63685", Reason.NO_DATA),
        # The leads of a trial.
        ("2019-03-01", "completed", "63650", Reason.NO_DATA),
    ],
)
def test_an_implantation_leaves_open_whether_the_device_is_still_in_place(
    on: str, status: str, code: str, expected: Any
) -> None:
    implanted = procedure(code, on, CPT, status)
    assert told(OTHER, implanted) is expected
    assert told(OTHER, implanted, condition("Z96.82")) is True


def test_the_pump_that_is_replaced_is_no_other_device() -> None:
    old = device((HCPCS, "E0783"))
    used = use_of(old, "2019-01-01")
    replacement = order(MORPHINE, "M96.1", pump_code="E0786")
    assert told(OTHER, old, used, order=replacement) is Reason.NO_DATA
    assert told(OTHER, old, used) is Reason.IMPRECISE
    second = device((HCPCS, "E0783"))
    assert told(OTHER, old, used, second, use_of(second, "2021-01-01"), order=replacement) is True


SIZE = "body_size_insufficient"


def weight(value: float, unit: str = "kg", on: str = "2026-02-01", **more: Any) -> Json:
    return observation("29463-7", value, unit, on, **more)


@pytest.mark.parametrize(
    ("kg", "reason"), [(8, Reason.IMPRECISE), (19.9, Reason.IMPRECISE), (20, Reason.NO_DATA)]
)
def test_a_small_weight_asks_whether_the_device_fits(kg: float, reason: Reason) -> None:
    found = computed(SIZE, weight(kg))
    assert (found.reason, bool(found.evidence)) == (reason, reason is Reason.IMPRECISE)


def test_weight_is_read_in_its_unit_and_the_latest_counts() -> None:
    assert computed(SIZE, weight(40, "[lb_av]")).evidence[0].value == 18.14
    assert told(SIZE, weight(8, on="2025-06-01"), weight(25)) is Reason.NO_DATA
    assert told(SIZE, weight(25), weight(8, on="2026-02-17")) is Reason.NO_DATA
    assert told(SIZE, weight(8, status="cancelled")) is Reason.NO_DATA


@pytest.mark.parametrize(
    ("on", "reason"),
    [
        (ago("P1Y", -1), Reason.NO_DATA),
        (ago("P1Y"), Reason.IMPRECISE),
        (ago("P1Y", 1), Reason.IMPRECISE),
        ("2019-05-01", Reason.NO_DATA),
    ],
)
def test_a_weight_of_more_than_a_year_ago_asks_nothing(on: str, reason: Reason) -> None:
    assert told(SIZE, weight(12, on=on)) is reason


def test_with_an_old_weight_alone_the_age_decides_whether_to_ask() -> None:
    child, older = patient(birthDate="2023-01-10"), patient(birthDate="2018-01-10")
    assert computed(SIZE, child, weight(21, on="2024-06-01")).evidence[0].says == "date of birth"
    assert told(SIZE, older, weight(12, on="2020-06-01")) is Reason.NO_DATA


@pytest.mark.parametrize(
    ("born", "reason"),
    [("2022-02-17", Reason.IMPRECISE), ("2022-02-16", Reason.NO_DATA), ("1980", Reason.NO_DATA)],
)
def test_without_a_weight_a_small_child_asks_it(born: str, reason: Reason) -> None:
    assert bool(computed(SIZE, patient(birthDate=born)).evidence) is (reason is Reason.IMPRECISE)
    assert told(SIZE, patient(birthDate=born), weight(30)) is Reason.NO_DATA


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("I27.0", True),
        ("I27.21", True),
        ("I27.20", Reason.IMPRECISE),
        ("I27.22", False),
        ("I27.23", False),
        ("I27.24", False),
    ],
)
def test_pulmonary_arterial_hypertension_is_group_one(code: str, expected: Any) -> None:
    assert told("dx_pah", condition(code), order=order(TREPROSTINIL, code)) == expected


BEFORE = "prior_treprostinil_external_pump"
FOR_PAH = order(TREPROSTINIL, "I27.0", route="47625008")


def external(code: str = "K0455", start: str = "2024-12-01", end: str = "", **more: Any) -> tuple[Json, Json]:
    used = device((HCPCS, code))
    return used, use_of(used, start, end, **more)


def infused(
    start: str = "2024-12-01", end: str = "", code: str = TREPROSTINIL, route: str = UNDER_THE_SKIN
) -> Json:
    return taken(code, start, end, status="stopped" if end else "active", route=route)


def earlier(*chart: Json) -> Any:
    return told(BEFORE, *chart, order=FOR_PAH)


@pytest.mark.parametrize(
    ("start", "end"), [("2024-12-01", ""), ("2025-03-01", "2025-03-03"), ("2026-02-16", "")]
)
def test_treprostinil_by_an_external_pump_counts_however_long_it_was(start: str, end: str) -> None:
    assert earlier(infused(start, end), *external(start=start, end=end)) is True


@pytest.mark.parametrize("code", ["K0455", "E0781", "E0779"])
def test_any_external_pump_will_do(code: str) -> None:
    assert earlier(infused(), *external(code)) is True


def test_treprostinil_by_another_route_does_not_count() -> None:
    assert earlier(infused(route=ORAL), *external()) is False
    assert earlier(infused(route="46713006")) is False
    assert earlier(infused(route="47625008"), *external()) is True


def test_another_drug_in_the_pump_does_not_count() -> None:
    assert earlier(infused(code=EPOPROSTENOL), *external()) is False
    assert earlier(infused(code=EPOPROSTENOL)) is Reason.NO_DATA


def test_without_a_pump_on_file_it_is_open_how_it_was_given() -> None:
    assert earlier(infused()) is Reason.IMPRECISE
    assert earlier(infused(route="")) is Reason.IMPRECISE
    assert earlier(infused(), *external("E0783")) is Reason.IMPRECISE
    assert earlier(infused("2025-01-01", "2025-02-01"), *external(start="2025-06-01")) is Reason.IMPRECISE
    assert earlier(*external()) is Reason.NO_DATA
    assert earlier() is Reason.NO_DATA


def test_what_begins_after_the_order_does_not_count() -> None:
    assert earlier(infused("2026-02-17"), *external(start="2026-02-17")) is Reason.NO_DATA
    assert earlier(infused(), *external(start="2026-02-17")) is Reason.IMPRECISE
    assert earlier(infused(), *external(status="intended")) is Reason.IMPRECISE


def test_the_product_tells_where_no_route_is_stated() -> None:
    course = infused(route="")
    course["medicationCodeableConcept"] = concept((RXNORM, "323640"))
    assert earlier(course, *external()) is True


def test_statements_reach_the_facts_that_only_a_clinician_can_tell() -> None:
    stated = says(crosstalk_possible=True, pump_eri_alarm=False, implanted_pump_required_for_drug=True)
    assert told("crosstalk_possible", stated) is Reason.NO_DATA, (
        "computed readings stay apart from statements"
    )


def test_reasons_alone_do_not_prove_a_diagnosis() -> None:
    only_reason = pump("E0783", reasonCode=[concept((ICD, "I27.0"))]), drug((RXNORM, TREPROSTINIL))
    assert told("dx_pah", condition("I10"), order=only_reason) is Reason.NO_DATA
