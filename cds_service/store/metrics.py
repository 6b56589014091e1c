"""The calls of the hooks as Da Vinci CRD counts them, from the side of the payer.

What the model requires and the call did not tell carries the extension data-absent-reason.
Source: CRD 2.2, logical model CRDMetricData, section Metrics.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, Table, select

from cds_service.errors import CODE_SYSTEM, ServiceError
from cds_service.store.tables import call, determination, feedback, issued_card

Json = dict[str, Any]

NPI_SYSTEM = "http://hl7.org/fhir/sid/us-npi"
PAYER_SYSTEM = "urn:coverage-hooks:payer"
_ABSENT = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"
_ISSUES = {kind.status: kind.issue for kind in ServiceError.__subclasses__()}
_ENGAGEMENT = {"accepted": "accept", "overridden": "override"}
_BATCH = 500


def crd_metric_data(connection: Connection, since: datetime, until: datetime) -> Iterator[Json]:
    """One CRDMetricData for each call of a hook asked from `since` on and before `until`, by time."""
    hooks = select(call).where(
        call.c.asked_at >= since, call.c.asked_at < until, call.c.service != "determinations"
    )
    for calls in connection.execute(hooks.order_by(call.c.asked_at, call.c.id)).partitions(_BATCH):
        ids = [row.id for row in calls]
        determinations = _by_call(connection, determination, ids)
        cards = _by_call(connection, issued_card, ids)
        engagement = _engagement(connection, ids)
        for row in calls:
            yield _metric_data(row, determinations[row.id], cards[row.id], engagement)


def _by_call(connection: Connection, table: Table, ids: Sequence[str]) -> dict[str, list[Row[Any]]]:
    found: dict[str, list[Row[Any]]] = defaultdict(list)
    for row in connection.execute(select(table).where(table.c.call.in_(ids))):
        found[row.call].append(row)
    return found


def _engagement(connection: Connection, ids: Sequence[str]) -> dict[str, str]:
    """Card -> what the clinician did with it last."""
    joined = feedback.join(issued_card, issued_card.c.card_hash == feedback.c.card_hash)
    given = select(feedback.c.card_hash, feedback.c.outcome).select_from(joined)
    rows = connection.execute(given.where(issued_card.c.call.in_(ids)).order_by(feedback.c.outcome_at))
    return {card: _ENGAGEMENT[outcome] for card, outcome in rows}


def _metric_data(
    row: Row[Any], determinations: Sequence[Row[Any]], cards: Sequence[Row[Any]], engagement: dict[str, str]
) -> Json:
    payers = {found.payer for found in determinations}
    data: Json = {
        "source": "payer-src",
        "hookInstance": row.hook_instance,
        "hookType": row.hook,
        "providerId": _identifier(NPI_SYSTEM, row.user_npi),
        "groupId": _identifier(NPI_SYSTEM, row.group_npi),
        "payerId": _identifier(PAYER_SYSTEM, payers.pop() if len(payers) == 1 else ""),
        "requestTime": _instant(row.asked_at),
        "responseTime": _instant(row.asked_at + timedelta(milliseconds=row.took_ms)),
        "httpResponse": row.status,
        "tokenUse": row.token_use,
    }
    if row.status >= 400:
        details = {"coding": [{"system": CODE_SYSTEM, "code": row.error}]}
        data["issue"] = [{"code": _ISSUES.get(row.status, "processing"), "details": details}]
    resources = [_resource(found) for found in row.sources if found["from"] in ("prefetch", "fhir-server")]
    if resources:
        data["resources"] = resources
    data["request"] = _requests(row, determinations, cards, engagement)
    return data


def _requests(
    row: Row[Any], determinations: Sequence[Row[Any]], cards: Sequence[Row[Any]], engagement: dict[str, str]
) -> list[Json]:
    orders: dict[str, Json] = {}
    for found in determinations:
        coding = {"system": found.code_system, "code": found.code}
        detail = {"coding": [coding]} if found.code else _absent("masked")
        orders.setdefault(found.order_hash, {"type": found.order_type, "orderDetail": detail})
    for entry in row.not_evaluated:
        # An order that no policy judges is none of our business: its code is not kept.
        orders.setdefault(entry["order"], {"type": entry["type"], "orderDetail": _absent("masked")})
    for order, request in orders.items():
        # A card of several policies is one response.
        shown = {card.card_hash: card for card in cards if card.order_hash == order}
        responses = [_card(card, request["type"], engagement) for card in shown.values()]
        responses += [
            _coverage(entry, request["type"]) for entry in row.coverage_information if entry["order"] == order
        ]
        if responses:
            request["response"] = responses
    return list(orders.values())


def _card(card: Row[Any], order_type: str, engagement: dict[str, str]) -> Json:
    response: Json = {"type": card.topic} if card.topic else {}
    return response | {"focus": [order_type], "engagement": engagement.get(card.card_hash, "ignore")}


def _coverage(entry: Json, order_type: str) -> Json:
    information = {name: value for name, value in entry.items() if name not in ("order", "questionnaire")}
    if "questionnaire" in entry:
        information["questionnaire"] = [
            {"reference": reference, "adaptive": False, "response": False}
            for reference in entry["questionnaire"]
        ]
    return {"type": "coverage-info", "focus": [order_type], "coverageInfo": [information]}


def _resource(found: Json) -> Json:
    return {"type": found["type"], "count": found["count"], "prefetch": found["from"] == "prefetch"}


def _identifier(system: str, value: str) -> Json:
    return {"system": system, "value": value} if value else _absent("unknown")


def _absent(reason: str) -> Json:
    return {"extension": [{"url": _ABSENT, "valueCode": reason}]}


def _instant(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds")
