"""Aetna's external pumps, on charts of other examples with the member insured by Aetna."""

from __future__ import annotations

import pytest

from policies.engine import Engine
from tests.examples.variations import EXAMPLES, HCPCS, RXNORM, SNOMED, Variation, coded, states

pytestmark = pytest.mark.skipif(not EXAMPLES.is_dir(), reason="shared/ is absent")

MORPHINE, HYDROMORPHONE, MEPERIDINE, HEPARIN = "7052", "3423", "6754", "5224"
ETOPOSIDE, ACYCLOVIR, DOBUTAMINE, ROPIVACAINE = "4179", "281", "3616", "35780"
FLUOROURACIL, DEFEROXAMINE, TREPROSTINIL = "4492", "3131", "343048"


def external(code: str = "E0781") -> Variation:
    """husky-12 (vancomycin for osteomyelitis) under Aetna in 2026, with nothing stated."""
    order = Variation("husky-12").insured_by("Aetna").dated("2026-02-16").order(code)
    return order.drop("QuestionnaireResponse").drop("DocumentReference")


def chemotherapy(*drug: tuple[str, str], **timing: float | str) -> Variation:
    order = external().because("C50.912").deliver(*(drug or ((RXNORM, FLUOROURACIL),)))
    if timing:
        order.deliver(**timing)
    return order.state(
        chemo_regimen_evidence_based=True,
        controlled_rate_needed_for_toxicity=True,
        infusion_continuous=True,
        return_to_office_each_infusion=True,
    )


def heparin(**facts: str) -> Variation:
    return external().because("I82.401").deliver((RXNORM, HEPARIN)).state(**facts)


def check(order: Variation, engine: Engine, outcome: str, **clauses: str) -> None:
    """Hold outcome and clause states; underscores in a clause's name stand for hyphens."""
    found = order.answer(engine)
    shown = states(found, "aetna-0161")
    wanted = {name.replace("_", "-"): state for name, state in clauses.items()}
    assert (found["outcome"], {name: shown.get(name) for name in wanted}) == (outcome, wanted)


@pytest.mark.parametrize(
    ("hours", "outcome", "state"),
    [(7.9, "not-met", "unmet"), (8, "met", "met"), (8.1, "met", "met"), (46, "met", "met")],
)
def test_exactly_eight_hours_are_over_eight_hours(
    hours: float, outcome: str, state: str, engine: Engine
) -> None:
    check(chemotherapy(duration=hours, durationUnit="h"), engine, outcome, ext_chemo_3a=state)


def test_short_infusions_need_no_return_to_the_office(engine: Engine) -> None:
    order = chemotherapy(duration=4, durationUnit="h")
    check(order, engine, "not-met", ext_chemo_3b="unmet")
    order.state(return_to_office_each_infusion=False, infusion_continuous=False)
    check(order, engine, "met", ext_chemo_3b="met")


def test_an_anticancer_drug_that_is_not_named_is_open(engine: Engine) -> None:
    order = chemotherapy((RXNORM, ETOPOSIDE), duration=24, durationUnit="h")
    check(order, engine, "needs-documentation", ext_chemo_0="unknown")


def test_liposomal_doxorubicin_is_doxorubicin(engine: Engine) -> None:
    order = chemotherapy((HCPCS, "Q2050"), duration=24, durationUnit="h")
    check(order, engine, "met", ext_chemo_0="met")


def test_a_statement_without_a_record_is_not_enough(engine: Engine) -> None:
    order = chemotherapy(duration=24, durationUnit="h").drop("DocumentReference")
    check(order, engine, "needs-documentation", ext_chemo_1="unknown", ext_chemo_2="unknown")


def test_liver_cancer_has_a_path_without_regimen_and_rate(engine: Engine) -> None:
    order = external().because("C22.0").deliver((RXNORM, FLUOROURACIL))
    check(order, engine, "needs-documentation", ext_hcc_1="met", ext_hcc_2a="unknown")
    check(order.state(tumor_unresectable=True), engine, "met", ext_hcc_2a="met")


