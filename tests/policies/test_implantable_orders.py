"""Orders of implantable pumps with their charts, judged by Aetna and by Anthem at each boundary."""

from __future__ import annotations

from datetime import date
from typing import Any

import msgspec
import pytest

from mappings.parsing import read
from policies.engine import Engine
from tests.builders import CPT, allergy, condition, device, resource, use_of
from tests.examples.agreement import clause_states
from tests.implants import (
    BACLOFEN,
    BUPIVACAINE,
    EPIDURAL,
    EPOPROSTENOL,
    FAVORABLE,
    FLOXURIDINE,
    GABAPENTIN,
    INTRATHECAL,
    MORPHINE,
    NO_RESPONSE,
    NOT_TOLERATED,
    ORAL,
    OXYCODONE,
    TIZANIDINE,
    TREPROSTINIL,
    UNDER_THE_SKIN,
    UNFAVORABLE,
    ZICONOTIDE,
    given,
    order,
    says,
    score,
    taken,
    trial,
)
from tests.mappings.orders import ANSWER, HCPCS, ICD, RXNORM, SNOMED, Json, chart_of, concept, drug, patient

AETNA, ANTHEM = "aetna.cpb-0161", "anthem.cg-surg-79"
PREFIX = {AETNA: "aetna-0161", ANTHEM: "anthem-cgsurg79"}
TODAY = date(2026, 2, 16)
HEPATIC, INTRAVENOUS = "58100008", "47625008"

Answer = tuple[str, dict[str, set[str]]]


def judge(engine: Engine, policy: str, drafts: tuple[Json, ...], *chart: Json) -> Answer:
    """The outcome, and the states of the clauses by their short ids."""
    requests = [item.resource for draft in drafts for item in read(msgspec.json.encode(draft)).items]
    report = engine.decide(requests, chart_of(chart), TODAY, policies=[policy])
    assert report.not_evaluated == []
    [determination] = report.determinations
    states = clause_states(msgspec.to_builtins(determination))
    return determination.outcome, {clause.partition("/")[2]: found for clause, found in states.items()}


def agrees(answer: Answer, outcome: str, **clauses: str) -> None:
    """Hold an answer against an outcome and the states of clauses (pain_1c stands for pain-1c)."""
    found, states = answer
    wanted = {name.replace("_", "-"): state for name, state in clauses.items()}
    assert (found, {name: states.get(name) for name in wanted}) == (
        outcome,
        {name: {state} for name, state in wanted.items()},
    )


def with_record(stated: Json) -> tuple[Json, Json]:
    """A statement and the note that stands behind it."""
    note = resource(
        "DocumentReference",
        {
            "status": "current",
            "date": stated["authored"],
            "context": {"related": [{"reference": f"QuestionnaireResponse/{stated['id']}"}]},
        },
    )
    return stated, note


ROLE = {"requester": {"reference": "PractitionerRole/role"}}
PEOPLE: tuple[Json, ...] = (
    {
        "resourceType": "PractitionerRole",
        "id": "role",
        "practitioner": {"reference": "Practitioner/dr"},
        "code": [concept((SNOMED, "309343006"))],
    },
    {
        "resourceType": "Practitioner",
        "id": "dr",
        "qualification": [{"code": concept(("http://terminology.hl7.org/CodeSystem/v2-0360", "MD"))}],
    },
)
GENERAL = with_record(
    says(
        drug_medically_necessary=True, implanted_pump_required_for_drug=True, pump_fda_approved_for_drug=True
    )
)


# Aetna, spasticity


def spastic(
    engine: Engine,
    *more: Json,
    reason: str = "G82.21",
    severity: str = "24484000",
    oral: tuple[Json, ...] = (),
    dose: float = 75,
    outcome: str = FAVORABLE,
    on: str = "2026-01-20",
    goal: bool = True,
    general: tuple[Json, ...] = GENERAL,
    born: str = "1980-05-01",
    drafts: tuple[Json, ...] = (),
) -> Answer:
    procedure = trial("62322", on, outcome=outcome)
    chart = (
        *PEOPLE,
        patient(birthDate=born),
        condition(reason, severity=concept((SNOMED, severity)) if severity else None),
        *(oral or (taken(BACLOFEN, "2025-06-14", "2025-07-26", why=NO_RESPONSE, mg_a_day=80),)),
        procedure,
        given(BACLOFEN, procedure, dose),
        *(with_record(says(itb_goal_increased_function=True)) if goal else ()),
        *general,
        *more,
    )
    return judge(engine, AETNA, drafts or order(BACLOFEN, reason, **ROLE), *chart)


