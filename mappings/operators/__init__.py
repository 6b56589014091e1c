"""The closed set of operators that compute facts from a chart; one file per operator.

An operator is a pure function of the evaluation context and its arguments that returns a
`Reading`. Adding one: a file here, a row in `OPERATORS`, its cases under tests/mappings/operators,
a row in docs/operators.md.
"""

from __future__ import annotations

from mappings.operators.active_condition import active_condition
from mappings.operators.allergic_to_every import allergic_to_every
from mappings.operators.average_per_day import average_per_day
from mappings.operators.base import Operator
from mappings.operators.device_in_use import device_in_use
from mappings.operators.device_working import device_working
from mappings.operators.drug_in_use import drug_in_use
from mappings.operators.episodes_below import episodes_below
from mappings.operators.gestational_age import gestational_age
from mappings.operators.indicated_for import indicated_for
from mappings.operators.injected_instead import injected_instead
from mappings.operators.instruction_says import instruction_says
from mappings.operators.last_visit import last_visit
from mappings.operators.latest_value import latest_value
from mappings.operators.order_property import order_property
from mappings.operators.pattern_duration import pattern_duration
from mappings.operators.pregnant import pregnant
from mappings.operators.procedure_done import procedure_done
from mappings.operators.recorded_event import recorded_event
from mappings.operators.regimen_held import regimen_held
from mappings.operators.regimen_since import regimen_since
from mappings.operators.scheduled_doses import scheduled_doses
from mappings.operators.share_above import share_above
from mappings.operators.sustained_above import sustained_above
from mappings.operators.value_series import value_series
from mappings.operators.warranty_over import warranty_over

OPERATORS: dict[str, Operator] = {
    operator.name: operator
    for operator in (
        active_condition,
        allergic_to_every,
        average_per_day,
        device_in_use,
        device_working,
        drug_in_use,
        episodes_below,
        gestational_age,
        indicated_for,
        injected_instead,
        instruction_says,
        last_visit,
        latest_value,
        order_property,
        pattern_duration,
        pregnant,
        procedure_done,
        recorded_event,
        regimen_held,
        regimen_since,
        scheduled_doses,
        share_above,
        sustained_above,
        value_series,
        warranty_over,
    )
}