def test_a_named_antiviral_drug_is_met_by_itself_and_not_by_mouth(engine: Engine) -> None:
    check(external().deliver((RXNORM, ACYCLOVIR)).because("B00.4"), engine, "met", ext_anti_1="met")
    order = external().deliver((RXNORM, ACYCLOVIR)).because("B00.4")
    order.drug["dosageInstruction"][0]["route"] = coded((SNOMED, "26643006"))
    check(order, engine, "not-met", ext_anti_1="unmet")


def test_liposomal_amphotericin_is_amphotericin(engine: Engine) -> None:
    check(external().deliver((HCPCS, "J0289")).because("B45.1"), engine, "met", ext_anti_1="met")


@pytest.mark.parametrize(
    ("code", "clause"), [("E83.111", "ext_dfo_1b"), ("E83.110", "ext_dfo_1b"), ("T45.4X1A", "ext_dfo_1a")]
)
def test_deferoxamine_is_for_iron(code: str, clause: str, engine: Engine) -> None:
    order = external().deliver((RXNORM, DEFEROXAMINE), route="subcutaneous").because(code)
    check(order, engine, "met", ext_dfo_2="met", **{clause: "met"})


@pytest.mark.parametrize(
    ("setting", "outcome", "state"),
    [
        ("home", "not-met", "unmet"),
        ("institutional", "met", "met"),
        ("inpatient", "met", "met"),
        ("office", "needs-documentation", "unknown"),
    ],
)
def test_heparin_for_thrombosis_is_for_institutions(
    setting: str, outcome: str, state: str, engine: Engine
) -> None:
    order = external().because("I82.401").deliver((RXNORM, HEPARIN)).order("E0781", care_setting=setting)
    check(order, engine, outcome, ext_hep_te_1="met", ext_hep_te_2=state)


def test_heparin_without_a_setting_asks_for_it(engine: Engine) -> None:
    check(heparin(), engine, "needs-documentation", ext_hep_te_2="unknown", ext_hep_preg_1="unmet")


def test_no_other_bullet_rescues_heparin_at_home(engine: Engine) -> None:
    order = external().because("I82.401").deliver((RXNORM, HEPARIN)).order("E0781", care_setting="home")
    order.state(infusion_pump_necessary_for_safety=True, home_administration=True)
    check(order, engine, "not-met", ext_hep_te_2="unmet", ext_hep_preg_1="unmet")


def test_pregnancy_allows_heparin_at_home_until_the_birth(engine: Engine) -> None:
    order = external().because("I26.99").deliver((RXNORM, HEPARIN)).order("E0781", care_setting="home")
    order.diagnose("Z34.02", onsetDateTime="2025-12-01")
    check(order, engine, "met", ext_hep_te_2="unmet", ext_hep_preg_1="met")
    order.diagnose("Z39.2", onsetDateTime="2026-02-15")
    check(order, engine, "not-met", ext_hep_preg_1="unmet")


@pytest.mark.parametrize(
    ("rxnorm", "outcome", "state"),
    [(MORPHINE, "met", "met"), (HYDROMORPHONE, "met", "met"), (MEPERIDINE, "not-met", "unmet")],
)
def test_narcotics_but_meperidine_treat_cancer_pain(
    rxnorm: str, outcome: str, state: str, engine: Engine
) -> None:
    order = external().because("G89.3", "C25.9").deliver((RXNORM, rxnorm))
    check(order.state(cancer_pain_intractable=True), engine, outcome, ext_narc_1=state, ext_narc_2="met")


def test_cancer_pain_that_nobody_calls_intractable_is_asked_about(engine: Engine) -> None:
    order = external().because("G89.3", "C25.9").deliver((RXNORM, MORPHINE))
    check(order, engine, "needs-documentation", ext_narc_2="unknown")


