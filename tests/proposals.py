"""Hook requests over charts built for a test, and the proposals that answer them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

import msgspec

from cards.response_types import RESPONSE_TYPES, ResponseType, Version
from cds_service.hook_answer import hook_answer
from cds_service.hook_request import read_hook_request
from cds_service.judging import Judge
from cds_service.prefetch import KINDS
from cds_service.proposing import Offers
from policies.engine import Engine
from tests.conformance.crd_check import violations
from tests.mappings.orders import Json

NOW = datetime(2026, 2, 16, 15, 0, tzinfo=UTC)
USER = "Practitioner/user"


def coverage(payer: str = "Aetna", **elements: Any) -> Json:
    found: Json = {
        "resourceType": "Coverage",
        "id": "cov",
        "status": "active",
        "subscriberId": "M-1",
        "relationship": {"coding": [{"code": "self"}]},
        "beneficiary": {"reference": "Patient/p"},
        "payor": [{"display": payer}],
        "period": {"start": "2025-01-01"},
    }
    return found | elements


def hook(*drafts: Json, chart: Iterable[Json] = (), **context: Any) -> Json:
    """An order-sign request whose prefetch answers every kind of resource."""
    resources = [{"resourceType": "Patient", "id": "p", "birthDate": "1980-05-01"}, *chart]
    prefetch: Json = {}
    for kind, asked in KINDS.items():
        entries = [{"resource": r} for r in resources if r["resourceType"] == kind]
        prefetch[asked.key] = {"resourceType": "Bundle", "type": "searchset", "total": len(entries)}
        if entries:
            prefetch[asked.key]["entry"] = entries
    others = [r for r in resources if r["resourceType"] not in KINDS]
    prefetch["more"] = {
        "resourceType": "Bundle",
        "type": "collection",
        "entry": [{"resource": r} for r in others],
    }
    return {
        "hook": "order-sign",
        "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
        "context": {
            "userId": USER,
            "patientId": "p",
            "draftOrders": {
                "resourceType": "Bundle",
                "type": "collection",
                "entry": [{"resource": d} for d in drafts],
            },
            **context,
        },
        "prefetch": prefetch,
    }


def answered(
    engine: Engine,
    request: Json,
    now: datetime = NOW,
    version: Version = "2.0",
    wanted: Callable[[ResponseType], bool] = lambda _: True,
    **offers: Any,
) -> Json:
    """The response of the service without HTTP, as its client reads it, in the configuration it sends."""
    configuration = {kind.code: wanted(kind) for kind in RESPONSE_TYPES}
    extension = {"davinci-crd.configuration": configuration, "davinci-crd.requestedVersion": version}
    asked = read_hook_request(json.dumps(request | {"extension": extension}).encode())
    judgement = Judge(engine, None, lambda: now).judge(asked)
    given = Offers(engine.orderables, **offers)
    answer = hook_answer(judgement.request, "service", judgement, given, show_met=False)
    found: Json = json.loads(msgspec.json.encode(answer))
    return found


def cards(response: Json, kind: ResponseType) -> list[Json]:
    """The cards of a response type: they carry something to do and the topic of the type."""
    return [
        card
        for card in response["cards"]
        if ("suggestions" in card or card.get("links", [{}])[0].get("type") == "smart")
        and card["source"]["topic"]["code"] == kind.topic
    ]


def only(response: Json, kind: ResponseType) -> Json:
    (card,) = cards(response, kind)
    return card


def resources(card: Json) -> list[Json]:
    """The resources of all actions of a card."""
    return [action["resource"] for s in card["suggestions"] for action in s["actions"]]


def broken(request: Json, response: Json, version: Any = "2.0") -> list[Any]:
    """What the proposals of a response break of CDS Hooks and CRD."""
    proposed = [c for c in response["cards"] if "suggestions" in c or "appContext" in str(c.get("links"))]
    assert proposed
    sent = [entry["resource"] for entry in request["context"]["draftOrders"]["entry"]]
    return violations({"cards": proposed}, version, sent=sent)
