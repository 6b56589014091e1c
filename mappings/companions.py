"""The pump that an accessory or a supply goes with, as an order that can be judged like any other.

An accessory names the order of its pump in supportingInfo, or shares its group, or stands beside it
among the drafts; or the pump is in use already. Where a policy covers an item only with a covered
pump, the same policy is asked about that pump, with its drug, on the day of the item's order.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date

from msgspec import Struct, structs

from mappings.chart import Chart, reference_of
from mappings.codes import order_codes
from mappings.dates import may_include
from mappings.fhir import (
    Device,
    DeviceRequest,
    DeviceUseStatement,
    MedicationRequest,
    Period,
    Request,
    ServiceRequest,
)
from mappings.order import Order, ordered_item
from mappings.pumps import pumps


class DecidedPump(Struct, frozen=True):
    """What the policy says of the pump that an item goes with.

    outcome: of the determination, "" when the policy has no answer. criteria: the state of its
    criteria alone (met, unmet, unknown, "").
    """

    order: Order
    outcome: str
    criteria: str


def requests_beside(order: Order, chart: Chart) -> list[Request]:
    """The orders that go with an order: those that it names and those of its group, else all other drafts.

    A named one may be an active order of the record.
    """
    resource = order.resource
    others = [r for r in order.others if isinstance(r, DeviceRequest | ServiceRequest)]
    found: list[Request] = []
    for reference in (*resource.supportingInfo, *resource.basedOn):
        named = chart.resolve(reference, resource)
        if named is None:
            named = next((r for r in others if r.id and reference.reference == reference_of(r)), None)
        if isinstance(named, DeviceRequest | ServiceRequest) and named.status in ("draft", "active"):
            found.append(named)
    group = resource.groupIdentifier
    if group is not None and group.value:
        found += [r for r in others if r.groupIdentifier == group and all(r is not f for f in found)]
    return found or list(others)


def uses_on(chart: Chart, day: date) -> Iterator[tuple[DeviceUseStatement, Device]]:
    """The recorded uses of devices that may include a day."""
    for use in chart.of(DeviceUseStatement):
        device = chart.resolve(use.device, use)
        period = use.timingPeriod or Period()
        if (
            use.status in ("active", "")
            and isinstance(device, Device)
            and may_include(period.start, period.end, day)
        ):
            yield use, device


def with_pumps(orders: Sequence[Order], chart: Chart) -> list[Order]:
    """The orders of a request, each item with the orders of the pumps that it goes with.

    A pump in use is judged as if it were ordered now, for the drug of the item's order. An item whose
    order has no drug of its own is for the drug of its pump.
    """
    return [_with_pumps(order, orders, chart) for order in orders]


def _with_pumps(order: Order, orders: Sequence[Order], chart: Chart) -> Order:
    pump_orders = _pumps_of(order, orders, chart)
    drugs = {id(drug): drug for pump in pump_orders for drug in pump.drug_orders}
    return structs.replace(order, pumps=pump_orders, drug_orders=order.drug_orders or tuple(drugs.values()))


def _pumps_of(order: Order, orders: Sequence[Order], chart: Chart) -> tuple[Order, ...]:
    if isinstance(order.resource, MedicationRequest) or is_pump(order):
        return ()
    found = []
    for request in requests_beside(order, chart):
        mine = next((other for other in orders if other.resource is request), None)
        found.append(mine or _of_record(request, order, chart))
    for _, device in uses_on(chart, order.day):
        if device.type is not None and isinstance(order.resource, DeviceRequest):
            pump = structs.replace(order.resource, codeCodeableConcept=device.type, codeReference=None)
            found.append(structs.replace(order, resource=pump, codes=order_codes(device.type)))
    return tuple(pump for pump in found if is_pump(pump))


def is_pump(order: Order) -> bool:
    """Whether an order is for a pump, by its code or its name."""
    return any(item.is_pump for item in pumps().items(order.listed_by))


def _of_record(request: Request, order: Order, chart: Chart) -> Order:
    named = [chart.resolve(reference, request) for reference in (*request.supportingInfo, *request.basedOn)]
    drugs = tuple(r for r in named if isinstance(r, MedicationRequest) and r.status in ("draft", "active"))
    return Order(
        resource=request,
        codes=order_codes(ordered_item(request, chart)),
        day=order.day,
        drug_orders=drugs or order.drug_orders,
        others=order.others,
    )