def test_other_pain_has_no_path(engine: Engine) -> None:
    order = external().because("G89.4").deliver((RXNORM, MORPHINE))
    order.state(infusion_pump_necessary_for_safety=True, home_administration=True)
    check(order, engine, "not-met", ext_narc_2="unmet")


@pytest.mark.parametrize("code", ["I27.0", "I27.20", "I27.22", "I27.23"])
def test_any_pulmonary_hypertension_will_do(code: str, engine: Engine) -> None:
    order = external().because(code).deliver((RXNORM, TREPROSTINIL), route="subcutaneous")
    check(order, engine, "met", ext_ph_1="met")


def test_inhaled_treprostinil_is_not_parenteral(engine: Engine) -> None:
    order = external().because("I27.0").deliver((RXNORM, TREPROSTINIL))
    order.drug["dosageInstruction"][0]["route"] = coded((SNOMED, "447694001"), text="inhalation")
    found = order.answer(engine)
    assert states(found, "aetna-0161")["ext-ph-1"] != "met"
    assert found["outcome"] != "met"


def test_an_inotrope_needs_no_stage_of_heart_failure(engine: Engine) -> None:
    check(external().because("I50.22").deliver((RXNORM, DOBUTAMINE)), engine, "met", ext_ino_1="met")


def test_the_site_of_the_catheter_parts_nerve_block_from_subacromial_pump(engine: Engine) -> None:
    order = external().because("G89.18").deliver((RXNORM, ROPIVACAINE))
    check(order, engine, "needs-documentation", ext_nb_1="unknown", excl_subacromial="unmet")
    check(order.state(nerve_block_postop=True), engine, "met", ext_nb_1="met")
    check(
        order.order("A4306").state(nerve_block_postop=False, subacromial_infusion=True),
        engine,
        "excluded",
        excl_subacromial="met",
    )


def test_another_drug_that_needs_a_pump_for_safety_at_home_is_met(engine: Engine) -> None:
    check(external(), engine, "needs-documentation", ext_other_1="unknown")
    shown = external().state(infusion_pump_necessary_for_safety=True, home_administration=True)
    check(shown, engine, "met", ext_other_1="met")


def test_a_code_that_the_page_does_not_list_is_judged_and_pointed_out(engine: Engine) -> None:
    found = external().answer(engine)
    assert ["aetna-0161/meta-8"] in [stated["clauses"] for stated in found["caveats"]]
    assert found["prior_authorization"]["answer"] == "unknown"


def test_a_replacement_needs_a_worn_out_pump_out_of_warranty(engine: Engine) -> None:
    order = external().order("E0781", order_is_replacement=True)
    order.state(infusion_pump_necessary_for_safety=True, home_administration=True)
    check(order, engine, "needs-documentation", repl_2a="unknown", repl_2b="unknown", repl_2c="unknown")
    order.state(pump_out_of_warranty=True, pump_malfunctioning=True, pump_cannot_be_refurbished=True)
    check(order, engine, "met", repl_2a="met", repl_2b="met", repl_2c="met")
    order.state(pump_out_of_warranty=False)
    check(order, engine, "not-met", repl_2a="unmet")


def test_supplies_follow_the_pump(engine: Engine) -> None:
    order = external("A4230")
    check(order, engine, "needs-documentation", sup_1="unknown")
    check(order.state(supply_for_covered_dme=True), engine, "met", sup_1="met")
    check(order.state(supply_for_covered_dme=False), engine, "not-met", sup_1="unmet")


def test_a_drug_for_the_pump_is_a_supply(engine: Engine) -> None:
    order = (
        external("J2278").because("G89.4").state(supply_for_covered_dme=True, drug_put_directly_in_pump=True)
    )
    check(order, engine, "met", sup_1="met", sup_2="met")


def test_an_implanted_pump_is_not_for_deferoxamine(engine: Engine) -> None:
    order = external("E0783").deliver((RXNORM, DEFEROXAMINE), route="subcutaneous").because("E83.111")
    assert order.answer(engine)["outcome"] != "met"
