"""From the lines of a task to records: each line with the patient it belongs to.

Three kinds of records belong to no patient and have buckets of their own, after those of the plan:
counts of lines, lines that cannot be used, and resources that patients' resources refer to.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

import msgspec

from cds_service.drafts import ORDER_KINDS
from cds_service.population.export import lines
from cds_service.population.heads import BadLineError, Head, guess, head
from cds_service.population.job import Job
from cds_service.prefetch import REFERENCED
from mappings.fhir import RESOURCE_TYPES

# Devices of the stock are nobody's; uses of devices refer to them.
_SHARED = frozenset((*REFERENCED, "Device"))


class Record(NamedTuple):
    """A line on its way to its patient.

    owner: the patient's id; for a shared resource, its reference. task, line: where the line stands:
    the index of the task, and the number of the line within it from 0.
    """

    bucket: int
    owner: str
    task: int
    line: int
    raw: bytes


class TaskCounts(msgspec.Struct):
    """What a task held. lines: all, to number those of the next task. types: resources by type.

    unread: those of types that no fact reads. no_order: those of patients without an order. nobody:
    those that are about no patient, by type.
    """

    lines: int = 0
    types: dict[str, int] = {}
    unread: dict[str, int] = {}
    no_order: int = 0
    nobody: dict[str, int] = {}


def special(job: Job) -> tuple[int, int, int]:
    """The buckets of counts, of unusable lines and of shared resources."""
    first = job.plan.buckets
    return first, first + 1, first + 2


def records(job: Job, index: int) -> Iterator[Record]:
    """The records of one task, its counts last. Raises PopulationError for an unreadable file."""
    task = job.plan.tasks[index]
    counted, unusable, shared = special(job)
    of_orders = index < job.order_tasks
    types: Counter[str] = Counter()
    unread: Counter[str] = Counter()
    nobody: Counter[str] = Counter()
    no_order = number = 0
    for number, raw in enumerate(lines(job.plan.files[task.file], task), 1):
        if not raw:
            continue
        at = number - 1
        try:
            found = head(raw)
            why = _order_trouble(found) if of_orders else ""
        except BadLineError as error:
            why = str(error)
        if why:
            # It may still be told whose record lacks it: then it is handed on, and judged there.
            kind, patient = ("", "") if of_orders else guess(raw)
            if patient and job.wants(patient) and (not kind or kind in RESOURCE_TYPES):
                yield Record(job.bucket_of(patient), patient, index, at, raw)
            else:
                yield Record(unusable, "", index, at, why.encode())
            continue
        kind, patient = found.kind, found.patient
        types[kind] += 1
        if kind not in RESOURCE_TYPES and not of_orders:
            unread[kind] += 1
        elif patient and (of_orders or job.wants(patient)):
            yield Record(job.bucket_of(patient), patient, index, at, raw)
        elif patient:
            no_order += 1
        elif kind in _SHARED and found.id:
            yield Record(shared, f"{kind}/{found.id}", index, at, raw)
        else:
            nobody[kind] += 1
    counts = TaskCounts(number, types, unread, no_order, nobody)
    yield Record(counted, "", index, 0, msgspec.json.encode(counts))


def _order_trouble(found: Head) -> str:
    if found.kind not in ORDER_KINDS:
        return f"a {found.kind if found.kind in RESOURCE_TYPES else 'resource of this type'} is no order"
    if not found.id:
        return "the order has no id, by which its answer could be told"
    return "" if found.patient else "the subject of the order names no patient"
