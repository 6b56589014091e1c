"""Which medications the ordered pump is to deliver, and where the record says so.

In this order: the drug orders that belong to the pump's order; the ordered item itself where it is
a drug (J2278) or names one in its details and supportingInfo; the nature of the pump (an insulin
pump delivers insulin); an active medication of the chart that is given by a pump of the ordered
kind. The first source that names anything counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from msgspec import Struct

from mappings.chart import Chart
from mappings.codes import SNOMED, key
from mappings.dates import may_include
from mappings.drugs import Drug
from mappings.evidence import Evidence
from mappings.fhir import (
    CodeableConcept,
    Dosage,
    Medication,
    MedicationRequest,
    MedicationStatement,
    Period,
    ServiceRequest,
)
from mappings.operators.base import Context
from mappings.order import is_meant, medication_concept, ordered_item
from mappings.order_facts.pump import ordered_pump, pump_class
from mappings.pumps import IMPLANTABLE, texts_of
from mappings.routes import route_of
from mappings.words import has_words

CONTINUOUS_INFUSION = (SNOMED, "261754007")
INSULIN = "insulin"
_EXTERNAL = ("external-ambulatory", "external-stationary", "external-insulin", "disposable")
_CENTRAL = frozenset({"intrathecal", "epidural", "intraventricular"})
_VEHICLES = (
    "sodium chloride",
    "saline",
    "dextrose",
    "glucose",
    "water",
    "lactated ringer's",
    "ringer's lactate",
)


class Given(Struct, frozen=True):
    """One medication for the pump.

    drugs: its ingredients as far as they are known. unread: what could not be identified. concepts:
    all concepts that describe it. texts: its words, with the instructions and notes. by_nature: only
    the kind of pump says so.
    """

    evidence: Evidence
    drugs: tuple[Drug, ...] = ()
    unread: tuple[str, ...] = ()
    concepts: tuple[CodeableConcept, ...] = ()
    dosages: tuple[Dosage, ...] = ()
    texts: tuple[str, ...] = ()
    request: MedicationRequest | None = None
    by_nature: bool = False


def given_medications(context: Context) -> list[Given]:
    """The medications of the first source that names any."""
    for source in (_drafted, _ordered, _of_nature, _by_pump_in_chart):
        found = list(source(context))
        if found:
            # A flush that keeps the line open is ordered beside the drug and does not go into the pump.
            return [given for given in found if not _is_flush(given)] or found
    return []


def _is_flush(given: Given) -> bool:
    if given.drugs:
        return all("line-flush" in drug.classes for drug in given.drugs)
    return not given.unread and not given.by_nature


def _drafted(context: Context) -> Iterator[Given]:
    for request in context.order.drug_orders:
        if request.medicationCodeableConcept is None and request.medicationReference is None:
            continue  # a client fires order-select before a drug is chosen
        yield _of_request(context, request, context.order.evidence(of=request))


def _ordered(context: Context) -> Iterator[Given]:
    """The ordered item itself, or what its details and supportingInfo name."""
    order, chart = context.order, context.chart
    concepts = [] if ordered_pump(context).items else [ordered_item(order.resource, chart)]
    if isinstance(order.resource, ServiceRequest):
        concepts.extend(order.resource.orderDetail)
    for concept in concepts:
        drugs = tuple(context.drugs.identify_all(concept)) if concept is not None else ()
        if concept is not None and drugs:
            yield Given(order.evidence(), drugs, concepts=(concept,), texts=texts_of(concept))
    for reference in order.resource.supportingInfo:
        resource = chart.resolve(reference, order.resource)
        if isinstance(resource, Medication):
            yield _of_medication(context, resource, order.evidence())
        elif isinstance(resource, MedicationRequest | MedicationStatement) and is_meant(resource):
            yield _of_request(context, resource, context.evidence(resource))


def _of_nature(context: Context) -> Iterator[Given]:
    pump = ordered_pump(context)
    if pump.is_insulin:
        drugs = tuple(context.drugs.identify_all(CodeableConcept(text=INSULIN)))
        yield Given(context.order.evidence(says="insulin pump"), drugs, by_nature=True)


def _by_pump_in_chart(context: Context) -> Iterator[Given]:
    in_use: Iterable[MedicationRequest | MedicationStatement] = (
        *(r for r in context.chart.of(MedicationRequest) if _is_active_request(r, context)),
        *(s for s in context.chart.of(MedicationStatement) if _is_active_statement(s, context)),
    )
    for resource in in_use:
        dosages = resource.dosageInstruction if isinstance(resource, MedicationRequest) else resource.dosage
        if any(is_pumped(dosage) for dosage in dosages):
            given = _of_request(context, resource, context.evidence(resource, says="given by pump"))
            if _fits_the_pump(context, given):
                yield given


def _fits_the_pump(context: Context, given: Given) -> bool:
    """Whether a drug of the chart may be the one of the ordered kind of pump.

    What is given under the skin, and insulin, is in an external pump that the patient wears, and what
    is given into the spine or the brain in an implanted one.
    """
    ordered = pump_class(context).value
    routes = {route for dosage in given.dosages for route in route_of(dosage).routes}
    worn = routes == {"subcutaneous"} or any(INSULIN in (drug.name, *drug.classes) for drug in given.drugs)
    if ordered in (*IMPLANTABLE, "reservoir"):
        return not worn
    return not (ordered in _EXTERNAL and routes and routes <= _CENTRAL)


def is_pumped(dosage: Dosage) -> bool:
    """Whether a dosage is given by pump: a continuous infusion by its method, or by its words."""
    method = dosage.method
    if method is not None and any(key(coding) == CONTINUOUS_INFUSION for coding in method.coding):
        return True
    return any(has_words(text, "pump") for text in (dosage.text, *texts_of(method)))


def _is_active_request(request: MedicationRequest, context: Context) -> bool:
    begun = may_include(request.authoredOn, "", context.as_of)
    return request.status == "active" and not request.doNotPerform and begun


def _is_active_statement(statement: MedicationStatement, context: Context) -> bool:
    period = statement.effectivePeriod or Period(start=statement.effectiveDateTime)
    return statement.status == "active" and may_include(period.start, period.end, context.as_of)


def _of_request(
    context: Context, resource: MedicationRequest | MedicationStatement, evidence: Evidence
) -> Given:
    chart = context.chart
    dosages = resource.dosageInstruction if isinstance(resource, MedicationRequest) else resource.dosage
    more = tuple(t for t in (*(d.text for d in dosages), *(n.text for n in resource.note)) if t)
    medication = chart.resolve(resource.medicationReference, resource)
    if resource.medicationCodeableConcept is None and isinstance(medication, Medication):
        given = _of_medication(context, medication, evidence)
        concepts, drugs, unread = given.concepts, given.drugs, given.unread
    else:
        concept = medication_concept(
            resource.medicationCodeableConcept, resource.medicationReference, resource, chart
        )
        concepts = (concept,) if concept is not None else ()
        drugs, unread = _identified(context, concepts)
    return Given(
        evidence=evidence,
        drugs=drugs,
        unread=unread,
        concepts=concepts,
        dosages=dosages,
        texts=tuple(t for concept in concepts for t in texts_of(concept)) + more,
        request=resource if isinstance(resource, MedicationRequest) else None,
    )


def _of_medication(context: Context, medication: Medication, evidence: Evidence) -> Given:
    """A Medication: its active ingredients where it lists them, else its code."""
    own = (medication.code,) if medication.code is not None else ()
    parts = tuple(_ingredients(medication, context.chart))
    drugs, unread = _identified(context, parts or own)
    concepts = own + parts
    texts = tuple(t for concept in concepts for t in texts_of(concept))
    return Given(evidence, drugs, unread, concepts, texts=texts)


def _ingredients(medication: Medication, chart: Chart) -> Iterator[CodeableConcept]:
    for ingredient in medication.ingredient:
        concept = ingredient.itemCodeableConcept
        if concept is None:
            item = chart.resolve(ingredient.itemReference, medication)
            concept = item.code if isinstance(item, Medication) else None
            if concept is None and ingredient.itemReference is not None:
                concept = CodeableConcept(
                    text=ingredient.itemReference.display or "an ingredient without a name"
                )
        if concept is not None and ingredient.isActive is not False:
            yield concept


def _is_vehicle(concept: CodeableConcept) -> bool:
    """A solution that only carries or flushes the drug: salt water, dextrose, water."""
    return any(has_words(text, vehicle) for text in texts_of(concept) for vehicle in _VEHICLES)


def _identified(
    context: Context, concepts: Iterable[CodeableConcept]
) -> tuple[tuple[Drug, ...], tuple[str, ...]]:
    """(the drugs that concepts stand for, the words of concepts that stand for none known)."""
    drugs: dict[str, Drug] = {}
    unread = []
    for concept in concepts:
        found = tuple(context.drugs.identify_all(concept))
        drugs.update((drug.name, drug) for drug in found if drug.name not in drugs)
        if not found and not _is_vehicle(concept):
            codes = (coding.code for coding in concept.coding if coding.code)
            unread.append(next(iter(texts_of(concept)), "") or next(codes, "a drug without code or name"))
    return tuple(drugs.values()), tuple(unread)
