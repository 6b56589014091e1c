"""HUSKY's ambulatory pumps on variations of its example charts: what each clause makes of the edges."""

from __future__ import annotations

import pytest

from policies.engine import Engine
from tests.examples.variations import EXAMPLES, HCPCS, RXNORM, Variation, coded, states

pytestmark = pytest.mark.skipif(not EXAMPLES.is_dir(), reason="shared/ is absent")

MORPHINE, MEPERIDINE, FLUOROURACIL, METHOTREXATE, BLINATUMOMAB = "7052", "6754", "4492", "6851", "1597258"
D_FACTS = (
    "parenteral_home_administration_necessary",
    "infusion_pump_necessary_for_safety",
    "improved_efficacy_prolonged",
    "regimen_advantage_over_intermittent",
    "controlled_rate_needed_for_toxicity",
)


def deferoxamine() -> Variation:
    """husky-01: met."""
    return Variation("husky-01")


def short_infusion() -> Variation:
    """husky-06: six hours, a visit before each; an adult fails."""
    return Variation("husky-06")


def antibiotic(hours: float) -> Variation:
    """husky-12 with one length of infusion and no return to the office; the advantages are shown."""
    return Variation("husky-12").state(infusion_hours=hours, return_to_office_each_infusion=False)


def check(order: Variation, engine: Engine, outcome: str, **clauses: str) -> None:
    """Hold outcome and clause states; underscores in a clause's name stand for hyphens."""
    found = order.answer(engine)
    shown = states(found, "husky-aip")
    wanted = {name.replace("_", "-"): state for name, state in clauses.items()}
    assert (found["outcome"], {name: shown.get(name) for name in wanted}) == (outcome, wanted)


def authorization(order: Variation, engine: Engine) -> str:
    found: str = order.answer(engine)["prior_authorization"]["answer"]
    return found


# For whom and when.


@pytest.mark.parametrize("code", ["E0783", "E0782", "E0786"])
def test_an_implantable_pump_is_not_addressed(code: str, engine: Engine) -> None:
    check(deferoxamine().order(code), engine, "not-applicable", appl_0="unmet")


def test_a_stationary_pump_is_not_addressed(engine: Engine) -> None:
    check(deferoxamine().order("E0791"), engine, "not-applicable", appl_0="unmet")


@pytest.mark.parametrize("code", ["E0784", "E0787"])
def test_an_insulin_pump_is_reviewed_elsewhere(code: str, engine: Engine) -> None:
    check(Variation("husky-03").order(code), engine, "not-applicable", pa_4="met")


def test_another_ambulatory_pump_is_judged_by_the_same_criteria(engine: Engine) -> None:
    order = deferoxamine().order("K0455")
    check(order, engine, "met", A_2b="met")
    assert authorization(order, engine) == "required"


@pytest.mark.parametrize(
    ("day", "applies"), [("2024-01-31", False), ("2024-02-01", True), ("2024-02-02", True)]
)
def test_the_policy_is_in_force_from_its_date_on(day: str, applies: bool, engine: Engine) -> None:
    assert (deferoxamine().dated(day).answer(engine)["outcome"] != "not-applicable") is applies


# Prior authorization.


@pytest.mark.parametrize(("months", "answer"), [(2, "not-required"), (3, "not-required"), (4, "required")])
def test_rental_of_an_electric_pump_needs_authorization_beyond_three_months(
    months: int, answer: str, engine: Engine
) -> None:
    assert authorization(deferoxamine().order("E0781", rental_months_cumulative=months), engine) == answer


def test_the_purchase_of_an_electric_pump_is_not_addressed(engine: Engine) -> None:
    order = deferoxamine().order("E0781", rental_or_purchase="purchase", rental_months_cumulative=None)
    assert authorization(order, engine) == "unknown"


@pytest.mark.parametrize("code", ["E0779", "E0780"])
@pytest.mark.parametrize("basis", ["rental", "purchase"])
def test_a_mechanical_pump_always_needs_authorization(code: str, basis: str, engine: Engine) -> None:
    order = deferoxamine().order(code, rental_or_purchase=basis, rental_months_cumulative=None)
    assert authorization(order, engine) == "required"


@pytest.mark.parametrize(
    ("day", "answer"), [("2024-12-26", "unknown"), ("2024-12-27", "required"), ("2024-12-28", "required")]
)
def test_the_authorization_rules_came_with_the_update(day: str, answer: str, engine: Engine) -> None:
    assert authorization(deferoxamine().dated(day), engine) == answer


