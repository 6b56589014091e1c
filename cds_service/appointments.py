"""Appointments that are based on no order, though a policy lists what they are for.

Criteria are held against orders: who orders, for which drug, from when on. Of an appointment alone
it can only be said that there is something to check.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from cds_service.hook_request import HookRequest
from cds_service.open_orders import Missing
from mappings.codes import order_codes
from mappings.fhir import Appointment

_WHY = "the appointment is based on no order, and policies are held against orders"


def without_order(
    request: HookRequest, is_listed: Callable[[Sequence[tuple[str, str]]], bool]
) -> Iterator[Missing]:
    """What cannot be checked. is_listed: whether a policy lists any of some codes."""
    for draft in request.drafts:
        appointment = draft.resource
        if not isinstance(appointment, Appointment) or appointment.basedOn:
            continue
        for service in appointment.serviceType:
            if is_listed(order_codes(service)):
                label = service.text or next((c.display for c in service.coding if c.display), "")
                yield Missing(draft.reference, label or draft.reference, _WHY)
                break
