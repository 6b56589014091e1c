"""The drug catalogue: which drug a concept names, and what a broken catalogue is told."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mappings.codes import HCPCS, RXNORM, SNOMED
from mappings.documents import DocumentError
from mappings.drug_catalogue import read_catalogue
from mappings.drugs import Drugs
from mappings.fhir import CodeableConcept, Coding
from mappings.terminology import UnknownValueSetError, ValueSets
from mappings.value_set import ValueSet

CATALOGUE = Path(__file__).parent.parent.parent / "mappings" / "drugs.yaml"
NDC = "http://hl7.org/fhir/sid/ndc"


@pytest.fixture(scope="module")
def value_sets() -> ValueSets:
    return ValueSets.load()


@pytest.fixture(scope="module")
def drugs(value_sets) -> Drugs:
    return Drugs.load(value_sets)


def concept(text="", *codings: tuple[str, ...]) -> CodeableConcept:
    return CodeableConcept(
        text=text,
        coding=tuple(Coding(system=c[0], code=c[1], display=c[2] if len(c) > 2 else "") for c in codings),
    )


def names(found):
    return {drug.name for drug in found}


# Coverage of the catalogue


POLICY_DRUGS = """
    morphine ziconotide clonidine baclofen tizanidine dantrolene floxuridine 5-FUdR cladribine fluorouracil
    cytarabine bleomycin doxorubicin vincristine vinblastine cisplatin paclitaxel acyclovir foscarnet
    ganciclovir deferoxamine heparin warfarin meperidine hydromorphone epoprostenol treprostinil treprostinol
    dobutamine milrinone dopamine insulin bupivacaine bupivicaine fentanyl blinatumomab
"""
COMPARATORS = """
    vancomycin cefazolin ceftriaxone etoposide ifosfamide methotrexate oxaliplatin irinotecan mitomycin
    sufentanil oxycodone methadone enoxaparin dalteparin apomorphine levosimendan furosemide ondansetron
    cidofovir fluconazole entacapone gabapentin L-dopa hydralazine ketamine
