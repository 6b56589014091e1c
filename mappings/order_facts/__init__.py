"""What is known from the order itself, its companions, its orderer and its Coverage.

`PROPERTIES` names every property that the catalogue can ask of an order; each is a function of
the evaluation context that returns a Reading with its evidence.
"""

from __future__ import annotations

from collections.abc import Callable

from mappings.evidence import Reading
from mappings.operators.base import Context
from mappings.order_facts import (
    companions,
    course,
    drug,
    indication,
    infusion,
    item,
    labelling,
    member,
    orderer,
    pump,
    setting,
)

PROPERTIES: dict[str, Callable[[Context], Reading]] = {
    property_.__name__: property_
    for property_ in (
        item.order_code,
        item.order_date,
        item.ordered_item_kind,
        item.quantity,
        item.rental_or_purchase,
        item.order_is_replacement,
        item.replacement_reason,
        item.prescription_date,
        item.new_prescription_for_this_device,
        drug.drug,
        drug.drug_set,
        drug.drug_class,
        drug.drug_code,
        drug.drug_formulation,
        drug.drug_product,
        drug.drug_compounded,
        drug.compounded_coding,
        infusion.drug_route,
        infusion.drug_parenteral,
        infusion.infusion_hours,
        infusion.infusion_continuous,
        course.course_days,
        course.vials_per_month,
        pump.pump_class,
        pump.pump_model,
        pump.device_model,
        pump.device_wireless_to_cgm,
        pump.fda_approved_cgm_pump,
        pump.pump_automation,
        pump.device_is_disposable,
        pump.pump_basal_only,
        labelling.pump_fda_approved_for_drug,
        indication.treatment_indication,
        setting.care_setting,
        setting.home_administration,
        setting.subacromial_infusion,
        companions.concurrent_pump_code,
        companions.concurrent_pump_class,
        companions.pump_use_active,
        companions.concurrent_pump_covered,
        companions.paths_result,
        companions.accessory_kind,
        companions.accessory_type,
        companions.order_is_controller,
        companions.device_is_infusion_controller,
        orderer.orderer_role,
        orderer.orderer_is_physician,
        orderer.orderer_specialty,
        orderer.neurologist_prescriber,
        orderer.orderer_is_treating,
        member.member_age_years,
        member.member_age_months,
        member.member_state,
        member.coverage_active,
        member.payer_id,
        member.member_lob,
        member.other_medicare_coverage,
        member.member_plan,
        member.member_program,
    )
}
PROPERTIES["planned_route"] = infusion.drug_route
