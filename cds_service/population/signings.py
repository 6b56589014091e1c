"""Which orders of a patient belong to one signing, and so are judged together.

A hook request holds the orders that one person signs at one time; an export has lost that. Orders were
signed together when

- they share a requisition (groupIdentifier), or one names the other, or
- they were written on the same day in the same encounter, or, without an encounter, on the same day by
  the same requester.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence

from mappings.chart import reference_of
from mappings.fhir import Reference, Request, Resource


def signings(orders: Sequence[Resource]) -> list[list[Resource]]:
    """The orders in groups, each order in one; groups and orders in the order in which they came."""
    by_name = {reference_of(order): index for index, order in enumerate(orders)}
    group = list(range(len(orders)))

    def first(index: int) -> int:
        while group[index] != index:
            index = group[index]
        return index

    seen: dict[Hashable, int] = {}
    for index, order in enumerate(orders):
        others = [seen.setdefault(mark, index) for mark in _marks(order)]
        others += [by_name[name] for name in _named(order) if name in by_name]
        for other in others:
            low, high = sorted((first(index), first(other)))
            group[high] = low
    found: dict[int, list[Resource]] = {}
    for index, order in enumerate(orders):
        found.setdefault(first(index), []).append(order)
    return list(found.values())


def _marks(order: Resource) -> Iterator[Hashable]:
    """What two orders of one signing have in common."""
    if not isinstance(order, Request):
        return
    group = order.groupIdentifier
    if group is not None and group.value:
        yield "requisition", group.system, group.value
    day = order.authoredOn[:10]
    if encounter := _written(order.encounter):
        yield "encounter", day, encounter
    else:
        yield "requester", day, _written(order.requester)


def _named(order: Resource) -> Iterator[str]:
    """The orders that an order may name, as "Type/id"."""
    if isinstance(order, Request):
        for reference in (*order.supportingInfo, *order.basedOn, *order.reasonReference):
            yield "/".join(reference.reference.partition("/_history")[0].split("/")[-2:])


def _written(reference: Reference | None) -> str:
    return reference.reference if reference is not None else ""
