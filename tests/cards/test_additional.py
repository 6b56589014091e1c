"""Orders that settle what lacks: proposed when they can, and not when they cannot."""

from __future__ import annotations

from typing import Any

import pytest

from cards.proposals.additional import settling
from cards.response_types import ADDITIONAL_ORDERS
from mappings.codes import HCPCS
from mappings.orderables import Orderables
from policies.determination import Node
from policies.engine import Engine
from tests.builders import (
    CPT,
    LISPRO,
    LOINC,
    a1c,
    asked,
    condition,
    days_ago,
    encounter,
    insulin_pump_order,
    observation,
    procedure,
    resource,
    statement,
    taken,
)
from tests.implants import order as implant_order
from tests.implants import says
from tests.mappings.orders import Json, catalogue, concept
from tests.policies.northwood import coverage as northwood
from tests.policies.northwood import device_order, drug_order
from tests.proposals import USER, answered, broken, cards, coverage, hook, only, resources

YES, NO = {"valueBoolean": True}, {"valueBoolean": False}
EDUCATION = "education"


def insulin(*chart: Json, pump: dict[str, Any] | None = None, **context: Any) -> Json:
    """An insulin pump under Aetna for a user of injections; the chart adds what a test is about."""
    base = [coverage(), condition("E10.65", id="dm"), taken(LISPRO, 4, since="2024-01-01")]
    drafts = insulin_pump_order(**(pump or {}))
    return hook(*drafts, chart=[*base, *chart], **context)


def proposed(engine: Engine, request: Json) -> set[str]:
    """What is proposed, by the first code of each order."""
    found = cards(answered(engine, request), ADDITIONAL_ORDERS)
    return {r["code"]["coding"][0]["code"] for card in found for r in resources(card)}


def ordered(code: str, system: str = HCPCS, status: str = "active", **more: Any) -> Json:
    elements = {"status": status, "intent": "order", "code": concept((system, code))}
    return resource("ServiceRequest", elements, **more)


@pytest.mark.req("A4.44", "A4.46", "A4.47", "A4.48", "A4.50", "A4.51", "B2.118", "B2.121")
def test_education_that_is_not_on_file_is_proposed_in_two_ways(engine: Engine) -> None:
    request = insulin(
        pump={"reasonReference": [{"reference": "Condition/dm"}, {"reference": "#x"}]}, encounterId="e"
    )
    response = answered(engine, request)
    (card,) = (c for c in cards(response, ADDITIONAL_ORDERS) if EDUCATION in c["summary"])
    assert card["selectionBehavior"] == "at-most-one"
    assert [s["label"] for s in card["suggestions"]] == [
        "Order: Diabetes self-management education, individual",
        "Order: Diabetes self-management education, group",
    ]
    assert not any(s.get("isRecommended") for s in card["suggestions"])
    first = resources(card)[0]
    assert first == {
        "resourceType": "ServiceRequest",
        "status": "draft",
        "intent": "order",
        "code": {
            "coding": [
                {
                    "system": HCPCS,
                    "code": "G0108",
                    "display": "Diabetes outpatient self-management training services, individual, per 30 minutes",
                }
            ],
            "text": "Diabetes self-management education, individual",
        },
        "subject": {"reference": "Patient/p"},
        "encounter": {"reference": "Encounter/e"},
        "authoredOn": "2026-02-16",
        "requester": {"reference": USER},
        "reasonCode": [concept(("http://hl7.org/fhir/sid/icd-10-cm", "E10.65"))],
        "reasonReference": [{"reference": "Condition/dm"}],
        "insurance": [{"reference": "Coverage/cov"}],
    }
    assert "By hand: order" in card["detail"]
    assert broken(request, response) == []
    assert broken(request, answered(engine, request, version="2.2"), "2.2") == []


