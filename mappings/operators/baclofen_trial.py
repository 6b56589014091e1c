"""The trial dose of intrathecal baclofen before a pump: done, when, how much, with what response."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

from mappings.conditions import in_any
from mappings.dates import Span
from mappings.evidence import Evidence, Reading, Reason, unknown
from mappings.fhir import MedicationAdministration, Procedure
from mappings.operators.base import Context, operator
from mappings.spinal_trials import Stage, Trial, spinal_trials
from mappings.units import convert

_DRUG = "baclofen"
_FAVORABLE, _UNFAVORABLE = "outcome-favorable", "outcome-unfavorable"


class _Dosed(Struct, frozen=True):
    """A trial that took place, with its highest single dose in micrograms and its response."""

    trial: Trial
    dose: float | None
    response: str


@operator(Procedure, MedicationAdministration)
def baclofen_trial(context: Context, property: str) -> Reading:  # noqa: A002 - the word of the catalogue
    """One property of the intrathecal baclofen trials up to day 0.

    done: True; False when a trial is only planned, not done, or dated after day 0. date: of the trial
    whose response counts. dose: the highest single dose, in micrograms. response: "favorable" or
    "unfavorable" by Procedure.outcome. Doses are raised until one works, so a response at a higher
    dose, or a later one, goes before a missing response; a response that was lost later, or at a
    higher dose, is conflicting. A partly successful outcome is unknown.
    """
    trials = [t for t in spinal_trials(context) if any(drug.name == _DRUG for drug in t.drugs)]
    if property == "done":
        return _done(context, trials)
    done = [_dosed(t, context) for t in trials if t.stage is Stage.DONE]
    return _PROPERTIES[property](context, done) if done else unknown(Reason.NO_DATA)


def _done(context: Context, trials: list[Trial]) -> Reading:
    by_stage = {stage: [t for t in trials if t.stage is stage] for stage in Stage}
    if by_stage[Stage.DONE]:
        return Reading(True, evidence=tuple(t.evidence(context) for t in by_stage[Stage.DONE]))
    if by_stage[Stage.OPEN]:
        evidence = tuple(t.evidence(context) for t in by_stage[Stage.OPEN])
        return unknown(
            Reason.IMPRECISE, "the record does not say that the trial was completed by the order", evidence
        )
    waiting = (*by_stage[Stage.PLANNED], *by_stage[Stage.NOT_DONE])
    if waiting:
        evidence = tuple(t.evidence(context, says=_waits(t)) for t in waiting)
        return Reading(False, evidence=evidence, note="no trial was done by the day of the order")
    if context.value("itb_trial_response") is not None:
        after = context.value("itb_trial_date")
        if not isinstance(after, Span) or after.on_or_before(context.as_of):
            return Reading(True, inferred=True, note="a response to the trial is on file")
        if after.on_or_before(context.as_of) is False:
            return Reading(False, inferred=True, note="the trial is dated after the order")
    return unknown(Reason.NO_DATA)


def _waits(trial: Trial) -> str:
    return "not done" if trial.stage is Stage.NOT_DONE else "planned, or dated after the order"


def _dosed(trial: Trial, context: Context) -> _Dosed:
    doses = [
        converted.value
        for given in trial.administrations
        if given.dosage is not None
        and (converted := convert("micrograms", given.dosage.dose)).value is not None
    ]
    outcome = trial.procedure.outcome if trial.procedure is not None else None
    response = ""
    if in_any(context.value_sets, outcome, (_FAVORABLE,)):
        response = "favorable"
    elif in_any(context.value_sets, outcome, (_UNFAVORABLE,)):
        response = "unfavorable"
    return _Dosed(trial, max(doses, default=None), response)


def _dose(context: Context, trials: list[_Dosed]) -> Reading:
    known = [(t.dose, t) for t in trials if t.dose is not None]
    if not known:
        evidence = tuple(t.trial.evidence(context) for t in trials)
        return unknown(Reason.NO_DATA, "the dose of the trial is not on file", evidence)
    dose, best = max(known, key=lambda pair: pair[0])
    evidence = _dose_evidence(context, best)
    return Reading(dose, evidence=evidence)


def _dose_evidence(context: Context, dosed: _Dosed) -> tuple[Evidence, ...]:
    return (dosed.trial.evidence(context, dosed.dose, "ug", "highest single dose"),)


def _deciding(trials: list[_Dosed]) -> _Dosed | str:
    """The trial whose response counts, or why none does."""
    answered = [t for t in trials if t.response]
    if not answered:
        return "the response to the trial is not on file"
    good = [t for t in answered if t.response == "favorable"]
    if not good:
        return max(answered, key=_rank)
    best = max(good, key=_rank)
    lost = [t for t in answered if t.response == "unfavorable" and _rank(t) >= _rank(best)]
    return "the trials had different responses" if lost else best


def _rank(dosed: _Dosed) -> tuple[float, str]:
    return (dosed.dose or 0.0, dosed.trial.when.last.isoformat() if dosed.trial.when is not None else "")


def _response(context: Context, trials: list[_Dosed]) -> Reading:
    deciding = _deciding(trials)
    if isinstance(deciding, _Dosed):
        says = f"response at {deciding.dose:g} mcg" if deciding.dose is not None else "response"
        return Reading(
            deciding.response, evidence=(deciding.trial.evidence(context, deciding.response, says=says),)
        )
    evidence = tuple(t.trial.evidence(context, t.response or None) for t in trials)
    answered = any(t.response for t in trials)
    return unknown(Reason.CONFLICTING if answered else Reason.NO_DATA, deciding, evidence)


def _date(context: Context, trials: list[_Dosed]) -> Reading:
    deciding = _deciding(trials)
    dosed = deciding if isinstance(deciding, _Dosed) else trials[-1]
    evidence = (dosed.trial.evidence(context),)
    if dosed.trial.when is None:
        return unknown(Reason.NO_DATA, "the trial is on file without a date", evidence)
    return Reading(dosed.trial.when, evidence=evidence)


_PROPERTIES: dict[str, Callable[[Context, list[_Dosed]], Reading]] = {
    "dose": _dose,
    "response": _response,
    "date": _date,
}
