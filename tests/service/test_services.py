"""Services are found by id; discovery follows from the registry."""

from __future__ import annotations

import pytest

from cds_service.app import create_app
from cds_service.errors import NotFoundError
from cds_service.services import ORDER_SIGN, Registry, Service
from cds_service.settings import Settings
from tests.service.bodies import sign
from tests.service.fake_engine import FakeEngine

OTHER = Service(
    "enteral-pump-order-sign", "order-sign", "Enteral pumps", "Another one on the same hook.", "None."
)


@pytest.mark.req("A1.10")
def test_ids_are_stable() -> None:
    assert [service.id for service in Registry()] == [
        "infusion-pump-order-sign",
        "infusion-pump-order-select",
        "infusion-pump-order-dispatch",
        "infusion-pump-appointment-book",
        "infusion-pump-encounter-start",
        "infusion-pump-encounter-discharge",
    ]


@pytest.mark.req("A1.8")
def test_an_id_stands_once() -> None:
    with pytest.raises(ValueError, match="infusion-pump-order-sign"):
        Registry([ORDER_SIGN, ORDER_SIGN])


def test_an_unknown_id_is_answered_with_the_nearest() -> None:
    with pytest.raises(NotFoundError, match="did you mean infusion-pump-order-sign") as caught:
        Registry().get("infusion-pump-ordersign")
    assert caught.value.status == 404


def test_two_services_on_one_hook_are_both_listed_and_both_answer(fake_engine: FakeEngine) -> None:
    app = create_app(Settings(), fake_engine, services=Registry([ORDER_SIGN, OTHER]))  # type: ignore[arg-type]
    client = app.test_client()
    listed = client.get("/cds-services").json["services"]
    assert [(entry["id"], entry["hook"]) for entry in listed] == [
        ("infusion-pump-order-sign", "order-sign"),
        ("enteral-pump-order-sign", "order-sign"),
    ]
    ids = set()
    for entry in listed:
        response = client.post(f"/cds-services/{entry['id']}", json=sign(prefetch={"patient": None}))
        assert response.status_code == 200
        ids.add(response.json["cards"][0]["uuid"])
    assert len(ids) == 2


@pytest.mark.req("A1.3")
def test_no_services_are_an_empty_list(fake_engine: FakeEngine) -> None:
    app = create_app(Settings(), fake_engine, services=Registry([]))  # type: ignore[arg-type]
    response = app.test_client().get("/cds-services")
    assert (response.status_code, response.json) == (200, {"services": []})


def test_usage_requirements_are_listed_only_where_there_are_some() -> None:
    entries = Registry([ORDER_SIGN, OTHER]).discovery(lambda _: {})["services"]
    assert ["usageRequirements" in entry for entry in entries] == [False, True]