@pytest.mark.req("A4.45")
def test_a_single_way_is_recommended(engine: Engine) -> None:
    card = only(answered(engine, gallium()), ADDITIONAL_ORDERS)
    assert card["selectionBehavior"] == "any"
    assert card["suggestions"][0]["isRecommended"] is True
    codes = [[c["code"] for c in order["code"]["coding"]] for order in resources(card)]
    assert codes == [["17861-6"], ["1751-7"]]


@pytest.mark.parametrize(
    "chart",
    [[], [a1c(8.1, "2024-11-01")], [a1c(6.4, "2024-11-01")], [a1c(8.1, days_ago(20))]],
    ids=["nothing on file", "high, too old", "low, too old", "high, not for long enough"],
)
def test_no_hba1c_of_today_is_proposed_for_what_takes_results_over_months(
    chart: list[Json], engine: Engine
) -> None:
    response = answered(engine, insulin(*chart))
    assert "HbA1c has been above 7 percent for at least 6 months" in response["cards"][0]["detail"]
    assert proposed(engine, insulin(*chart)) == {"G0108", "G0109", "390906007"}


def gallium(*chart: Json) -> Json:
    """Gallium nitrate for hypercalcemia under Northwood; the chart adds what is on file of the calcium."""
    drafts = (device_order("E0781", "2026-02-16"), drug_order("25544", "gallium nitrate"))
    return hook(*drafts, chart=[northwood("512"), condition("E83.52"), *chart])


def low_calcium(unit: str = "mmol/L") -> Json:
    return observation("29265-6", 2.1, unit, days_ago(9), LOINC)


FOR_CALCIUM: dict[str, tuple[list[Json], bool]] = {
    "nothing on file": ([], True),
    "too low, which a new test does not change": ([low_calcium()], False),
    "a unit that cannot be read": ([low_calcium("furlong")], False),
    "ordered already": ([ordered("17861-6", LOINC)], False),
    "ordered under another code of the test": ([ordered("29265-6", LOINC)], False),
    "ordered once, and cancelled": ([ordered("17861-6", LOINC, "revoked")], True),
}


@pytest.mark.parametrize("name", FOR_CALCIUM)
def test_a_test_is_proposed_only_where_it_can_settle_something(name: str, engine: Engine) -> None:
    chart, expected = FOR_CALCIUM[name]
    assert ("17861-6" in proposed(engine, gallium(*chart))) is expected


@pytest.mark.parametrize(
    ("reason", "expected"),
    [("no_data", ["calcium"]), ("stale", ["calcium"]), ("too_short_a_record", []), ("conflicting", [])],
)
def test_an_order_settles_what_is_missing_or_too_old(
    reason: str, expected: list[str], engine: Engine
) -> None:
    node = Node("F-2", "unknown", fact="calcium_corrected_mg_dl", reason=reason)
    assert [found.name for found in settling(engine.orderables, node)] == expected


NOT_DONE = statement(diabetes_education_completed=NO)
NOTE = resource(
    "DocumentReference",
    {
        "status": "current",
        "type": concept((LOINC, "11506-3")),
        "date": "2026-02-10",
        "context": {"related": [{"reference": f"QuestionnaireResponse/{NOT_DONE['id']}"}]},
    },
)
FOR_EDUCATION: dict[str, tuple[list[Json], bool]] = {
    "nothing on file": ([], True),
    "only a part": ([procedure("97802", "2025-02-01", CPT)], True),
    "written down as not done": ([NOT_DONE, NOTE], True),
    "broken off": ([procedure("G0109", "2025-02-01", status="stopped")], True),
    "done": ([procedure("G0109", "2025-02-01", outcome={"text": "program completed"})], False),
    "under way": ([procedure("G0109", "2026-02-01", status="in-progress")], False),
    "stated as done, with no record": ([statement(diabetes_education_completed=YES)], False),
    "ordered": ([ordered("G0109")], False),
    "ordered for another patient": ([ordered("G0109", subject={"reference": "Patient/x"})], True),
    "booked": (
        [
            resource(
                "Appointment",
                {"subject": None, "status": "booked", "serviceType": [concept((HCPCS, "G0108"))]},
            )
        ],
        False,
    ),
}


