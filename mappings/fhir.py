"""The elements of FHIR R4 resources that facts read, as lean structs.

Only what some operator uses is declared; msgspec skips the rest of the JSON without building
it, which is what keeps a body with thousands of Observations cheap. Nothing here validates:
reading is lenient (see `mappings.reading`), and typed `fhir.resources` models serve where the
service emits resources.

Dates stay strings as written; `mappings.dates` interprets them.
Source: https://hl7.org/fhir/R4/resourcelist.html
"""

from __future__ import annotations

from msgspec import Struct, field


class Element(Struct, gc=False, kw_only=True):
    """Base of every data type; unknown elements are skipped."""


class Coding(Element):
    system: str = ""
    code: str = ""
    display: str = ""


class CodeableConcept(Element):
    coding: tuple[Coding, ...] = ()
    text: str = ""


class Extension(Element):
    url: str = ""
    valueCodeableConcept: CodeableConcept | None = None


class OrderedItem(CodeableConcept):
    """What an order asks for; `extension` may hold the codes under which it can be billed (CRD)."""

    extension: tuple[Extension, ...] = ()


class Reference(Element):
    reference: str = ""
    type: str = ""
    display: str = ""
    identifier: Identifier | None = None


class Identifier(Element):
    system: str = ""
    value: str = ""


class Quantity(Element):
    """`value` is a float: thresholds are compared after conversion and rounding (mappings.units)."""

    value: float | None = None
    comparator: str = ""
    unit: str = ""
    system: str = ""
    code: str = ""


class Ratio(Element):
    numerator: Quantity | None = None
    denominator: Quantity | None = None


class Period(Element):
    start: str = ""
    end: str = ""


class Range(Element):
    low: Quantity | None = None
    high: Quantity | None = None


class Annotation(Element):
    text: str = ""


class TimingRepeat(Element):
    boundsPeriod: Period | None = None
    boundsDuration: Quantity | None = None
    boundsRange: Range | None = None
    count: float | None = None
    duration: float | None = None
    durationMax: float | None = None
    durationUnit: str = ""
    frequency: float | None = None
    frequencyMax: float | None = None
    period: float | None = None
    periodMax: float | None = None
    periodUnit: str = ""
    dayOfWeek: tuple[str, ...] = ()
    timeOfDay: tuple[str, ...] = ()
    when: tuple[str, ...] = ()


class Timing(Element):
    event: tuple[str, ...] = ()
    repeat: TimingRepeat | None = None
    code: CodeableConcept | None = None


class DoseAndRate(Element):
    doseQuantity: Quantity | None = None
    rateQuantity: Quantity | None = None
    rateRatio: Ratio | None = None


class Dosage(Element):
    """A Dosage, and with `dose` and `rateQuantity` also MedicationAdministration.dosage."""

    text: str = ""
    additionalInstruction: tuple[CodeableConcept, ...] = ()
    timing: Timing | None = None
    asNeededBoolean: bool | None = None
    asNeededCodeableConcept: CodeableConcept | None = None
    site: CodeableConcept | None = None
    route: CodeableConcept | None = None
    method: CodeableConcept | None = None
    doseAndRate: tuple[DoseAndRate, ...] = ()
    maxDosePerPeriod: Ratio | None = None
    dose: Quantity | None = None
    rateQuantity: Quantity | None = None


class HumanName(Element):
    family: str = ""
    given: tuple[str, ...] = ()
    suffix: tuple[str, ...] = ()


class Address(Element):
    use: str = ""
    state: str = ""
    period: Period | None = None


class Participant(Element):
    individual: Reference | None = None
    type: tuple[CodeableConcept, ...] = ()


class Qualification(Element):
    code: CodeableConcept | None = None
    period: Period | None = None


class Resource(Struct, gc=False, kw_only=True, tag_field="resourceType"):
    """Base of every resource; the class name is the resourceType."""

    id: str = ""
    meta: Meta | None = None


class Meta(Element):
    profile: tuple[str, ...] = ()


