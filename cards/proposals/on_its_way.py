"""Whether something is ordered, booked or under way already, so that nobody orders it twice."""

from __future__ import annotations

from collections.abc import Iterator

from cards.proposals.context import Context
from mappings.codes import key
from mappings.fhir import Appointment, CodeableConcept, Coding, Encounter, Procedure, Resource, ServiceRequest
from mappings.orderables import Item, Orderable

_ORDERED = ("draft", "active", "on-hold", "")
_UNDER_WAY = ("preparation", "in-progress", "on-hold")
_BOOKED = ("proposed", "pending", "booked", "arrived", "checked-in", "waitlist")
_PLANNED = ("planned", "arrived", "triaged", "in-progress")


def on_its_way(context: Context, orderable: Orderable) -> bool:
    """Whether the chart or the request holds an order of the same, a booking, or the deed half done.

    The draft orders of the request count, for a clinician may have drafted both together.
    """
    wanted = {key(c) for choice in orderable.choices for item in choice.items for c in telling(item)}
    sets = context.chart.value_sets
    return any(
        any(key(coding) in wanted for coding in concept.coding)
        or any(sets.match(name, concept) is not None for name in orderable.same)
        for concept in _awaited(context)
        if concept is not None
    )


def telling(item: Item) -> tuple[Coding, ...]:
    """The codes that tell an order of the item: of a consultation, the specialty alone."""
    return item.codes if item.performer is None else (item.performer,)


def _awaited(context: Context) -> Iterator[CodeableConcept | None]:
    """What is ordered, booked, planned or being done."""
    chart = context.chart
    requests: list[Resource] = [*context.drafts, *chart.of(ServiceRequest)]
    for request in requests:
        if isinstance(request, ServiceRequest) and request.status in _ORDERED and not request.doNotPerform:
            yield from (request.code, request.performerType)
    for appointment in chart.of(Appointment):
        if appointment.status in _BOOKED:
            yield from appointment.serviceType
    for procedure in chart.of(Procedure):
        if procedure.status in _UNDER_WAY:
            yield procedure.code
    for encounter in chart.of(Encounter):
        if encounter.status in _PLANNED:
            yield from (*encounter.type, encounter.serviceType)
