"""An engine for tests of the service: it answers orders for E0784 with what the chart holds.

What the service hands over is what these tests are about, so the engine keeps it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from types import SimpleNamespace
from typing import Any

from mappings.chart import Chart
from mappings.drugs import Drugs
from mappings.evidence import Evidence
from mappings.fhir import Coverage, Observation, Resource
from mappings.order import orders_of
from mappings.orderables import Orderables
from mappings.tables import read_all
from mappings.terminology import ValueSets
from policies.determination import Determination, Node, NotEvaluated, PolicyRef, Report
from policies.engine import is_selected
from policies.payers import Payers

READS: dict[str, set[str] | None] = {
    "Observation": {"lab-hba1c-percent"},
    "Condition": None,
    "DeviceUseStatement": None,
    "MedicationRequest": None,
    "Encounter": None,
}


class FakeRegistry:
    """Knows one policy, which lists E0784."""

    def __init__(self) -> None:
        self.policies = (SimpleNamespace(id="plan.pump", title="Pump policy", version="1"),)

    def listing(self, codes: Sequence[tuple[str, str]], day: date) -> list[Any]:
        return list(self.policies) if any(code == "E0784" for _, code in codes) else []

    def find(self, name: str) -> Any:
        return next((policy for policy in self.policies if policy.id == name), None)


class FakeEngine:
    """Stands where policies.engine.Engine does. error: raised in place of an answer.

    Like it, this reads the packaged tables before threads need them.
    """

    def __init__(self, value_sets: ValueSets, reads: dict[str, set[str] | None] | None = None) -> None:
        read_all()
        self.value_sets = value_sets
        self.drugs = Drugs.load(value_sets)
        self.catalogue = SimpleNamespace(reads=lambda names: dict(READS if reads is None else reads))
        self.facts: frozenset[str] = frozenset()
        self.registry = FakeRegistry()
        self.orderables = Orderables()
        self.payers = Payers.load()
        self.outcome = "needs-documentation"
        self.error: Exception | None = None
        self.undecided = False
        self.charts: list[Chart] = []
        self.policies: Sequence[str] | None = None
        self.today: date | None = None

    @property
    def chart(self) -> Chart:
        """The last chart that was judged."""
        return self.charts[-1]

    def decide(
        self,
        drafts: Sequence[Resource],
        chart: Chart,
        today: date,
        *,
        only: frozenset[str] | None = None,
        policies: Sequence[str] | None = None,
    ) -> Report:
        self.charts.append(chart)
        self.policies, self.today = policies, today
        if self.error is not None:
            raise self.error
        report = Report([], [])
        for order in orders_of(drafts, chart, today, self.drugs):
            if only is not None and not is_selected(order, only):
                continue
            if not self.registry.listing(order.codes, order.day) and policies is None:
                report.not_evaluated.append(
                    NotEvaluated(order.reference, "no loaded policy lists this order")
                )
            elif self.undecided:
                report.not_evaluated.append(NotEvaluated(order.reference, "it does not tell what it is for"))
            else:
                report.determinations.append(self._determination(order.reference, order.day, chart))
        return report

    def _determination(self, order: str, day: date, chart: Chart) -> Determination:
        found = [
            Evidence(f"{type(r).__name__}/{r.id}", chart.origin(r))
            for kind in (Observation, Coverage)
            for r in chart.of(kind)
        ]
        leaf = Node("hba1c", "unknown", says="HbA1c is on file", reason="no_data", evidence=found)
        policy = PolicyRef("plan.pump", "1", "Plan", "Pump policy")
        criteria = Node("criteria", "unknown", operator="all", criteria=[leaf])
        return Determination(
            order,
            policy,
            "pump",
            day.isoformat(),
            self.outcome,
            criteria,
            lacking=["hba1c"],
            looked_in=["Observation"],
            order_label="pump",
        )