class DomainResource(Resource):
    contained: tuple[AnyResource, ...] = ()


class Patient(DomainResource):
    birthDate: str = ""
    gender: str = ""
    address: tuple[Address, ...] = ()
    name: tuple[HumanName, ...] = ()


class ObservationComponent(Element):
    code: CodeableConcept | None = None
    valueQuantity: Quantity | None = None
    valueCodeableConcept: CodeableConcept | None = None
    valueString: str = ""
    valueBoolean: bool | None = None
    valueInteger: float | None = None
    valueDateTime: str = ""


class Observation(DomainResource):
    status: str = ""
    code: CodeableConcept | None = None
    subject: Reference | None = None
    effectiveDateTime: str = ""
    effectivePeriod: Period | None = None
    effectiveInstant: str = ""
    issued: str = ""
    performer: tuple[Reference, ...] = ()
    valueQuantity: Quantity | None = None
    valueCodeableConcept: CodeableConcept | None = None
    valueString: str = ""
    valueBoolean: bool | None = None
    valueInteger: float | None = None
    valueDateTime: str = ""
    method: CodeableConcept | None = None
    device: Reference | None = None
    component: tuple[ObservationComponent, ...] = ()
    partOf: tuple[Reference, ...] = ()
    note: tuple[Annotation, ...] = ()


class ConditionStage(Element):
    summary: CodeableConcept | None = None


class Condition(DomainResource):
    clinicalStatus: CodeableConcept | None = None
    verificationStatus: CodeableConcept | None = None
    category: tuple[CodeableConcept, ...] = ()
    severity: CodeableConcept | None = None
    code: CodeableConcept | None = None
    subject: Reference | None = None
    onsetDateTime: str = ""
    onsetPeriod: Period | None = None
    abatementDateTime: str = ""
    abatementPeriod: Period | None = None
    recordedDate: str = ""
    stage: tuple[ConditionStage, ...] = ()
    note: tuple[Annotation, ...] = ()


class MedicationIngredient(Element):
    itemCodeableConcept: CodeableConcept | None = None
    itemReference: Reference | None = None
    isActive: bool | None = None


class Medication(DomainResource):
    code: CodeableConcept | None = None
    form: CodeableConcept | None = None
    ingredient: tuple[MedicationIngredient, ...] = ()


class MedicationStatement(DomainResource):
    status: str = ""
    statusReason: tuple[CodeableConcept, ...] = ()
    medicationCodeableConcept: CodeableConcept | None = None
    medicationReference: Reference | None = None
    subject: Reference | None = None
    effectiveDateTime: str = ""
    effectivePeriod: Period | None = None
    dateAsserted: str = ""
    reasonCode: tuple[CodeableConcept, ...] = ()
    reasonReference: tuple[Reference, ...] = ()
    dosage: tuple[Dosage, ...] = ()
    note: tuple[Annotation, ...] = ()


class MedicationAdministration(DomainResource):
    status: str = ""
    partOf: tuple[Reference, ...] = ()
    medicationCodeableConcept: CodeableConcept | None = None
    medicationReference: Reference | None = None
    subject: Reference | None = None
    effectiveDateTime: str = ""
    effectivePeriod: Period | None = None
    reasonCode: tuple[CodeableConcept, ...] = ()
    dosage: Dosage | None = None
    note: tuple[Annotation, ...] = ()


class DispenseRequest(Element):
    numberOfRepeatsAllowed: int | None = None
    quantity: Quantity | None = None
    expectedSupplyDuration: Quantity | None = None


class Request(DomainResource):
    """What the order types share: who, for whom, why, with what, paid by whom."""

    status: str = ""
    intent: str = ""
    doNotPerform: bool = False
    subject: Reference | None = None
    encounter: Reference | None = None
    authoredOn: str = ""
    requester: Reference | None = None
    performer: Reference | tuple[Reference, ...] | None = None
    reasonCode: tuple[CodeableConcept, ...] = ()
    reasonReference: tuple[Reference, ...] = ()
    insurance: tuple[Reference, ...] = ()
    supportingInfo: tuple[Reference, ...] = ()
    basedOn: tuple[Reference, ...] = ()
    groupIdentifier: Identifier | None = None
    note: tuple[Annotation, ...] = ()


