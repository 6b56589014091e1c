"""What medication[x] names, as concepts."""

from __future__ import annotations

from mappings.chart import Chart
from mappings.fhir import CodeableConcept, Medication, Reference, Resource


def medication_concepts(
    concept: CodeableConcept | None, reference: Reference | None, container: Resource, chart: Chart
) -> tuple[CodeableConcept, ...]:
    """Coded in place, or the code and the ingredients of the Medication, or what the reference shows."""
    if concept is not None:
        return (concept,)
    medication = chart.resolve(reference, container)
    if isinstance(medication, Medication):
        own = (medication.code,) if medication.code is not None else ()
        parts = (i.itemCodeableConcept for i in medication.ingredient)
        return (*own, *(part for part in parts if part is not None))
    return (CodeableConcept(text=reference.display),) if reference is not None and reference.display else ()
