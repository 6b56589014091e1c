"""The trial of a spinal analgesic before a pump: done, how, by which route, with which drug."""

from __future__ import annotations

from collections.abc import Callable

from mappings.codes import HCPCS, key
from mappings.evidence import Reading, Reason, unknown
from mappings.fhir import CodeableConcept, MedicationAdministration, Procedure, ServiceRequest
from mappings.operators.base import Context, operator
from mappings.pain_trials import counting_trial, pain_trials, spinal_analgesics
from mappings.spinal_trials import CATHETER, INJECTION, Stage, Trial

_CATHETER_USED = (HCPCS, "C1755")


@operator(Procedure, MedicationAdministration, ServiceRequest)
def pain_trial(context: Context, property: str) -> Reading:  # noqa: A002 - the word of the catalogue
    """One property of the trial of a spinal analgesic that counts for this order.

    done: True when an analgesic was given into the spine in a trial by day 0; False when it is only
    planned, not done, or dated after day 0; unknown where an analgesic was given into the spine and no
    procedure tells why. method: "temporary-catheter" or "single-shot". route: as
    the routes of a pump. drug: its name, several joined by " + ". drug_class: classes of the drugs.
    Of several trials the latest by the planned route counts, so that all properties are of one trial.
    """
    if property == "done":
        return _done(context)
    if property == "drug_class":
        return _drug_class(context)
    trial = counting_trial(context)
    return unknown(Reason.NO_DATA) if trial is None else _PROPERTIES[property](context, trial)


def _done(context: Context) -> Reading:
    trial = counting_trial(context)
    if trial is not None:
        return Reading(True, evidence=(trial.evidence(context),))
    candidates = pain_trials(context)
    unclear = [t for t in candidates if t.stage is Stage.DONE or t.stage is Stage.OPEN]
    if unclear:
        evidence = tuple(t.evidence(context) for t in unclear)
        note = "a spinal catheter is on file; the record does not say that an analgesic was tried"
        return unknown(Reason.IMPRECISE, note, evidence)
    if candidates:
        evidence = tuple(
            t.evidence(context, says="planned, not done, or dated after the order") for t in candidates
        )
        return Reading(False, evidence=evidence, note="no trial was done by the day of the order")
    asked = [
        context.evidence(request, request.authoredOn, says="ordered, not done")
        for request in context.chart.in_sets(ServiceRequest, (CATHETER, INJECTION))
        if request.status == "active" and request is not context.order.resource
    ]
    if asked:
        return Reading(
            False, evidence=tuple(asked), note="the trial is ordered, no result is on file", inferred=True
        )
    loose = spinal_analgesics(context)
    if loose:
        note = "an analgesic was given into the spine; the record does not say that it was a trial"
        return unknown(Reason.IMPRECISE, note, loose)
    return unknown(Reason.NO_DATA)


def _method(context: Context, trial: Trial) -> Reading:
    procedure = trial.procedure
    code = procedure.code if procedure is not None else None
    used = procedure.usedCode if procedure is not None else ()
    if context.value_sets.match(CATHETER, code) or any(_is_catheter(c) for c in used):
        return Reading("temporary-catheter", evidence=(trial.evidence(context, "temporary-catheter"),))
    if context.value_sets.match(INJECTION, code):
        return Reading("single-shot", evidence=(trial.evidence(context, "single-shot"),))
    return unknown(
        Reason.UNMAPPED_CODE,
        "the code of the procedure does not tell how the drug was given",
        (trial.evidence(context),),
    )


def _is_catheter(concept: CodeableConcept) -> bool:
    return any(key(coding) == _CATHETER_USED for coding in concept.coding)


def _route(context: Context, trial: Trial) -> Reading:
    read = trial.routes()
    routes = {route for r in read for route in r.routes}
    evidence = (trial.evidence(context),)
    if len(routes) == 1:
        route = routes.pop()
        return Reading(route, evidence=(trial.evidence(context, route),))
    if not routes:
        return unknown(Reason.NO_DATA, "the route of the trial is not on file", evidence)
    if any(len(r.routes) > 1 for r in read):
        return unknown(
            Reason.IMPRECISE, f"the record leaves open which route: {', '.join(sorted(routes))}", evidence
        )
    return unknown(Reason.CONFLICTING, "the trial was given by different routes", evidence)


def _drug(context: Context, trial: Trial) -> Reading:
    name = " + ".join(sorted(drug.name for drug in trial.drugs))
    return Reading(name, evidence=(trial.evidence(context, name),))


def _drug_class(context: Context) -> Reading:
    """The classes of the trial's drugs, those that are only stated included."""
    stated = context.value("pain_trial_drug")
    if stated is None:
        return unknown(Reason.NO_DATA)
    drugs = context.drugs.identify_all(CodeableConcept(text=stated))
    if not drugs:
        return unknown(Reason.UNMAPPED_CODE, f"the drug of the trial is not known here: {stated}")
    return Reading(
        tuple(sorted({kind for drug in drugs for kind in drug.classes})), note=f"trial of {stated}"
    )


_PROPERTIES: dict[str, Callable[[Context, Trial], Reading]] = {
    "method": _method,
    "route": _route,
    "drug": _drug,
}