class MedicationRequest(Request):
    category: tuple[CodeableConcept, ...] = ()
    statusReason: CodeableConcept | None = None
    medicationCodeableConcept: CodeableConcept | None = None
    medicationReference: Reference | None = None
    dosageInstruction: tuple[Dosage, ...] = ()
    dispenseRequest: DispenseRequest | None = None


class RequestParameter(Element):
    code: CodeableConcept | None = None
    valueCodeableConcept: CodeableConcept | None = None
    valueQuantity: Quantity | None = None
    valueBoolean: bool | None = None


class DeviceRequest(Request):
    codeCodeableConcept: OrderedItem | None = None
    codeReference: Reference | None = None
    parameter: tuple[RequestParameter, ...] = ()


class ServiceRequest(Request):
    code: OrderedItem | None = None
    performerType: CodeableConcept | None = None
    orderDetail: tuple[CodeableConcept, ...] = ()
    quantityQuantity: Quantity | None = None
    locationCode: tuple[CodeableConcept, ...] = ()


class NutritionOrder(DomainResource):
    status: str = ""


class VisionPrescription(DomainResource):
    status: str = ""


class CommunicationRequest(DomainResource):
    status: str = ""
    authoredOn: str = ""
    requester: Reference | None = None


class Appointment(DomainResource):
    status: str = ""
    serviceType: tuple[OrderedItem, ...] = ()
    start: str = ""
    basedOn: tuple[Reference, ...] = ()
    reasonCode: tuple[CodeableConcept, ...] = ()


class Task(DomainResource):
    status: str = ""
    code: CodeableConcept | None = None
    focus: Reference | None = None


class ProcedurePerformer(Element):
    actor: Reference | None = None


class Procedure(DomainResource):
    status: str = ""
    statusReason: CodeableConcept | None = None
    category: CodeableConcept | None = None
    code: CodeableConcept | None = None
    subject: Reference | None = None
    performedDateTime: str = ""
    performedPeriod: Period | None = None
    performer: tuple[ProcedurePerformer, ...] = ()
    reasonCode: tuple[CodeableConcept, ...] = ()
    reasonReference: tuple[Reference, ...] = ()
    outcome: CodeableConcept | None = None
    usedCode: tuple[CodeableConcept, ...] = ()
    partOf: tuple[Reference, ...] = ()
    note: tuple[Annotation, ...] = ()


class Encounter(DomainResource):
    status: str = ""
    class_: Coding | None = field(name="class", default=None)
    type: tuple[CodeableConcept, ...] = ()
    serviceType: CodeableConcept | None = None
    subject: Reference | None = None
    participant: tuple[Participant, ...] = ()
    period: Period | None = None
    reasonCode: tuple[CodeableConcept, ...] = ()
    reasonReference: tuple[Reference, ...] = ()


class AllergyReaction(Element):
    substance: CodeableConcept | None = None
    severity: str = ""


class AllergyIntolerance(DomainResource):
    clinicalStatus: CodeableConcept | None = None
    verificationStatus: CodeableConcept | None = None
    type: str = ""
    category: tuple[str, ...] = ()
    code: CodeableConcept | None = None
    patient: Reference | None = None
    onsetDateTime: str = ""
    recordedDate: str = ""
    reaction: tuple[AllergyReaction, ...] = ()


class DeviceName(Element):
    name: str = ""
    type: str = ""


class DeviceProperty(Element):
    type: CodeableConcept | None = None
    valueCode: tuple[CodeableConcept, ...] = ()
    valueQuantity: tuple[Quantity, ...] = ()


