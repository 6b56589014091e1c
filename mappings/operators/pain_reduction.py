"""By how much a trial of a spinal analgesic lowered the pain."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from fractions import Fraction

from mappings.dates import before as day_before
from mappings.dates import words
from mappings.evidence import Evidence, Reading, Reason, unknown
from mappings.fhir import MedicationAdministration, Observation, Procedure
from mappings.operators.base import Context, operator
from mappings.pain_trials import Score, Unread, best_held, counting_trial, scores
from mappings.spinal_trials import Trial


@operator(
    Observation, Procedure, MedicationAdministration, filtered=(Observation,), code_arguments=("value_set",)
)
def pain_reduction(context: Context, value_set: str, baseline_within: str) -> Reading:
    """The reduction of pain in the trial that counts, in percent: (baseline - trial) / baseline.

    baseline: the last score before the trial began, not older than `baseline_within` (a calendar
    duration) on the day it began. trial: the lowest score that was held. Both must be of one scale.
    Unknown without a baseline, with a baseline of 0, on different scales, or where the scores are
    words or limits.
    """
    trial = counting_trial(context)
    if trial is None:
        return unknown(Reason.NO_DATA)
    around = scores(context, trial, value_set)
    before, during = around.before, around.during
    unread = (
        *(() if before else _unread(context, around.unread_before, "before the trial")),
        *(() if during else _unread(context, around.unread_during, "during the trial")),
    )
    if unread:
        known = (
            *(score.evidence(context, "before the trial") for score in before[-1:]),
            *(score.evidence(context, "during the trial") for score in during),
        )
        note = "a pain score on file is no number on a known scale"
        return unknown(Reason.IMPRECISE, note, (*known, *unread))
    if not during:
        note = "no pain score from the trial is on file" if before else "no pain scores are on file"
        return unknown(Reason.NO_DATA, note, (trial.evidence(context),))
    shown = tuple(score.evidence(context, "during the trial") for score in during)
    if not before:
        return unknown(Reason.NO_DATA, "no pain score from before the trial is on file", shown)
    first_day = _first_day(trial, baseline_within)
    old, before = before, tuple(score for score in before if score.day.first >= first_day)
    if not before:
        note = f"the last pain score is from more than {words(baseline_within)} before the trial"
        return unknown(Reason.STALE, note, (old[-1].evidence(context, "before the trial"), *shown))
    scale = next((s.scale for s in reversed(before) if any(s.scale == d.scale for d in during)), None)
    baseline = before[-1]
    if scale is None:
        evidence = (baseline.evidence(context, "before the trial"), *shown)
        return unknown(
            Reason.UNIT_MISMATCH, "pain before and during the trial is scored on different scales", evidence
        )
    baseline = next(score for score in reversed(before) if score.scale == scale)
    return _reduction(context, baseline, [score for score in during if score.scale == scale])


def _unread(context: Context, found: Iterable[Unread], when: str) -> tuple[Evidence, ...]:
    return tuple(score.evidence(context, when) for score in found)


def _first_day(trial: Trial, duration: str) -> date:
    """The first day of scores that tell of the pain before a trial; a trial after scores is dated."""
    assert trial.when is not None
    return day_before(trial.when.last, duration)


def _reduction(context: Context, baseline: Score, during: list[Score]) -> Reading:
    best = best_held([score.value for score in during])
    evidence = (
        baseline.evidence(context, "before the trial"),
        *(score.evidence(context, "during the trial") for score in during),
    )
    if baseline.value == 0:
        return unknown(
            Reason.IMPRECISE, "the pain score before the trial is 0, so no reduction can be told", evidence
        )
    percent = float((baseline.value - best) / baseline.value * Fraction(100))
    scores_said = f"{float(baseline.value):g} before the trial, {float(best):g} held during it"
    note = f"pain {scores_said}: {percent:.1f} % less"
    return Reading(percent, evidence=evidence, note=note)
