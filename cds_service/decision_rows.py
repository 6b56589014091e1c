"""What is kept of a judgement and its cards, without saying whom they are about.

Patient, orders and cards become keyed hashes. Criteria are named by id with their state; evidence,
notes and dates of resources stay out. What senders write freely is kept only in a form that can
hold no name: a UUID, an NPI, a code that a policy lists.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from uuid import UUID

from cards.comparison import EXTENSION as SEVERAL
from cards.deck import EXTENSION as ONE
from cds_service.callers import npis
from cds_service.hook_request import HookRequest
from cds_service.judging import Judgement
from cds_service.store.decisions import Row
from cds_service.store.keyed_hash import KeyedHash
from mappings.fhir import RESOURCE_TYPES
from policies.determination import Determination, Node, NotEvaluated, walk


def request_row(request: HookRequest, hashes: KeyedHash) -> Row:
    """The columns of `call` that tell who was asked about, and by which call of a hook."""
    return {
        "hook": request.hook,
        "hook_instance": _instance(request.hook_instance, hashes),
        "patient_hash": hashes.of("patient", request.patient_id),
    }


def judgement_row(request: HookRequest, judgement: Judgement, hashes: KeyedHash) -> Row:
    """The columns of `call` that tell on what the judgement rests."""
    chart = judgement.chart
    user_npi, group_npi = npis(request.user_id, chart) if chart else ("", "")
    counts = sorted(chart.counts.items()) if chart else []
    return {
        "token_use": judgement.token_use,
        "user_npi": user_npi,
        "group_npi": group_npi,
        "sources": [{"type": kind, "from": str(origin), "count": count} for (kind, origin), count in counts],
        "could_not": list(judgement.could_not),
        "left_out": _left_out(judgement),
        "not_evaluated": [_not_evaluated_row(entry, hashes) for entry in judgement.report.not_evaluated],
        "problems": len(judgement.problems),
    }


def _not_evaluated_row(entry: NotEvaluated, hashes: KeyedHash) -> Row:
    kind = _type(entry.order)
    # The reason may repeat a type, and a type that nobody knows may be anything.
    why = entry.why if kind else "no loaded policy reads its type"
    return {"order": hashes.of("order", entry.order), "type": kind, "why": why}


def determination_rows(judgement: Judgement, hashes: KeyedHash) -> list[Row]:
    """The rows of `determination`, without their call."""
    return [
        _determination_row(found, judgement.codes.get(found.order, ("", "")), hashes)
        for found in judgement.report.determinations
    ]


def _determination_row(found: Determination, code: tuple[str, str], hashes: KeyedHash) -> Row:
    policy, authorization = found.policy, found.prior_authorization
    return {
        "order_hash": hashes.of("order", found.order),
        "order_type": _type(found.order),
        "code_system": code[0],
        "code": code[1],
        "policy": policy.id,
        "policy_version": policy.version,
        "policy_sha256": policy.sha256,
        "payer": policy.payer,
        "line_of_business": found.coverage.line_of_business if found.coverage else "",
        "part": found.service or "",
        "as_of": found.as_of,
        "outcome": found.outcome,
        "states": {
            "criteria": _states([found.criteria]),
            "exclusions": _states(found.exclusions),
            "documentation": _states(found.documentation),
            "reservations": _states(found.reservations),
        },
        "lacking": found.lacking,
        "asks": found.asks,
        "prior_authorization": authorization.answer if authorization else "",
    }


def _states(nodes: Iterable[Node]) -> dict[str, str]:
    """Criterion or group -> state, with the reason where it is unknown ("unknown:no_data")."""
    return {
        node.id: f"{node.state}:{node.reason}" if node.reason else node.state
        for root in nodes
        for node in walk(root)
    }


def card_rows(card: Mapping[str, Any], hashes: KeyedHash) -> Iterator[Row]:
    """The rows of `issued_card` for a card, without their call; a card of no policy has one too."""
    extension = card.get("extension", {})
    about: list[Determination | None] = (
        [extension[ONE]] if ONE in extension else extension.get(SEVERAL, [None])
    )
    for found in about:
        yield {
            "card_hash": hashes.of("card", card["uuid"]),
            "policy": found.policy.id if found else "",
            "policy_version": found.policy.version if found else "",
            "order_hash": hashes.of("order", found.order) if found else "",
            "outcome": found.outcome if found else "",
            "indicator": card["indicator"],
            "topic": card["source"].get("topic", {}).get("code", ""),
        }


def _instance(written: str, hashes: KeyedHash) -> str:
    """A hookInstance as written when it is a UUID, as it should be; else it might say anything."""
    try:
        return str(UUID(written))
    except ValueError:
        return hashes.uuid("hookInstance", written)


def _left_out(judgement: Judgement) -> list[Row]:
    counts = Counter((_type(entry.resource), entry.why) for entry in judgement.left_out)
    return [{"type": kind, "why": why, "count": count} for (kind, why), count in sorted(counts.items())]


def _type(reference: str) -> str:
    """The resource type of a reference, "" where it tells none."""
    kind = reference.partition("/")[0]
    return kind if kind in RESOURCE_TYPES else ""