def test_severe_spasticity_with_a_failed_maximum_dose_and_a_favorable_trial_is_covered(
    engine: Engine,
) -> None:
    agrees(
        spastic(engine), "met", impl_general_1="met", itb_1a="met", itb_1b="met", itb_2c="met", itb_3a="met",
        itb_3d="met", itb_4="met", itb_5="unmet", itb_alt_1="met", itb_alt_2="met", doc_10="met",
    )  # fmt: skip


def test_severity_that_is_not_recorded_or_moderate_goes_by_the_alternative(engine: Engine) -> None:
    agrees(spastic(engine, severity=""), "met", itb_1a="unknown", itb_alt_1="met")
    agrees(spastic(engine, severity="6736007"), "met", itb_1a="unmet", itb_alt_1="met")


def test_one_day_less_than_six_weeks_closes_the_alternative(engine: Engine) -> None:
    short = (taken(BACLOFEN, "2025-06-14", "2025-07-25", why=NO_RESPONSE, mg_a_day=30),)
    agrees(
        spastic(engine, oral=short, severity="6736007"),
        "not-met",
        itb_alt_1="unmet",
        itb_1a="unmet",
        itb_3a="unknown",
    )


def test_a_trial_that_side_effects_ended_on_its_tenth_day_has_failed(engine: Engine) -> None:
    sedated = (taken(TIZANIDINE, "2025-06-14", "2025-06-24", why=NOT_TOLERATED),)
    agrees(spastic(engine, oral=sedated, severity=""), "met", itb_alt_1="met", itb_alt_1b="met", itb_3c="met")


def test_a_trial_without_a_start_leaves_its_length_open(engine: Engine) -> None:
    undated = (taken(BACLOFEN, "", "2025-07-26", why=NO_RESPONSE),)
    agrees(spastic(engine, oral=undated, severity="6736007"), "needs-documentation", itb_alt_1="unknown")


@pytest.mark.parametrize(
    ("born", "state", "outcome"),
    [
        ("2013-02-17", "met", "met"),
        ("2013-02-16", "unmet", "needs-documentation"),
        ("2014-06-01", "met", "met"),
    ],
)
def test_the_waiver_ends_on_the_thirteenth_birthday(
    engine: Engine, born: str, state: str, outcome: str
) -> None:
    nothing_tried = (taken(GABAPENTIN, "2025-01-01"),)
    answer = spastic(engine, oral=nothing_tried, born=born, reason="G80.0")
    agrees(answer, outcome, itb_3e=state, itb_1b="met", itb_3a="unknown")


@pytest.mark.parametrize(
    ("dose", "outcome", "itb_5"),
    [(75, "not-met", "unmet"), (99.9, "not-met", "unmet"), (100, "excluded", "met")],
)
def test_no_response_excludes_from_100_mcg_on(engine: Engine, dose: float, outcome: str, itb_5: str) -> None:
    agrees(spastic(engine, dose=dose, outcome=UNFAVORABLE), outcome, itb_4="unmet", itb_5=itb_5)


def test_a_trial_counts_until_the_day_of_the_order(engine: Engine) -> None:
    agrees(spastic(engine, on="2026-02-16"), "met", itb_4="met")
    agrees(spastic(engine, on="2026-02-17"), "not-met", itb_4="unmet", itb_alt_2="unmet")


def test_a_response_that_is_missing_or_contradicted_leaves_the_trial_open(engine: Engine) -> None:
    agrees(spastic(engine, outcome=""), "needs-documentation", itb_4="unknown", itb_5="unmet")
    against = with_record(says(itb_trial_response="unfavorable"))
    agrees(spastic(engine, *against), "needs-documentation", itb_4="unknown")


def test_an_allergy_to_oral_baclofen_satisfies_and_excludes(engine: Engine) -> None:
    allergic = allergy((RXNORM, BACLOFEN))
    agrees(spastic(engine, allergic), "excluded", itb_3b="met", contra_3="met")
    refuted = allergy((RXNORM, BACLOFEN), verificationStatus={"coding": [{"code": "refuted"}]})
    agrees(spastic(engine, refuted), "met", contra_3="unmet")
    agrees(spastic(engine, allergy((RXNORM, BACLOFEN), type="intolerance")), "met", contra_3="unmet")
    unconfirmed = allergy((RXNORM, BACLOFEN), verificationStatus={"coding": [{"code": "unconfirmed"}]})
    agrees(spastic(engine, unconfirmed), "needs-documentation", contra_3="unknown")