# A to D.


def test_deferoxamine_without_the_diagnosis_asks_for_it(engine: Engine) -> None:
    order = deferoxamine().drop("Condition")
    order.pump.pop("reasonReference")
    order.drug.pop("reasonReference")
    check(order, engine, "needs-documentation", A_1="met", A_2a="unknown", A_2b="unknown")


def test_deferoxamine_for_acute_iron_poisoning_is_met(engine: Engine) -> None:
    check(deferoxamine().because("T45.4X1A"), engine, "met", A_2a="met")


def test_any_chemotherapy_for_cancer_is_met(engine: Engine) -> None:
    order = deferoxamine().deliver((RXNORM, FLUOROURACIL), route="intravenous").because("C25.9")
    check(order, engine, "met", B_1="met", A_1="unmet")


def test_blinatumomab_counts_as_chemotherapy(engine: Engine) -> None:
    order = deferoxamine().deliver((RXNORM, BLINATUMOMAB), (HCPCS, "J9039")).because("C91.00")
    check(order, engine, "met", B_1="met")


def test_methotrexate_for_arthritis_is_no_chemotherapy(engine: Engine) -> None:
    order = deferoxamine().deliver((RXNORM, METHOTREXATE)).because("M06.9")
    check(order, engine, "needs-documentation", B_1="unmet", D_1="unknown")


@pytest.mark.parametrize("rxnorm", [MORPHINE, MEPERIDINE])
def test_any_analgesic_for_intractable_cancer_pain_is_met(rxnorm: str, engine: Engine) -> None:
    order = deferoxamine().deliver((RXNORM, rxnorm), route="intravenous").because("G89.3", "C25.9")
    check(order.state(cancer_pain_intractable=True), engine, "met", C_1="met", C_2="met")


def test_cancer_pain_has_to_be_called_intractable(engine: Engine) -> None:
    order = deferoxamine().deliver((RXNORM, MORPHINE), route="intravenous").because("G89.3", "C25.9")
    check(order, engine, "needs-documentation", C_1="met", C_2="unknown")


def test_morphine_for_other_pain_is_tried_under_d(engine: Engine) -> None:
    order = deferoxamine().deliver((RXNORM, MORPHINE), route="intravenous").because("G89.4")
    check(order, engine, "needs-documentation", C_2="unmet", D_1="unknown")
    shown = order.state(infusion_hours=24, **dict.fromkeys(D_FACTS, True))
    check(shown, engine, "met", C_2="unmet", D_1="met", D_3a_1="met")


@pytest.mark.parametrize(
    ("hours", "long", "short"), [(7.9, "unmet", "met"), (8, "met", "unmet"), (8.1, "met", "unmet")]
)
def test_eight_hours_part_long_from_short_infusions(
    hours: float, long: str, short: str, engine: Engine
) -> None:
    check(antibiotic(hours), engine, "met", D_3a_1=long, D_3b_1=short)


def test_the_length_on_the_drugs_order_counts(engine: Engine) -> None:
    order = Variation("husky-12").state(silent=("infusion_hours",))
    order.deliver(duration=24, durationUnit="h")
    check(order, engine, "met", D_3a_1="met", D_3b_1="unmet")


def test_a_prolonged_infusion_for_convenience_fails(engine: Engine) -> None:
    order = antibiotic(24).state(improved_efficacy_prolonged=False)
    check(order, engine, "not-met", D_3a_1="met", D_3a_1b="unmet")


def test_a_code_that_does_not_fit_the_length_is_pointed_out(engine: Engine) -> None:
    said = [s["clauses"] for s in antibiotic(6).order("E0779").answer(engine)["caveats"]]
    assert ["husky-aip/code-E0779"] in said
    said = [s["clauses"] for s in antibiotic(24).order("E0780").answer(engine)["caveats"]]
    assert ["husky-aip/code-E0780"] in said
    said = [s["clauses"] for s in antibiotic(8).order("E0779").answer(engine)["caveats"]]
    assert ["husky-aip/code-E0779"] not in said


# EPSDT.


