"""Independence MA05.053l on variations of its example charts: what each clause makes of the edges."""

from __future__ import annotations

from typing import Any

import pytest

from policies.engine import Engine
from tests.examples.variations import CPT, EXAMPLES, HCPCS, RXNORM, Variation, coded, states

pytestmark = pytest.mark.skipif(not EXAMPLES.is_dir(), reason="shared/ is absent")

MORPHINE, HYDROMORPHONE, FENTANYL, BUPIVACAINE = "7052", "3423", "4337", "1815"
CLONIDINE, ZICONOTIDE, BACLOFEN, FLOXURIDINE, FLUOROURACIL = "2599", "68503", "1292", "4488", "4492"


def baclofen() -> Variation:
    """ibx-01: met."""
    return Variation("ibx-01")


def morphine(**facts: Any) -> Variation:
    """ibx-06 with commercial morphine alone: met."""
    order = Variation("ibx-06").deliver((RXNORM, MORPHINE), text="morphine")
    order.drug.pop("contained", None)
    return order.state(drug_compounded=False, **facts)


def ziconotide() -> Variation:
    """ibx-12: needs the pump's labelling and the payer."""
    return Variation("ibx-12")


def colorectal() -> Variation:
    """ibx-09 without the metastasis in the lung: met."""
    order = Variation("ibx-09").state(metastases_sites=["liver"])
    return order.drop("Condition", lambda c: c["code"]["coding"][0]["code"] == "C78.01")


def check(order: Variation, engine: Engine, outcome: str, **clauses: str) -> None:
    """Hold outcome and clause states; underscores in a clause's name stand for hyphens."""
    found = order.answer(engine)
    shown = states(found, "ibx-ma05053")
    wanted = {name.replace("_", "-"): state for name, state in clauses.items()}
    assert (found["outcome"], {name: shown.get(name) for name in wanted}) == (outcome, wanted)


def test_the_bases_of_the_variations_are_met(engine: Engine) -> None:
    for order in (baclofen(), morphine(), colorectal()):
        assert order.answer(engine)["outcome"] == "met", order.name


# For whom and when.


def test_a_commercial_member_follows_another_policy(engine: Engine) -> None:
    sopt = ("https://nahdo.org/sopt", "512")
    order = baclofen().plan("PERSONAL-CHOICE-PPO", "Personal Choice PPO (commercial)", sopt)
    check(order, engine, "not-applicable", meta_2="unmet")


@pytest.mark.parametrize(
    ("day", "outcome"), [("2023-04-09", "not-applicable"), ("2023-04-10", "needs"), ("2023-04-11", "needs")]
)
def test_the_policy_is_in_force_from_its_date_on(day: str, outcome: str, engine: Engine) -> None:
    found = baclofen().dated(day).answer(engine)["outcome"]
    assert (found == "not-applicable") is (outcome == "not-applicable")


def test_an_external_pump_is_not_addressed(engine: Engine) -> None:
    check(baclofen().order("E0781"), engine, "not-applicable", def_1="unmet")


def test_a_disposable_system_is_not_covered(engine: Engine) -> None:
    check(baclofen().order("A4305"), engine, "excluded", meta_8="met")


@pytest.mark.parametrize("code", ["E0782", "E0786", "C1772", "C1891", "C2626"])
def test_every_pump_code_of_the_list_is_judged_by_its_use(code: str, engine: Engine) -> None:
    check(baclofen().order(code), engine, "met", def_1="met", spas_2="met")


@pytest.mark.parametrize("code", ["62361", "62362", "36563"])
def test_the_placement_of_a_pump_is_judged_by_its_use(code: str, engine: Engine) -> None:
    check(baclofen().order(code, CPT), engine, "met", spas_0a="met")


# Antispasmodic drugs.


@pytest.mark.parametrize(
    ("end", "outcome", "state"),
    [
        ("2023-07-25", "not-met", "unmet"),
        ("2023-07-26", "met", "met"),
        ("2023-07-27", "met", "met"),
    ],
)
def test_the_oral_trial_lasts_42_days(end: str, outcome: str, state: str, engine: Engine) -> None:
    order = baclofen()
    for statement in order.resources("MedicationStatement"):
        statement["effectivePeriod"]["end"] = end
    check(order, engine, outcome, spas_1_wk=state)


def test_a_trial_that_side_effects_ended_on_day_10_is_left_open(engine: Engine) -> None:
    order = baclofen().state(silent=("oral_antispasmodic_ineffective",), oral_antispasmodic_intolerance=True)
    for statement in order.resources("MedicationStatement"):
        statement["effectivePeriod"]["end"] = "2023-06-24"
        statement["statusReason"] = [coded(("http://snomed.info/sct", "407563006"), text="sedation")]
    check(order, engine, "needs-documentation", spas_1_wk="unknown", spas_1b="met", spas_1_0="met")


