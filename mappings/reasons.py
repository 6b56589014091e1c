"""Why something is ordered: the reasons that the order and the drug orders of its pump state."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from mappings.chart import Chart, has_code
from mappings.evidence import Evidence
from mappings.fhir import CodeableConcept, Condition, Request
from mappings.order import Order


class StatedReason(Struct, frozen=True):
    """One reason: the concept and the request that states it."""

    concept: CodeableConcept
    request: Request

    def evidence(self, order: Order, says: str) -> Evidence:
        coding = next((coding for coding in self.concept.coding if coding.code), None)
        return order.evidence(coding.code if coding else None, says=says, of=self.request)


def stated_reasons(order: Order, chart: Chart) -> list[StatedReason]:
    """reasonCode and the codes of reasonReference Conditions; a refuted Condition is no reason."""
    return list(_reasons(order, chart))


def _reasons(order: Order, chart: Chart) -> Iterator[StatedReason]:
    for request in (order.resource, *(drug for drug in order.drug_orders if drug is not order.resource)):
        for concept in request.reasonCode:
            yield StatedReason(concept, request)
        for reference in request.reasonReference:
            target = chart.resolve(reference, request)
            if not isinstance(target, Condition) or target.code is None:
                continue
            if not has_code(target.verificationStatus, "refuted", "entered-in-error"):
                yield StatedReason(target.code, request)