@pytest.mark.req("B1.102")
@pytest.mark.parametrize("name", FOR_EDUCATION)
def test_education_is_proposed_unless_it_is_done_or_on_its_way(name: str, engine: Engine) -> None:
    chart, expected = FOR_EDUCATION[name]
    assert ("G0108" in proposed(engine, insulin(*chart))) is expected


def test_a_draft_beside_the_order_counts_as_ordered(engine: Engine) -> None:
    request = insulin()
    request["context"]["draftOrders"]["entry"].append({"resource": ordered("G0109", status="draft")})
    assert "G0108" not in proposed(engine, request)


@pytest.mark.parametrize("value", [{"resourceType": "OperationOutcome"}, None], ids=["failed", "not asked"])
def test_nothing_is_proposed_where_the_record_was_not_seen(value: Any, engine: Engine) -> None:
    request = insulin()
    if value is None:
        del request["prefetch"]["procedures"]
    else:
        request["prefetch"]["procedures"] = value
    assert "G0108" not in proposed(engine, request)
    assert "390906007" in proposed(engine, request)


@pytest.mark.parametrize(
    ("user", "requester", "expected"),
    [
        ("PractitionerRole/r", "Practitioner/dr", "PractitionerRole/r"),
        ("Patient/p", "Practitioner/dr", "Practitioner/dr"),
        ("Patient/p", "Organization/o", None),
    ],
)
def test_who_orders_is_the_user_else_who_signs(
    user: str, requester: str, expected: str | None, engine: Engine
) -> None:
    request = insulin(pump={"id": "pump"}, userId=user)
    request["context"]["draftOrders"]["entry"][0]["resource"]["requester"] = {"reference": requester}
    found = cards(answered(engine, request), ADDITIONAL_ORDERS)
    named = {r["requester"]["reference"] for card in found for r in resources(card)}
    assert named == ({expected} if expected else set())


@pytest.mark.parametrize(
    ("visits", "expected"),
    [([encounter("2025-05-01", USER)], True), ([encounter("2026-01-20", USER)], False), ([], True)],
    ids=["too long ago", "recent", "none"],
)
def test_a_visit_is_proposed_when_the_last_is_too_long_ago(
    visits: list[Json], expected: bool, engine: Engine
) -> None:
    request = insulin(*visits)
    request["context"]["draftOrders"]["entry"][0]["resource"]["requester"] = {"reference": USER}
    assert ("390906007" in proposed(engine, request)) is expected


PAIN: dict[str, tuple[list[Json], bool]] = {
    "nothing on file": ([], True),
    "booked for later": ([procedure("96130", "2026-03-20", CPT, status="preparation")], False),
    "done, result open": ([procedure("90791", "2026-01-20", CPT)], False),
    "found unfavorable": ([says(psych_eval_done=True, psych_eval_favorable=False)], False),
}


@pytest.mark.parametrize("name", PAIN)
def test_a_psychological_evaluation_is_proposed_while_it_is_not_done(name: str, engine: Engine) -> None:
    chart, expected = PAIN[name]
    request = hook(*implant_order(), chart=[coverage(), says(pain_malignant=False), *chart])
    assert ("96130" in proposed(engine, request)) is expected


def test_a_consultation_names_the_specialty_and_is_not_proposed_twice(engine: Engine) -> None:
    drafts = (device_order("E0781", "2026-02-16"), drug_order("3616", "dobutamine"))
    chart = [northwood("512")]
    card = only(answered(engine, hook(*drafts, chart=chart)), ADDITIONAL_ORDERS)
    (order,) = resources(card)
    assert order["performerType"]["coding"][0]["code"] == "207RA0001X"
    accepted = order | {"id": "accepted", "status": "active"}
    assert cards(answered(engine, hook(*drafts, chart=[*chart, accepted])), ADDITIONAL_ORDERS) == []