def test_statements_alone_do_not_suffice_for_aetna(engine: Engine) -> None:
    alone = says(implanted_pump_required_for_drug=True, pump_fda_approved_for_drug=True)
    agrees(
        spastic(engine, general=(alone,)), "needs-documentation",
        impl_general_1="met", impl_general_2="unknown", impl_general_3="unknown",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("code", "state", "outcome"),
    [
        ("A41.9", "met", "excluded"),
        ("B35.1", "unknown", "needs-documentation"),
        ("B20", "unknown", "needs-documentation"),
    ],
)
def test_an_infection_counts_by_the_risk_it_means(
    engine: Engine, code: str, state: str, outcome: str
) -> None:
    agrees(spastic(engine, condition(code)), outcome, contra_1=state)
    agrees(spastic(engine, condition(code, status="resolved")), "met", contra_1="unmet")


def test_a_pacemaker_waits_for_a_word_about_crosstalk(engine: Engine) -> None:
    pacemaker = condition("Z95.0")
    agrees(spastic(engine, pacemaker), "needs-documentation", contra_4="unknown")
    agrees(spastic(engine, pacemaker, *with_record(says(crosstalk_possible=False))), "met", contra_4="unmet")
    agrees(
        spastic(engine, pacemaker, *with_record(says(crosstalk_possible=True))), "excluded", contra_4="met"
    )
    agrees(spastic(engine, condition("Z96.641")), "met", contra_4="unmet")


def test_an_infant_asks_whether_the_device_fits(engine: Engine) -> None:
    agrees(spastic(engine, born="2025-06-01", reason="G80.0"), "needs-documentation", contra_2="unknown")


@pytest.mark.parametrize(
    ("reason", "clause"),
    [
        ("G89.3", "excl-itb-1"),
        ("G91.1", "excl-itb-2"),
        ("G71.19", "excl-itb-3"),
        ("M06.9", "excl-itb-4"),
        ("G90.521", "excl-neuro"),
    ],
)
def test_baclofen_is_excluded_by_what_it_is_ordered_for_and_not_by_a_comorbidity(
    engine: Engine, reason: str, clause: str
) -> None:
    outcome, states = spastic(engine, reason=reason)
    assert (outcome, states[clause]) == ("excluded", {"met"})
    _, states = spastic(engine, condition(reason))
    assert states[clause] == {"unmet"}


def test_baclofen_with_morphine_in_one_reservoir_is_excluded(engine: Engine) -> None:
    pump_order, _ = order(BACLOFEN, "G82.21", **ROLE)
    mixture = drug(
        medicationCodeableConcept=None,
        contained=[
            {
                "resourceType": "Medication",
                "id": "mix",
                "ingredient": [{"itemCodeableConcept": concept((RXNORM, c))} for c in (BACLOFEN, MORPHINE)],
            }
        ],
        medicationReference={"reference": "#mix"},
        dosageInstruction=[{"route": concept((SNOMED, INTRATHECAL))}],
    )
    agrees(spastic(engine, drafts=(pump_order, mixture)), "excluded", excl_itb_mix="met", itb_1a="met")
    agrees(spastic(engine, taken(MORPHINE, "2025-01-01", status="active")), "met", excl_itb_mix="unmet")


# Aetna, pain


BEGUN, ENDED, DURING = "2026-01-20T09:00:00-05:00", "2026-01-23T12:00:00-05:00", "2026-01-22T10:00:00-05:00"
WORDS = with_record(
    says(
        pain_severe_chronic_intractable=True,
        pain_trial_relief_acceptable=True,
        pain_trial_side_effects_acceptable=True,
        pain_trial_patient_accepts=True,
    )
)
EVALUATED = trial("90791", "2026-01-05", outcome=FAVORABLE)


