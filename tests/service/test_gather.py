"""The chart holds what prefetch sent and what the server had; what could not be had is told."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from cds_service.errors import BadRequestError
from cds_service.fhir_client import FhirAccess
from cds_service.gaps import sentences
from cds_service.gather import Gathered, gather
from cds_service.hook_request import read_hook_request
from cds_service.prefetch import KINDS, queries
from cds_service.settings import Settings
from mappings.evidence import Origin
from mappings.fhir import (
    Condition,
    Coverage,
    Device,
    DeviceRequest,
    Encounter,
    Medication,
    MedicationRequest,
    Observation,
    Organization,
    Practitioner,
    PractitionerRole,
    Reference,
)
from mappings.terminology import ValueSets
from tests.fhir_stub import Fault, FhirStub
from tests.service.bodies import PATIENT, Json, bundle, condition, encoded, observation, pump_order, sign

READS: dict[str, set[str] | None] = {
    "Observation": {"lab-hba1c-percent"},
    "Condition": None,
    "MedicationRequest": None,
    "Encounter": None,
}
ASKED = {*READS, "Patient", "Coverage", "QuestionnaireResponse", "DocumentReference"}
PRESCRIPTION: Json = {
    "resourceType": "MedicationRequest",
    "id": "m1",
    "status": "active",
    "medicationReference": {"reference": "Medication/insulin"},
    "subject": {"reference": "Patient/p1"},
}
MEDICATION: Json = {"resourceType": "Medication", "id": "insulin"}
COVERAGE: Json = {
    "resourceType": "Coverage",
    "id": "cov",
    "beneficiary": {"reference": "Patient/p1"},
    "payor": [{"reference": "Organization/payer"}],
}
PAYER: Json = {"resourceType": "Organization", "id": "payer", "name": "Plan"}
ROLE: Json = {
    "resourceType": "PractitionerRole",
    "id": "role",
    "practitioner": {"reference": "Practitioner/dr"},
}
DOCTOR: Json = {"resourceType": "Practitioner", "id": "dr"}
VISIT: Json = {"resourceType": "Encounter", "id": "e1", "subject": {"reference": "Patient/p1"}}
RECORD = [PATIENT, condition(), observation(), PRESCRIPTION, MEDICATION, COVERAGE, PAYER, ROLE, DOCTOR, VISIT]
FULL: Json = {
    "patient": PATIENT,
    "coverage": bundle(COVERAGE, PAYER),
    "conditions": bundle(condition()),
    "observations": bundle(observation()),
    "medicationRequests": bundle(PRESCRIPTION, MEDICATION),
    "encounters": bundle(VISIT),
    "questionnaireResponses": bundle(),
    "documents": bundle(),
}


@pytest.fixture
def stub() -> Iterator[FhirStub]:
    with FhirStub(list(RECORD)) as running:
        yield running


@pytest.fixture
def collect(value_sets: ValueSets) -> Any:
    """Gather a request; keyword arguments are settings."""

    def run(request: Json, *, offline: bool = False, **settings: Any) -> Gathered:
        access = None if offline else FhirAccess(Settings(**settings))
        read = read_hook_request(encoded(request))
        return gather(read, queries(READS, value_sets), value_sets, access)

    return run


def kinds_asked(stub: FhirStub) -> set[str]:
    return {seen.path.split("/")[0] for seen in stub.seen}


# What prefetch says


@pytest.mark.req("B5.147")
@pytest.mark.req("A7.79")
def test_complete_prefetch_asks_nobody(collect: Any, stub: FhirStub) -> None:
    found = collect(sign(prefetch=FULL, fhirServer=stub.base))
    assert stub.seen == []
    assert found.chart.answered >= ASKED
    assert (found.chart.failures, sentences(found.gaps), found.problems) == ({}, (), ())


@pytest.mark.req("B5.152")
def test_resources_are_read_by_content_whatever_their_key(collect: Any, stub: FhirStub) -> None:
    renamed = {f"key{n}": value for n, value in enumerate(FULL.values())}
    found = collect(sign(prefetch=renamed, fhirServer=stub.base))
    assert [o.id for o in found.chart.of(Observation)] == ["o1"]
    assert found.chart.patient is not None
    assert kinds_asked(stub) == {"QuestionnaireResponse", "DocumentReference"}  # empty Bundles tell nothing


@pytest.mark.req("A7.73")
@pytest.mark.parametrize("value", [None, {}, bundle()], ids=["null", "empty object", "empty Bundle"])
def test_nothing_under_our_own_key_means_looked_and_found_nothing(
    collect: Any, stub: FhirStub, value: Any
) -> None:
    found = collect(sign(prefetch=FULL | {"conditions": value}, fhirServer=stub.base))
    assert stub.seen == []
    assert "Condition" in found.chart.answered
    assert found.chart.of(Condition) == []


@pytest.mark.req("B5.147")
@pytest.mark.req("A7.75")
@pytest.mark.req("A8.80")
def test_a_missing_key_is_asked_of_the_server(collect: Any, stub: FhirStub) -> None:
    partial = {key: value for key, value in FULL.items() if key != "conditions"}
    found = collect(sign(prefetch=partial, fhirServer=stub.base))
    assert kinds_asked(stub) == {"Condition"}
    (diagnosis,) = found.chart.of(Condition)
    assert found.chart.origin(diagnosis) is Origin.SERVER
    assert found.chart.origin(found.chart.of(Observation)[0]) is Origin.PREFETCH


@pytest.mark.req("A7.73", "A7.74")
def test_an_outcome_under_our_key_is_asked_of_the_server(collect: Any, stub: FhirStub) -> None:
    outcome = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "timeout"}]}
    found = collect(sign(prefetch=FULL | {"conditions": outcome}, fhirServer=stub.base))
    assert kinds_asked(stub) == {"Condition"}
    assert "Condition" in found.chart.answered
    assert found.chart.failures == {}


@pytest.mark.req("A7.74")
@pytest.mark.parametrize(
    "value",
    [{"resourceType": "OperationOutcome"}, "text", 5, ["a"], {"resourceType": "Bundle", "entry": 5}],
    ids=["outcome", "text", "number", "list", "odd Bundle"],
)
def test_what_is_no_answer_and_no_server_is_a_failure_of_its_type(collect: Any, value: Any) -> None:
    found = collect(sign(prefetch=FULL | {"conditions": value}))
    assert set(found.chart.failures) == {"Condition"}
    assert "Condition" not in found.chart.answered
    assert sentences(found.gaps)[0].startswith("Diagnoses: ")


def test_a_failure_under_another_key_is_nobodys(collect: Any) -> None:
    found = collect(sign(prefetch=FULL | {"something": {"resourceType": "OperationOutcome"}}))
    assert found.chart.failures == {}


def test_types_that_were_not_sent_are_told_but_are_no_failures(collect: Any) -> None:
    partial = {key: value for key, value in FULL.items() if key not in ("conditions", "encounters")}
    found = collect(sign(prefetch=partial))
    assert found.chart.failures == {}
    assert not found.chart.answered & {"Condition", "Encounter"}
    assert sentences(found.gaps) == ("Diagnoses, visits: not in the request, and no FHIR server was named.",)


def test_offline_no_server_is_called(collect: Any, stub: FhirStub) -> None:
    partial = {key: value for key, value in FULL.items() if key != "conditions"}
    found = collect(sign(prefetch=partial, fhirServer=stub.base), offline=True)
    assert stub.seen == []
    assert found.chart.failures == {}
    assert sentences(found.gaps) == ("Diagnoses: not in the request, and this check is offline.",)


@pytest.mark.parametrize(
    ("query", "asks"),
    [
        ("Condition?patient=p1", False),
        ("Condition?subject=Patient/p1&_count=50&_sort=-recorded-date", False),
        ("Condition?patient=p1&category=problem-list-item", True),
        ("Condition?patient=p1&clinical-status=active", True),
        ("Condition?_id=c1", True),
        ("?_getpages=abc", False),
        ("//[", False),
    ],
)
def test_the_self_link_tells_whether_anything_was_left_out(
    collect: Any, stub: FhirStub, query: str, asks: bool
) -> None:
    url = query if query.startswith("//") else f"https://ehr.example.org/fhir/{query}"
    sent = bundle(condition(), link=[{"relation": "self", "url": url}])
    for key in ("conditions", "problems"):
        stub.seen.clear()
        partial = {name: value for name, value in FULL.items() if name != "conditions"}
        collect(sign(prefetch=partial | {key: sent}, fhirServer=stub.base))
        assert kinds_asked(stub) == ({"Condition"} if asks else set())


def test_an_empty_bundle_with_a_self_link_answers_under_any_key(collect: Any, stub: FhirStub) -> None:
    sent = bundle(link=[{"relation": "self", "url": "https://ehr.example.org/fhir/Condition?patient=p1"}])
    partial = {name: value for name, value in FULL.items() if name != "conditions"}
    found = collect(sign(prefetch=partial | {"x": sent}, fhirServer=stub.base))
    assert stub.seen == []
    assert "Condition" in found.chart.answered


def test_a_lone_resource_under_another_key_is_no_answer_about_its_type(collect: Any, stub: FhirStub) -> None:
    partial = {name: value for name, value in FULL.items() if name != "encounters"}
    found = collect(sign(prefetch=partial | {"encounter": VISIT | {"id": "now"}}, fhirServer=stub.base))
    assert kinds_asked(stub) == {"Encounter"}
    assert {visit.id for visit in found.chart.of(Encounter)} == {"e1", "now"}


def test_a_key_that_holds_another_type_is_no_answer(collect: Any, stub: FhirStub) -> None:
    collect(sign(prefetch=FULL | {"conditions": bundle(observation("o2"))}, fhirServer=stub.base))
    assert kinds_asked(stub) == {"Condition"}


def test_prefetch_that_is_no_json_is_a_bad_request_with_its_key(value_sets: ValueSets) -> None:
    body = encoded(sign(prefetch={"conditions": {"resourceType": "Condition", "id": "HERE"}}))
    request = read_hook_request(body.replace(b"HERE", b"\xff"))
    with pytest.raises(BadRequestError) as caught:
        gather(request, queries(READS, value_sets), value_sets, None)
    assert caught.value.where == "prefetch.conditions"


def test_what_had_to_be_mended_is_told(collect: Any) -> None:
    odd = observation(value="many", performer={"display": "lab"})
    found = collect(sign(prefetch=FULL | {"observations": bundle(odd)}))
    assert {problem.where for problem in found.problems} == {
        "prefetch.observations.entry[0].resource.valueQuantity.value",
        "prefetch.observations.entry[0].resource.performer",
    }


def test_another_patients_data_stays_out(collect: Any) -> None:
    other = observation("o2", subject={"reference": "Patient/p2"})
    found = collect(sign(prefetch=FULL | {"observations": bundle(observation(), other)}))
    assert [o.id for o in found.chart.of(Observation)] == ["o1"]
    assert [left.resource for left in found.chart.left_out] == ["Observation/o2"]


# Draft orders


def test_draft_orders_are_no_record(collect: Any) -> None:
    found = collect(sign(pump_order(), PRESCRIPTION | {"id": "draft", "status": "draft"}, prefetch=FULL))
    assert found.chart.of(DeviceRequest) == []
    assert [m.id for m in found.chart.of(MedicationRequest)] == ["m1"]
    assert found.chart.resolve(Reference(reference="MedicationRequest/draft")) is not None


def test_a_draft_that_prefetch_repeats_is_no_record_either(collect: Any) -> None:
    found = collect(sign(prefetch=FULL | {"order": pump_order(), "orders": bundle(pump_order())}))
    assert found.chart.of(DeviceRequest) == []


def test_what_stands_beside_the_orders_is_known(collect: Any) -> None:
    device = {"resourceType": "Device", "id": "model-x"}
    found = collect(sign(pump_order(), device, prefetch=FULL))
    (known,) = found.chart.of(Device)
    assert found.chart.origin(known) is Origin.ORDER


def test_a_contained_resource_resolves(collect: Any) -> None:
    order = pump_order(contained=[{"resourceType": "Device", "id": "d"}], codeReference={"reference": "#d"})
    request = read_hook_request(encoded(sign(order, prefetch=FULL)))
    resource = request.drafts[0].resource
    assert isinstance(resource, DeviceRequest)
    found = collect(sign(order, prefetch=FULL))
    assert isinstance(found.chart.resolve(resource.codeReference, resource), Device)


# The server


@pytest.mark.req("A7.75")
@pytest.mark.req("A7.79")
def test_without_prefetch_everything_comes_from_the_server(collect: Any, stub: FhirStub) -> None:
    order = pump_order(requester={"reference": "PractitionerRole/role"})
    found = collect(sign(order, fhirServer=stub.base))
    chart = found.chart
    assert chart.answered >= ASKED
    assert (chart.failures, sentences(found.gaps)) == ({}, ())
    for kind in (Condition, Observation, MedicationRequest, Coverage, Encounter):
        assert len(chart.of(kind)) == 1
    assert chart.patient is not None
    assert all(chart.origin(r) is Origin.SERVER for r in chart.of(Observation))


@pytest.mark.parametrize("includes", [True, False])
def test_open_references_are_read(collect: Any, stub: FhirStub, includes: bool) -> None:
    stub.includes = includes
    order = pump_order(requester={"reference": "PractitionerRole/role"})
    chart = collect(sign(order, fhirServer=stub.base)).chart
    for kind in (PractitionerRole, Practitioner, Organization, Medication):
        assert len(chart.of(kind)) == 1, kind
    assert len(stub.asked("Organization")) == (0 if includes else 1)


def test_what_an_order_names_is_read_though_prefetch_is_complete(collect: Any, stub: FhirStub) -> None:
    stub.resources += [condition("c9"), {"resourceType": "Device", "id": "model"}]
    order = pump_order(
        codeReference={"reference": "Device/model"},
        reasonReference=[{"reference": f"{stub.base}/Condition/c9"}],
        supportingInfo=[{"reference": "Observation/absent"}, {"reference": "urn:uuid:1"}, {"display": "x"}],
    )
    found = collect(sign(order, prefetch=FULL, fhirServer=stub.base))
    assert {seen.path for seen in stub.seen} == {"Condition/c9", "Device/model", "Observation/absent"}
    assert {c.id for c in found.chart.of(Condition)} == {"c1", "c9"}
    assert found.chart.failures == {}
    assert sentences(found.gaps) == (
        "Results and measurements: one that the order or the record refers to: "
        "the FHIR server does not have it (404).",
    )


@pytest.mark.req("A8.83")
def test_references_to_other_servers_are_not_read(collect: Any, stub: FhirStub) -> None:
    order = pump_order(requester={"reference": "https://other.example.org/fhir/Practitioner/dr"})
    collect(sign(order, prefetch=FULL, fhirServer=stub.base))
    assert stub.seen == []


def test_a_requester_that_cannot_be_read_is_a_failure_of_its_type(collect: Any, stub: FhirStub) -> None:
    order = pump_order(requester={"reference": "Practitioner/absent"})
    found = collect(sign(order, prefetch=FULL, fhirServer=stub.base))
    assert found.chart.failures == {"Practitioner": "the FHIR server does not have it (404)"}


def test_one_failing_query_fails_its_type_alone(collect: Any, stub: FhirStub) -> None:
    stub.faults["Observation"] = Fault(status=403)
    found = collect(sign(fhirServer=stub.base))
    assert found.chart.failures == {"Observation": "the FHIR server refused access (403)"}
    assert "Observation" not in found.chart.answered
    assert sentences(found.gaps) == ("Results and measurements: the FHIR server refused access (403).",)
    assert len(found.chart.of(Condition)) == 1


def test_pages_that_came_before_a_failure_are_kept(collect: Any, stub: FhirStub) -> None:
    stub.resources += [observation(f"more{n}") for n in range(5)]
    stub.page_size = 2
    found = collect(sign(fhirServer=stub.base), fhir_page_limit=2)
    assert len(found.chart.of(Observation)) == 4
    assert found.chart.failures == {"Observation": "only the first 2 pages were read"}


def test_a_server_that_fails_every_query_gives_an_empty_chart(collect: Any, stub: FhirStub) -> None:
    stub.faults["*"] = Fault(status=500)
    found = collect(sign(fhirServer=stub.base))
    assert found.empty
    assert set(found.chart.failures) == ASKED
    assert len(sentences(found.gaps)) == 1


def test_a_chart_with_anything_in_it_is_not_empty(collect: Any) -> None:
    assert not collect(sign(prefetch={"patient": PATIENT})).empty
    assert collect(sign(prefetch={"patient": None})).empty


def test_a_server_that_may_not_be_called_is_a_failure_of_what_is_missing(collect: Any) -> None:
    partial = {key: value for key, value in FULL.items() if key != "conditions"}
    found = collect(sign(prefetch=partial, fhirServer="https://ehr.example.org/fhir"))
    assert set(found.chart.failures) == {"Condition"}
    assert "not one of those" in sentences(found.gaps)[0]


@pytest.mark.req("A8.80")
def test_the_token_goes_with_every_query(collect: Any, stub: FhirStub) -> None:
    stub.token = "secret"
    found = collect(sign(fhirServer=stub.base, fhirAuthorization={"access_token": "secret"}))
    assert found.chart.failures == {}


@pytest.mark.req("A8.82")
def test_queries_run_in_one_wave(collect: Any, stub: FhirStub) -> None:
    stub.faults["*"] = Fault(delay=0.5)
    started = time.monotonic()
    found = collect(sign(fhirServer=stub.base))
    assert found.chart.failures == {}
    assert len(stub.seen) >= 8
    assert time.monotonic() - started < 0.5 * 2


def test_references_are_followed_while_the_longest_query_is_under_way(collect: Any, stub: FhirStub) -> None:
    stub.faults |= {"*": Fault(delay=0.3), "Observation": Fault(delay=1)}
    started = time.monotonic()
    order = pump_order(requester={"reference": "PractitionerRole/role"})
    chart = collect(sign(order, fhirServer=stub.base)).chart
    assert len(chart.of(Practitioner)) == 1
    assert time.monotonic() - started < 1 + 0.3


@pytest.mark.req("B6.153")
def test_the_answer_does_not_wait_beyond_the_deadline(collect: Any, stub: FhirStub) -> None:
    stub.faults["Observation"] = Fault(delay=3)
    started = time.monotonic()
    found = collect(sign(fhirServer=stub.base), fhir_deadline=0.5, fhir_read_timeout=3)
    assert time.monotonic() - started < 1.2
    assert set(found.chart.failures) == {"Observation"}
    assert len(found.chart.of(Condition)) == 1


# Pages of prefetch


def paged(url: str) -> Json:
    return FULL | {"observations": bundle(observation(), link=[{"relation": "next", "url": url}])}


@pytest.mark.req("A7.76")
@pytest.mark.parametrize("relative", [True, False])
def test_a_paged_bundle_of_prefetch_is_followed(collect: Any, stub: FhirStub, relative: bool) -> None:
    stub.resources.append(observation("o2"))
    url = "Observation?patient=p1" if relative else f"{stub.base}/Observation?patient=p1"
    found = collect(sign(prefetch=paged(url), fhirServer=stub.base))
    assert {o.id for o in found.chart.of(Observation)} == {"o1", "o2"}
    assert found.chart.failures == {}


def test_a_page_that_cannot_be_followed_is_told(collect: Any, stub: FhirStub) -> None:
    for request in (
        sign(prefetch=paged("https://other.example.org/page2"), fhirServer=stub.base),
        sign(prefetch=paged("https://other.example.org/page2")),
    ):
        found = collect(request)
        assert set(found.chart.failures) == {"Observation"}
        assert [o.id for o in found.chart.of(Observation)] == ["o1"]
    assert sentences(found.gaps) == (
        "Results and measurements: only the first page was sent, and no FHIR server was named.",
    )


def test_every_kind_has_a_name_for_people() -> None:
    assert all(kind.label and kind.label[0].islower() for kind in KINDS.values())
