"""From a hook request to what the policies say about its orders."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date

from msgspec import Struct

from cards.response_types import Version
from cds_service.appointments import without_order
from cds_service.clock import Clock
from cds_service.drafts import Draft
from cds_service.errors import NoDataError, NotFoundError
from cds_service.fhir_client import FhirAccess
from cds_service.gaps import Gap, sentences
from cds_service.gather import Gathered, chart_of_drafts, connect, gather
from cds_service.hook_request import HookRequest
from cds_service.open_orders import Found, Missing, with_orders
from cds_service.payer_check import check_payer
from cds_service.prefetch import queries
from cds_service.telemetry.observed import observed, stage
from mappings.chart import Chart, LeftOut
from mappings.coverage import counts_on
from mappings.fhir import Coverage, Request, Resource
from mappings.order import Order, orders_of
from mappings.parsing import Problem
from mappings.yaml_file import allowed_words
from policies.determination import NotEvaluated, Report
from policies.engine import Engine, is_selected, order_label


class Judgement(Struct, frozen=True):
    """The report on a request, and what the reader must know beside it.

    request: with all orders that it is about. labels: order that some policy lists ->
    what is ordered, in words. missing: orders that cannot be had. gaps: what else could not be
    had. blank: nothing at all is known about the patient. problems: what was mended while reading.
    left_out: resources that do not count. chart: of the patient, as far as any order needed it. today:
    the day of the call. codes: listed order -> (system, code) by which it is listed. token_use: of
    the access token: used, not-used or rejected. insurer: who covers the patient today, as far as one
    payer is known; "" else.
    """

    request: HookRequest
    report: Report
    chart: Chart
    today: date
    labels: dict[str, str] = {}
    missing: tuple[Missing, ...] = ()
    gaps: tuple[Gap, ...] = ()
    blank: bool = False
    problems: tuple[Problem, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    codes: dict[str, tuple[str, str]] = {}
    token_use: str = "not-used"
    insurer: str = ""

    @property
    def could_not(self) -> tuple[str, ...]:
        """What could not be had, in plain words."""
        return sentences(self.gaps)

    def could_not_of(self, kinds: Collection[str]) -> tuple[str, ...]:
        """Of that, what concerns these resource types."""
        return sentences(self.gaps, kinds)


class Judge:
    """Answers requests with a loaded engine. access: None never calls a FHIR server.

    style: of the prefetch that discovery offers. strict: refuse what CRD 2.2 calls a payer mismatch.
    """

    def __init__(
        self,
        engine: Engine,
        access: FhirAccess | None,
        clock: Clock,
        *,
        style: Version = "2.0",
        strict: bool = False,
    ) -> None:
        self.engine = engine
        self.queries = queries(engine.catalogue.reads(engine.facts), engine.value_sets, style)
        self._strict = strict
        self._access = access
        self._clock = clock

    def judge(self, request: HookRequest, policies: Sequence[str] | None = None) -> Judgement:
        """Answer the selected orders of a request. policies: ids to judge by, whatever the coverage.

        Orders that no policy lists need no data, so none is fetched for them and they never fail.

        Raises NotFoundError for an unknown policy, BadRequestError for prefetch that is no JSON,
        PayerError for a payer mismatch in strict mode, and NoDataError when an order needs data while
        the request has no prefetch and names no FHIR server: then the client must call again with either
        (CDS Hooks 2.0: 412). It is raised in no other case. An error status makes common clients show
        that all is well, so a request that brings or names a source of data is answered even if that
        source fails: facts are then unknown, and the answer says what could not be had.
        """
        self._check(policies)
        today = self._clock().date()
        with stage("gather"):
            server = connect(request, self._access)
            found = with_orders(request, server, self.queries)
        bare = chart_of_drafts(found.request, self.engine.value_sets)
        strict = self._strict and request.configuration.version == "2.2"
        need_data = strict or self._need_data(found.request, bare, today, policies)
        if (
            (need_data or found.missing)
            and not request.prefetch
            and not (request.fhir_server and self._access)
        ):
            what = "The request holds no prefetch and names no FHIR server: nothing is known of the patient."
            mend = "Fill the prefetch templates of GET /cds-services, or send fhirServer."
            raise NoDataError("no-data", what, where="prefetch", mend=mend)
        if not need_data:
            return self._judgement(found, Gathered(bare), today, policies, blank=False)
        with stage("gather"):
            gathered = gather(found.request, self.queries, self.engine.value_sets, self._access, server)
        if strict:
            check_payer(gathered.chart, self.engine, today)
        return self._judgement(found, gathered, today, policies, blank=gathered.empty)

    def _judgement(
        self,
        found: Found,
        gathered: Gathered,
        today: date,
        policies: Sequence[str] | None,
        *,
        blank: bool,
    ) -> Judgement:
        chart, request = gathered.chart, found.request
        with stage("decide"):
            report = self._report(request, chart, today, policies)
        outcomes = ((found.policy.id, found.outcome) for found in report.determinations)
        observed().judged(outcomes, chart.failures)
        alone = without_order(request, lambda codes: bool(self.engine.registry.listing(codes, today)))
        missing = (*found.missing, *alone)
        report.not_evaluated.extend(NotEvaluated(gap.reference, gap.why) for gap in missing)
        listed = [order for order in self._orders(request, chart, today) if self._listed(order)]
        return Judgement(
            request=request,
            report=report,
            chart=chart,
            today=today,
            labels={order.reference: order_label(order, chart) for order in listed},
            missing=missing,
            gaps=gathered.gaps,
            blank=blank,
            problems=gathered.problems,
            left_out=tuple(chart.left_out),
            codes={order.reference: self._listed_code(order) for order in listed},
            token_use=gathered.token_use,
            insurer=self._insurer(chart, today),
        )

    def _insurer(self, chart: Chart, today: date) -> str:
        payers = self.engine.payers
        active = [coverage for coverage in chart.of(Coverage) if counts_on(coverage, today)]
        known = {payer for coverage in active if (payer := payers.match(coverage, chart).payer_id)}
        return payers.name(known.pop()) if len(known) == 1 else ""

    def _check(self, policies: Sequence[str] | None) -> None:
        for name in policies or ():
            if self.engine.registry.find(name) is None:
                known = [policy.id for policy in self.engine.registry.policies]
                mend = f"{allowed_words(name, known)}.".capitalize()
                what = "There is no policy of this id."
                raise NotFoundError("unknown-policy", what, where="policies", mend=mend)

    def _report(
        self, request: HookRequest, chart: Chart, today: date, policies: Sequence[str] | None
    ) -> Report:
        drafts, only = _resources(request), request.selected
        report = self.engine.decide(drafts, chart, today, only=only, policies=policies)
        report.not_evaluated.extend(_unread(request))
        return report

    def _need_data(
        self, request: HookRequest, chart: Chart, today: date, policies: Sequence[str] | None
    ) -> bool:
        """Whether any selected order is listed by a policy, or tells only by reference what it is."""
        return any(
            policies is not None or self._listed(order) or _item_is_open(order)
            for order in self._orders(request, chart, today)
            if request.selected is None or is_selected(order, request.selected)
        )

    def _orders(self, request: HookRequest, chart: Chart, today: date) -> list[Order]:
        return orders_of(_resources(request), chart, today, self.engine.drugs)

    def _listed_code(self, order: Order) -> tuple[str, str]:
        return next(code for code in order.listed_by if self.engine.registry.listing((code,), order.day))

    def _listed(self, order: Order) -> bool:
        return bool(self.engine.registry.listing(order.listed_by, order.day))


def _resources(request: HookRequest) -> list[Resource]:
    return [draft.resource for draft in request.drafts if draft.resource is not None]


def _item_is_open(order: Order) -> bool:
    """Whether what is ordered stands in another resource, which is not at hand yet."""
    resource = order.resource
    by_reference = getattr(resource, "codeReference", None) or getattr(resource, "medicationReference", None)
    return by_reference is not None and not order.codes


def _unread(request: HookRequest) -> list[NotEvaluated]:
    """The selected drafts that cannot be read as an order, and why."""
    return [
        NotEvaluated(draft.reference, _why_unread(draft))
        for draft in request.drafts
        if draft.is_order
        and not isinstance(draft.resource, Request)
        and (request.selected is None or draft.reference in request.selected)
    ]


def _why_unread(draft: Draft) -> str:
    if draft.resource is None and draft.problems:
        return "the order cannot be read"
    return f"no loaded policy reads a {draft.kind}"