def painful(
    engine: Engine,
    *more: Json,
    policy: str = AETNA,
    code: str = MORPHINE,
    tried: str = "",
    reason: str = "M96.1",
    best: float | None = 4,
    route: str = INTRATHECAL,
    how: str = "62326",
    evaluation: tuple[Json, ...] = (EVALUATED,),
    planned: str = INTRATHECAL,
) -> Answer:
    procedure = trial(how, BEGUN, ENDED)
    scores = (
        (score(8, "2026-01-20T08:00:00-05:00"), score(best, DURING, procedure)) if best is not None else ()
    )
    chart = (
        *PEOPLE,
        condition(reason),
        procedure,
        given(tried or code, procedure, route=route),
        *scores,
        *WORDS,
        *GENERAL,
        *evaluation,
        *more,
    )
    return judge(engine, policy, order(code, reason, route=planned, **ROLE), *chart)


@pytest.mark.parametrize(
    ("best", "outcome", "state"), [(3.9, "met", "met"), (4, "met", "met"), (4.1, "not-met", "unmet")]
)
def test_half_of_the_pain_is_enough_for_aetna(engine: Engine, best: float, outcome: str, state: str) -> None:
    agrees(painful(engine, best=best), outcome, pain_1c=state, pain_0="met", pain_1a="met", pain_2="met")


@pytest.mark.parametrize(
    ("best", "outcome", "state"), [(3.9, "met", "met"), (4, "not-met", "unmet"), (4.1, "not-met", "unmet")]
)
def test_half_of_the_pain_is_not_enough_for_anthem(
    engine: Engine, best: float, outcome: str, state: str
) -> None:
    agrees(
        painful(engine, policy=ANTHEM, best=best), outcome,
        pain_1="met", pain_2="met", pain_3="met", pain_4=state, excl_other="unmet",
    )  # fmt: skip


def test_relief_without_scores_is_open(engine: Engine) -> None:
    agrees(painful(engine, best=None), "needs-documentation", pain_1b="met", pain_1c="unknown")
    agrees(painful(engine, best=None, policy=ANTHEM), "needs-documentation", pain_4="unknown")


def test_an_epidural_trial_serves_for_aetna_and_not_for_anthem(engine: Engine) -> None:
    agrees(painful(engine, route=EPIDURAL), "met", pain_1a="met")
    agrees(painful(engine, route=EPIDURAL, policy=ANTHEM, best=2), "not-met", pain_3="unmet", pain_2="met")
    agrees(painful(engine, route=EPIDURAL, policy=ANTHEM, best=2, planned=EPIDURAL), "met", pain_3="met")
    agrees(painful(engine, route="", policy=ANTHEM, best=2), "needs-documentation", pain_3="unknown")


def test_a_single_injection_is_no_trial_through_a_catheter(engine: Engine) -> None:
    agrees(painful(engine, how="62322"), "not-met", pain_1a="unmet")


def test_the_psychological_evaluation_is_for_nonmalignant_pain_only(engine: Engine) -> None:
    agrees(painful(engine, evaluation=()), "needs-documentation", pain_2="unknown", doc_9="unknown")
    agrees(painful(engine, evaluation=(), reason="G89.3"), "met", pain_2="met")
    unfavorable = trial("90791", "2026-01-05", outcome=UNFAVORABLE)
    agrees(painful(engine, evaluation=(unfavorable,)), "not-met", pain_2="unmet")
    agrees(
        painful(engine, evaluation=(trial("90791", "2026-01-05"),)), "needs-documentation", pain_2="unknown"
    )
    booked = trial("90791", "2026-03-05", status="preparation")
    agrees(painful(engine, evaluation=(booked,)), "not-met", pain_2="unmet")
    survivor = condition("C50.911", status="resolved")
    agrees(painful(engine, survivor, evaluation=()), "needs-documentation", pain_2="unknown")


def test_one_patient_gets_different_answers_about_clonidine_and_hydromorphone(engine: Engine) -> None:
    agrees(painful(engine, code="2599", best=2, policy=ANTHEM), "met", pain_2="met")
    agrees(painful(engine, code="3423", best=2, policy=ANTHEM), "met", pain_2="met")
    agrees(painful(engine, code="3423", tried=MORPHINE), "not-met", pain_drug="unmet")
    agrees(painful(engine, code="2599", tried=BUPIVACAINE, best=2, policy=ANTHEM), "met", pain_2="met")


