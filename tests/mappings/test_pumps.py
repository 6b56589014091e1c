"""Which pump a code or a model name stands for."""

from __future__ import annotations

from pathlib import Path

import pytest

from mappings.codes import CPT, HCPCS, LOINC, SNOMED
from mappings.documents import DocumentError
from mappings.fhir import CodeableConcept, Coding
from mappings.pumps import Pumps, pumps
from mappings.terminology import ValueSets

CLASSES = {
    ("E0779", HCPCS): "external-ambulatory",
    ("E0780", HCPCS): "external-ambulatory",
    ("E0781", HCPCS): "external-ambulatory",
    ("K0455", HCPCS): "external-ambulatory",
    ("E0791", HCPCS): "external-stationary",
    ("E0784", HCPCS): "external-insulin",
    ("E0787", HCPCS): "external-insulin",
    ("A9274", HCPCS): "external-insulin",
    ("A4305", HCPCS): "disposable",
    ("A4306", HCPCS): "disposable",
    ("E0782", HCPCS): "implantable-fixed",
    ("C1891", HCPCS): "implantable-fixed",
    ("C2626", HCPCS): "implantable-fixed",
    ("E0783", HCPCS): "implantable-programmable",
    ("E0786", HCPCS): "implantable-programmable",
    ("C1772", HCPCS): "implantable-programmable",
    ("E0785", HCPCS): "implantable",
    ("36260", CPT): "implantable",
    ("36563", CPT): "implantable",
    ("62360", CPT): "reservoir",
    ("62361", CPT): "implantable-fixed",
    ("62362", CPT): "implantable-programmable",
    ("69805005", SNOMED): "external-insulin",
    ("43148-6", LOINC): "external-insulin",
}


@pytest.mark.parametrize(
    ("code", "pump_class"), CLASSES.items(), ids=lambda v: v[0] if isinstance(v, tuple) else v
)
def test_a_code_stands_for_its_class_of_pump(code: tuple[str, str], pump_class: str) -> None:
    item = pumps().item(code[1], code[0])
    assert item is not None
    assert item.pump_class == pump_class


@pytest.mark.parametrize(
    ("code", "system", "kind"),
    [
        ("E0776", HCPCS, "accessory"),
        ("A4230", HCPCS, "supply"),
        ("36561", CPT, "port"),
        ("62350", CPT, "catheter"),
        ("62324", CPT, "procedure"),
        ("62365", CPT, "procedure"),
        ("61215", CPT, "other"),
        ("E1399", HCPCS, "other"),
        ("K0456", HCPCS, "other"),
    ],
)
def test_what_is_no_pump_has_a_kind_and_no_class(code: str, system: str, kind: str) -> None:
    item = pumps().item(system, code)
    assert item is not None
    assert (item.kind, item.pump_class, item.is_pump) == (kind, None, False)


def test_every_pump_and_supply_code_of_the_value_sets_is_known() -> None:
    value_sets = ValueSets.load()
    sets = (
        "hcpcs-external-infusion-pump",
        "hcpcs-implantable-pump",
        "hcpcs-insulin-pump",
        "hcpcs-infusion-supplies",
        "hcpcs-insulin-pump-supplies",
        "cpt-implantable-pump",
    )
    missing = [
        code
        for name in sets
        for system in ("hcpcs", "cpt")
        for code in value_sets.codes(name, system)
        if pumps().item(CPT if system == "cpt" else HCPCS, code) is None
    ]
    assert missing == []


def test_only_codes_that_order_a_replacement_say_so() -> None:
    codes = {
        c
        for c in ("E0783", "E0785", "E0786", "62362")
        if getattr(pumps().item(HCPCS, c), "replacement", False)
    }
    assert codes == {"E0785", "E0786"}


@pytest.mark.parametrize(
    ("text", "name", "wireless"),
    [
        ("t:slim X2", "t:slim X2", True),
        ("Tandem t:slim X2™ with Control-IQ", "t:slim X2", True),
        ("Tandem Mobi", "Tandem Mobi", True),
        ("MiniMed 530G", "MiniMed 530G", True),
        ("Medtronic MiniMed™ 670G System", "MiniMed 670G", True),
        ("780G", "MiniMed 780G", True),
        ("iLet Bionic Pancreas", "iLet Bionic Pancreas", True),
        ("Omnipod® 5", "Omnipod 5", True),
        ("Omnipod DASH", "Omnipod DASH", False),
        ("Omnipod GO", "Omnipod GO", False),
        ("V-Go 20", "V-Go", False),
        ("Medtronic SynchroMed II 8637-40", "SynchroMed II", None),
        ("Prometra II", "Prometra II", None),
        ("CADD-Legacy PLUS", "CADD-Legacy", None),
        ("CADD Solis VIP", "CADD-Solis", None),
        ("Remunity", "Remunity", None),
        ("FreedomEDGE", "FreedomEDGE", None),
    ],
)
def test_a_model_is_recognised_in_its_spellings(text: str, name: str, wireless: bool | None) -> None:
    model = pumps().model(text)
    assert model is not None
    assert (model.name, model.wireless_to_cgm) == (name, wireless)


