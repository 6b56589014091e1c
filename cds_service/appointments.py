"""Appointments: the orders that they are based on, and those that are based on none.

Criteria are held against orders: who orders, for which drug, from when on. Of an appointment alone
it can only be said that there is something to check.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from cds_service.contexts import based_on
from cds_service.hook_request import HookRequest
from cds_service.open_orders import Missing, relative
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


def orders_behind(request: HookRequest) -> dict[str, tuple[str, ...]]:
    """Reference of each appointment -> references of the orders at hand that it is based on."""
    found = {}
    for appointment in request.drafts:
        if appointment.kind == "Appointment":
            names = [name for written in based_on(appointment.raw) for name in (written, relative(written))]
            found[appointment.reference] = tuple(
                draft.reference
                for draft in request.drafts
                if draft.reference in names or (draft.full_url and draft.full_url in names)
            )
    return found