def test_clonidine_alone_is_named_by_aetna_and_labelled_for_no_pump(engine: Engine) -> None:
    not_labelled = with_record(says(on="2026-02-11", pump_fda_approved_for_drug=False))
    agrees(
        painful(engine, *not_labelled, code="2599"),
        "needs-documentation",
        pain_drug="met",
        impl_general_3="unknown",
    )
    agrees(
        painful(engine, *not_labelled, code=ZICONOTIDE), "not-met", pain_drug="met", impl_general_3="unmet"
    )


def test_morphine_for_gastroparesis_is_excluded(engine: Engine) -> None:
    agrees(painful(engine, reason="K31.84"), "excluded", excl_pain_gp="met", excl_pain_other="met")
    agrees(painful(engine, reason="G90.521", best=2), "met", excl_pain_other="unmet")


def test_a_trial_that_is_only_planned_has_not_taken_place(engine: Engine) -> None:
    planned = resource(
        "ServiceRequest", {"status": "active", "intent": "order", "code": concept((CPT, "62326"))}
    )
    chart = (*PEOPLE, condition("M96.1"), *WORDS, *GENERAL, EVALUATED, planned)
    agrees(judge(engine, ANTHEM, order(MORPHINE, "M96.1", **ROLE), *chart), "not-met", pain_2="unmet")
    agrees(judge(engine, AETNA, order(MORPHINE, "M96.1", **ROLE), *chart), "not-met", pain_1a="unmet")


# Aetna, the trial as the order


def intraspinal(engine: Engine, *chart: Json, code: str = "3423", route: str = INTRATHECAL) -> Answer:
    ordered = {
        "resourceType": "ServiceRequest",
        "id": "trial",
        "status": "draft",
        "intent": "original-order",
        "code": concept((CPT, "62326")),
        "subject": {"reference": "Patient/p"},
        "authoredOn": "2026-02-16",
        "supportingInfo": [{"reference": "MedicationRequest/drug"}],
        **ROLE,
    }
    drugs = drug((RXNORM, code), dosageInstruction=[{"route": concept((SNOMED, route))}])
    stated = with_record(says(pain_severe_chronic_intractable=True, less_invasive_therapy_failed=True))
    return judge(engine, AETNA, (ordered, drugs), *PEOPLE, condition("M96.1"), *stated, *chart)


def test_a_trial_needs_a_systemic_opioid_that_failed(engine: Engine) -> None:
    failed = taken(OXYCODONE, "2024-01-01", "2025-01-01", why=NO_RESPONSE)
    agrees(intraspinal(engine, failed), "met", trial_0="met", trial_1a="met", trial_1b="met", trial_2="met")
    agrees(intraspinal(engine, taken(GABAPENTIN, why=NO_RESPONSE)), "not-met", trial_2="unmet")
    agrees(intraspinal(engine, taken(OXYCODONE, why=NOT_TOLERATED)), "needs-documentation", trial_2="unknown")
    agrees(intraspinal(engine, failed, code=BUPIVACAINE), "not-met", trial_0="unmet")


# Liver


def hepatic(
    engine: Engine,
    *chart: Json,
    policy: str = AETNA,
    code: str = FLOXURIDINE,
    reasons: tuple[str, ...] = ("C22.0",),
    route: str = HEPATIC,
) -> Answer:
    pump_order, drug_order = order(code, *reasons, route=route, **ROLE)
    if route == HEPATIC:
        drug_order["dosageInstruction"][0]["site"] = concept((SNOMED, "18112008"))
    return judge(engine, policy, (pump_order, drug_order), *PEOPLE, *GENERAL, *chart)


ONLY_LIVER = with_record(
    resource(
        "QuestionnaireResponse",
        {
            "status": "completed",
            "authored": "2026-01-10",
            "item": [
                {
                    "linkId": "metastases_sites",
                    "answer": [{"valueCoding": {"system": ANSWER, "code": "liver"}}],
                }
            ],
        },
    )
)
COLON = (condition("C18.7"), condition("C78.7"))
FOR_COLON = ("C18.7", "C78.7")


def test_hepatocellular_carcinoma_is_covered_by_both(engine: Engine) -> None:
    agrees(
        hepatic(engine, condition("C22.0")),
        "met",
        liver_0="met",
        liver_1="met",
        liver_2="unmet",
        excl_liver="unmet",
    )
    answer = hepatic(engine, condition("C22.0"), policy=ANTHEM)
    agrees(answer, "met", liver_1="met", liver_2="met", crc_1="unmet", excl_other="unmet")


