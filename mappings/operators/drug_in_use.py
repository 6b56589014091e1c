"""Whether the patient takes a drug of a class."""

from __future__ import annotations

from collections.abc import Iterable

from mappings.drug_use import DrugUse, drug_uses
from mappings.evidence import Reading, Reason, unknown
from mappings.fhir import CodeableConcept, Medication, MedicationRequest, MedicationStatement
from mappings.operators.base import Context, operator, texts


@operator(MedicationStatement, MedicationRequest, Medication)
def drug_in_use(
    context: Context, drug_classes: Iterable[str], among: Iterable[str] = (), infused: bool = False
) -> Reading:
    """Whether a drug of the classes is taken or prescribed on day 0 (mappings.drug_use).

    infused: only what is given by pump. among: classes of a regimen that is listed as a whole; when
    drugs of it are taken, and none of the asked classes, the answer is False (inferred). Without
    such a regimen on file the answer is unknown: a list of other drugs says nothing, nor does a
    group ("insulin") that may stand for one of them.
    """
    as_of = context.as_of
    asked = [use for use in drug_uses(context, texts(drug_classes)) if use.infused or not infused]
    taken = tuple(use.evidence for use in asked if use.stretch.surely(as_of))
    if taken:
        return Reading(True, evidence=taken)
    perhaps = tuple(use.evidence for use in asked if use.stretch.perhaps(as_of))
    if perhaps:
        return unknown(Reason.IMPRECISE, "the record leaves open whether it is still taken", perhaps)
    regimen = [use for use in drug_uses(context, texts(among)) if use.stretch.surely(as_of)] if among else []
    if regimen and not any(_may_be(context, use, texts(drug_classes)) for use in regimen):
        note = f"the regimen on file is {', '.join(dict.fromkeys(use.drug.name for use in regimen))}"
        return Reading(False, evidence=tuple(use.evidence for use in regimen), note=note, inferred=True)
    return unknown(Reason.NO_DATA)


def _may_be(context: Context, use: DrugUse, classes: tuple[str, ...]) -> bool:
    """Whether a use names only a group, one of whose members is in the classes."""
    members = (context.drugs.identify(CodeableConcept(text=name)) for name in use.members)
    return any(member is not None and set(classes) & set(member.classes) for member in members)