"""
PHRASES = [
    "amphotericin B",
    "gallium nitrate",
    "immune globulin",
    "levodopa-carbidopa",
    "levodopa / carbidopa",
    "carbidopa 25 MG / levodopa 100 MG Oral Tablet",
    "foscarbidopa/foslevodopa",
    "parenteral nutrition",
    "insulin glargine",
    "low-molecular-weight heparin",
    "isosorbide dinitrate",
]


@pytest.mark.parametrize("text", [*POLICY_DRUGS.split(), *COMPARATORS.split(), *PHRASES])
def test_drugs_of_the_policies_are_known_by_name(drugs, text):
    assert drugs.identify(concept(text)), text


def test_every_drug_value_set_leads_to_a_drug(drugs, value_sets):
    """By code alone: without any display each product has a name, at least that of its group."""
    for set_id in value_sets.ids:
        if set_id.startswith("drug-"):
            for code in value_sets.codes(set_id, RXNORM):
                assert drugs.identify_all(concept("", (RXNORM, code))), (set_id, code)


def test_every_hcpcs_drug_code_of_the_policies_is_known(drugs, value_sets):
    unnamed = {"J3490", "J7999", "Q9977"}  # unclassified and compounded: the code names no drug
    for code in value_sets.codes("hcpcs-drugs", HCPCS):
        found = drugs.identify(concept("", (HCPCS, code)))
        assert (found is None) == (code in unnamed), code


@pytest.mark.parametrize(
    ("example", "name", "formulation", "product"),
    [
        ("aetna-01", "insulin lispro", "", ""),
        ("aetna-11", "morphine", "", ""),
        ("anthem-05", "treprostinil", "", ""),
        ("husky-01", "deferoxamine", "", ""),
        ("husky-12", "vancomycin", "", ""),
        ("ibx-01", "baclofen", "", ""),
        ("ibx-09", "floxuridine", "", ""),
        ("ibx-12", "ziconotide", "", ""),
        ("northwood-02", "doxorubicin", "conventional", ""),
        ("northwood-07", "gallium nitrate", "", ""),
        ("northwood-08", "immune globulin", "", "Hizentra"),
    ],
)
def test_drugs_of_the_examples(drugs, shared, example, name, formulation, product):
    request = json.loads((shared / "examples" / example / "request.json").read_bytes())
    orders = [entry["resource"] for entry in request["context"]["draftOrders"]["entry"]]
    (order,) = [order for order in orders if order["resourceType"] == "MedicationRequest"]
    given_ = order["medicationCodeableConcept"]
    found = drugs.identify(
        concept(given_["text"], *((c["system"], c["code"], c["display"]) for c in given_["coding"]))
    )
    assert (found.name, found.formulation, found.product) == (name, formulation, product)


# Codes


@pytest.mark.parametrize(
    ("coding", "name", "formulation", "product"),
    [
        ((RXNORM, "7052"), "morphine", "", ""),
        ((RXNORM, "203358"), "morphine", "", "INFUMORPH"),
        ((HCPCS, "J2274"), "morphine", "", ""),
        ((HCPCS, "S0093"), "morphine", "", ""),
        (("urn:oid:2.16.840.1.113883.6.285", "j2278"), "ziconotide", "", ""),
        ((RXNORM, "497062"), "ziconotide", "", "PRIALT"),
        ((HCPCS, "S0020"), "bupivacaine", "", ""),
        ((HCPCS, "J9000"), "doxorubicin", "conventional", ""),
        ((RXNORM, "3639"), "doxorubicin", "", ""),
        ((RXNORM, "1790099"), "doxorubicin", "conventional", ""),
        ((RXNORM, "80773"), "doxorubicin", "liposomal", "Doxil"),
        ((HCPCS, "J0285"), "amphotericin b", "conventional", ""),
        ((HCPCS, "J0287"), "amphotericin b", "lipid-complex", ""),
        ((HCPCS, "J0289"), "amphotericin b", "liposomal", ""),
        ((RXNORM, "81507"), "amphotericin b", "lipid-complex", "Abelcet"),
        ((RXNORM, "583214"), "paclitaxel protein-bound", "", ""),
        ((RXNORM, "106892"), "premixed insulin", "", ""),
        ((HCPCS, "J1559"), "immune globulin", "", "Hizentra"),
        ((RXNORM, "1049502"), "opioid", "", ""),
    ],
)
def test_codes(drugs, coding, name, formulation, product):
    found = drugs.identify(concept("", coding))
    assert (found.name, found.formulation, found.product) == (name, formulation, product)


def test_the_words_tell_which_member_of_a_group_a_product_is(drugs):
    oxycodone = (RXNORM, "1049502", "12 HR oxycodone hydrochloride 10 MG Extended Release Oral Tablet")
    assert drugs.identify(concept("", oxycodone)).name == "oxycodone"
    mix = (
        "insulin human, isophane 70 UNT/ML / Regular Insulin, Human 30 UNT/ML Injectable Suspension [Humulin]"
    )
    assert drugs.identify(concept("", (RXNORM, "106892", mix))).name == "insulin isophane/regular"


def test_codes_go_before_words(drugs):
    """The product of a mix, with "insulin lispro" as text: the code is right (NHSN example)."""
    found = drugs.identify(concept("insulin lispro", (RXNORM, "816726")))
    assert (found.name, "rapid-insulin" in found.classes) == ("insulin lispro protamine/lispro", False)


def test_a_mixture_of_two_codes(drugs):
    found = drugs.identify_all(concept("", (RXNORM, "404781")))
    assert names(found) == {"bupivacaine", "fentanyl"}
    assert drugs.identify(concept("", (RXNORM, "404781"))) is None


# Words


@pytest.mark.parametrize(
    ("text", "name", "formulation", "product"),
    [
        ("5-FUdR", "floxuridine", "", ""),
        ("5 FUDR", "floxuridine", "", ""),
        ("floxuridine (5-FUdR)", "floxuridine", "", ""),
        ("5-FU", "fluorouracil", "", ""),
        ("fluorouracil 50 mg/mL", "fluorouracil", "", ""),
        ("bupivicaine 0.5 %", "bupivacaine", "", ""),
        ("TREPROSTINOL", "treprostinil", "", ""),
        ("Infumorph®", "morphine", "", "INFUMORPH"),
        ("MITIGO (morphine sulfate)", "morphine", "", "MITIGO"),
        ("Prialt 25 mcg/mL", "ziconotide", "", "PRIALT"),
        ("HYDROmorphone HCl", "hydromorphone", "", ""),
        ("apomorphine", "apomorphine", "", ""),
        ("SUFENTANIL", "sufentanil", "", ""),
        ("doxorubicin (conventional)", "doxorubicin", "conventional", ""),
        ("doxorubicin, non-liposomal", "doxorubicin", "conventional", ""),
        ("doxorubicin HCl liposome", "doxorubicin", "liposomal", ""),
        ("Doxil", "doxorubicin", "liposomal", "Doxil"),
        ("doxorubicin", "doxorubicin", "", ""),
        ("amphotericin B deoxycholate", "amphotericin b", "conventional", ""),
        ("amphotericin B lipid complex", "amphotericin b", "lipid-complex", ""),
        ("AmBisome", "amphotericin b", "liposomal", "AmBisome"),
        ("vincristine liposomal", "vincristine", "liposomal", ""),
        ("Hizentra 20 %", "immune globulin", "", "Hizentra"),
        ("INSULIN,LISPRO,HUMAN/rDNA", "insulin lispro", "", ""),
        ("Humulin R U-500", "insulin regular u-500", "", ""),
        ("insulin degludec / insulin aspart", "insulin degludec/aspart", "", ""),
        ("heparin lock flush", "heparin lock flush", "", ""),
        ("LMWH (enoxaparin)", "enoxaparin", "", ""),
        ("Duopa", "levodopa/carbidopa", "", "Duopa"),
        ("carbidopa 12.5 MG / entacapone 200 MG / levodopa 50 MG", "carbidopa/entacapone/levodopa", "", ""),
        ("Vyalev", "foscarbidopa/foslevodopa", "", "Vyalev"),
        ("TPN", "parenteral nutrition", "", ""),
    ],
)
def test_words(drugs, text, name, formulation, product):
    for given_ in (concept(text), concept("", (NDC, "0000-0000", text)), concept("", (SNOMED, "1", text))):
        found = drugs.identify(given_)
        assert (found.name, found.formulation, found.product) == (name, formulation, product)


@pytest.mark.parametrize(
    "text", ["", "No known allergy", "Little Pink Pill", "morphineless", "paracetamol", "pump"]
)
def test_words_that_name_no_drug(drugs, text):
    assert drugs.identify(concept(text)) is None
    assert drugs.identify_all(concept(text), None) == ()
    assert drugs.identify(None) is None


@pytest.mark.parametrize(
    "text",
    [
        "morphine + bupivacaine",
        "morphine and bupivacaine",
        "morphine/bupivacaine",
        "bupivacaine 20 mg; morphine",
    ],
)
def test_a_mixture_in_words(drugs, text):
    assert names(drugs.identify_all(concept(text))) == {"morphine", "bupivacaine"}
    assert names(drugs.identify_all(concept(text, (RXNORM, "7052")))) == {"morphine", "bupivacaine"}
    assert drugs.identify(concept(text)) is None


def test_code_and_ingredients_of_a_medication_are_taken_together(drugs):
    code = concept("morphine + bupivacaine")
    morphine, bupivacaine = concept("", (RXNORM, "7052")), concept("", (RXNORM, "1815"))
    assert names(drugs.identify_all(code, morphine, bupivacaine)) == {"morphine", "bupivacaine"}
    parts = concept("", (RXNORM, "6375")), concept("", (RXNORM, "2019"))
    assert names(drugs.identify_all(*parts)) == {"levodopa/carbidopa"}


def test_what_disagrees_is_left_open(drugs):
    found = drugs.identify(concept("doxorubicin liposomal", (HCPCS, "J9000")))
    assert (found.name, found.formulation) == ("doxorubicin", "")


def test_words_add_what_the_code_does_not_say(drugs):
    found = drugs.identify(concept("Hizentra", (RXNORM, "617615")))
    assert (found.product, "subcutaneous-immune-globulin" in found.classes) == ("Hizentra", True)
    found = drugs.identify(concept("amphotericin B liposome", (RXNORM, "732")))
    assert found.formulation == "liposomal"


# Classes


@pytest.mark.parametrize(
    ("text", "classes", "without"),
    [
        ("morphine", {"opioid", "analgesic"}, {"nonopioid-analgesic"}),
        ("ziconotide", {"nonopioid-analgesic", "analgesic"}, {"opioid"}),
        ("clonidine", {"nonopioid-analgesic"}, {"opioid"}),
        ("bupivacaine", {"local-anaesthetic", "nonopioid-analgesic"}, {"opioid"}),
        ("baclofen", {"antispasmodic"}, {"analgesic"}),
        ("cyclobenzaprine", {"muscle-relaxant"}, {"antispasmodic"}),
        ("blinatumomab", {"antineoplastic", "monoclonal-antibody"}, set()),
        ("mesna", {"chemoprotectant"}, {"antineoplastic"}),
        ("enoxaparin", {"heparin", "anticoagulant"}, set()),
        ("warfarin", {"anticoagulant"}, {"heparin"}),
        ("heparin lock flush", {"line-flush"}, {"heparin"}),
        ("insulin aspart", {"insulin", "rapid-insulin", "bolus-insulin"}, {"basal-insulin"}),
        ("insulin glargine", {"insulin", "basal-insulin"}, {"bolus-insulin"}),
        ("Afrezza", {"insulin", "inhaled-insulin", "bolus-insulin"}, set()),
        ("Novolin 70/30", {"insulin", "mixed-insulin"}, {"bolus-insulin"}),
        ("rasagiline", {"maob-inhibitor"}, {"comt-inhibitor"}),
        ("pramipexole", {"dopamine-agonist"}, {"comt-inhibitor", "maob-inhibitor"}),
        ("vancomycin", {"antibacterial"}, {"antifungal"}),
        ("IVIg", {"immune-globulin", "intravenous-immune-globulin"}, {"subcutaneous-immune-globulin"}),
        ("Privigen", {"intravenous-immune-globulin"}, {"subcutaneous-immune-globulin"}),
        ("levodopa-carbidopa enteral suspension", {"levodopa", "levodopa-enteral"}, set()),
        ("levodopa-carbidopa", {"levodopa"}, {"levodopa-enteral"}),
    ],
)
def test_classes(drugs, text, classes, without):
    found = set(drugs.identify(concept(text)).classes)
    assert classes <= found
    assert not without & found


def test_insulin_billed_for_a_pump(drugs):
    for code in ("J1817", "J1811", "J1813"):
        assert "pump-insulin" in drugs.identify(concept("", (HCPCS, code))).classes
    for code in ("J1815", "J1812", "J1814"):
        assert "pump-insulin" not in drugs.identify(concept("", (HCPCS, code))).classes


@pytest.mark.parametrize(
    ("given_", "compounded"),
    [
        (concept("", (HCPCS, "J7999")), True),
        (concept("", ("urn:oid:2.16.840.1.113883.6.285", "q9977")), True),
        (concept("compounded morphine 50 mg/mL"), True),
        (concept("morphine", (HCPCS, "J2274")), False),
        (concept(""), False),
        (None, False),
    ],
)
def test_compounded(drugs, given_, compounded):
    assert drugs.is_compounded(given_) is compounded


# The file


def test_the_catalogue_is_whole():
    catalogue = read_catalogue(CATALOGUE)
    used = {
        kind for e in catalogue.drugs for kind in (*e.classes, *(k for v in e.variants for k in v.classes))
    }
    assert used == set(catalogue.classes)
    for entry in catalogue.drugs:
        assert entry.name == entry.name.lower()
        for identity in entry.identities:
            assert all(re.fullmatch(r"[A-Z]\d{4}", code) for code in identity.hcpcs)
            assert all(code.isdigit() for code in identity.rxnorm)


BROKEN = [
    (
        "classes: [opioid, analgesic]",
        "classes: [opoid]",
        ".classes: unknown class 'opoid' (did you mean 'opioid'?)",
    ),
    ("- name: ziconotide", "- nmae: ziconotide", ".nmae: unknown key 'nmae' (did you mean 'name'?)"),
    ("- name: ziconotide", "- name: morphine", ".name: drug 'morphine' is listed twice"),
    ('hcpcs: ["J2278"]', 'hcpcs: ["J2270"]', ": 'J2270' of 'ziconotide' already stands for 'morphine'"),
    (
        "brands: [Demerol]",
        "brands: [mor-phine]",
        ": 'morphine' of 'meperidine' already stands for 'morphine'",
    ),
    (
        "formulation: liposomal, hcpcs",
        "formulation: lipid, hcpcs",
        ".formulation: unknown formulation 'lipid'",
    ),
    ("ingredients: [levodopa, carbidopa]", "ingredients: [levodpa]", ".ingredients: unknown drug 'levodpa'"),
    ('hcpcs: ["J2278"]', "hcpcs: [2278]", ".hcpcs[0]: Expected `str`, got `int`: quote it"),
    ("{product: PRIALT, ", "{", ".variants[0]: a variant fixes a product, a formulation or classes"),
]


@pytest.mark.parametrize(("good", "bad", "told"), BROKEN)
def test_a_broken_catalogue_is_told_where(tmp_path, good, bad, told):
    text = CATALOGUE.read_text()
    assert good in text
    path = tmp_path / "drugs.yaml"
    path.write_text(text.replace(good, bad, 1))
    with pytest.raises(DocumentError) as error:
        read_catalogue(path)
    assert re.match(rf"{re.escape(str(path))}:\d+: drugs\[\d+\]", str(error.value))
    assert told in str(error.value)


def test_a_value_set_must_exist():
    with pytest.raises(UnknownValueSetError, match="unknown value set 'drug-"):
        Drugs(read_catalogue(CATALOGUE), ValueSets([ValueSet(id="other", title="Other", concepts=())]))


@given(st.text(max_size=40))
def test_any_text_is_answered(drugs, text):
    for drug in drugs.identify_all(concept(text)):
        assert drug.name
