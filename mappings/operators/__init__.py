"""The closed set of operators that compute facts from a chart; one file per operator.

An operator is a pure function of the evaluation context and its arguments that returns a
`Reading`. Adding one: a file here, a row in `OPERATORS`, its cases under tests/mappings/operators,
a row in docs/operators.md.
"""

from __future__ import annotations

from mappings.operators.active_condition import active_condition
from mappings.operators.allergic_to_every import allergic_to_every
from mappings.operators.average_per_day import average_per_day
from mappings.operators.baclofen_trial import baclofen_trial
from mappings.operators.base import Operator
from mappings.operators.cause_of import cause_of
from mappings.operators.condition_kind import condition_kind
from mappings.operators.condition_over import condition_over
from mappings.operators.condition_severity import condition_severity
from mappings.operators.corrected_calcium import corrected_calcium
from mappings.operators.device_in_use import device_in_use
from mappings.operators.device_working import device_broken, device_working
from mappings.operators.discharged_from import discharged_from
from mappings.operators.document_on_file import document_on_file
from mappings.operators.drug_allergy import drug_allergy
from mappings.operators.drug_in_use import drug_in_use
from mappings.operators.drug_intolerance import drug_intolerance
from mappings.operators.drug_tried import drug_tried
from mappings.operators.due_to import due_to
from mappings.operators.dukes_stage import dukes_stage
from mappings.operators.episodes_below import episodes_below
from mappings.operators.evaluation import evaluation
from mappings.operators.functional_class import functional_class
from mappings.operators.gestational_age import gestational_age
from mappings.operators.implied_by import implied_by
from mappings.operators.indicated_for import indicated_for
from mappings.operators.injected_instead import injected_instead
from mappings.operators.instruction_says import instruction_says
from mappings.operators.last_visit import last_visit
from mappings.operators.latest_document import latest_document
from mappings.operators.latest_value import latest_value
from mappings.operators.life_expectancy import life_expectancy
from mappings.operators.metastases import metastases
from mappings.operators.one_container_a_dose import one_container_a_dose
from mappings.operators.order_property import order_property
from mappings.operators.other_implant import other_implant
from mappings.operators.other_primary_cancer import other_primary_cancer
from mappings.operators.pain_origin import pain_origin
from mappings.operators.pain_reduction import pain_reduction
from mappings.operators.pain_trial import pain_trial
from mappings.operators.pattern_duration import pattern_duration
from mappings.operators.pregnant import pregnant
from mappings.operators.prior_pump_infusion import prior_pump_infusion
from mappings.operators.procedure_done import procedure_done
from mappings.operators.record_behind import record_behind
from mappings.operators.recorded_event import recorded_event
from mappings.operators.regimen_held import regimen_held
from mappings.operators.regimen_since import regimen_since
from mappings.operators.scheduled_doses import scheduled_doses
from mappings.operators.seen_by_specialist import seen_by_specialist
from mappings.operators.share_above import share_above
from mappings.operators.small_body import small_body
from mappings.operators.sustained_above import sustained_above
from mappings.operators.trial_dose import trial_dose
from mappings.operators.trial_length import trial_length
from mappings.operators.trial_outcome import trial_outcome
from mappings.operators.value_in_circumstance import value_in_circumstance
from mappings.operators.value_series import value_series
from mappings.operators.visit_about_reason import visit_about_reason
from mappings.operators.warranty_over import warranty_over
from mappings.operators.weeks_since_use import weeks_since_use

OPERATORS: dict[str, Operator] = {
    operator.name: operator
    for operator in (
        active_condition,
        allergic_to_every,
        average_per_day,
        baclofen_trial,
        cause_of,
        condition_kind,
        condition_over,
        condition_severity,
        corrected_calcium,
        device_in_use,
        device_broken,
        device_working,
        discharged_from,
        document_on_file,
        drug_allergy,
        drug_in_use,
        drug_intolerance,
        drug_tried,
        due_to,
        dukes_stage,
        episodes_below,
        evaluation,
        functional_class,
        gestational_age,
        implied_by,
        indicated_for,
        injected_instead,
        instruction_says,
        last_visit,
        latest_document,
        latest_value,
        life_expectancy,
        metastases,
        one_container_a_dose,
        order_property,
        other_implant,
        other_primary_cancer,
        pain_origin,
        pain_reduction,
        pain_trial,
        pattern_duration,
        pregnant,
        prior_pump_infusion,
        procedure_done,
        record_behind,
        recorded_event,
        regimen_held,
        regimen_since,
        scheduled_doses,
        seen_by_specialist,
        share_above,
        small_body,
        sustained_above,
        trial_dose,
        trial_length,
        trial_outcome,
        value_in_circumstance,
        value_series,
        visit_about_reason,
        warranty_over,
        weeks_since_use,
    )
}
