"""Payer mismatch: CRD 2.2 wants one active coverage, and its payer to be one that this service answers for.

Requests in the field seldom identify the payer (most name it), so this is checked in strict mode
alone; else whatever can be said about the order is said by every policy that lists it.
Source: Da Vinci CRD 2.2.1, section Hooks, hook-13.
"""

from __future__ import annotations

from datetime import date

from cds_service.errors import PayerError
from mappings.chart import Chart
from mappings.coverage import counts_on
from mappings.fhir import Coverage, Organization
from policies.engine import Engine


def check_payer(chart: Chart, engine: Engine, day: date) -> None:
    """Raise PayerError unless a chart has one coverage on a day, with a payer of a loaded policy.

    Coverage that could not be had is no mismatch: the answer tells of it.
    """
    if "Coverage" in chart.failures:
        return
    active = [coverage for coverage in chart.of(Coverage) if counts_on(coverage, day)]
    why = _mismatch(active, chart, engine)
    if why:
        mend = "Send the one coverage that pays first, with the identifier of its payer."
        raise PayerError("payer-mismatch", why, where="prefetch.coverage", mend=mend)


def _mismatch(active: list[Coverage], chart: Chart, engine: Engine) -> str:
    if not active:
        return "There is no active coverage."
    if len(active) > 1:
        return f"There are {len(active)} active coverages."
    if not _identifies_its_payer(active[0], chart):
        return "The coverage does not identify its payer."
    payer = engine.payers.match(active[0], chart).payer_id
    if all(policy.payer != payer for policy in engine.registry.policies):
        return "The payer of the coverage is none that this service answers for."
    return ""


def _identifies_its_payer(coverage: Coverage, chart: Chart) -> bool:
    for reference in coverage.payor:
        payor = chart.resolve(reference, coverage)
        if reference.identifier is not None or (isinstance(payor, Organization) and payor.identifier):
            return True
    return False