def test_cancer_of_the_bile_ducts_is_primary_liver_cancer_and_no_hepatocellular_one(engine: Engine) -> None:
    answer = hepatic(engine, condition("C22.1"), reasons=("C22.1",))
    agrees(answer, "excluded", liver_1="unmet", liver_2="unmet", excl_liver="met", excl_liver_mets="unmet")
    agrees(hepatic(engine, condition("C22.1"), reasons=("C22.1",), policy=ANTHEM), "met", liver_1="met")


def test_a_cancer_that_may_be_a_metastasis_is_open(engine: Engine) -> None:
    answer = hepatic(engine, condition("C22.9"), reasons=("C22.9",), policy=ANTHEM)
    agrees(answer, "needs-documentation", liver_1="unknown")
    agrees(hepatic(engine, condition("C22.9"), reasons=("C22.9",)), "needs-documentation", liver_1="unknown")


def test_liver_only_needs_staging_and_the_lung_defeats_it(engine: Engine) -> None:
    agrees(hepatic(engine, *COLON, *ONLY_LIVER, reasons=FOR_COLON), "met", liver_2="met", liver_1="unmet")
    agrees(
        hepatic(engine, *COLON, reasons=FOR_COLON), "needs-documentation", liver_2="unknown", liver_1="unmet"
    )
    lung = hepatic(engine, *COLON, condition("C78.01"), reasons=FOR_COLON)
    agrees(lung, "not-met", liver_2="unmet", liver_1="unmet", excl_liver="unmet", excl_liver_mets="unmet")
    lung = hepatic(engine, *COLON, condition("C78.01"), reasons=FOR_COLON, policy=ANTHEM)
    agrees(lung, "not-met", crc_1="unmet", crc_2="met", excl_other="unmet")
    agrees(hepatic(engine, *COLON, *ONLY_LIVER, reasons=FOR_COLON, policy=ANTHEM), "met", crc_1="met")
    agrees(hepatic(engine, *COLON, reasons=FOR_COLON, policy=ANTHEM), "needs-documentation", crc_1="unknown")


def test_liver_metastases_of_another_cancer_are_excluded(engine: Engine) -> None:
    breast = (condition("C50.911"), condition("C78.7"))
    for reasons in (("C50.911", "C78.7"), ("C78.7",)):
        answer = hepatic(engine, *breast, *ONLY_LIVER, reasons=reasons)
        agrees(answer, "excluded", excl_liver="met", excl_liver_mets="met", liver_2="unmet")
        agrees(
            hepatic(engine, *breast, *ONLY_LIVER, reasons=reasons, policy=ANTHEM),
            "excluded",
            excl_other="met",
        )
    nobody_knows = hepatic(engine, condition("C80.1"), condition("C78.7"), reasons=("C80.1", "C78.7"))
    agrees(nobody_knows, "needs-documentation", excl_liver_mets="unknown")


def test_another_agent_serves_for_anthem_and_not_for_aetna(engine: Engine) -> None:
    agrees(
        hepatic(engine, condition("C22.0"), code="4492"),
        "not-met",
        liver_0="unmet",
        liver_1="met",
        excl_liver="unmet",
    )
    agrees(hepatic(engine, condition("C22.0"), code="4492", policy=ANTHEM), "met", liver_2="met")


def test_chemotherapy_into_a_vein_is_not_the_use(engine: Engine) -> None:
    answer = hepatic(engine, condition("C22.0"), route=INTRAVENOUS, policy=ANTHEM)
    agrees(answer, "not-met", liver_1="met", liver_2="unmet")
    agrees(hepatic(engine, condition("C22.0"), route=INTRAVENOUS), "not-met", liver_0="unmet")


def test_a_reason_is_no_diagnosis(engine: Engine) -> None:
    agrees(hepatic(engine, condition("I10")), "needs-documentation", liver_1="unknown")


# Anthem, spasticity


def anthem_spastic(engine: Engine, *chart: Json, route: str = INTRATHECAL, reason: str = "G80.0") -> Answer:
    severe = condition(reason, severity=concept((SNOMED, "24484000")))
    return judge(engine, ANTHEM, order(BACLOFEN, reason, route=route), severe, *chart)


def test_anthem_asks_for_no_trial_dose(engine: Engine) -> None:
    failed = taken(BACLOFEN, "2025-01-01", "2025-01-20", why=NO_RESPONSE, mg_a_day=20)
    agrees(
        anthem_spastic(engine, failed),
        "met",
        spas_1="met",
        spas_2="met",
        spas_3a="met",
        spas_4="met",
        excl_other="unmet",
    )