def test_a_trial_dose_without_its_result_asks_for_it(engine: Engine) -> None:
    order = baclofen().state(silent=("itb_trial_response",))
    for procedure in order.resources("Procedure"):
        procedure.pop("outcome")
    check(order, engine, "needs-documentation", spas_2="unknown")


def test_results_that_contradict_each_other_are_open(engine: Engine) -> None:
    check(baclofen().state(itb_trial_response="unfavorable"), engine, "needs-documentation", spas_2="unknown")


def test_an_unfavorable_result_fails(engine: Engine) -> None:
    order = baclofen().state(itb_trial_response="unfavorable")
    for procedure in order.resources("Procedure"):
        procedure["outcome"] = coded(("http://snomed.info/sct", "385671000"), text="unsuccessful")
    check(order, engine, "not-met", spas_2="unmet")


def test_severity_is_not_asked_for(engine: Engine) -> None:
    check(baclofen().state(spasticity_severe=False), engine, "met", spas_0b="met")


# Opioids.


def test_epidural_morphine_meets_the_path(engine: Engine) -> None:
    check(morphine().deliver(route="epidural"), engine, "met", opioid_0a="met")


def test_morphine_into_a_vein_does_not(engine: Engine) -> None:
    check(morphine().deliver(route="intravenous"), engine, "not-met", opioid_0a="unmet", nmn_1="unmet")


@pytest.mark.parametrize(
    ("months", "outcome", "state"), [(2, "not-met", "unmet"), (3, "met", "met"), (4, "met", "met")]
)
def test_three_months_of_life_are_enough(months: int, outcome: str, state: str, engine: Engine) -> None:
    check(morphine(life_expectancy_months=months), engine, outcome, opioid_0c=state)


def test_life_expectancy_is_inferred_for_pain_that_no_disease_of_that_kind_causes(engine: Engine) -> None:
    order = morphine().state(silent=("life_expectancy_months",))
    check(order, engine, "met", opioid_0c="met")


def test_life_expectancy_with_a_cancer_is_asked_for(engine: Engine) -> None:
    order = (
        morphine().state(silent=("life_expectancy_months",), pain_malignant=True).because("G89.3", "C25.9")
    )
    check(order, engine, "needs-documentation", opioid_0c="unknown", opioid_0b="met")


def test_hospice_care_proves_no_three_months(engine: Engine) -> None:
    order = morphine().state(silent=("life_expectancy_months",)).diagnose("Z51.5")
    check(order, engine, "needs-documentation", opioid_0c="unknown")


def test_failed_systemic_opioids_suffice(engine: Engine) -> None:
    order = morphine().state(silent=("noninvasive_pain_methods_failed",))
    check(order, engine, "met", opioid_1="met")


def test_a_single_injection_is_no_trial_through_a_catheter(engine: Engine) -> None:
    order = morphine()
    for procedure in order.resources("Procedure"):
        procedure["code"] = coded((CPT, "62322"))
        procedure.pop("usedCode", None)
        procedure["performedDateTime"] = procedure.pop("performedPeriod")["start"]
    for administration in order.resources("MedicationAdministration"):
        administration["effectiveDateTime"] = administration.pop("effectivePeriod")["start"]
        administration["dosage"]["text"] = "morphine intrathecal, single injection"
    check(order, engine, "not-met", opioid_2a="unmet")


def test_forty_percent_relief_that_is_acceptable_suffices(engine: Engine) -> None:
    order = morphine()
    for score in order.resources("Observation"):
        if score.get("partOf"):
            score["valueQuantity"]["value"] = 4.8
    check(order, engine, "met", opioid_2b="met")


def test_daily_living_that_is_not_mentioned_is_asked_for(engine: Engine) -> None:
    order = morphine().state(silent=("pain_trial_adl_effects",))
    check(order, engine, "needs-documentation", opioid_2c="unknown")


def test_a_trial_in_a_form_alone_needs_its_record(engine: Engine) -> None:
    order = morphine().drop("DocumentReference", lambda d: d["id"].endswith("doc-3"))
    check(order, engine, "needs-documentation", opioid_2b="met", opioid_2_doc="unmet")


# Not medically necessary.


@pytest.mark.parametrize(
    ("rxnorm", "clause"),
    [
        (HYDROMORPHONE, "drug_nmn_J1170"),
        (FENTANYL, "drug_nmn_J3010"),
        (BUPIVACAINE, "drug_nmn_S0020"),
        (CLONIDINE, "drug_nmn_J0735"),
    ],
)
def test_the_four_named_drugs_are_out_by_name(rxnorm: str, clause: str, engine: Engine) -> None:
    check(
        morphine().deliver((RXNORM, rxnorm)), engine, "excluded", nmn_1="met", fda_2="met", **{clause: "met"}
    )


