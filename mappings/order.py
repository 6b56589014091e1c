"""The order in question: its codes, its day, and the other drafts that belong to it.

A pump and the drug drafted for it are one question: the pump's order names the MedicationRequest
in supportingInfo, or both share a groupIdentifier, or they are the only two that could belong
together (mappings.delivery). The drug's order then needs no answer of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from msgspec import Struct

from mappings.chart import Chart, reference_of
from mappings.codes import ANSWER_SYSTEM, FACT_SYSTEM, order_codes
from mappings.dates import span
from mappings.delivery import may_be_delivered, pump_classes
from mappings.drugs import Drugs
from mappings.evidence import Basis, Evidence, Origin, Reading, Reason, unknown
from mappings.fhir import (
    CodeableConcept,
    Device,
    DeviceRequest,
    Medication,
    MedicationRequest,
    Quantity,
    Reference,
    Request,
    RequestParameter,
    Resource,
    ServiceRequest,
)
from mappings.medication_codes import medication_concepts
from mappings.pumps import pumps as pumps_by_code
from mappings.units import in_unit


class Order(Struct, frozen=True):
    """One draft order and what belongs to it.

    codes: canonical (system, code) pairs of the ordered item. named: of a pump that is ordered by its
    name alone, the code of a pump of its kind. day: day 0. drug_orders: the
    MedicationRequests whose drug it delivers. others: the remaining drafts of the request. pumps: of
    an accessory or a supply, the orders of the pumps that it goes with (mappings.companions).
    """

    resource: Request
    codes: tuple[tuple[str, str], ...]
    day: date
    drug_orders: tuple[MedicationRequest, ...] = ()
    others: tuple[Request, ...] = ()
    pumps: tuple[Order, ...] = ()
    named: tuple[tuple[str, str], ...] = ()

    @property
    def listed_by(self) -> tuple[tuple[str, str], ...]:
        """The codes by which a policy may list the order."""
        return (*self.codes, *self.named)

    @property
    def reference(self) -> str:
        return reference_of(self.resource)

    def evidence(
        self, value: Any = None, unit: str = "", says: str = "", of: Resource | None = None
    ) -> Evidence:
        """Evidence that rests on the order itself, or on a companion order `of` it."""
        resource = of or self.resource
        written = getattr(resource, "authoredOn", "") or self.day.isoformat()
        return Evidence(reference_of(resource), Origin.ORDER, written[:10], value, unit, says)

    def parameter_names(self) -> frozenset[str]:
        """The facts of which DeviceRequest.parameter says something."""
        if not isinstance(self.resource, DeviceRequest):
            return frozenset()
        concepts = [parameter.code for parameter in self.resource.parameter if parameter.code is not None]
        codings = [coding for concept in concepts for coding in concept.coding]
        return frozenset(coding.code for coding in codings if coding.system == FACT_SYSTEM)

    def parameter(self, name: str, kind: str, unit: str) -> Reading | None:
        """What DeviceRequest.parameter says of a fact (code `urn:coverage-hooks:fact|<name>`)."""
        if not isinstance(self.resource, DeviceRequest) or not self.resource.parameter:
            return None
        for parameter in self.resource.parameter:
            concept = parameter.code
            if concept is None or not any(
                coding.system == FACT_SYSTEM and coding.code == name for coding in concept.coding
            ):
                continue
            value = _parameter_value(parameter, kind, unit)
            if value is None:
                says = f"the order's parameter {name} cannot be read as {kind}"
                return unknown(Reason.UNIT_MISMATCH, says, (self.evidence(says=says),))
            evidence = self.evidence(value, unit if isinstance(value, float) else "")
            return Reading(value, evidence=(evidence,), basis=Basis.ORDER)
        return None


def _parameter_value(parameter: RequestParameter, kind: str, unit: str) -> Any:
    if kind == "boolean":
        return parameter.valueBoolean
    if kind in ("decimal", "integer"):
        return None if parameter.valueQuantity is None else in_unit(parameter.valueQuantity, unit)
    concept = parameter.valueCodeableConcept
    if concept is None:
        return None
    ours = next((coding.code for coding in concept.coding if coding.system == ANSWER_SYSTEM), "")
    return ours or next((coding.code for coding in concept.coding if coding.code), concept.text) or None


_WITHDRAWN = frozenset({"revoked", "cancelled", "stopped", "entered-in-error", "not-taken"})


def orders_of(drafts: Sequence[Resource], chart: Chart, today: date, drugs: Drugs) -> list[Order]:
    """The orders that need an answer, in the order of the request.

    `today` is day 0 for an order without authoredOn, or with one in the future. Orders that are
    withdrawn, entered in error or say doNotPerform are no orders.
    """
    requests = [draft for draft in drafts if isinstance(draft, Request) and _is_order(draft)]
    medications = [
        r for r in requests if isinstance(r, MedicationRequest) and not _is_prescribed_pump(r, chart, drugs)
    ]
    pumps = [r for r in requests if all(r is not m for m in medications)]
    companions = {id(pump): _companions(pump, pumps, medications, chart, drugs) for pump in pumps}
    taken = {id(drug) for found in companions.values() for drug in found}
    orders = []
    for request in requests:
        if id(request) in taken:
            continue
        is_pump = id(request) in companions
        mine = companions.get(id(request)) or [drug for drug in medications if drug is request]
        item = ordered_item(request, chart)
        orders.append(
            Order(
                resource=request,
                codes=order_codes(item),
                named=_named(request, item, is_pump),
                day=_day(request, today),
                drug_orders=tuple(mine),
                others=tuple(r for r in requests if r is not request and all(r is not m for m in mine)),
            )
        )
    return orders


def _is_prescribed_pump(request: MedicationRequest, chart: Chart, drugs: Drugs) -> bool:
    """Whether a pump is prescribed like a drug, as pharmacies dispense those that are worn as a patch."""
    concepts = _concepts(request, chart)
    return any(map(pumps_by_code().begins_with_model, concepts)) and not drugs.identify_all(*concepts)


def _named(request: Request, item: CodeableConcept | None, is_pump: bool) -> tuple[tuple[str, str], ...]:
    if not is_pump or isinstance(request, ServiceRequest):
        return ()
    return pumps_by_code().codes_by_name(item)


def _is_order(request: Request) -> bool:
    return is_meant(request) and not request.doNotPerform


def is_meant(resource: Resource) -> bool:
    """Whether a request or statement still stands: it is not withdrawn, ended or a mistake."""
    return getattr(resource, "status", "") not in _WITHDRAWN


def _companions(
    pump: Request, pumps: list[Request], medications: list[MedicationRequest], chart: Chart, drugs: Drugs
) -> list[MedicationRequest]:
    named = [drug for drug in medications if _names(pump, drug, chart)]
    if named:
        return named
    item = ordered_item(pump, chart)
    classes = pump_classes(item, pumps_by_code().items(order_codes(item)))

    def deliverable(found: list[MedicationRequest]) -> list[MedicationRequest]:
        return [drug for drug in found if may_be_delivered(drug, _concepts(drug, chart), classes, drugs)]

    group = pump.groupIdentifier
    if group is not None and group.value:
        grouped = [
            drug
            for drug in medications
            if drug.groupIdentifier is not None
            and (drug.groupIdentifier.system, drug.groupIdentifier.value) == (group.system, group.value)
        ]
        # An order set holds tablets too (against nausea); a group of nothing else is told as it stands.
        if grouped:
            return deliverable(grouped) or grouped
    takers = [other for other in pumps if _takes_a_drug(other, chart)] or pumps
    if len(takers) != 1 or takers[0] is not pump:
        return []
    alone = deliverable([drug for drug in medications if not any(_names(p, drug, chart) for p in pumps)])
    return alone if len(alone) == 1 else []


def _concepts(drug: MedicationRequest, chart: Chart) -> tuple[CodeableConcept, ...]:
    return medication_concepts(drug.medicationCodeableConcept, drug.medicationReference, drug, chart)


def _takes_a_drug(request: Request, chart: Chart) -> bool:
    """Whether a drug may be ordered for it: not for the pole or the batteries beside the pump."""
    items = pumps_by_code().items(order_codes(ordered_item(request, chart)))
    return not items or any(item.kind not in ("supply", "accessory") for item in items)


def _names(pump: Request, drug: MedicationRequest, chart: Chart) -> bool:
    wanted = reference_of(drug)
    for reference in (*pump.supportingInfo, *pump.reasonReference, *pump.basedOn):
        if reference.reference == wanted or reference.reference.endswith("/" + wanted):
            return True
        if chart.resolve(reference, pump) is drug:
            return True
    return False


def _day(request: Request, today: date) -> date:
    authored = span(request.authoredOn) if request.authoredOn else None
    return authored.first if authored is not None and authored.exact and authored.first <= today else today


def ordered_item(request: Request, chart: Chart) -> CodeableConcept | None:
    """The concept of what is ordered; a Reference leads to the Device's type or the Medication's code."""
    if isinstance(request, DeviceRequest):
        if request.codeCodeableConcept is not None:
            return request.codeCodeableConcept
        device = chart.resolve(request.codeReference, request)
        return device.type if isinstance(device, Device) else None
    if isinstance(request, ServiceRequest):
        return request.code
    if isinstance(request, MedicationRequest):
        return medication_concept(
            request.medicationCodeableConcept, request.medicationReference, request, chart
        )
    return None


def medication_concept(
    concept: CodeableConcept | None, reference: Reference | None, container: Resource, chart: Chart
) -> CodeableConcept | None:
    """medication[x] as a concept: coded in place, or the code of the Medication it points to."""
    if concept is not None:
        return concept
    medication = chart.resolve(reference, container)
    if isinstance(medication, Medication):
        return medication.code
    if reference is not None and reference.display:
        return CodeableConcept(text=reference.display)
    return None


def quantity_of(order: Order) -> Quantity | None:
    """The ordered quantity, where the order states one."""
    if isinstance(order.resource, ServiceRequest):
        return order.resource.quantityQuantity
    reading = order.parameter("quantity", "decimal", "")
    return Quantity(value=reading.value) if reading is not None and reading.known else None