def test_oral_baclofen_that_was_stopped_for_sedation_on_day_five_is_enough(engine: Engine) -> None:
    agrees(
        anthem_spastic(engine, taken(BACLOFEN, "2025-01-01", "2025-01-06", why=NOT_TOLERATED)),
        "met",
        spas_3b="met",
    )


def test_tizanidine_does_not_stand_for_baclofen(engine: Engine) -> None:
    failed = taken(TIZANIDINE, "2025-01-01", "2025-06-01", why=NO_RESPONSE)
    agrees(anthem_spastic(engine, failed), "not-met", spas_1="met", spas_3a="unmet", spas_3b="unmet")


def test_silence_about_oral_baclofen_is_open(engine: Engine) -> None:
    agrees(anthem_spastic(engine), "needs-documentation", spas_1="met", spas_3a="unknown", spas_3b="unknown")


def test_neuromyotonia_is_of_neither_origin(engine: Engine) -> None:
    failed = taken(BACLOFEN, why=NO_RESPONSE)
    stated = says(spasticity_severe=True)
    agrees(anthem_spastic(engine, failed, stated, reason="G71.19"), "not-met", spas_2="unmet")


# Anthem, pulmonary hypertension


def hypertensive(engine: Engine, *chart: Json, code: str = "I27.0", drug_code: str = TREPROSTINIL) -> Answer:
    return judge(engine, ANTHEM, order(drug_code, code, route=INTRAVENOUS), condition(code), *chart)


def external(start: str = "2024-12-01", end: str = "") -> tuple[Json, Json]:
    used = device((HCPCS, "K0455"))
    return used, use_of(used, start, end)


def infused(
    code: str = TREPROSTINIL, route: str = UNDER_THE_SKIN, start: str = "2024-12-01", end: str = ""
) -> Json:
    return taken(code, start, end, status="stopped" if end else "active", route=route)


def test_two_days_of_an_external_pump_are_enough(engine: Engine) -> None:
    two_days = infused(start="2025-03-01", end="2025-03-03"), *external("2025-03-01", "2025-03-03")
    agrees(hypertensive(engine, *two_days), "met", pah_1="met", pah_2="met")


def test_oral_treprostinil_and_other_drugs_in_the_pump_do_not_count(engine: Engine) -> None:
    agrees(hypertensive(engine, infused(route=ORAL)), "not-met", pah_1="met", pah_2="unmet")
    agrees(hypertensive(engine, infused(EPOPROSTENOL), *external()), "not-met", pah_1="met", pah_2="unmet")


@pytest.mark.parametrize(
    ("code", "state", "outcome"),
    [("I27.21", "met", "met"), ("I27.20", "unknown", "needs-documentation"), ("I27.22", "unmet", "not-met")],
)
def test_only_group_one_is_pulmonary_arterial_hypertension(
    engine: Engine, code: str, state: str, outcome: str
) -> None:
    agrees(
        hypertensive(engine, infused(), *external(), code=code),
        outcome,
        pah_1=state,
        pah_2="met",
        excl_other="unmet",
    )


def test_treprostinil_in_an_implanted_pump_is_left_to_aetna(engine: Engine) -> None:
    chart = *PEOPLE, *GENERAL, condition("I27.0"), infused(), *external()
    answer = judge(engine, AETNA, order(TREPROSTINIL, "I27.0", route=INTRAVENOUS, **ROLE), *chart)
    agrees(answer, "needs-documentation", impl_general_1="met", impl_general_2="met", impl_general_3="met")


# Anthem, replacement and other uses


def replaced(engine: Engine, *chart: Json, code: str = "E0786", **answers: Any) -> Answer:
    old = device((HCPCS, "E0783"))
    drafts = order(MORPHINE, "M96.1", pump_code=code)
    return judge(
        engine, ANTHEM, drafts, condition("M96.1"), old, use_of(old, "2019-02-16"), says(**answers), *chart
    )


def test_a_working_pump_is_not_upgraded(engine: Engine) -> None:
    answer = replaced(engine, pump_functioning=True, pump_eri_alarm=False, replacement_reason="upgrade")
    agrees(answer, "excluded", repl_1="unmet", repl_2="unmet", excl_repl="met")
    answer = replaced(engine, pump_functioning=True, pump_eri_alarm=True, replacement_reason="upgrade")
    agrees(answer, "met", repl_1="unmet", repl_2="met", excl_repl="unmet")