@pytest.mark.parametrize(
    "text", ["Omnipod 5 or Omnipod DASH", "Programmable implantable pump", "Omni", "", "Mobile pump"]
)
def test_no_model_is_read_where_none_or_two_are_named(text: str) -> None:
    assert pumps().model(text) is None


def test_a_family_beside_its_member_is_the_member() -> None:
    model = pumps().model("Omnipod", "Omnipod 5")
    assert model is not None
    assert model.name == "Omnipod 5"


@pytest.mark.parametrize(
    ("text", "family"), [("Omnipod", True), ("MiniMed", True), ("Omnipod 5", False), ("CADD", False)]
)
def test_a_family_name_leaves_open_which_insulin_pump_it_is(text: str, family: bool) -> None:
    model = pumps().model(text)
    assert model is not None
    assert model.is_family is family


@pytest.mark.parametrize(
    ("text", "pump_class"),
    [
        ("Insulin pump", "external-insulin"),
        ("insulin pump supplies", None),
        ("Implantable insulin pump", None),
        ("Infusion controller", "infusion-controller"),
        ("Implantable infusion pump", "implantable"),
        ("Programmable implantable pump", "implantable-programmable"),
        ("Implantable non-programmable pump", "implantable-fixed"),
        ("Refill kit for implantable infusion pump", None),
        ("Ambulatory infusion pump", "external-ambulatory"),
        ("External ambulatory infusion pump, insulin", None),
        ("Elastomeric pump", "disposable"),
        ("Hospital bed", None),
    ],
)
def test_words_name_a_class_only_where_they_are_clear(text: str, pump_class: str | None) -> None:
    assert pumps().class_of_words(text) == pump_class


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Medtronic MiniMed 780G insulin pump system", "E0784"),
        ("Tandem Mobi", "E0784"),
        ("SynchroMed II, 20 mL", "E0783"),
        ("Ambulatory infusion pump", "E0781"),
        ("MiniMed 780G reservoirs 3 mL", None),
        ("Insulin pump training", None),
        ("Omnipod 5 charger", None),
        ("Infusion pump", None),
        ("Walker", None),
    ],
)
def test_a_name_without_a_code_stands_for_the_code_of_its_kind(text: str, code: str | None) -> None:
    local = Coding(system="urn:oid:1.2.840.114350.1", code="98765")
    expected = ((HCPCS, code),) if code else ()
    assert pumps().codes_by_name(CodeableConcept(text=text)) == expected
    assert pumps().codes_by_name(CodeableConcept(coding=(local,), text=text)) == expected


@pytest.mark.parametrize(("system", "code"), [(HCPCS, "E0130"), (CPT, "99213"), (SNOMED, "69805005")])
def test_a_name_beside_a_known_code_adds_none(system: str, code: str) -> None:
    coding = Coding(system=system, code=code)
    assert pumps().codes_by_name(CodeableConcept(coding=(coding,), text="MiniMed 780G insulin pump")) == ()


BROKEN = {
    "a supply with a class": (
        'items: {hcpcs: {"A1": {kind: supply, class: disposable, says: x}}}\nwords: []\nmodels: []\n',
        "has a class, and nothing else",
    ),
    "a pump without a class": (
        'items: {hcpcs: {"A1": {kind: pump, says: x}}}\nwords: []\nmodels: []\n',
        "has a class, and nothing else",
    ),
    "an alias of two models": (
        "items: {}\nwords: []\nmodels:\n"
        "  - {name: A, maker: M, aliases: [a 1], class: disposable}\n"
        "  - {name: B, maker: M, aliases: [A-1], class: disposable}\n",
        "names A too",
    ),
    "an unknown class": ("items: {}\nwords: [{all: [x], class: extern}]\nmodels: []\n", "extern"),
}


@pytest.mark.parametrize(("text", "problem"), BROKEN.values(), ids=BROKEN)
def test_a_broken_table_is_refused(text: str, problem: str, tmp_path: Path) -> None:
    path = tmp_path / "pumps.yaml"
    path.write_text(text)
    with pytest.raises(DocumentError, match=problem):
        Pumps.load(path)