@pytest.mark.parametrize("contained", [False, True])
def test_the_coverage_is_named_where_others_can_refer_to_it(contained: bool, engine: Engine) -> None:
    request = insulin()
    if contained:
        order = request["context"]["draftOrders"]["entry"][0]["resource"]
        order |= {"contained": [coverage(id="c")], "insurance": [{"reference": "#c"}]}
        request["prefetch"]["coverage"] = {"resourceType": "Bundle"}
    found = cards(answered(engine, request), ADDITIONAL_ORDERS)
    assert found
    assert all(("insurance" in r) is not contained for card in found for r in resources(card))


def test_accepted_proposals_are_not_made_again(engine: Engine) -> None:
    found = cards(answered(engine, insulin()), ADDITIONAL_ORDERS)
    accepted = [
        r | {"id": f"a{n}", "status": "active"} for n, card in enumerate(found) for r in resources(card)[:1]
    ]
    assert len(accepted) == 2
    assert cards(answered(engine, insulin(*accepted)), ADDITIONAL_ORDERS) == []


def done(code: str, system: str, record: str) -> Json:
    """What the record holds when an order has been carried out."""
    if record == "Observation":
        return observation(code, 8.2, "mg/dL" if code != "4548-4" else "%", days_ago(3), system)
    if record == "Procedure":
        return procedure(code, days_ago(3), system, outcome={"text": "program completed"})
    return encounter(days_ago(3), "PractitionerRole/role", type=[concept((system, code))])


@pytest.mark.parametrize("fact", ["diabetes_education_completed", "psych_eval_done", "psych_eval_date",
    "last_treating_physician_visit_date", "face_to_face_date", "calcium_corrected_mg_dl", "hba1c_latest_pct"])  # fmt: skip
def test_an_order_that_is_carried_out_settles_its_fact(fact: str, engine: Engine) -> None:
    orderable = engine.orderables.by_fact[fact]
    for choice in orderable.choices:
        first = [item.codes[0] for item in choice.items]
        chart = [done(coding.code, coding.system, orderable.record) for coding in first]
        if fact == "calcium_corrected_mg_dl":
            chart[1] |= {
                "valueQuantity": {
                    "value": 4.0,
                    "unit": "g/dL",
                    "code": "g/dL",
                    "system": "http://unitsofmeasure.org",
                }
            }
        assert asked(*chart).book.fact(fact).computed.known


def test_every_code_is_one_of_a_value_set_with_its_source(engine: Engine) -> None:
    for orderable in engine.orderables.by_fact.values():
        for item in (item for choice in orderable.choices for item in choice.items):
            for coding in item.codes:
                verified = engine.value_sets.memberships(coding.system, coding.code)
                assert verified or coding.code == "83036", coding


@pytest.mark.req("A4.47")
def test_a_repeated_call_gives_the_same_cards_and_every_uuid_once(engine: Engine) -> None:
    request = insulin()
    first, again = answered(engine, request), answered(engine, request)
    assert first == again
    found = cards(first, ADDITIONAL_ORDERS)
    uuids = [u for card in found for u in (card["uuid"], *(s["uuid"] for s in card["suggestions"]))]
    assert len(uuids) > 4
    assert len(set(uuids)) == len(uuids)


def test_without_a_known_payer_nothing_is_proposed(engine: Engine) -> None:
    request = insulin()
    request["prefetch"]["coverage"] = {"resourceType": "Bundle"}
    response = answered(engine, request)
    assert [c["source"]["label"] for c in response["cards"]] == ["coverage-hooks"]


def test_orderables_of_a_policy_folder_are_read_too(tmp_path: Any, engine: Engine) -> None:
    path = tmp_path / "orderables.yaml"
    path.write_text(
        "ketones:\n  says: ketones\n  facts: [dawn_phenomenon]\n  record: Observation\n  choices:\n"
        '    - {says: Ketones, items: [{codes: [{system: loinc, code: "1", display: Ketones}]}]}\n'
    )
    found = Orderables.load(catalogue(), engine.value_sets, path)
    assert found.by_fact["dawn_phenomenon"].choices[0].items[0].codes[0].system == LOINC
