"""The limits that a policy states as data, as details of an assertion.

An amount (3 mo) is an allowed-quantity. A span (P3M) is an allowed-period: it begins on the day
that counts for the order.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from cards.coverage_information.assertion import Detail
from mappings.codes import systems
from mappings.dates import after
from policies.determination import Determination, Limit, Node


def limit_details(determination: Determination) -> list[Detail]:
    """The limits of the criteria on open paths, of the prior authorization rule and of the caveats.

    None for an order that the policy does not cover or does not decide.
    """
    if determination.outcome in ("excluded", "not-applicable"):
        return []
    found = list(_of_criteria(determination.criteria))
    stated = (determination.prior_authorization, *determination.caveats)
    found += [(item.limit, item.says) for item in stated if item is not None and item.limit is not None]
    return [_detail(limit, says, determination.as_of) for limit, says in dict.fromkeys(found)]


def _of_criteria(node: Node) -> Iterator[tuple[Limit, str]]:
    """A path that its gate shuts is for other orders, and so are its limits."""
    if node.limit is not None:
        yield node.limit, node.says
    if not node.gate:
        for inner in node.criteria:
            yield from _of_criteria(inner)


def _detail(limit: Limit, says: str, as_of: str) -> Detail:
    if limit.span:
        start = date.fromisoformat(as_of)
        last = after(start, limit.span) - timedelta(days=1)
        period = {"start": start.isoformat(), "end": last.isoformat()}
        return Detail("allowed-period", "cat-limitation", ("valuePeriod", period), says)
    assert limit.amount is not None
    amount = int(limit.amount) if limit.amount % 1 == 0 else limit.amount
    quantity = {"value": amount, "unit": limit.unit, "system": systems()["ucum"].uri, "code": limit.unit}
    return Detail("allowed-quantity", "cat-limitation", ("valueQuantity", quantity), says)
