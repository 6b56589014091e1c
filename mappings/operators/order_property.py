"""A property of the order itself: its code, drug, route, pump, indication, orderer ..."""

from __future__ import annotations

from mappings.evidence import Reading
from mappings.operators.base import Context, operator
from mappings.order_facts import PROPERTIES


@operator()
def order_property(context: Context, property: str) -> Reading:  # noqa: A002 - the word of the catalogue
    """Read one property of the order, by name (see mappings.order_facts.PROPERTIES)."""
    reading: Reading = PROPERTIES[property](context)
    return reading
