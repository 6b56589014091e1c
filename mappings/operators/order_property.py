"""A property of the order itself: its code, drug, route, pump, indication, orderer ..."""

from __future__ import annotations

from mappings import order_facts
from mappings.evidence import Reading
from mappings.operators.base import Context, operator


@operator()
def order_property(context: Context, property: str) -> Reading:  # noqa: A002 - the word of the catalogue
    """Read one property of the order, by name (see mappings.order_facts.PROPERTIES)."""
    # Through the module: the properties import this package in turn.
    return order_facts.PROPERTIES[property](context)
