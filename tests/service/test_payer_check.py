"""What CRD 2.2 calls a payer mismatch is refused in strict mode, and only then."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from cds_service.app import create_app
from cds_service.settings import Settings
from policies.engine import Engine
from tests.fhir_stub import Fault, FhirStub
from tests.service.bodies import PATIENT, SIGN, Json, bundle, code, issue, sign

V22: Json = {"davinci-crd.requestedVersion": "2.2"}
IDENTIFIED: Json = {"identifier": {"system": "http://hl7.org/fhir/sid/us-npi", "value": "1234567893"}}


def coverage(id_: str = "c1", payor: Json | None = None, **elements: object) -> Json:
    named = {"display": "Aetna"} | (IDENTIFIED if payor is None else payor)
    found = {
        "resourceType": "Coverage",
        "id": id_,
        "status": "active",
        "beneficiary": {"reference": "Patient/p1"},
    }
    return found | {"payor": [named]} | elements


@pytest.fixture(scope="module")
def strict(engine: Engine) -> FlaskClient:
    return create_app(Settings(payer_mismatch="strict"), engine).test_client()


@pytest.fixture(scope="module")
def lenient(engine: Engine) -> FlaskClient:
    return create_app(Settings(), engine).test_client()


def body(*coverages: Json, **envelope: object) -> Json:
    return sign(prefetch={"patient": PATIENT, "coverage": bundle(*coverages)}, extension=V22) | envelope


MISMATCHES = {
    "no active coverage": (),
    "cancelled": (coverage(status="cancelled"),),
    "2 active coverages": (coverage(), coverage("c2")),
    "does not identify": (coverage(payor={}),),
    "none that this service answers for": (coverage(payor={"display": "Elsewhere Health", **IDENTIFIED}),),
}


@pytest.mark.req("B1.103")
@pytest.mark.req("A3.30")
@pytest.mark.parametrize("why", MISMATCHES)
def test_a_mismatch_is_refused_in_strict_mode(strict: FlaskClient, lenient: FlaskClient, why: str) -> None:
    request = body(*MISMATCHES[why])
    response = strict.post(SIGN, json=request)
    assert (response.status_code, code(response.json)) == (400, "payer-mismatch")
    assert issue(response.json)["expression"] == ["prefetch.coverage"]
    assert why in issue(response.json)["details"]["text"] or why == "cancelled"
    assert lenient.post(SIGN, json=request).status_code == 200


@pytest.mark.req("B1.103")
def test_crd_2_0_knows_no_mismatch(strict: FlaskClient) -> None:
    assert strict.post(SIGN, json=body(extension=None)).status_code == 200


@pytest.mark.parametrize(
    "record",
    [
        (coverage(),),
        (coverage(), coverage("old", period={"end": "2020-01-01"})),
        (
            coverage(payor={"reference": "Organization/payer"}),
            {
                "resourceType": "Organization",
                "id": "payer",
                "name": "Aetna",
                "identifier": [IDENTIFIED["identifier"]],
            },
        ),
    ],
)
def test_the_one_coverage_of_a_known_payer_is_answered(strict: FlaskClient, record: tuple[Json, ...]) -> None:
    response = strict.post(SIGN, json=body(*record))
    assert response.status_code == 200
    assert response.json["cards"]


@pytest.mark.req("A3.32")
def test_coverage_that_cannot_be_had_is_no_mismatch(strict: FlaskClient) -> None:
    with FhirStub([PATIENT], faults={"Coverage": Fault(status=500)}) as stub:
        response = strict.post(SIGN, json=sign(fhirServer=stub.base, extension=V22))
    assert response.status_code == 200
    assert response.json["cards"]
