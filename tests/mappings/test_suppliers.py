"""Papers of a supplier or manufacturer: no record behind a statement."""

from __future__ import annotations

from typing import Any

import pytest

from mappings.evidence import Basis, Reading
from mappings.fhir import CodeableConcept, Coding, Organization
from mappings.suppliers import is_supplier
from tests.builders import asked, concept, resource, statement

NUCC = "http://nucc.org/provider-taxonomy"
BY = {"reference": "Organization/o"}


@pytest.mark.parametrize(
    ("name", "code", "text", "expected"),
    [
        ("Byram Healthcare", "", "DME supplier", True),
        ("Byram Healthcare", "332B00000X", "", True),
        ("Byram Healthcare", "332BX2000X", "", True),
        ("Hanger Clinic", "335E00000X", "", True),
        ("Midwest Transplant Network", "335U00000X", "", False),
        ("Option Care", "3336H0001X", "Home Infusion Therapy Pharmacy", False),
        ("Acme Durable Medical Equipment, LLC", "", "", True),
        ("Tandem Diabetes Care, Inc.", "", "", True),
        ("Insulet Corporation", "", "", True),
        ("Tandem Family Practice", "", "", False),
        ("Dmello Endocrinology", "", "", False),
        ("University Hospital", "", "Healthcare Provider", False),
    ],
)
def test_a_supplier_says_so_plainly(name: str, code: str, text: str, expected: bool) -> None:
    codings = (Coding(system=NUCC, code=code),) if code else ()
    types = (CodeableConcept(coding=codings, text=text),) if code or text else ()
    assert is_supplier(Organization(name=name, type=types)) is expected


def organization(name: str = "Byram DME", **more: Any) -> Any:
    return resource("Organization", {"subject": None, "id": "o", "name": name, **more})


def stated(author: list[Any], *chart: Any, by: Any = None, **more: Any) -> Reading:
    """What a response of a clinician (or `by`) says with a document of the authors behind it."""
    said = statement(diabetes_team={"valueBoolean": True}) | {"id": "q", "author": by}
    note = resource(
        "DocumentReference",
        {
            "status": "current",
            "date": "2026-02-10",
            "author": author,
            "context": {"related": [{"reference": "QuestionnaireResponse/q"}]},
            **more,
        },
    )
    found = asked(said, note, *chart).book.fact("diabetes_team").stated
    assert found is not None
    return found


ROLE = resource("PractitionerRole", {"subject": None, "id": "r", "organization": BY})
REP = resource("Practitioner", {"subject": None, "id": "rep", "name": [{"family": "Rep"}]})
REP_ROLE = ROLE | {"practitioner": {"reference": "Practitioner/rep"}}
CLINIC = resource("Organization", {"subject": None, "id": "c", "name": "Diabetes Clinic"})
CLINIC_ROLE = resource(
    "PractitionerRole",
    {
        "subject": None,
        "id": "r2",
        "practitioner": {"reference": "Practitioner/rep"},
        "organization": {"reference": "Organization/c"},
    },
)


@pytest.mark.parametrize(
    ("author", "chart", "basis"),
    [
        ([BY], [organization()], Basis.ATTESTED),
        ([BY], [organization("Diabetes Clinic")], Basis.DOCUMENTED),
        ([BY], [], Basis.DOCUMENTED),
        ([], [organization()], Basis.DOCUMENTED),
        ([BY, {"reference": "Practitioner/md"}], [organization()], Basis.DOCUMENTED),
        ([{"reference": "PractitionerRole/r"}], [organization(), ROLE], Basis.ATTESTED),
        ([{"reference": "Practitioner/rep"}], [organization(), REP, REP_ROLE], Basis.ATTESTED),
        (
            [{"reference": "Practitioner/rep"}],
            [organization(), REP, REP_ROLE, CLINIC, CLINIC_ROLE],
            Basis.DOCUMENTED,
        ),
        ([{"reference": "Practitioner/rep"}], [organization(), REP], Basis.DOCUMENTED),
        ([{"display": "Tandem Diabetes Care, Inc."}], [], Basis.ATTESTED),
        ([{"display": "Medtronic, Ann MD", "reference": "Practitioner/x"}], [], Basis.DOCUMENTED),
        ([{"display": "Dr. Tandem"}], [], Basis.DOCUMENTED),
    ],
)
def test_a_paper_of_a_supplier_documents_nothing(author: list[Any], chart: list[Any], basis: Basis) -> None:
    found = stated(author, *chart)
    assert (found.value, found.basis) == (True, basis)
    of_supplier = basis is Basis.ATTESTED
    assert (found.evidence[1].says == "record behind the statement") is not of_supplier


def test_an_author_may_be_contained() -> None:
    inner = {"resourceType": "Organization", "id": "o", "type": [concept((NUCC, "332B00000X"))]}
    assert stated([{"reference": "#o"}], contained=[inner]).basis is Basis.ATTESTED


def test_a_role_at_itself_tells_nothing() -> None:
    role = resource("PractitionerRole", {"id": "r", "organization": {"reference": "PractitionerRole/r"}})
    assert stated([{"reference": "PractitionerRole/r"}], role).basis is Basis.DOCUMENTED


def test_a_form_of_a_supplier_is_not_stated_by_the_clinician() -> None:
    found = stated([BY], organization(), by=BY)
    assert found.evidence[0].says == "stated by a supplier or manufacturer"
    assert stated([], organization(), by={"reference": "Practitioner/md"}).evidence[0].says == (
        "stated by the clinician"
    )