class Device(DomainResource):
    identifier: tuple[Identifier, ...] = ()
    status: str = ""
    type: CodeableConcept | None = None
    deviceName: tuple[DeviceName, ...] = ()
    manufacturer: str = ""
    modelNumber: str = ""
    property: tuple[DeviceProperty, ...] = ()
    patient: Reference | None = None
    note: tuple[Annotation, ...] = ()


class DeviceUseStatement(DomainResource):
    status: str = ""
    subject: Reference | None = None
    timingTiming: Timing | None = None
    timingPeriod: Period | None = None
    timingDateTime: str = ""
    recordedOn: str = ""
    device: Reference | None = None
    reasonCode: tuple[CodeableConcept, ...] = ()
    note: tuple[Annotation, ...] = ()


class DocumentContext(Element):
    related: tuple[Reference, ...] = ()
    encounter: tuple[Reference, ...] = ()
    period: Period | None = None


class DocumentReference(DomainResource):
    status: str = ""
    docStatus: str = ""
    type: CodeableConcept | None = None
    category: tuple[CodeableConcept, ...] = ()
    subject: Reference | None = None
    date: str = ""
    author: tuple[Reference, ...] = ()
    description: str = ""
    context: DocumentContext | None = None


class Answer(Element):
    valueBoolean: bool | None = None
    valueDecimal: float | None = None
    valueInteger: float | None = None
    valueDate: str = ""
    valueDateTime: str = ""
    valueString: str = ""
    valueCoding: Coding | None = None
    valueQuantity: Quantity | None = None
    item: tuple[ResponseItem, ...] = ()


class ResponseItem(Element):
    linkId: str = ""
    answer: tuple[Answer, ...] = ()
    item: tuple[ResponseItem, ...] = ()


class QuestionnaireResponse(DomainResource):
    status: str = ""
    questionnaire: str = ""
    subject: Reference | None = None
    authored: str = ""
    author: Reference | None = None
    item: tuple[ResponseItem, ...] = ()


class CoverageClass(Element):
    type: CodeableConcept | None = None
    value: str = ""
    name: str = ""


class Coverage(DomainResource):
    identifier: tuple[Identifier, ...] = ()
    status: str = ""
    type: CodeableConcept | None = None
    beneficiary: Reference | None = None
    period: Period | None = None
    payor: tuple[Reference, ...] = ()
    class_: tuple[CoverageClass, ...] = field(name="class", default=())
    order: float | None = None


class Organization(DomainResource):
    identifier: tuple[Identifier, ...] = ()
    name: str = ""
    alias: tuple[str, ...] = ()
    type: tuple[CodeableConcept, ...] = ()


class Practitioner(DomainResource):
    identifier: tuple[Identifier, ...] = ()
    name: tuple[HumanName, ...] = ()
    qualification: tuple[Qualification, ...] = ()


class PractitionerRole(DomainResource):
    identifier: tuple[Identifier, ...] = ()
    practitioner: Reference | None = None
    organization: Reference | None = None
    code: tuple[CodeableConcept, ...] = ()
    specialty: tuple[CodeableConcept, ...] = ()


class Goal(DomainResource):
    description: CodeableConcept | None = None


class DetectedIssue(DomainResource):
    status: str = ""
    code: CodeableConcept | None = None


AnyResource = (
    Patient
    | Observation
    | Condition
    | Medication
    | MedicationStatement
    | MedicationAdministration
    | MedicationRequest
    | DeviceRequest
    | ServiceRequest
    | NutritionOrder
    | VisionPrescription
    | CommunicationRequest
    | Appointment
    | Task
    | Procedure
    | Encounter
    | AllergyIntolerance
    | Device
    | DeviceUseStatement
    | DocumentReference
    | QuestionnaireResponse
    | Coverage
    | Organization
    | Practitioner
    | PractitionerRole
    | Goal
    | DetectedIssue
)

RESOURCE_TYPES: dict[str, type[Resource]] = {t.__name__: t for t in AnyResource.__args__}


class BundleLink(Element):
    relation: str = ""
    url: str = ""