@pytest.mark.parametrize(
    ("born", "outcome", "state"),
    [
        ("2004-03-09", "not-met", "unmet"),
        ("2004-03-10", "not-met", "unmet"),
        ("2004-03-11", "needs-documentation", "met"),
        ("2010-03-11", "needs-documentation", "met"),
    ],
)
def test_under_21_a_failed_guideline_is_reviewed(born: str, outcome: str, state: str, engine: Engine) -> None:
    check(short_infusion().born(born), engine, outcome, epsdt_1=state, D_3b_2="unmet")


def test_whether_husky_b_falls_under_epsdt_is_open(engine: Engine) -> None:
    order = short_infusion().born("2010-03-11").plan("HUSKY-B", "HUSKY B")
    check(order, engine, "needs-documentation", epsdt_1="unknown", D_3b_2="unmet")


def test_a_child_who_meets_the_guideline_is_met(engine: Engine) -> None:
    check(deferoxamine().born("2012-01-01"), engine, "met", epsdt_1="met")


def test_the_limited_benefit_program_is_left_open(engine: Engine) -> None:
    order = deferoxamine().plan("HUSKY-LBP", "HUSKY Limited Benefit Program")
    check(order, engine, "needs-documentation", def_LBP="unknown", A_2b="met")


def test_a_pregnant_member_of_husky_d_is_a_contradiction(engine: Engine) -> None:
    order = short_infusion().diagnose("Z33.1", onsetDateTime="2025-01-10")
    assert ["husky-aip/def-D"] in [s["clauses"] for s in order.answer(engine)["caveats"]]


# The papers.


@pytest.mark.parametrize(
    ("day", "outcome", "state"),
    [
        ("2024-03-09", "needs-documentation", "unmet"),
        ("2024-03-10", "met", "met"),
        ("2024-03-11", "met", "met"),
    ],
)
def test_a_stated_prescription_date_goes_before_the_orders(
    day: str, outcome: str, state: str, engine: Engine
) -> None:
    check(deferoxamine().state(prescription_date=day), engine, outcome, doc_2a=state)


def test_an_unsigned_prescription_does_not_count(engine: Engine) -> None:
    check(deferoxamine().state(prescription_signed=False), engine, "needs-documentation", doc_2a="unmet")
    check(
        deferoxamine().state(silent=("prescription_signed",)), engine, "needs-documentation", doc_2a="unknown"
    )


@pytest.mark.parametrize(
    ("degree", "state"),
    [("MD", "met"), ("DO", "met"), ("NP", "met"), ("PA", "met"), ("CNS", "unknown"), ("DPM", "unmet")],
)
def test_the_prescriber_is_a_physician_aprn_or_physician_assistant(
    degree: str, state: str, engine: Engine
) -> None:
    order = deferoxamine()
    for person in order.resources("Practitioner"):
        person["name"][0]["suffix"] = [degree]
        person["qualification"] = [
            {"code": coded(("http://terminology.hl7.org/CodeSystem/v2-0360", degree), text=degree)}
        ]
    for role in order.resources("PractitionerRole"):
        role.pop("code", None)
        role.pop("specialty", None)
    check(order, engine, "met" if state == "met" else "needs-documentation", doc_2b=state)


@pytest.mark.parametrize(
    ("day", "outcome", "state"),
    [
        ("2024-03-09", "needs-documentation", "unmet"),
        ("2024-03-10", "met", "met"),
        ("2024-03-11", "met", "met"),
    ],
)
def test_a_clinical_note_is_not_older_than_12_months_whatever_paperwork_is_recent(
    day: str, outcome: str, state: str, engine: Engine
) -> None:
    order = deferoxamine()
    for document in order.resources("DocumentReference"):
        if document["id"].endswith("doc-1"):
            document["date"] = f"{day}T16:00:00-05:00"
    check(order, engine, outcome, doc_3=state)


def test_paperwork_alone_is_no_clinical_documentation(engine: Engine) -> None:
    order = deferoxamine().drop("DocumentReference", lambda d: d["id"].endswith("doc-1"))
    check(order, engine, "needs-documentation", doc_3="unknown")


def test_portal_and_enrolment_are_to_dos(engine: Engine) -> None:
    order = deferoxamine().state(silent=("pa_request_complete", "orderer_cmap_enrolled"))
    check(order, engine, "met", doc_1="unknown", doc_2c="unknown")


def test_before_the_update_an_old_prescription_is_left_open(engine: Engine) -> None:
    order = deferoxamine().dated("2024-06-01").state(prescription_date="2023-04-01", on="2024-05-30")
    check(order, engine, "needs-documentation", doc_2a="unknown")
