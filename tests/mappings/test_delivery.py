"""Which drafted drugs a pump may deliver that are not tied to it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mappings.delivery import _problems, _table
from mappings.documents import DocumentError, read
from mappings.drug_catalogue import read_catalogue
from tests.builders import LISPRO
from tests.mappings.orders import RXNORM, SNOMED, Asked, Json, concept, drug, pump

CEFAZOLIN, MORPHINE, LISINOPRIL = (RXNORM, "2180"), (RXNORM, "7052"), (RXNORM, "29046")
ORAL, IV, SC, IM, INTRATHECAL = "26643006", "47625008", "34206005", "78421000", "72607000"


def by(route: str, **more: Any) -> Json:
    return {"dosageInstruction": [{"route": concept((SNOMED, route))}], **more}


def drug_in(code: str, *drafts: Json, **elements: Any) -> Any:
    return Asked(pump(code, **elements), *drafts).value("drug")


@pytest.mark.parametrize(
    ("code", "draft", "expected"),
    [
        ("E0784", drug((RXNORM, LISPRO), **by(SC)), "insulin lispro"),
        ("E0784", drug((RXNORM, LISPRO)), "insulin lispro"),
        ("E0784", drug((RXNORM, LISPRO), **by(IV)), "insulin"),
        ("E0784", drug(CEFAZOLIN, text="cefazolin", **by(IV)), "insulin"),
        ("E0784", drug(text="glucagon 1 mg injection", **by(SC)), "insulin"),
        ("E0784", drug(text="metformin 500 mg"), "insulin"),
        ("E0781", drug(MORPHINE, **by(IV)), "morphine"),
        ("E0781", drug(MORPHINE, **by(ORAL)), None),
        ("E0781", drug(MORPHINE, **by(IM)), None),
        ("E0781", drug(MORPHINE), "morphine"),
        ("E0781", drug(MORPHINE, text="morphine 15 MG Oral Tablet"), None),
        ("E0781", drug(LISINOPRIL, text="lisinopril"), None),
        ("E0783", drug(MORPHINE, **by(INTRATHECAL)), "morphine"),
        ("E0783", drug(MORPHINE, **by("417985001")), None),
        ("E0781", drug(MORPHINE, **by("417985001")), "morphine"),
        ("A4222", drug(MORPHINE, **by(ORAL)), None),
    ],
)
def test_the_only_draft_is_the_drug_where_the_pump_may_deliver_it(
    code: str, draft: Json, expected: str | None
) -> None:
    assert drug_in(code, draft) == expected


def test_one_instruction_that_fits_is_enough() -> None:
    steps = [{"route": concept((SNOMED, route))} for route in (ORAL, IV)]
    assert drug_in("E0781", drug(MORPHINE, dosageInstruction=steps)) == "morphine"
    assert drug_in("E0781", drug(MORPHINE, dosageInstruction=[{"route": concept((SNOMED, ORAL))}, {}])) == (
        "morphine"
    )


def test_a_pump_by_its_name_or_words_is_a_pump_for_insulin_too() -> None:
    for text in ("Omnipod 5", "insulin pump"):
        named = {**pump(), "codeCodeableConcept": {"text": text}}
        assert Asked(named, drug(MORPHINE, **by(SC))).value("drug") == "insulin"


def test_what_cannot_be_its_drug_leaves_the_one_that_can() -> None:
    tablet = drug(text="ondansetron", id="tablet", **by(ORAL))
    asked = Asked(pump("E0781"), drug(MORPHINE, **by(IV)), tablet)
    assert asked.value("drug") == "morphine"
    assert [order.reference for order in asked.orders] == ["DeviceRequest/pump", "MedicationRequest/tablet"]


def test_what_is_tied_to_the_pump_is_its_drug_whatever_the_route() -> None:
    tie = {"supportingInfo": [{"reference": "MedicationRequest/drug"}]}
    assert drug_in("E0784", drug(MORPHINE, **by(ORAL)), **tie) == "morphine"
    group = {"groupIdentifier": {"value": "g"}}
    assert drug_in("E0784", drug(MORPHINE, **by(ORAL), **group), **group) == "morphine"


def test_of_a_group_only_what_the_pump_may_deliver_is_its_drug() -> None:
    group = {"groupIdentifier": {"value": "g"}}
    rescue = drug(text="glucagon 1 mg injection", id="rescue", **by(SC), **group)
    assert drug_in("E0784", drug((RXNORM, LISPRO), **by(SC), **group), rescue, **group) == "insulin lispro"


def test_a_draft_without_a_drug_yet_still_goes_with_the_pump() -> None:
    chosen_later = drug(medicationCodeableConcept=None)
    assert [o.reference for o in Asked(pump("E0784"), chosen_later).orders] == ["DeviceRequest/pump"]


def test_the_table_names_classes_that_drugs_have() -> None:
    known = read_catalogue(Path("mappings/drugs.yaml")).classes
    named = {*_table().never_classes, *(name for kind in _table().pumps for name in kind.only)}
    assert named <= known.keys()


def test_an_unknown_route_is_refused(tmp_path: Path) -> None:
    written = (
        Path("mappings/delivery.yaml").read_text().replace("routes: [subcutaneous]", "routes: [subcutan]")
    )
    (tmp_path / "delivery.yaml").write_text(written)
    with pytest.raises(DocumentError, match="unknown route 'subcutan'"):
        read(tmp_path / "delivery.yaml", type(_table()), _problems)
