"""The chart of a request: prefetch first, then what is missing from the FHIR server.

Queries run in parallel and stop at the deadline of the answer, and so do the reads of references that
they leave open. Whatever cannot be had is a reason in `Chart.failures`, which makes facts unknown, and a
sentence for the reader. Draft orders are no record: references resolve to them, but they are no
evidence of what the patient has or takes.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from functools import partial

from msgspec import Struct

from cds_service.fhir_client import TOO_LATE, Fetched, FhirAccess, FhirServer
from cds_service.gaps import Gap
from cds_service.hook_request import HookRequest
from cds_service.prefetch import REFERENCED, Query
from cds_service.prefetched import NextPage, Prefetched, read_prefetch
from cds_service.references import kind_of, open_references
from cds_service.turn import aside
from mappings.chart import Chart
from mappings.evidence import Origin
from mappings.fhir import RESOURCE_TYPES, Reference
from mappings.parsing import Problem
from mappings.terminology import ValueSets

_FIRST_PAGE = "only the first page was sent"
_LONG = frozenset({"Observation"})


class Gathered(Struct, frozen=True):
    """A chart, and what is to be said about it.

    gaps: what could not be had. problems: what had to be mended while reading.
    token_use: of the access token: used, not-used or rejected.
    """

    chart: Chart
    gaps: tuple[Gap, ...] = ()
    problems: tuple[Problem, ...] = ()
    token_use: str = "not-used"

    @property
    def empty(self) -> bool:
        """Whether nothing at all is known about the patient."""
        return not any(self.chart.has(kind) for kind in RESOURCE_TYPES.values())


def chart_of_drafts(request: HookRequest, value_sets: ValueSets) -> Chart:
    """A chart that knows the draft orders and what stands beside them, and nothing of the record."""
    chart = Chart(request.patient_id, value_sets)
    chart.know(draft.item for draft in request.drafts if draft.item and draft.is_order)
    beside = [draft.item for draft in request.drafts if draft.item and not draft.is_order]
    chart.add(beside, Origin.ORDER)
    return chart


def gather(
    request: HookRequest,
    queries: Sequence[Query],
    value_sets: ValueSets,
    access: FhirAccess | None,
    server: FhirServer | str = "",
) -> Gathered:
    """Everything that can be had about the patient of a request. access: None stays offline.

    server: what `connect` gave, where the deadline of the request already runs.
    Raises BadRequestError for prefetch that is no JSON.
    """
    chart = chart_of_drafts(request, value_sets)
    prefetched = read_prefetch(request.prefetch, queries, chart, _named(request))
    problems = [problem for draft in request.drafts for problem in draft.problems] + prefetched.problems
    missing = [query for query in queries if not prefetched.answers(query)]
    chart.answered |= {query.kind for query in queries} - {query.kind for query in missing}
    gaps = _Gaps(chart)
    server = server or connect(request, access)
    if isinstance(server, FhirServer):
        problems += _Crew(request, prefetched, chart, gaps, server).fetch(missing)
    else:
        for kind, reason in prefetched.failures.items():
            gaps.failed(kind, reason)
        for query in missing:
            gaps.not_had(query.kind, server, failed=bool(request.fhir_server and access))
        for kind in sorted({kind for page in prefetched.pages for kind in page.kinds}):
            gaps.failed(kind, f"{_FIRST_PAGE}, and {server}")
    chart.answered -= chart.failures.keys()
    token_use = server.token_use if isinstance(server, FhirServer) else "not-used"
    return Gathered(chart, tuple(gaps.found), tuple(problems), token_use)


def _named(request: HookRequest) -> set[str]:
    """References of what a request names: its orders, what exactly they order, its encounter."""
    orders = [draft.resource for draft in request.drafts]
    items = [
        getattr(order, name, None) for order in orders for name in ("codeReference", "medicationReference")
    ]
    return (
        {draft.reference for draft in request.drafts}
        | {item.reference for item in items if item is not None}
        | {f"Encounter/{request.encounter_id}"}
    )


def connect(request: HookRequest, access: FhirAccess | None) -> FhirServer | str:
    """The FHIR server of a request, or why none is called. Its deadline starts now."""
    if access is None:
        return "this check is offline"
    if not request.fhir_server:
        return "no FHIR server was named"
    return access.server(request.fhir_server, request.access_token.value)


class _Gaps:
    """What could not be had: for the chart, and for the reader."""

    def __init__(self, chart: Chart) -> None:
        self._chart = chart
        self.found: list[Gap] = []

    def failed(self, kind: str, reason: str) -> None:
        """A type that was asked for in vain: facts that rest on it alone are unknown."""
        self._chart.failures.setdefault(kind, reason)
        self._say(kind, reason)

    def not_had(self, kind: str, why: str, *, failed: bool) -> None:
        """A type that prefetch does not hold and no server was asked for; `failed` if one was named."""
        if failed:
            self.failed(kind, why)
        elif kind not in self._chart.answered and kind not in self._chart.failures:
            self._say(kind, f"not in the request, and {why}")

    def reference_failed(self, kind: str, reason: str) -> None:
        """A resource that something refers to. The type as a whole may still have been answered."""
        if kind in REFERENCED or kind not in self._chart.answered:
            self.failed(kind, reason)
        else:
            self._say(kind, f"one that the order or the record refers to: {reason}")

    def _say(self, kind: str, reason: str) -> None:
        self.found.append(Gap(kind, reason))


class _Crew:
    """The queries of one request: all at once, then what their answers refer to."""

    def __init__(
        self, request: HookRequest, prefetched: Prefetched, chart: Chart, gaps: _Gaps, server: FhirServer
    ) -> None:
        self._patient_id = request.patient_id
        self._orders = [d.resource for d in request.drafts if d.resource is not None and d.is_order]
        self._performer = Reference(reference=request.performer)
        self._pages = prefetched.pages
        self._chart, self._gaps, self._server = chart, gaps, server
        self._tried: set[str] = set()
        self._problems: list[Problem] = []
        self._pool = ThreadPoolExecutor(server.parallel, thread_name_prefix="fhir")

    def fetch(self, missing: Sequence[Query]) -> list[Problem]:
        """Ask for what is missing, then for open references; two more rounds of these at most.

        Returns what had to be mended. Whatever is not there at the deadline counts as not had.
        """
        try:
            # What may have many pages takes longest: it is asked for first, and what the other answers
            # refer to is read while it is on its way.
            long = [self._query(query) for query in missing if query.kind in _LONG]
            long += [self._page(page) for page in self._pages]
            short = self._performers() + self._references(REFERENCED)
            short += [self._query(query) for query in missing if query.kind not in _LONG]
            long_begun = self._begin(long)
            self._take(self._begin(short))
            begun = self._begin(self._references(REFERENCED))
            self._take(long_begun)
            self._chart.answered |= {query.kind for query in missing} - self._chart.failures.keys()
            for _ in range(2):
                begun += self._begin(self._references(RESOURCE_TYPES))
                if not begun:
                    break
                self._take(begun)
                begun = []
        finally:
            # Calls that hang end by their own timeouts; nobody waits for them.
            self._pool.shutdown(wait=False, cancel_futures=True)
        return self._problems

    def _query(self, query: Query) -> _Job:
        ask = self._server.read if query.kind == "Patient" else self._server.search
        return _Job(frozenset({query.kind}), partial(ask, query.path(self._patient_id)), self._gaps.failed)

    def _page(self, page: NextPage) -> _Job:
        return _Job(page.kinds, partial(self._server.follow, page.url), self._gaps.failed)

    def _references(self, kinds: Collection[str]) -> list[_Job]:
        jobs = []
        for reference, kind in open_references(self._orders, self._chart).items():
            path = self._server.path_of(reference)
            if kind in kinds and path and path not in self._tried:
                self._tried.add(path)
                read = partial(self._server.search if "?" in path else self._server.read, path)
                jobs.append(_Job(frozenset({kind}), read, self._gaps.reference_failed))
        return jobs

    def _performers(self) -> list[_Job]:
        """Who is to carry out the order. No fact rests on it, so a failure is no gap."""
        kind, path = kind_of(self._performer), self._server.path_of(self._performer.reference)
        if not kind or not path or self._chart.resolve(self._performer) is not None:
            return []
        self._tried.add(path)
        return [_Job(frozenset({kind}), partial(self._server.read, path), lambda *_: None)]

    def _begin(self, jobs: Iterable[_Job]) -> list[_Begun]:
        return [(job, self._pool.submit(job.ask)) for job in jobs]

    def _take(self, begun: Sequence[_Begun]) -> None:
        """Wait for calls, and put what they bring into the chart, in an order that is always the same."""
        with aside():
            wait([future for _, future in begun], timeout=self._server.seconds_left)
        for job, future in begun:
            fetched = future.result() if future.done() else Fetched(failure=TOO_LATE)
            self._chart.add(fetched.items, Origin.SERVER)
            self._problems += fetched.problems
            if fetched.failure:
                for kind in sorted(job.kinds):
                    job.failed(kind, fetched.failure)


class _Job(Struct, frozen=True):
    """A call, the types it is about, and what to do when it fails."""

    kinds: frozenset[str]
    ask: Callable[[], Fetched]
    failed: Callable[[str, str], None]


_Begun = tuple[_Job, Future[Fetched]]
