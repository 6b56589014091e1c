"""One patient: lines to a chart, the chart and the orders to determinations. The same on any engine.

What a server would answer to the hook is answered here: the same chart, the same policies, the same
determination. The record comes from the export alone, so references are followed into its shared
resources, and where a line about the patient is lost, facts that rest on its type are unknown.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import NamedTuple

from msgspec import Struct, field

from cds_service.population.heads import guess, head
from cds_service.population.problems import read_line
from cds_service.population.records import Record
from cds_service.population.shared import Shared
from cds_service.population.signings import signings
from cds_service.references import open_references
from mappings.chart import Chart, reference_of
from mappings.evidence import Origin
from mappings.fhir import RESOURCE_TYPES, Request, Resource
from mappings.order import Order, orders_of
from mappings.parsing import Item
from policies.determination import Determination
from policies.engine import Engine

_LOST = "a line of the export cannot be read"
# References of references: a role's practitioner, a medication's ingredient.
_ROUNDS = 3


class Left(Struct, frozen=True, omit_defaults=True):
    """An order without a determination of its own, and why."""

    patient: str
    order: str
    why: str


class Trouble(NamedTuple):
    """Something about a record that is to be reported."""

    record: Record
    what: str


class Judged(Struct):
    """All that there is to say about the orders of a patient; each order is under one of the first two.

    payer_notes: order -> what was found out about the payer when none is known. left_out: why
    resources do not count.
    """

    determinations: list[Determination] = field(default_factory=list)
    left: list[Left] = field(default_factory=list)
    payer_notes: dict[str, str] = field(default_factory=dict)
    troubles: list[Trouble] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)


class PatientJudge(Struct):
    """What judges patients. order_tasks: tasks below it are about orders. kinds: what the export is about."""

    engine: Engine
    shared: Shared
    as_of: date
    order_tasks: int
    kinds: frozenset[str]

    def judge(self, patient: str, records: Sequence[Record]) -> Judged:
        """Answer the orders of a patient. records: all lines of the patient."""
        judged = Judged()
        orders = self._orders(patient, [r for r in records if r.task < self.order_tasks], judged)
        lines = [r for r in records if r.task >= self.order_tasks]
        together = signings(orders)
        bare = [self._chart(patient, drafts) for drafts in together]
        items: list[Item] = []
        lost: set[str] = set()
        if any(self._needs_record(drafts, chart) for drafts, chart in zip(together, bare, strict=True)):
            items, lost = _record_of(lines, judged)
        for drafts, chart in zip(together, bare, strict=True):
            chart.add(items, Origin.SERVER)
            chart.answered |= self.kinds
            chart.failures.update(dict.fromkeys(sorted(lost), _LOST))
            self._follow(drafts, chart)
            self._decide(patient, drafts, chart, judged)
            judged.left_out += [left.why for left in chart.left_out]
        judged.determinations.sort(key=_rank)
        judged.left.sort(key=lambda left: left.order)
        return judged

    def _orders(self, patient: str, records: Iterable[Record], judged: Judged) -> list[Resource]:
        found: dict[str, Resource] = {}
        for record in records:
            items, problems = read_line(record.raw)
            judged.troubles += [Trouble(record, problem) for problem in problems]
            if not items and (told := head(record.raw)).kind in RESOURCE_TYPES:
                judged.left.append(
                    Left(f"Patient/{patient}", f"{told.kind}/{told.id}", "the order cannot be read")
                )
            for item in items:
                name = reference_of(item.resource)
                if name in found:
                    judged.troubles.append(
                        Trouble(record, "the order stands in the file twice; the first counts")
                    )
                found.setdefault(name, item.resource)
        return list(found.values())

    def _chart(self, patient: str, drafts: Iterable[Resource]) -> Chart:
        chart = Chart(patient, self.engine.value_sets)
        chart.know(Item(draft) for draft in drafts)
        return chart

    def _needs_record(self, drafts: Sequence[Resource], chart: Chart) -> bool:
        """Whether any order is listed by a policy, or may tell only by reference what it is."""
        return any(
            not order.codes or self.engine.registry.listing(order.listed_by, order.day)
            for order in orders_of(drafts, chart, self.as_of, self.engine.drugs)
        )

    def _follow(self, drafts: Sequence[Resource], chart: Chart) -> None:
        """Add the shared resources that the orders and the record refer to."""
        tried: set[str] = set()
        for _ in range(_ROUNDS):
            names = [_plain(written) for written in open_references(drafts, chart, limit=None)]
            new = [name for name in names if name not in tried]
            tried.update(new)
            found = [item for name in new for item in self.shared.find(name)]
            if not found:
                return
            chart.add(found, Origin.SERVER)

    def _decide(self, patient: str, drafts: Sequence[Resource], chart: Chart, judged: Judged) -> None:
        report = self.engine.decide(drafts, chart, self.as_of)
        judged.determinations += report.determinations
        if report.payer_note:
            judged.payer_notes |= {
                d.order: report.payer_note for d in report.determinations if d.coverage is None
            }
        reference = f"Patient/{patient}"
        judged.left += [Left(reference, left.order, left.why) for left in report.not_evaluated]
        asked = orders_of(drafts, chart, self.as_of, self.engine.drugs)
        judged.left += [Left(reference, name, why) for name, why in _unasked(drafts, asked)]


def _record_of(records: Iterable[Record], judged: Judged) -> tuple[list[Item], set[str]]:
    """The resources of the record, and the types of which a line is lost."""
    found: list[Item] = []
    lost: set[str] = set()
    for record in records:
        items, problems = read_line(record.raw)
        judged.troubles += [Trouble(record, problem) for problem in problems]
        found += items
        if not items:
            kind = guess(record.raw)[0]
            lost |= {kind} if kind in RESOURCE_TYPES else RESOURCE_TYPES.keys()
    return found, lost


def _unasked(drafts: Sequence[Resource], asked: Sequence[Order]) -> Iterator[tuple[str, str]]:
    """The drafts about which nothing was asked, and why."""
    taken = {id(drug): order.reference for order in asked for drug in order.drug_orders}
    mine = {id(order.resource) for order in asked}
    for draft in drafts:
        name = reference_of(draft)
        if id(draft) in mine:
            continue
        if id(draft) in taken:
            yield name, "it belongs to another order and is answered with it"
        elif not isinstance(draft, Request):
            yield name, f"no loaded policy reads a {type(draft).__name__}"
        elif draft.doNotPerform:
            yield name, "it says what is not to be done"
        else:
            yield name, f"its status is {draft.status}"


def _rank(determination: Determination) -> tuple[str, str, str, str]:
    coverage = determination.coverage.reference if determination.coverage is not None else ""
    return determination.order, determination.policy.id, determination.policy.version, coverage


def _plain(written: str) -> str:
    """ "Type/id" of a reference that may be a URL."""
    return "/".join(written.partition("/_history")[0].split("/")[-2:])
