"""One situation, five payers: how each policy treats the same order, by given facts.

The table follows section 3 of the shared readings. `OOS`: the document does not address that kind
of pump, hence never refuses it. `OPEN`: the text leaves the decision open or to the payer.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from msgspec import Struct

from mappings.dates import Span, span
from mappings.evidence import Basis, Evidence, Reading
from policies.cases import GivenFacts
from policies.determination import Determination
from policies.engine import Engine
from policies.evaluator import evaluate

DAY = date(2026, 2, 16)
ICD = "http://hl7.org/fhir/sid/icd-10-cm|"

MET, FAILS, EXCLUDED, OPEN, OOS = "met", "not-met", "excluded", "needs-documentation", "not addressed"

AETNA = "aetna.cpb-0161"
IBX = "independence.ma05.053"
NORTHWOOD = "northwood.external-infusion-pump"
HUSKY = "husky.ambulatory-infusion-pumps"
ANTHEM = "anthem.cg-surg-79"
PAYERS = (AETNA, IBX, NORTHWOOD, HUSKY, ANTHEM)

Facts = dict[str, Any]

# What the member's plan and the papers of every order look like, so that only the situation decides.
PLAN: dict[str, Facts] = {
    AETNA: {"member_lob": "commercial"},
    IBX: {"member_lob": "medicare-advantage"},
    NORTHWOOD: {"member_lob": "commercial"},
    HUSKY: {"member_lob": "medicaid", "member_program": "HUSKY C"},
    ANTHEM: {"member_lob": "commercial"},
}
PAPERS: Facts = {
    "order_date": span("2026-02-16"),
    "order_is_replacement": False,
    "member_age_years": 40.0,
    "member_age_months": 480.0,
    "orderer_role": "MD",
    "new_prescription_for_this_device": True,
    "prescription_signed": True,
    "prescription_date": span("2026-02-16"),
    "clinical_doc_date": span("2026-02-01"),
    "face_to_face_date": span("2026-02-01"),
    "f2f_describes_condition": True,
    "compounded_drug_coding": None,
    "active_infection": False,
    "allergy_to_pump_drug": False,
    "body_size_insufficient": False,
    "other_programmable_implant": False,
    "pregnant": False,
}

IMPLANTED: Facts = {"pump_class": "implantable-programmable", "order_code": "E0783"}
EXTERNAL: Facts = {"pump_class": "external-ambulatory", "order_code": "E0781"}
NO_CANCER: Facts = {
    "dx_hcc": False,
    "dx_colorectal_cancer": False,
    "dx_primary_liver_cancer": False,
    "dx_cancer": False,
}


def drug(name: str, *classes: str, route: str, reason: str) -> Facts:
    """The drug of the order, by what order, drug catalogue and reason tell of it."""
    names = sorted(name.split(" + "))
    return {
        "drug": " + ".join(names),
        "drug_set": tuple(names),
        "drug_class": classes,
        "drug_route": route,
        "planned_route": route,
        "treatment_indication": tuple(ICD + code for code in reason.split()),
    }


BACLOFEN = (
    IMPLANTED
    | NO_CANCER
    | drug("baclofen", "antispasmodic", route="intrathecal", reason="G80.1")
    | {
        "drug_medically_necessary": True,
        "implanted_pump_required_for_drug": True,
        "pump_fda_approved_for_drug": True,
        "spasticity_severe": True,
        "spasticity_chronic": True,
        "spasticity_intractable": True,
        "spasticity_origin": "cerebral",
        "itb_goal_increased_function": True,
        "noninvasive_spasm_control_failed": True,
        "oral_antispasmodic_response": False,
        "oral_antispasmodic_max_dose": True,
        "oral_antispasmodic_ineffective": True,
        "oral_antispasmodic_intolerance": False,
        "oral_antispasmodic_contraindicated": False,
        "oral_baclofen_unresponsive": True,
        "oral_baclofen_intolerance": False,
        "oral_antispasmodic_trial_weeks": 8.0,
        "itb_trial_done": True,
        "itb_trial_response": "favorable",
        "itb_trial_dose_mcg": 75.0,
        "cancer_pain_intractable": False,
    }
)
NO_ORAL_TRIAL: Facts = {
    "oral_antispasmodic_response": None,
    "oral_antispasmodic_max_dose": False,
    "oral_antispasmodic_ineffective": False,
    "oral_baclofen_unresponsive": False,
    "oral_antispasmodic_trial_weeks": 0.0,
}
INTRASPINAL = (
    IMPLANTED
    | NO_CANCER
    | {
        "drug_medically_necessary": True,
        "implanted_pump_required_for_drug": True,
        "pump_fda_approved_for_drug": True,
        "pump_labelled_for_indication": True,
        "drug_compounded": False,
        "pain_severe_chronic_intractable": True,
        "pain_malignant": False,
        "life_expectancy_months": 240.0,
        "noninvasive_pain_methods_failed": True,
        "systemic_opioids_failed": True,
        "pain_trial_done": True,
        "pain_trial_route": "intrathecal",
        "pain_trial_method": "temporary-catheter",
        "pain_trial_reduction_pct": 60.0,
        "pain_trial_relief_acceptable": True,
        "pain_trial_side_effects_acceptable": True,
        "pain_trial_adl_effects": "none-adverse",
        "pain_trial_patient_accepts": True,
        "psych_eval_done": True,
        "psych_eval_favorable": True,
        "cancer_pain_intractable": False,
    }
)


def tried(name: str, *classes: str) -> Facts:
    """An intrathecal analgesic for chronic pain, tried before."""
    return (
        INTRASPINAL
        | drug(name, *classes, route="intrathecal", reason="G89.4")
        | {
            "pain_trial_drug": name,
            "pain_trial_drug_class": classes,
        }
    )


MORPHINE = tried("morphine", "opioid", "analgesic")
ZICONOTIDE = tried("ziconotide", "nonopioid-analgesic", "analgesic")
CLONIDINE = tried("clonidine", "nonopioid-analgesic", "analgesic") | {"pump_fda_approved_for_drug": False}
HYDROMORPHONE = tried("hydromorphone", "opioid", "analgesic") | {"pump_fda_approved_for_drug": False}
BUPIVACAINE = tried("bupivacaine", "local-anaesthetic", "nonopioid-analgesic", "analgesic") | {
    "pump_fda_approved_for_drug": False
}
HEPATIC = (
    IMPLANTED
    | drug("floxuridine", "antineoplastic", route="intra-arterial-hepatic", reason="C22.0")
    | {
        "drug_medically_necessary": True,
        "implanted_pump_required_for_drug": True,
        "pump_fda_approved_for_drug": True,
        "pump_labelled_for_indication": True,
        "dx_hcc": True,
        "dx_primary_liver_cancer": True,
        "dx_primary_cancer": True,
        "dx_colorectal_cancer": False,
        "dx_cancer": True,
        "tumor_unresectable": True,
        "refuses_excision": False,
        "one_shot_arterial_chemo": False,
    }
)
COLORECTAL = HEPATIC | {
    "treatment_indication": (ICD + "C18.7", ICD + "C78.7"),
    "dx_hcc": False,
    "dx_primary_liver_cancer": False,
    "dx_colorectal_cancer": True,
    "dx_liver_metastases": True,
    "dukes_stage": "D",
    "metastases_sites": ("liver",),
}
BREAST = COLORECTAL | {
    "treatment_indication": (ICD + "C50.919", ICD + "C78.7"),
    "dx_colorectal_cancer": False,
    "dukes_stage": None,
}

# Both criteria sets of Northwood, D of HUSKY, "other drugs" of Aetna: only the drug and its use decide.
NEEDED_AT_HOME: Facts = (
    EXTERNAL
    | NO_CANCER
    | {
        "parenteral_home_administration_necessary": True,
        "infusion_pump_necessary_for_safety": True,
        "home_administration": True,
        "care_setting": "home",
        "infusion_hours": 12.0,
        "infusion_continuous": True,
        "improved_efficacy_prolonged": True,
        "regimen_advantage_over_intermittent": True,
        "return_to_office_each_infusion": False,
        "controlled_rate_needed_for_toxicity": True,
        "chemo_regimen_evidence_based": True,
        "compendium_support": True,
        "cancer_pain_intractable": False,
        "drug_formulation": "conventional",
        "subacromial_infusion": False,
        "nerve_block_postop": False,
    }
)
NOT_SHOWN: Facts = {
    "parenteral_home_administration_necessary": None,
    "infusion_pump_necessary_for_safety": None,
}


def at_home(name: str, *classes: str, route: str = "intravenous", reason: str, **facts: Any) -> Facts:
    return NEEDED_AT_HOME | drug(name, *classes, route=route, reason=reason) | facts


CANCER_PAIN: Facts = {"cancer_pain_intractable": True, "dx_cancer": True, "pain_malignant": True}
FLUOROURACIL = at_home("fluorouracil", "antineoplastic", reason="C25.9", dx_cancer=True)
HEPARIN = at_home("heparin", "heparin", "anticoagulant", reason="I82.409", dx_thromboembolic_disease=True)
INSTITUTION: Facts = {
    "care_setting": "institutional",
    "home_administration": False,
    "parenteral_home_administration_necessary": False,
}
DEFEROXAMINE = at_home("deferoxamine", "iron-chelator", route="subcutaneous", reason="E83.111") | {
    "dx_iron_overload": True,
    "dx_chronic_iron_overload": True,
    "dx_acute_iron_poisoning": False,
}
TREPROSTINIL: Facts = {
    "dx_pah": True,
    "dx_pulmonary_hypertension": True,
    "dx_primary_ph": True,
    "ph_secondary_condition": "none",
    "ph_secondary_to_pvh": False,
    "ph_secondary_to_respiratory": False,
}
DOBUTAMINE = at_home("dobutamine", "inotrope", reason="I50.22", hf_stage="C", nyha_class="III")
AMPHOTERICIN = at_home("amphotericin b", "antifungal", reason="B45.1") | {
    "drug_formulation": "liposomal",
    "ampho_b_toxicity": False,
    "unable_complete_without_liposomal": False,
    "renal_function_significantly_impaired": False,
}
ROPIVACAINE = at_home(
    "ropivacaine",
    "local-anaesthetic",
    "nonopioid-analgesic",
    "analgesic",
    route="perineural",
    reason="G89.18",
)


class Row(Struct, frozen=True):
    """A situation and what the five payers answer, in the order of PAYERS. None: the table does not say."""

    situation: str
    facts: Facts
    answers: tuple[str | None, ...]


ROWS = (
    # Intrathecal baclofen.
    Row("baclofen after failed oral drugs and a trial dose", BACLOFEN, (MET, MET, OOS, OOS, MET)),
    Row(
        "baclofen after three weeks of the maximum oral dose",
        BACLOFEN | {"oral_antispasmodic_trial_weeks": 3.0},
        (MET, FAILS, OOS, OOS, MET),
    ),
    Row(
        "baclofen without a trial dose",
        BACLOFEN | {"itb_trial_done": False, "itb_trial_response": None, "itb_trial_dose_mcg": None},
        (FAILS, FAILS, OOS, OOS, MET),
    ),
    Row(
        "spasticity that is not severe", BACLOFEN | {"spasticity_severe": False}, (MET, MET, OOS, OOS, FAILS)
    ),
    Row(
        "spasticity that is not severe, without the six weeks",
        BACLOFEN | {"spasticity_severe": False, "oral_antispasmodic_trial_weeks": 3.0},
        (FAILS, FAILS, OOS, OOS, FAILS),
    ),
    Row(
        "spasticity of peripheral origin",
        BACLOFEN | {"spasticity_origin": "other"},
        (MET, MET, OOS, OOS, FAILS),
    ),
    Row(
        "a child of 12 without oral baclofen",
        BACLOFEN | NO_ORAL_TRIAL | {"member_age_years": 12.0},
        (MET, FAILS, OOS, OOS, FAILS),
    ),
    Row(
        "a child of 13 without oral baclofen",
        BACLOFEN | NO_ORAL_TRIAL | {"member_age_years": 13.0},
        (FAILS, FAILS, OOS, OOS, FAILS),
    ),
    # Intrathecal analgesics: the trial.
    Row(
        "a trial with 40 percent relief",
        MORPHINE | {"pain_trial_reduction_pct": 40.0},
        (FAILS, MET, OOS, OOS, FAILS),
    ),
    Row(
        "a trial with 50 percent relief",
        MORPHINE | {"pain_trial_reduction_pct": 50.0},
        (MET, MET, OOS, OOS, FAILS),
    ),
    Row(
        "a trial with 51 percent relief",
        MORPHINE | {"pain_trial_reduction_pct": 51.0},
        (MET, MET, OOS, OOS, MET),
    ),
    Row(
        "a trial by a single injection",
        MORPHINE | {"pain_trial_method": "single-shot"},
        (FAILS, FAILS, OOS, OOS, MET),
    ),
    Row(
        "an epidural trial for an intrathecal pump",
        MORPHINE | {"pain_trial_route": "epidural"},
        (MET, MET, OOS, OOS, FAILS),
    ),
    Row(
        "an unfavorable psychological evaluation",
        MORPHINE | {"psych_eval_favorable": False},
        (FAILS, MET, OOS, OOS, MET),
    ),
    Row(
        "malignant pain without a psychological evaluation",
        MORPHINE | {"pain_malignant": True, "psych_eval_done": False, "psych_eval_favorable": None},
        (MET, MET, OOS, OOS, MET),
    ),
    Row(
        "a life expectancy of two months",
        MORPHINE | {"life_expectancy_months": 2.0},
        (MET, FAILS, OOS, OOS, MET),
    ),
    # Intrathecal analgesics: the drug.
    Row("intrathecal morphine", MORPHINE, (MET, MET, OOS, OOS, MET)),
    Row("intrathecal ziconotide", ZICONOTIDE, (MET, OPEN, OOS, OOS, MET)),
    Row("intrathecal clonidine", CLONIDINE, (OPEN, EXCLUDED, OOS, OOS, MET)),
    Row("intrathecal hydromorphone", HYDROMORPHONE, (FAILS, EXCLUDED, OOS, OOS, MET)),
    Row("intrathecal bupivacaine", BUPIVACAINE, (FAILS, EXCLUDED, OOS, OOS, MET)),
    Row(
        "baclofen mixed with morphine, for spasticity and pain",
        BACLOFEN
        | MORPHINE
        | drug(
            "baclofen + morphine",
            "antispasmodic",
            "opioid",
            "analgesic",
            route="intrathecal",
            reason="G80.1 G89.4",
        ),
        (EXCLUDED, EXCLUDED, OOS, OOS, None),
    ),
    Row("compounded morphine", MORPHINE | {"drug_compounded": True}, (None, EXCLUDED, OOS, OOS, None)),
    # Intraspinal drugs by an external pump.
    Row(
        "external ziconotide for cancer pain",
        at_home("ziconotide", "nonopioid-analgesic", "analgesic", route="intrathecal", reason="G89.3")
        | CANCER_PAIN
        | {
            "pain_severe_chronic": True,
            "it_therapy_warranted": True,
            "other_pain_treatment_failed_or_not_tolerated": True,
        },
        (None, OOS, MET, MET, OOS),
    ),
    Row(
        "external clonidine for cancer pain",
        at_home("clonidine", "nonopioid-analgesic", "analgesic", route="epidural", reason="G89.3")
        | CANCER_PAIN,
        (None, OOS, FAILS, MET, OOS),
    ),
    Row(
        "external bupivacaine for other pain",
        at_home(
            "bupivacaine",
            "local-anaesthetic",
            "nonopioid-analgesic",
            "analgesic",
            route="epidural",
            reason="G89.4",
        ),
        (None, OOS, FAILS, MET, OOS),
    ),
    # Chemotherapy of the liver.
    Row("hepatic floxuridine for hepatocellular carcinoma", HEPATIC, (MET, MET, OOS, OOS, MET)),
    Row(
        "hepatic floxuridine for a resectable carcinoma",
        HEPATIC | {"tumor_unresectable": False},
        (MET, FAILS, OOS, OOS, MET),
    ),
    Row(
        "another agent into the hepatic artery",
        HEPATIC | drug("fluorouracil", "antineoplastic", route="intra-arterial-hepatic", reason="C22.0"),
        (FAILS, OPEN, OOS, OOS, MET),
    ),
    Row("hepatic floxuridine for colorectal cancer, liver only", COLORECTAL, (MET, MET, OOS, OOS, MET)),
    Row(
        "colorectal cancer with a lung metastasis as well",
        COLORECTAL | {"metastases_sites": ("liver", "lung")},
        (FAILS, FAILS, OOS, OOS, FAILS),
    ),
    Row("liver metastases of breast cancer", BREAST, (EXCLUDED, OPEN, OOS, OOS, EXCLUDED)),
    Row(
        "external chemotherapy for hepatocellular carcinoma",
        at_home("floxuridine", "antineoplastic", route="intra-arterial-hepatic", reason="C22.0")
        | {"dx_hcc": True, "dx_cancer": True, "tumor_unresectable": True, "infusion_hours": 2.0},
        (MET, OOS, MET, MET, OOS),
    ),
    Row(
        "external floxuridine for liver metastases of breast cancer",
        at_home(
            "floxuridine",
            "antineoplastic",
            route="intra-arterial-hepatic",
            reason="C50.919 C78.7",
            dx_cancer=True,
        ),
        (MET, OOS, MET, MET, OOS),
    ),
    # Heparin.
    Row(
        "implanted heparin for thrombosis",
        IMPLANTED
        | NO_CANCER
        | drug("heparin", "heparin", "anticoagulant", route="intravenous", reason="I82.409")
        | {"dx_thromboembolic_disease": True},
        (EXCLUDED, EXCLUDED, OOS, OOS, EXCLUDED),
    ),
    Row("external heparin at home for thrombosis", HEPARIN, (FAILS, OOS, EXCLUDED, MET, OOS)),
    Row(
        "external heparin at home, D not shown",
        HEPARIN | NOT_SHOWN,
        (FAILS, OOS, EXCLUDED, OPEN, OOS),
    ),
    Row("external heparin in an institution", HEPARIN | INSTITUTION, (MET, OOS, FAILS, FAILS, OOS)),
    Row(
        "external heparin at home in pregnancy",
        HEPARIN
        | {"pregnant": True, "dx_thromboembolic_disease": False, "anticoagulation_indicated": True}
        | {"treatment_indication": (ICD + "O99.119",)},
        (MET, OOS, FAILS, MET, OOS),
    ),
    # Insulin.
    Row(
        "an implantable insulin pump",
        IMPLANTED
        | NO_CANCER
        | drug("insulin", "insulin", route="intraperitoneal", reason="E10.9")
        | {"dx_diabetes": True},
        (EXCLUDED, EXCLUDED, OOS, OOS, EXCLUDED),
    ),
    Row(
        "an external insulin pump",
        NO_CANCER
        | drug("insulin lispro", "insulin", "bolus-insulin", route="subcutaneous", reason="E10.9")
        | {"pump_class": "external-insulin", "order_code": "E0784"},
        (OPEN, OOS, OOS, OOS, OOS),
    ),
    # Disposable pumps.
    Row(
        "a disposable pump",
        at_home("vancomycin", "antibacterial", reason="M86.9")
        | {"pump_class": "disposable", "order_code": "A4305"},
        (MET, EXCLUDED, EXCLUDED, OOS, OOS),
    ),
    # Treprostinil.
    Row(
        "implanted treprostinil after an external pump",
        IMPLANTED
        | NO_CANCER
        | drug("treprostinil", "prostanoid", route="intravenous", reason="I27.0")
        | TREPROSTINIL
        | {
            "prior_treprostinil_external_pump": True,
            "drug_medically_necessary": True,
            "implanted_pump_required_for_drug": True,
            "pump_fda_approved_for_drug": True,
            "pump_labelled_for_indication": True,
        },
        (OPEN, OPEN, OOS, OOS, MET),
    ),
    Row(
        "external treprostinil on another pump than K0455",
        at_home("treprostinil", "prostanoid", route="subcutaneous", reason="I27.0") | TREPROSTINIL,
        (MET, OOS, EXCLUDED, MET, OOS),
    ),
    # Antibiotics.
    Row(
        "an implanted antibiotic for osteomyelitis",
        IMPLANTED
        | NO_CANCER
        | drug("vancomycin", "antibacterial", route="intravenous", reason="M86.9")
        | {
            "drug_medically_necessary": True,
            "implanted_pump_required_for_drug": True,
            "pump_fda_approved_for_drug": True,
            "pump_labelled_for_indication": True,
        },
        (None, OPEN, OOS, OOS, EXCLUDED),
    ),
    Row(
        "an external antibiotic for osteomyelitis",
        at_home("vancomycin", "antibacterial", reason="M86.9"),
        (MET, OOS, FAILS, MET, OOS),
    ),
    # Deferoxamine.
    Row("deferoxamine for chronic iron overload", DEFEROXAMINE, (MET, OOS, MET, MET, OOS)),
    Row(
        "deferoxamine for acute iron poisoning",
        DEFEROXAMINE
        | {"dx_iron_overload": False, "dx_chronic_iron_overload": False, "dx_acute_iron_poisoning": True}
        | {"treatment_indication": (ICD + "T45.4X1A",)},
        (MET, OOS, FAILS, MET, OOS),
    ),
    # External chemotherapy.
    Row("external fluorouracil", FLUOROURACIL, (MET, OOS, MET, MET, OOS)),
    Row(
        "external fluorouracil over exactly 8 hours",
        FLUOROURACIL | {"infusion_hours": 8.0},
        (MET, OOS, MET, MET, OOS),
    ),
    Row(
        "external fluorouracil over 7.9 hours with a visit before each infusion",
        FLUOROURACIL | {"infusion_hours": 7.9, "return_to_office_each_infusion": True},
        (FAILS, OOS, FAILS, MET, OOS),
    ),
    Row(
        "external cisplatin",
        at_home("cisplatin", "antineoplastic", reason="C34.90", dx_cancer=True),
        (MET, OOS, FAILS, MET, OOS),
    ),
    Row("liposomal amphotericin without toxicity", AMPHOTERICIN, (MET, OOS, FAILS, MET, OOS)),
    # External analgesics.
    Row(
        "external morphine for cancer pain",
        at_home("morphine", "opioid", "analgesic", reason="G89.3") | CANCER_PAIN,
        (MET, OOS, MET, MET, OOS),
    ),
    Row(
        "external hydromorphone for cancer pain, oral opioids not tried",
        at_home("hydromorphone", "opioid", "analgesic", reason="G89.3")
        | CANCER_PAIN
        | {"oral_transdermal_opioid_failed": False, "oral_transdermal_opioid_intolerance": False},
        (MET, OOS, FAILS, MET, OOS),
    ),
    Row(
        "external hydromorphone for cancer pain after oral opioids",
        at_home("hydromorphone", "opioid", "analgesic", reason="G89.3")
        | CANCER_PAIN
        | {"oral_transdermal_opioid_failed": True},
        (MET, OOS, MET, MET, OOS),
    ),
    Row(
        "external meperidine for cancer pain",
        at_home("meperidine", "opioid", "analgesic", reason="G89.3")
        | CANCER_PAIN
        | {"oral_transdermal_opioid_failed": True},
        (FAILS, OOS, FAILS, MET, OOS),
    ),
    Row(
        "an external opioid for other pain",
        at_home("morphine", "opioid", "analgesic", reason="G89.4"),
        (FAILS, OOS, FAILS, MET, OOS),
    ),
    # Inotropes, other drugs, nerve blocks.
    Row("an inotrope in NYHA class III", DOBUTAMINE, (MET, OOS, FAILS, MET, OOS)),
    Row(
        "blinatumomab in refractory leukemia",
        at_home("blinatumomab", "antineoplastic", "monoclonal-antibody", reason="C91.00", dx_cancer=True)
        | {
            "infusion_hours": 24.0,
            "dx_bcp_all": True,
            "all_disease_status": "refractory",
            "blinatumomab_cycle_number": 3.0,
            "vials_per_month": 20.0,
        },
        (MET, OOS, MET, MET, OOS),
    ),
    Row(
        "subcutaneous immune globulin",
        at_home(
            "immune globulin",
            "immune-globulin",
            "subcutaneous-immune-globulin",
            route="subcutaneous",
            reason="D83.9",
        )
        | {
            "infusion_hours": 2.0,
            "fda_approved": True,
            "practitioner_home_determination": True,
            "dx_pidd": True,
            "drug_product_labelled_subcutaneous": True,
        },
        (MET, OOS, MET, MET, OOS),
    ),
    Row(
        "a post-operative nerve block",
        ROPIVACAINE | {"nerve_block_postop": True},
        (MET, OOS, FAILS, MET, OOS),
    ),
    Row("a subacromial pump", ROPIVACAINE | {"subacromial_infusion": True}, (EXCLUDED, OOS, FAILS, MET, OOS)),
    # Contraindications of implanted pumps.
    Row(
        "an infection about whose risk for the pump nothing is said",
        MORPHINE | {"active_infection": True},
        (OPEN, EXCLUDED, OOS, OOS, MET),
    ),
    Row(
        "a pacemaker about whose crosstalk nothing is said",
        MORPHINE | {"other_programmable_implant": True},
        (OPEN, EXCLUDED, OOS, OOS, MET),
    ),
    Row(
        "a pacemaker whose crosstalk is ruled out",
        MORPHINE | {"other_programmable_implant": True, "crosstalk_possible": False},
        (MET, EXCLUDED, OOS, OOS, MET),
    ),
    Row(
        "an allergy to the drug",
        MORPHINE | {"allergy_to_pump_drug": True},
        (EXCLUDED, EXCLUDED, OOS, OOS, MET),
    ),
    Row("a body too small", MORPHINE | {"body_size_insufficient": True}, (EXCLUDED, EXCLUDED, OOS, OOS, MET)),
    # Replacement of an implanted pump.
    Row(
        "a working implanted pump replaced for a newer model",
        MORPHINE
        | {
            "order_is_replacement": True,
            "pump_functioning": True,
            "replacement_reason": "upgrade",
            "pump_eri_alarm": False,
        }
        | {"pump_out_of_warranty": False, "pump_malfunctioning": False, "pump_cannot_be_refurbished": False},
        (FAILS, MET, OOS, OOS, EXCLUDED),
    ),
    Row(
        "an implanted pump in warranty that gives notice of its failure",
        MORPHINE
        | {"order_is_replacement": True, "pump_functioning": True, "pump_eri_alarm": True}
        | {
            "replacement_reason": "impending-failure",
            "pump_out_of_warranty": False,
            "pump_malfunctioning": False,
        }
        | {"pump_cannot_be_refurbished": False},
        (FAILS, MET, OOS, OOS, MET),
    ),
)

CELLS = [
    pytest.param(row, payer, answer, id=f"{row.situation}: {payer.split('.')[0]}")
    for row in ROWS
    for payer, answer in zip(PAYERS, row.answers, strict=True)
    if answer is not None
]


def judge(
    engine: Engine, payer: str, facts: Facts, day: date = DAY, basis: Basis = Basis.DOCUMENTED
) -> Determination | None:
    """The determination over given facts. basis: what stands behind those that are not of the order."""
    policy = engine.registry.find(payer)
    assert policy is not None
    of_order = PAPERS.keys() | PLAN[payer].keys() | IMPLANTED.keys() | drug("", route="", reason="").keys()
    given = {
        name: Reading(
            value, evidence=(Evidence("Note/1"),), basis=Basis.DOCUMENTED if name in of_order else basis
        )
        for name, value in (PAPERS | PLAN[payer] | facts).items()
        if value is not None
    }
    book = GivenFacts(engine.catalogue, given)
    return evaluate(policy, book, engine.value_sets, "DeviceRequest/1", day)


def answer_of(engine: Engine, payer: str, facts: Facts) -> str:
    found = judge(engine, payer, facts)
    return OOS if found is None or found.outcome == "not-applicable" else found.outcome


@pytest.mark.parametrize(("row", "payer", "answer"), CELLS)
def test_a_payer_answers_a_situation_as_its_document_does(
    row: Row, payer: str, answer: str, engine: Engine
) -> None:
    assert answer_of(engine, payer, row.facts) == answer


def test_the_facts_of_the_table_have_the_types_of_the_catalogue(engine: Engine) -> None:
    types = {"boolean": bool, "integer": float, "decimal": float, "list": tuple, "date": Span}
    for row in ROWS:
        for name, value in row.facts.items():
            fact = engine.catalogue.facts[name]
            assert value is None or isinstance(value, types.get(fact.type, str)), name
            options = value if isinstance(value, tuple) else (value,)
            assert value is None or not fact.options or set(options) <= set(fact.options), name


PUMP_OF = {AETNA: MORPHINE, IBX: MORPHINE, NORTHWOOD: DEFEROXAMINE, HUSKY: DEFEROXAMINE, ANTHEM: MORPHINE}
FIRST_DAYS = {
    AETNA: date(2026, 1, 1),
    IBX: date(2023, 4, 10),
    HUSKY: date(2024, 2, 1),
    ANTHEM: date(2023, 9, 27),
}


@pytest.mark.parametrize("payer", FIRST_DAYS)
def test_a_payer_answers_from_the_first_day_of_its_document_on(payer: str, engine: Engine) -> None:
    first = FIRST_DAYS[payer]
    outcomes = []
    for day in (first - timedelta(days=1), first, first + timedelta(days=1)):
        found = judge(engine, payer, PUMP_OF[payer] | {"order_date": Span(day, day)}, day)
        assert found is not None
        outcomes.append(found.outcome == "not-applicable")
    assert outcomes == [True, False, False]


@pytest.mark.parametrize(
    ("payer", "facts", "answer"),
    [
        (AETNA, MORPHINE, "unknown"),
        (AETNA, DEFEROXAMINE, "unknown"),
        (IBX, MORPHINE, None),
        (NORTHWOOD, DEFEROXAMINE, None),
        (ANTHEM, MORPHINE, None),
        (HUSKY, DEFEROXAMINE | {"order_code": "E0779"}, "required"),
        (HUSKY, DEFEROXAMINE | {"order_code": "E0780"}, "required"),
        (
            HUSKY,
            DEFEROXAMINE | {"rental_or_purchase": "rental", "rental_months_cumulative": 3.0},
            "not-required",
        ),
        (HUSKY, DEFEROXAMINE | {"rental_or_purchase": "rental", "rental_months_cumulative": 4.0}, "required"),
        (HUSKY, DEFEROXAMINE | {"rental_or_purchase": "purchase"}, "unknown"),
    ],
)
def test_a_payer_says_of_prior_authorization_what_its_document_says(
    payer: str, facts: Facts, answer: str | None, engine: Engine
) -> None:
    found = judge(engine, payer, facts)
    assert found is not None
    rule = found.prior_authorization
    assert (rule.answer if rule is not None else None) == answer


@pytest.mark.parametrize("payer", PAYERS)
def test_a_form_without_a_record_suffices_for_all_payers_but_aetna(payer: str, engine: Engine) -> None:
    found = judge(engine, payer, PUMP_OF[payer], basis=Basis.ATTESTED)
    assert found is not None
    assert found.outcome == (OPEN if payer == AETNA else MET)


def test_only_husky_reviews_a_failed_guideline_of_a_child_individually(engine: Engine) -> None:
    child = {"member_age_years": 15.0}
    visits = at_home("vancomycin", "antibacterial", reason="M86.9", **child) | {
        "infusion_hours": 4.0,
        "return_to_office_each_infusion": True,
    }
    assert answer_of(engine, HUSKY, visits) == OPEN
    assert answer_of(engine, HUSKY, visits | {"member_age_years": 21.0}) == FAILS
    assert answer_of(engine, NORTHWOOD, visits) == FAILS


def test_treprostinil_on_the_right_pump_meets_northwood(engine: Engine) -> None:
    facts = at_home("treprostinil", "prostanoid", route="subcutaneous", reason="I27.0") | TREPROSTINIL
    found = judge(engine, NORTHWOOD, facts | {"order_code": "K0455"})
    assert found is not None
    assert found.outcome != EXCLUDED


@pytest.mark.parametrize(
    ("payer", "line", "answer"),
    [
        (IBX, "commercial", "not-applicable"),
        (IBX, "medicare-advantage", MET),
        (NORTHWOOD, "medicare-advantage", "not-applicable"),
        (NORTHWOOD, "commercial", MET),
        (NORTHWOOD, "medicaid", MET),
    ],
)
def test_the_line_of_business_decides_whether_a_document_speaks(
    payer: str, line: str, answer: str, engine: Engine
) -> None:
    found = judge(engine, payer, PUMP_OF[payer] | {"member_lob": line})
    assert found is not None
    assert found.outcome == answer
