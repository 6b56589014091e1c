"""What prefetch holds, and which of our queries it answers.

Resources are read by what they are, whatever their key: clients name keys as they like. A query
counts as answered when its own key is there (null too: the client looked and found nothing), when
the plain key of its type is there ("conditions"), when a Bundle's self link shows a search of the
type that leaves nothing out, or when a Bundle under any key holds resources of the type. A lone
resource under a foreign key (one encounter, one order) is no answer about all of its type.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from urllib.parse import parse_qsl, urlsplit

import msgspec
from msgspec import Raw, Struct, field

from cds_service.errors import not_json
from cds_service.prefetch import KINDS, Query
from mappings.chart import Chart, reference_of
from mappings.evidence import Origin
from mappings.fhir import RESOURCE_TYPES
from mappings.parsing import Problem, Received, read

# Search parameters that leave nothing out.
_WHOLE = frozenset(
    ("patient", "subject", "beneficiary", "_count", "_sort", "_format", "_total", "_include", "_revinclude")
)
REPORTED_ERROR = "the sender reported an error in place of the data"
_UNREADABLE = "what was sent cannot be read"


class NextPage(Struct, frozen=True):
    """A Bundle of prefetch goes on at `url`; `kinds` are the types it is about."""

    url: str
    kinds: frozenset[str]


class Prefetched(Struct):
    """What prefetch says.

    keys: our own keys that are answered. kinds: types that are answered as a whole. failures: type
    -> why what was sent for it is no answer. pages: what was not sent yet.
    """

    keys: set[str] = field(default_factory=set)
    kinds: set[str] = field(default_factory=set)
    failures: dict[str, str] = field(default_factory=dict)
    pages: list[NextPage] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def answers(self, query: Query) -> bool:
        return query.kind in self.kinds or query.key in self.keys


def read_prefetch(
    prefetch: Mapping[str, Raw],
    queries: Sequence[Query],
    chart: Chart,
    named: Collection[str] = (),
) -> Prefetched:
    """Put the resources of prefetch into the chart and say which queries they answer.

    named: references of what the request itself names.
    Raises BadRequestError for a value that is no JSON (bad escapes, no UTF-8).
    """
    own = {query.key: query for query in queries}
    plain = {KINDS[q.kind].key: q.kind for q in queries if q.key.startswith(KINDS[q.kind].key)}
    found = Prefetched()
    for key, raw in prefetch.items():
        received = _read(raw, f"prefetch.{key}")
        chart.add(received.items, Origin.PREFETCH)
        found.problems += received.problems
        present = {kind.__name__ for kind in {type(item.resource) for item in received.items}}
        query = own.get(key)
        kind = query.kind if query else plain.get(key, "")
        if kind and present and kind not in present:
            kind, query = "", None
        if received.kind in ("outcome", "unreadable") or (received.outcome and not received.items):
            if kind:
                found.failures[kind] = REPORTED_ERROR if received.outcome else _UNREADABLE
            continue
        about = {kind} if kind else present
        if received.next_url:
            found.pages.append(NextPage(received.next_url, frozenset(about)))
        searched, whole = _search(received.self_url, query)
        if searched and not whole:
            continue
        if query:
            found.keys.add(key)
        if kind and (query is None or key == KINDS[kind].key):
            found.kinds.add(kind)
        elif not kind and received.kind == "bundle":
            found.kinds |= {searched} if searched else _telling(received, named)
        elif "Patient" in present:
            found.kinds.add("Patient")
    return found


def _telling(received: Received, named: Collection[str]) -> set[str]:
    """The types of which a Bundle holds more than what the request names."""
    return {
        type(item.resource).__name__
        for item in received.items
        if reference_of(item.resource) not in named and item.full_url not in named
    }


def _read(raw: Raw, where: str) -> Received:
    try:
        return read(raw, where)
    except msgspec.ValidationError as error:
        return Received("unreadable", problems=(Problem(where, str(error).partition(" - at ")[0]),))
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise not_json(error, where) from None


def _search(self_url: str, query: Query | None) -> tuple[str, bool]:
    """The type that a Bundle's self link searches, and whether the search leaves nothing out."""
    try:
        parts = urlsplit(self_url)
    except ValueError:
        return "", False
    kind = parts.path.rpartition("/")[2]
    if kind not in RESOURCE_TYPES:
        return "", False
    parameters = parse_qsl(parts.query)
    asked = set(parse_qsl(urlsplit(query.template).query)) if query else set()
    return kind, all(name in _WHOLE or (name, value) in asked for name, value in parameters)
