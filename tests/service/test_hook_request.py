"""A hook request is read strictly in its form and leniently in its FHIR; every error leads to its place."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from cds_service.errors import BadRequestError, ServiceError, UnusableError
from cds_service.hook_request import AccessToken, read_hook_request
from mappings.fhir import DeviceRequest, MedicationRequest
from tests.service.bodies import Json, bundle, encoded, pump_order, select, sign


def refused(body: Any) -> ServiceError:
    with pytest.raises(ServiceError) as caught:
        read_hook_request(body if isinstance(body, bytes) else encoded(body))
    return caught.value


def without(request: Json, *path: str) -> Json:
    inner = request
    for key in path[:-1]:
        inner = inner[key]
    del inner[path[-1]]
    return request


def with_context(**changes: Any) -> Json:
    request = sign()
    request["context"] |= changes
    return request


def test_a_request_is_read() -> None:
    request = read_hook_request(
        encoded(
            sign(
                prefetch={"patient": None},
                fhirServer="https://ehr.example.org/fhir",
                fhirAuthorization={"access_token": "secret", "token_type": "Bearer", "expires_in": 300},
            )
        )
    )
    assert request.hook == "order-sign"
    assert (request.patient_id, request.user_id) == ("p1", "Practitioner/dr")
    assert [draft.reference for draft in request.drafts] == ["DeviceRequest/pump-1"]
    assert request.selected is None
    assert {key: bytes(raw) for key, raw in request.prefetch.items()} == {"patient": b"null"}
    assert (request.fhir_server, request.access_token.value) == ("https://ehr.example.org/fhir", "secret")


@pytest.mark.req("A8.81")
def test_a_token_never_shows_in_the_text_of_a_request() -> None:
    body = sign(fhirServer="https://ehr", fhirAuthorization={"access_token": "secret"})
    assert "secret" not in repr(read_hook_request(encoded(body)))
    assert "secret" not in str(AccessToken("secret"))


@pytest.mark.parametrize("name", ["prefetch", "fhirServer", "fhirAuthorization", "extension"])
def test_null_stands_for_absent(name: str) -> None:
    request = read_hook_request(encoded(sign(**{name: None})))
    assert request.prefetch == {}
    assert request.fhir_server == request.access_token.value == ""


@pytest.mark.parametrize("extension", [{"a": 1}, [], "text", None])
def test_an_extension_of_any_shape_is_no_error(extension: Any) -> None:
    assert read_hook_request(encoded(sign(extension=extension))).hook == "order-sign"


@pytest.mark.req("A2.22")
@pytest.mark.req("A2.23")
def test_unknown_elements_are_ignored() -> None:
    body = sign(unheard="of")
    body["context"]["unheard"] = {"of": [1]}
    assert len(read_hook_request(encoded(body)).drafts) == 1


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "not-json"),
        (b"   ", "not-json"),
        (b"hello", "not-json"),
        (b'{"hook": "order-sign"', "not-json"),
        (encoded(sign()) + b" {}", "not-json"),
        (b'{"hook": NaN}', "not-json"),
        (b'{"hook": "order-sign", "x": -Infinity}', "not-json"),
        (b'{"hook": "\xff\xfe"}', "not-json"),
        (b'{"hook": "\\ud800"}', "not-json"),
        (b'{"hook": "order-\x00sign"}', "not-json"),
    ],
)
@pytest.mark.req("A3.29")
@pytest.mark.req("A3.30")
def test_what_is_no_json_is_a_bad_request(body: bytes, code: str) -> None:
    error = refused(body)
    assert (error.status, error.code) == (400, code)


@pytest.mark.parametrize("body", [b'{"context":' + b"[" * 100_000, b'{"a":' * 100_000])
def test_what_is_nested_beyond_reading_is_refused(body: bytes) -> None:
    error = refused(body)
    assert (error.status, error.code) == (422, "too-deep")


@pytest.mark.req("A2.12")
@pytest.mark.req("A3.29")
@pytest.mark.parametrize("body", [b"[]", b"null", b"1", b"{}"])
def test_json_that_is_no_hook_request_is_refused(body: bytes) -> None:
    error = refused(body)
    assert (error.status, error.code) == (422, "invalid-request")


@pytest.mark.req("A3.30")
@pytest.mark.parametrize(
    "body",
    [
        sign(hook="patient-view"),
        sign(context={}),
        {**sign(), "context": {**sign()["context"], "draftOrders": 5}},
    ],
    ids=["wrong-hook", "invalid-request", "unusable-context"],
)
def test_crd_2_2_has_400_for_every_breach_of_the_rules_of_cds_hooks(body: Json) -> None:
    assert refused(body).status == 422
    assert refused(body | {"extension": {"davinci-crd.requestedVersion": "2.2"}}).status == 400


@pytest.mark.req("A2.12")
@pytest.mark.req("A2.17")
@pytest.mark.parametrize(
    "path",
    [
        ("hook",),
        ("hookInstance",),
        ("context",),
        ("context", "patientId"),
        ("context", "userId"),
        ("context", "draftOrders"),
    ],
)
def test_a_missing_part_is_named_with_its_place_and_the_remedy(path: tuple[str, ...]) -> None:
    error = refused(without(sign(), *path))
    assert isinstance(error, BadRequestError)
    assert error.code == "invalid-request"
    assert error.where == ".".join(path)
    assert "is missing" in error.what
    assert error.mend.startswith("It must be") or error.mend.startswith("It must name")


@pytest.mark.parametrize(
    ("changes", "where", "what"),
    [
        ({"hook": 1}, "hook", "must be str, not int"),
        ({"hookInstance": ""}, "hookInstance", "is empty"),
        ({"hookInstance": 7}, "hookInstance", "must be str, not int"),
        ({"context": []}, "context", "must be object, not array"),
        ({"context": "text"}, "context", "must be object, not str"),
        ({"prefetch": []}, "prefetch", "must be object, not array"),
        ({"fhirServer": {}}, "fhirServer", "must be str, not object"),
        ({"fhirAuthorization": "Bearer x"}, "fhirAuthorization", "must be object, not str"),
        (
            {"fhirAuthorization": {"access_token": 1}},
            "fhirAuthorization.access_token",
            "must be str, not int",
        ),
    ],
)
def test_a_part_of_the_wrong_type_is_named_with_its_place(changes: Json, where: str, what: str) -> None:
    error = refused(sign(**changes))
    assert (error.status, error.where) == (422, where)
    assert what in error.what


def test_a_context_field_of_the_wrong_type_is_named_with_its_place() -> None:
    error = refused(with_context(patientId=123))
    assert (error.status, error.where) == (422, "context.patientId")


@pytest.mark.parametrize("hook", ["patient-view", "order_sign", "", "\u0000"])
@pytest.mark.req("A2.13")
def test_another_hook_is_refused(hook: str) -> None:
    error = refused(sign(hook=hook))
    assert (error.status, error.code, error.where) == (422, "wrong-hook", "hook")


def test_a_service_takes_only_the_hook_it_is_for() -> None:
    with pytest.raises(BadRequestError) as caught:
        read_hook_request(encoded(sign()), ("order-select",))
    assert caught.value.code == "wrong-hook"


@pytest.mark.parametrize("written", ["p1", " p1 ", "Patient/p1"])
def test_a_patient_id_with_a_type_before_it_is_understood(written: str) -> None:
    assert read_hook_request(encoded(with_context(patientId=written))).patient_id == "p1"


@pytest.mark.req("A2.17")
@pytest.mark.parametrize(
    "written", ["", "Practitioner/p1", "a b", "p1&x=1", "p1\u0000", "x" * 257, "../Patient/1"]
)
def test_a_patient_id_that_is_none_is_refused(written: str) -> None:
    error = refused(with_context(patientId=written))
    assert (error.status, error.code, error.where) == (422, "unusable-context", "context.patientId")


@pytest.mark.req("A2.17")
@pytest.mark.parametrize("drafts", [[], "text", 5, {"resourceType": "Patient"}, {}, {"entry": 5}])
def test_draft_orders_that_are_no_bundle_are_refused(drafts: Any) -> None:
    error = refused(with_context(draftOrders=drafts))
    assert (error.status, error.code, error.where) == (422, "unusable-context", "context.draftOrders")


def test_null_draft_orders_are_refused() -> None:
    assert refused(with_context(draftOrders=None)).status == 422


@pytest.mark.parametrize(
    "drafts",
    [
        {"resourceType": "Bundle", "entry": [{"resource": pump_order()}]},
        {"entry": [{"resource": pump_order()}]},
        {"resourceType": "Bundle", "entry": [None, {}, {"resource": None}, {"resource": pump_order()}]},
        {"resourceType": "Bundle", "entry": [{"resource": pump_order(), "fullUrl": 5}]},
    ],
    ids=["without type", "without resourceType", "with empty entries", "with an odd fullUrl"],
)
def test_a_slightly_invalid_bundle_is_read(drafts: Json) -> None:
    request = read_hook_request(encoded(with_context(draftOrders=drafts)))
    assert [draft.reference for draft in request.drafts] == ["DeviceRequest/pump-1"]


@pytest.mark.parametrize("entry", [[], None])
def test_empty_draft_orders_are_no_error(entry: Any) -> None:
    drafts = {"resourceType": "Bundle", "entry": entry}
    assert read_hook_request(encoded(with_context(draftOrders=drafts))).drafts == ()


def test_two_hundred_orders_are_read_in_their_order() -> None:
    request = read_hook_request(encoded(sign(*(pump_order(f"o{n}") for n in range(200)))))
    assert [draft.reference for draft in request.drafts] == [f"DeviceRequest/o{n}" for n in range(200)]


@pytest.mark.parametrize(
    "resource", ["text", 5, [], {}, {"id": "1"}, {"resourceType": 5}, {"resourceType": ""}]
)
def test_an_entry_that_is_no_resource_is_refused_with_its_place(resource: Any) -> None:
    drafts = bundle(pump_order(), resource)
    error = refused(with_context(draftOrders=drafts))
    assert (error.status, error.where) == (422, "context.draftOrders.entry[1].resource")


@pytest.mark.req("B3.126")
def test_an_order_keeps_the_json_it_came_in() -> None:
    order = pump_order(unheard={"of": [1, None, "ü"]}, contained=[{"resourceType": "Location", "id": "l"}])
    (draft,) = read_hook_request(encoded(sign(order))).drafts
    assert msgspec.json.decode(draft.raw) == order


def test_an_order_of_an_unknown_type_is_kept_without_being_read() -> None:
    (draft,) = read_hook_request(encoded(sign({"resourceType": "MedicationOrder", "id": "1"}))).drafts
    assert (draft.kind, draft.reference, draft.resource) == ("MedicationOrder", "MedicationOrder/1", None)
    assert draft.is_order


def test_the_sandbox_order_with_an_object_for_a_list_is_read_and_the_mending_told() -> None:
    order = {
        "resourceType": "MedicationRequest",
        "id": "request-123",
        "status": "draft",
        "dosageInstruction": {"text": "daily"},
    }
    (draft,) = read_hook_request(encoded(sign(order))).drafts
    assert isinstance(draft.resource, MedicationRequest)
    assert draft.resource.dosageInstruction[0].text == "daily"
    assert [problem.where for problem in draft.problems] == [
        "context.draftOrders.entry[0].resource.dosageInstruction"
    ]


@pytest.mark.parametrize(
    "quantity",
    [
        {"value": 1},
        {"value": "1"},
        {"value": "many"},
        {"value": None},
        {"value": True},
        {"value": [1]},
        {"unit": 5},
    ],
)
def test_an_odd_quantity_in_an_order_is_no_error(quantity: Json) -> None:
    order = pump_order(parameter=[{"code": {"text": "quantity"}, "valueQuantity": quantity}])
    (draft,) = read_hook_request(encoded(sign(order))).drafts
    assert isinstance(draft.resource, DeviceRequest)


def test_a_number_beyond_all_bounds_in_an_order_is_no_error() -> None:
    body = encoded(sign(pump_order(parameter=[{"valueQuantity": {"value": 123456}}])))
    (draft,) = read_hook_request(body.replace(b"123456", b"1e999")).drafts
    assert isinstance(draft.resource, DeviceRequest)
    assert draft.problems


def test_a_code_without_a_system_is_read() -> None:
    (draft,) = read_hook_request(
        encoded(sign(pump_order(codeCodeableConcept={"coding": [{"code": "E0784"}]})))
    ).drafts
    assert isinstance(draft.resource, DeviceRequest)
    assert draft.problems == ()


@pytest.mark.parametrize("text", [b"\\ud800", b"\xff"], ids=["half a surrogate pair", "no UTF-8"])
@pytest.mark.parametrize("elements", [{"note": [{"text": "HERE"}]}, {"zz": {"HERE": 1}}, {"HERE": 1}])
def test_broken_text_inside_an_order_is_a_bad_request(elements: Json, text: bytes) -> None:
    error = refused(encoded(sign(pump_order(**elements))).replace(b"HERE", text))
    assert (error.status, error.code) == (400, "not-json")


def test_of_two_equal_keys_the_last_counts() -> None:
    body = encoded(sign()).replace(b'"patientId": "p1"', b'"patientId": "other", "patientId": "p1"')
    assert read_hook_request(body).patient_id == "p1"


def test_selections_name_drafts_relatively_absolutely_or_by_full_url() -> None:
    body = select(
        pump_order("a"), pump_order("b"), pump_order("c"), pump_order("d"),
        selections=["DeviceRequest/a", "https://ehr.example.org/fhir/DeviceRequest/b", "urn:uuid:1"],
    )  # fmt: skip
    body["context"]["draftOrders"]["entry"][2]["fullUrl"] = "urn:uuid:1"
    selected = read_hook_request(encoded(body)).selected
    assert selected == {"DeviceRequest/a", "DeviceRequest/b", "DeviceRequest/c"}


@pytest.mark.req("A2.18")
def test_order_select_needs_selections() -> None:
    error = refused(without(select(selections=[]), "context", "selections"))
    assert (error.status, error.where) == (422, "context.selections")


def test_empty_selections_select_nothing() -> None:
    assert read_hook_request(encoded(select(selections=[]))).selected == frozenset()


@pytest.mark.req("A2.18")
@pytest.mark.parametrize("selection", ["DeviceRequest/elsewhere", "", "pump-1"])
def test_selections_that_name_no_draft_are_refused(selection: str) -> None:
    error = refused(select(selections=[selection]))
    assert isinstance(error, UnusableError)
    assert error.where == "context.selections"
