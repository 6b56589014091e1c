"""Whether an order of cassettes or bags holds at most one for each dose."""

from __future__ import annotations

from mappings.evidence import Basis, Reading, Reason, unknown
from mappings.operators.base import Context, operator
from mappings.order import quantity_of
from mappings.timing import bounds, times_per_day
from mappings.units import in_unit


@operator()
def one_container_a_dose(context: Context) -> Reading:
    """Ordered quantity against the doses of the drug order over the days that the supply lasts.

    3 doses a day for 30 days allow 90. The days are the course or the expected supply of the drug's
    order. Unknown where the quantity, the schedule or the days are missing or vary.
    """
    ordered = quantity_of(context.order)
    if ordered is None or ordered.value is None:
        return unknown(Reason.NO_DATA)
    evidence = [context.order.evidence(ordered.value, says="ordered")]
    doses = 0.0
    for drug in context.order.drug_orders:
        supply = drug.dispenseRequest.expectedSupplyDuration if drug.dispenseRequest is not None else None
        supplied = in_unit(supply, "d") if supply is not None else None
        for dosage in drug.dosageInstruction:
            rate, course = times_per_day(dosage), bounds(dosage)
            days = course.low_days if course.low_days == course.high_days else None
            days = supplied if supplied is not None else days
            if rate.low is None or rate.low != rate.high or rate.as_needed or days is None:
                return unknown(Reason.IMPRECISE, "doses or days of the supply are not fixed", tuple(evidence))
            doses += rate.low * days
            evidence.append(context.order.evidence(rate.low * days, says="doses", of=drug))
    if not doses:
        return unknown(Reason.NO_DATA, "the doses of the drug are not on the order", tuple(evidence))
    note = f"{ordered.value:g} ordered for {doses:g} doses"
    return Reading(ordered.value <= round(doses, 6), evidence=tuple(evidence), note=note, basis=Basis.ORDER)