def test_epidural_fentanyl_is_out_by_the_list_of_codes_alone(engine: Engine) -> None:
    order = morphine().deliver((RXNORM, FENTANYL), (HCPCS, "J3010"), route="epidural")
    check(order, engine, "excluded", nmn_1="unmet", drug_nmn_J3010="met")


def test_clonidine_for_spasticity_is_not_touched(engine: Engine) -> None:
    order = morphine().deliver((RXNORM, CLONIDINE)).because("G80.1")
    found = states(order.answer(engine), "ibx-ma05053")
    assert (found["nmn-1"], found["nmn-3"], found["drug-nmn-J0735"]) == ("unmet", "unmet", "unmet")


def test_a_mixture_of_labelled_drugs_is_still_a_mixture(engine: Engine) -> None:
    order = morphine().mix(MORPHINE, ZICONOTIDE).label(MORPHINE, ZICONOTIDE, BACLOFEN)
    check(order, engine, "excluded", nmn_2="met", nmn_1="unmet", nmn_3="unmet")


def test_baclofen_with_morphine_for_spasticity_and_pain_is_a_mixture(engine: Engine) -> None:
    order = morphine().mix(MORPHINE, BACLOFEN).because("G80.1", "G89.4")
    check(order, engine, "excluded", nmn_2="met")


def test_concentrated_morphine_is_compounded(engine: Engine) -> None:
    check(morphine().state(drug_compounded=True), engine, "excluded", nmn_3="met", nmn_1="unmet")


def test_compounding_is_not_assumed(engine: Engine) -> None:
    check(morphine().state(silent=("drug_compounded",)), engine, "met", nmn_3="unmet")


def test_morphine_in_a_pump_labelled_for_other_drugs_is_out(engine: Engine) -> None:
    check(morphine().label(FLOXURIDINE), engine, "excluded", nmn_1="met")


def test_morphine_needs_no_named_pump(engine: Engine) -> None:
    order = morphine()
    order.pump.pop("contained")
    order.pump["supportingInfo"] = order.pump["supportingInfo"][:1]
    check(order, engine, "met", nmn_1="unmet")


def test_the_loading_dose_of_morphine_stands_in_both_lists(engine: Engine) -> None:
    order = morphine().deliver((RXNORM, MORPHINE), (HCPCS, "S0093"))
    check(order, engine, "needs-documentation", drug_nmn_S0093="unknown", opioid_0a="met", nmn_1="unmet")


# Other uses.


def test_ziconotide_in_a_pump_labelled_for_it_waits_for_the_payer(engine: Engine) -> None:
    order = ziconotide().label(ZICONOTIDE, MORPHINE).state(pump_labelled_for_indication=True)
    clauses = {"other_0": "unknown", "other_1": "met", "other_2": "met", "other_3": "met", "nmn_1": "unmet"}
    check(order, engine, "needs-documentation", **clauses)


def test_ziconotide_in_a_pump_not_labelled_for_it_is_out(engine: Engine) -> None:
    check(ziconotide().label(MORPHINE), engine, "excluded", other_3="unmet", nmn_1="met")


def test_the_payers_determination_settles_an_other_use(engine: Engine) -> None:
    order = (
        ziconotide()
        .label(ZICONOTIDE)
        .state(pump_labelled_for_indication=True, payer_individual_determination=True)
    )
    check(order, engine, "met", other_0="met")


# Chemotherapy.


def test_liver_only_colorectal_cancer_is_met(engine: Engine) -> None:
    check(colorectal(), engine, "met", chemo_1="met", chemo_2="met", chemo_3a="unmet", chemo_3b="met")


def test_stage_iv_is_dukes_d(engine: Engine) -> None:
    order = colorectal().state(silent=("dukes_stage",))
    check(order, engine, "met", chemo_3b="met")


def test_colorectal_cancer_without_staging_asks_for_it(engine: Engine) -> None:
    order = colorectal().state(silent=("dukes_stage", "metastases_sites"))
    check(order, engine, "needs-documentation", chemo_3b="unknown", chemo_2="met")


def test_fluorouracil_is_another_drug_and_another_use(engine: Engine) -> None:
    order = colorectal().deliver((RXNORM, FLUOROURACIL))
    check(order, engine, "needs-documentation", chemo_1="unmet", other_0="unknown")


def test_floxuridine_into_a_vein_fails(engine: Engine) -> None:
    order = colorectal().deliver(route="intravenous")
    order.drug["dosageInstruction"][0].pop("site")
    check(order, engine, "not-met", chemo_1="unmet")


