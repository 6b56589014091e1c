"""From draft orders and a chart to a report: who pays, which policies, what they say."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path

from msgspec import Struct

from mappings.book import FactBook
from mappings.catalogue import Catalogue
from mappings.chart import Chart, reference_of
from mappings.companions import DecidedPump, with_pumps
from mappings.drugs import Drugs
from mappings.fhir import Resource
from mappings.order import Order, ordered_item, orders_of
from mappings.orderables import FILE as ORDERABLES
from mappings.orderables import Orderables
from mappings.tables import read_all
from mappings.terminology import ValueSets
from policies.determination import Determination, Lapsed, NotEvaluated, Report, facts_of, lacking_nodes
from policies.evaluator import evaluate
from policies.library import LIBRARY, policy_files
from policies.loader import load_policy
from policies.model import Policy
from policies.payers import Payers
from policies.registry import Registry
from policies.selection import Question, forced, select


class Engine(Struct, frozen=True):
    """Everything that is loaded once: value sets, facts, drugs, payers, policies, orders for facts."""

    catalogue: Catalogue
    value_sets: ValueSets
    drugs: Drugs
    payers: Payers
    registry: Registry
    orderables: Orderables = Orderables()

    @classmethod
    def load(cls, *policy_folders: Path) -> Engine:
        """Load the packaged library and further folders of policies.

        A folder may hold value_sets/, facts/, payers.yaml and orderables.yaml beside its policies.
        Raises mappings.yaml_file.DataError for a file that cannot be used.
        """
        read_all()
        value_sets = ValueSets.load(
            *(f / "value_sets" for f in policy_folders if (f / "value_sets").is_dir())
        )
        catalogue = Catalogue.load(*(f / "facts" for f in policy_folders if (f / "facts").is_dir()))
        files = [path for folder in (LIBRARY, *policy_folders) for path in policy_files(folder)]
        policies = [load_policy(path, catalogue, value_sets) for path in files]
        payers = Payers.load(*(f / "payers.yaml" for f in policy_folders if (f / "payers.yaml").is_file()))
        orderables = Orderables.load(
            catalogue, value_sets, *(f / ORDERABLES for f in policy_folders if (f / ORDERABLES).is_file())
        )
        registry = Registry(policies, value_sets)
        return cls(catalogue, value_sets, Drugs.load(value_sets), payers, registry, orderables)

    @property
    def facts(self) -> frozenset[str]:
        """Names of all facts that the loaded policies ask for."""
        return frozenset(name for policy in self.registry.policies for name in policy.facts())

    def decide(
        self,
        drafts: Sequence[Resource],
        chart: Chart,
        today: date,
        *,
        only: frozenset[str] | None = None,
        policies: Sequence[str] | None = None,
    ) -> Report:
        """Answer the draft orders.

        today: day 0 for orders without a past authoredOn. only: references of the orders to answer
        (order-select's selections); the others still belong to them. policies: ids to judge by,
        whatever the coverage. Raises KeyError for an unknown policy id.
        """
        chosen = None if policies is None else [self._named(name) for name in policies]
        report = Report([], [])
        for order in with_pumps(orders_of(drafts, chart, today, self.drugs), chart):
            if only is None or is_selected(order, only):
                self._answer(order, chart, chosen, report)
        return report

    def _named(self, name: str) -> Policy:
        policy = self.registry.find(name)
        if policy is None:
            raise KeyError(name)
        return policy

    def _answer(self, order: Order, chart: Chart, chosen: list[Policy] | None, report: Report) -> None:
        """Add what there is to say about one order to the report."""
        if chosen is not None:
            selection = forced(order, chart, chosen, self.payers)
        elif listing := self.registry.listing(order.listed_by, order.day):
            selection = select(order, chart, listing, self.payers)
        else:
            report.not_evaluated.append(NotEvaluated(order.reference, "no loaded policy lists this order"))
            return
        report.payer_note = report.payer_note or selection.note
        report.lapsed.extend(
            Lapsed(order.reference, coverage, order.day.isoformat(), order_label(order, chart))
            for coverage in selection.lapsed
        )
        found = [
            determination
            for question in selection.questions
            for policy in question.policies
            if (determination := self._evaluate(policy, order, chart, question)) is not None
        ]
        report.determinations.extend(found)
        if not found:
            why = selection.why_not or "the order does not tell which kind of pump or drug it is for"
            report.not_evaluated.append(NotEvaluated(order.reference, why))

    def _evaluate(
        self, policy: Policy, order: Order, chart: Chart, question: Question
    ) -> Determination | None:
        book = FactBook(
            self.catalogue,
            self.drugs,
            chart,
            order,
            order.day,
            coverage=question.coverage,
            member=question.member,
            pumps=tuple(self._decided(policy, pump, chart, question) for pump in order.pumps),
        )
        determination = evaluate(policy, book, self.value_sets, order.reference, order.day)
        if determination is not None:
            determination.policy.payer = self.payers.name(policy.payer)
            determination.order_label = order_label(order, chart)
            determination.listed = [c for code in order.codes for c in policy.codes.get(code, ())]
            determination.coverage = question.reference
            names = {name for node in lacking_nodes(determination) for name in facts_of(node)}
            determination.looked_in = sorted({kind for name in names for kind in book.looked_in(name)})
        return determination

    def _decided(self, policy: Policy, pump: Order, chart: Chart, question: Question) -> DecidedPump:
        """What a policy says of the pump that an item goes with: the item may be covered only with it."""
        found = self._evaluate(policy, pump, chart, question)
        return DecidedPump(pump, found.outcome if found else "", str(found.criteria.state) if found else "")


def is_selected(order: Order, only: frozenset[str]) -> bool:
    """Whether one of these references is the order, or a drug order that belongs to it."""
    mine = (order.resource, *order.drug_orders)
    return any(reference_of(resource) in only for resource in mine)


def order_label(order: Order, chart: Chart) -> str:
    """What is ordered, in the order's own words."""
    concept = ordered_item(order.resource, chart)
    if concept is None:
        return order.reference
    display = concept.text or next((c.display for c in concept.coding if c.display), "")
    code = next((code for _, code in order.codes), "")
    if display and code and code not in display:
        return f"{display} ({code})"
    return display or code or order.reference