def test_a_broken_pump_is_replaced_whatever_its_warranty(engine: Engine) -> None:
    answer = replaced(
        engine, pump_functioning=False, pump_out_of_warranty=False, replacement_reason="upgrade"
    )
    agrees(answer, "met", repl_0="met", repl_1="met", excl_repl="unmet")
    agrees(replaced(engine, pump_malfunctioning=True), "met", repl_1="met")


def test_seven_years_of_battery_are_no_notice(engine: Engine) -> None:
    answer = replaced(
        engine, pump_functioning=True, pump_eri_alarm=False, replacement_reason="impending-failure"
    )
    agrees(answer, "not-met", repl_1="unmet", repl_2="unmet", excl_repl="unmet")


@pytest.mark.parametrize(
    ("code", "reason", "clause"),
    [
        ("5224", "I82.401", "excl-hep"),
        ("67108", "I26.99", "excl-hep"),
        ("11124", "M86.671", "excl-abx"),
        ("86009", "E10.65", "excl-ins"),
        ("3131", "E83.111", "excl-other"),
    ],
)
def test_uses_that_are_not_on_the_list_are_excluded(
    engine: Engine, code: str, reason: str, clause: str
) -> None:
    outcome, states = judge(engine, ANTHEM, order(code, reason, route=INTRAVENOUS), condition(reason))
    assert (outcome, states[clause], states["excl-other"]) == ("excluded", {"met"}, {"met"})


@pytest.mark.parametrize(
    ("code", "reason", "clause"), [("5224", "I82.401", "excl-hep"), ("86009", "E10.65", "excl-ins")]
)
def test_aetna_excludes_heparin_and_insulin_in_an_implanted_pump(
    engine: Engine, code: str, reason: str, clause: str
) -> None:
    drafts = order(code, reason, route=INTRAVENOUS, **ROLE)
    outcome, states = judge(engine, AETNA, drafts, *PEOPLE, condition(reason))
    assert (outcome, states[clause]) == ("excluded", {"met"})


def test_diabetes_of_a_member_with_pain_excludes_nothing(engine: Engine) -> None:
    agrees(painful(engine, condition("E11.9")), "met", pain_1c="met")
    agrees(painful(engine, condition("E11.9"), policy=ANTHEM, best=2), "met", excl_ins="unmet")


@pytest.mark.parametrize(
    ("system", "code", "clause", "state"),
    [(CPT, "62360", "meta-4", "met"), (CPT, "36561", "meta-4", "met"), (HCPCS, "E0781", "meta-3", "unmet")],
)
def test_what_the_guideline_does_not_address_is_not_refused(
    engine: Engine, system: str, code: str, clause: str, state: str
) -> None:
    pump_order, drug_order = order(MORPHINE, "M96.1")
    pump_order["codeCodeableConcept"] = concept((system, code))
    outcome, states = judge(engine, ANTHEM, (pump_order, drug_order), condition("M96.1"))
    assert (outcome, states[clause]) == ("not-applicable", {state})


@pytest.mark.parametrize(
    ("policy", "day", "outcome"),
    [
        (ANTHEM, "2023-09-26", "not-applicable"),
        (ANTHEM, "2023-09-27", "needs-documentation"),
        (AETNA, "2025-12-31", "not-applicable"),
        (AETNA, "2026-01-01", "needs-documentation"),
    ],
)
def test_a_version_is_in_force_from_its_day_on(engine: Engine, policy: str, day: str, outcome: str) -> None:
    drafts = order(MORPHINE, "M96.1", authoredOn=f"{day}T23:30:00-05:00", **ROLE)
    assert judge(engine, policy, drafts, *PEOPLE, condition("M96.1", onsetDateTime="2015"))[0] == outcome


def test_a_drug_on_the_pump_order_alone_is_read_as_well(engine: Engine) -> None:
    pump_order, drug_order = order(MORPHINE, "M96.1", **ROLE)
    drug_order["reasonCode"] = [concept((ICD, "M96.1"))]
    answer = judge(engine, ANTHEM, (pump_order, drug_order), condition("M96.1"))
    agrees(answer, "needs-documentation", pain_1="unknown", pain_2="unknown")