def test_hepatocellular_carcinoma_is_met_and_cholangiocarcinoma_is_not(engine: Engine) -> None:
    silent = ("dx_hcc", "metastases_sites", "dukes_stage")
    check(colorectal().state(silent=silent).because("C22.0"), engine, "met", chemo_3a="met")
    found = states(colorectal().state(silent=silent).because("C22.1").answer(engine), "ibx-ma05053")
    assert (found["chemo-2"], found["chemo-3a"]) == ("met", "unmet")


def test_a_liver_cancer_of_unspecified_kind_is_asked_about(engine: Engine) -> None:
    order = colorectal().state(silent=("dx_hcc", "metastases_sites", "dukes_stage")).because("C22.9")
    check(order, engine, "needs-documentation", chemo_3a="unknown")


def test_a_resected_tumor_fails_unless_surgery_was_refused(engine: Engine) -> None:
    resected = colorectal().state(tumor_unresectable=False, refuses_excision=False)
    check(resected, engine, "not-met", chemo_4a="unmet", chemo_4b="unmet")
    refused = colorectal().state(tumor_unresectable=False, refuses_excision=True)
    check(refused, engine, "met", chemo_4a="unmet", chemo_4b="met")


def test_liver_metastases_of_breast_cancer_are_another_use(engine: Engine) -> None:
    order = colorectal().state(silent=("dx_hcc", "dukes_stage")).because("C50.919", "C78.7")
    check(order, engine, "needs-documentation", chemo_3b="unmet", other_0="unknown")


# Not covered, contraindicated.


def test_thromboembolic_disease_is_not_covered_whatever_the_drug(engine: Engine) -> None:
    order = morphine().deliver((RXNORM, "5224"), route="intravenous").because("I82.401")
    check(order, engine, "excluded", notcov_1="met")


def test_diabetes_beside_the_pain_is_no_exclusion(engine: Engine) -> None:
    check(morphine().diagnose("E11.9"), engine, "met", notcov_2="unmet")


def test_insulin_in_an_implanted_pump_is_not_covered(engine: Engine) -> None:
    order = morphine().deliver((RXNORM, "86009"), route="subcutaneous").because("E10.9")
    check(order, engine, "excluded", notcov_2="met")


def allergy(status: str, kind: str = "allergy", drug: str = MORPHINE) -> dict[str, Any]:
    return {
        "resourceType": "AllergyIntolerance",
        "clinicalStatus": {"coding": [{"code": "active"}]},
        "verificationStatus": {"coding": [{"code": status}]},
        "type": kind,
        "code": coded((RXNORM, drug)),
        "recordedDate": "2023-09-10",
    }


@pytest.mark.parametrize(
    ("entry", "outcome", "state"),
    [
        (allergy("confirmed"), "excluded", "met"),
        (allergy("unconfirmed"), "needs-documentation", "unknown"),
        (allergy("refuted"), "met", "unmet"),
        (allergy("confirmed", kind="intolerance"), "met", "unmet"),
        (allergy("confirmed", drug="70618"), "met", "unmet"),
    ],
)
def test_an_allergy_to_the_drug_excludes(
    entry: dict[str, Any], outcome: str, state: str, engine: Engine
) -> None:
    order = morphine().drop("AllergyIntolerance").add(entry)
    check(order, engine, outcome, contra_1=state)


@pytest.mark.parametrize(
    ("code", "elements", "outcome", "state"),
    [
        ("N39.0", {}, "excluded", "met"),
        ("J18.9", {"clinicalStatus": {"coding": [{"code": "resolved"}]}}, "met", "unmet"),
        ("B20", {}, "needs-documentation", "unknown"),
    ],
)
def test_any_current_infection_excludes(
    code: str, elements: dict[str, Any], outcome: str, state: str, engine: Engine
) -> None:
    order = morphine().state(silent=("active_infection",)).diagnose(code, **elements)
    check(order, engine, outcome, contra_2=state)


@pytest.mark.parametrize(
    ("code", "outcome", "state"),
    [("Z95.0", "excluded", "met"), ("Z95.810", "excluded", "met"), ("Z96.641", "met", "unmet")],
)
def test_any_other_programmable_implant_excludes(code: str, outcome: str, state: str, engine: Engine) -> None:
    order = morphine().state(silent=("other_programmable_implant",)).diagnose(code)
    check(order, engine, outcome, contra_4=state)


def test_a_silent_record_evidences_no_contraindication(engine: Engine) -> None:
    silent = ("active_infection", "body_size_insufficient", "other_programmable_implant")
    order = morphine().state(silent=silent).drop("AllergyIntolerance")
    found = order.answer(engine)
    shown = {n["id"]: n.get("evidenced", True) for n in found["exclusions"]}
    assert found["outcome"] == "met"
    assert not any(shown[name] for name in ("allergy", "infection", "body_too_small", "programmable_implant"))
