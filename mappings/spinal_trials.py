"""Trials of a drug through the spine: a procedure and what was given in it.

The codes of an intraspinal injection or catheter are also used for epidural steroids and for pain
after surgery. What makes one a trial for a pump is the drug, so a trial is read from the Procedure
together with the MedicationAdministrations that are part of it, or that were given into the spine on
the same day (shared value sets, TRAPS). The highest stage counts: what is planned, or dated after
day 0, is no trial yet.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from enum import IntEnum

from msgspec import Struct

from mappings.chart import Chart
from mappings.codes import HCPCS, key
from mappings.dates import Span, span
from mappings.drugs import Drug
from mappings.evidence import Evidence
from mappings.fhir import CodeableConcept, MedicationAdministration, Procedure
from mappings.medication_codes import medication_concepts
from mappings.operators.base import Context
from mappings.routes import RouteRead, route_of

CATHETER, INJECTION = "proc-intraspinal-catheter", "proc-intraspinal-injection"
SPINAL_ROUTES = frozenset({"intrathecal", "epidural"})
_TRIAL_DOSE = (HCPCS, "J0476")
"""Baclofen, 50 mcg for intrathecal trial: the code itself says what the injection was for."""


class Stage(IntEnum):
    """How far a trial has come on day 0."""

    NOT_DONE = 0
    PLANNED = 1
    OPEN = 2
    DONE = 3


class Trial(Struct, frozen=True):
    """One trial. when: the days on which it may have begun; None where nothing tells.

    drugs: what was given, each drug once; () where nothing tells.
    """

    procedure: Procedure | None
    administrations: tuple[MedicationAdministration, ...]
    drugs: tuple[Drug, ...]
    when: Span | None
    stage: Stage

    @property
    def resource(self) -> Procedure | MedicationAdministration:
        return self.procedure if self.procedure is not None else self.administrations[0]

    @property
    def written(self) -> str:
        """When it began, as written."""
        if self.procedure is not None:
            return began(self.procedure)
        return began_giving(self.administrations[0])

    def evidence(self, context: Context, value: object = None, unit: str = "", says: str = "") -> Evidence:
        return context.evidence(self.resource, self.written, value, unit, says)

    def routes(self) -> list[RouteRead]:
        return [route_of(given.dosage) for given in self.administrations if given.dosage is not None]


def spinal_trials(context: Context) -> list[Trial]:
    """All intraspinal injections and catheters of the chart, oldest first, undated ones first of all."""
    chart, day = context.chart, context.as_of
    return chart.once(("spinal_trials", day), lambda: sorted(_trials(context), key=_when))


def began(procedure: Procedure) -> str:
    period = procedure.performedPeriod
    return procedure.performedDateTime or (period.start or period.end if period is not None else "")


def began_giving(given: MedicationAdministration) -> str:
    period = given.effectivePeriod
    return given.effectiveDateTime or (period.start or period.end if period is not None else "")


def _when(trial: Trial) -> date:
    return trial.when.last if trial.when is not None else date.min


def _trials(context: Context) -> Iterator[Trial]:
    chart, day = context.chart, context.as_of
    given_in: dict[int, list[MedicationAdministration]] = {}
    loose: list[MedicationAdministration] = []
    procedures = {id(p): p for p in chart.in_sets(Procedure, (CATHETER, INJECTION))}
    for given in chart.of(MedicationAdministration):
        if given.status not in ("completed", "in-progress", "stopped", "") or not _spinal(given):
            continue
        parents = [p for r in given.partOf if isinstance(p := chart.resolve(r, given), Procedure)]
        for parent in parents:
            procedures.setdefault(id(parent), parent)
            given_in.setdefault(id(parent), []).append(given)
        if not parents:
            loose.append(given)
    for procedure in procedures.values():
        started = span(began(procedure))
        inside = given_in.get(id(procedure), [])
        same_day = [g for g in loose if started is not None and span(began_giving(g)) == started]
        loose = [g for g in loose if g not in same_day]
        yield Trial(
            procedure=procedure,
            administrations=tuple(inside + same_day),
            drugs=_drugs_of(procedure, inside + same_day, context),
            when=started,
            stage=_stage(procedure.status, started, day),
        )
    for given in loose:
        if any(key(coding) == _TRIAL_DOSE for c in _concepts(given, chart) for coding in c.coding):
            started = span(began_giving(given))
            stage = _stage("completed", started, day)
            yield Trial(None, (given,), context.drugs.identify_all(*_concepts(given, chart)), started, stage)


def _spinal(given: MedicationAdministration) -> bool:
    """Whether it went into the spine, or may have: a dose of a spinal procedure without a route."""
    if given.dosage is None:
        return True
    routes = route_of(given.dosage).routes
    return not routes or bool(SPINAL_ROUTES & set(routes))


def _stage(status: str, started: Span | None, day: date) -> Stage:
    if status in ("not-done", "entered-in-error"):
        return Stage.NOT_DONE
    before = True if started is None else started.on_or_before(day)
    if status == "preparation" or before is False:
        return Stage.PLANNED
    if status in ("on-hold", "unknown", "in-progress") or before is None:
        return Stage.OPEN
    return Stage.DONE


def _concepts(given: MedicationAdministration, chart: Chart) -> tuple[CodeableConcept, ...]:
    return medication_concepts(given.medicationCodeableConcept, given.medicationReference, given, chart)


def _drugs_of(
    procedure: Procedure, administrations: list[MedicationAdministration], context: Context
) -> tuple[Drug, ...]:
    """The drugs given; where no administration tells, those that the procedure itself names."""
    given = [c for administration in administrations for c in _concepts(administration, context.chart)]
    drugs = context.drugs
    return drugs.identify_all(*given) or drugs.identify_all(*procedure.usedCode, procedure.code)
