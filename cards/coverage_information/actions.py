"""The system actions that write coverage information into the orders of a request.

Source: Da Vinci CRD 2.0.1 and 2.2.1, response type Coverage Information: one update for each order,
with the whole order; nothing else changed; none where nothing is new.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple

import msgspec
from msgspec import Raw

from cards.coverage_information.assertion import Assertion
from cards.coverage_information.extension import extension
from cards.coverage_information.mapping import asserted, asserted_without_coverage
from cards.coverage_information.order_json import OrderJson, part, says_the_same
from cards.response_types import Version
from policies.determination import Determination, Lapsed

_COVERAGE = re.compile(r"Coverage/([A-Za-z0-9\-.]{1,64})")
_COVERED = {
    "covered": "covered",
    "not-covered": "not covered",
    "conditional": "coverage depends on what is not shown yet",
    "indeterminate": "coverage could not be judged",
}

Questionnaire = Callable[[Determination], str | None]


def coverage_actions(
    orders: Mapping[str, bytes | Raw],
    determinations: Sequence[Determination],
    *,
    version: Version,
    hook: str,
    today: date,
    assertion_id: Callable[[str], str],
    questionnaire: Questionnaire = lambda _: None,
    lapsed: Sequence[Lapsed] = (),
    carried: Mapping[str, Collection[str]] = {},
) -> list[dict[str, Any]]:
    """One update for each order about which something new is asserted.

    orders: reference -> the order as the JSON text it came in. assertion_id: makes the trace id from
    the name of what is asserted about ("order coverage"), the same for the same name.
    questionnaire: canonical of the form for what is not documented, None for none. lapsed: orders
    whose coverage is not active. carried: an appointment among the orders -> the orders about which
    it carries what is asserted. The resource of an action is msgspec.Raw, to be encoded by msgspec.
    An order without id gets none (it could not be named), nor does one without a Coverage on the
    client's server, since the extension must refer to it.
    """
    said = {}
    for reference, raw in orders.items():
        mine = [d for d in determinations if d.order == reference]
        gone = [entry for entry in lapsed if entry.order == reference]
        if not (mine or gone):
            continue
        order = OrderJson(raw)
        assertions = [
            *_assertions(mine, order, version, hook, questionnaire),
            *(asserted_without_coverage(e, version) for e in gone if _is_known(e.coverage.reference, order)),
        ]
        label = mine[0].order_label if mine else gone[0].order_label
        said[reference] = _Said(label or reference, assertions)
    actions = []
    for reference, raw in orders.items():
        about = [said[name] for name in carried.get(reference, (reference,)) if name in said]
        assertions = [assertion for each in about for assertion in each.assertions]
        resource = OrderJson(raw) if assertions else None
        if resource is not None and resource.id:
            updated = _updated(resource, reference, assertions, version, today, assertion_id)
            if updated is not None:
                label = ", ".join(each.label for each in about)
                description = _description(label, assertions)
                actions.append({"type": "update", "description": description, "resource": updated})
    return actions


class _Said(NamedTuple):
    """What is asserted about one order; label: the order in words."""

    label: str
    assertions: list[Assertion]


def _assertions(
    determinations: Sequence[Determination],
    order: OrderJson,
    version: Version,
    hook: str,
    questionnaire: Questionnaire,
) -> list[Assertion]:
    """One for each coverage and policy. A policy that does not decide yields to one that does."""
    found = []
    by_coverage: dict[str, list[Determination]] = {}
    for determination in determinations:
        reference = determination.coverage.reference if determination.coverage else ""
        if _is_known(reference, order):
            by_coverage.setdefault(reference, []).append(determination)
    for reference, about in by_coverage.items():
        deciding = [d for d in about if d.outcome != "not-applicable"]
        for determination in deciding or about:
            assertion = asserted(determination, reference, version, hook)
            form = questionnaire(determination) if assertion.doc_needed else None
            found.append(
                msgspec.structs.replace(
                    assertion,
                    billing_codes=order.billing_codes,
                    questionnaires=(form,) if form else (),
                )
            )
    return found


def _is_known(reference: str, order: OrderJson) -> bool:
    """Whether a Coverage stands on the client's server, under a reference that others can use."""
    match = _COVERAGE.fullmatch(reference)
    return match is not None and not order.holds("Coverage", match[1])


def _updated(
    order: OrderJson,
    reference: str,
    assertions: Sequence[Assertion],
    version: Version,
    today: date,
    assertion_id: Callable[[str], str],
) -> Raw | None:
    """The order with what is new; None when all of it stands there already.

    An extension is ours when it carries our trace id for this order and coverage. Ours that says
    something else now is outdated and goes; those of others stay.
    """
    ids = {a.coverage: assertion_id(f"{reference} {a.coverage}") for a in assertions}
    wanted = [extension(a, ids[a.coverage], today.isoformat(), version) for a in assertions]
    ours = [e for e in order.asserted if part(e, "coverage-assertion-id") in ids.values()]
    added = [e for e in wanted if not any(says_the_same(e, old) for old in ours)]
    outdated = [e for e in ours if not any(says_the_same(e, new) for new in wanted)]
    return order.with_extensions(added, outdated) if added or outdated else None


def _description(label: str, assertions: Sequence[Assertion]) -> str:
    said = "; ".join(dict.fromkeys(_COVERED[a.covered] for a in assertions))
    return f"Coverage information for {label}: {said}"
