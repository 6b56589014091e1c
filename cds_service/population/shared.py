"""What belongs to no patient: counts, unusable lines, and the resources that others refer to.

Practitioners, organisations, medications and devices of the stock may be as many as patients, so they
lie in a database file; each process keeps only those that it used last.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from pathlib import Path

import msgspec
from msgspec import Struct

from cds_service.population.export import kinds_named
from cds_service.population.job import Job, write_whole
from cds_service.population.problems import LineProblem, read_line
from cds_service.population.records import Record, TaskCounts
from mappings.parsing import Item

_KEPT = 4096


class Settled(Struct):
    """What is known of the export as a whole. first_lines: of each task, the number of its first line.

    kinds: the resource types that the export is about. unusable: lines that are nobody's. The rest: see
    TaskCounts.
    """

    first_lines: list[int]
    kinds: list[str]
    orders: int
    unusable: int
    types: dict[str, int]
    unread: dict[str, int]
    no_order: int
    nobody: dict[str, int]


def settle(job: Job, counts: Iterable[Record], unusable: Iterable[Record], shared: Iterable[Record]) -> None:
    """Number the lines, note the unusable ones and store the shared resources; then this step is done."""
    by_task = {record.task: msgspec.json.decode(record.raw, type=TaskCounts) for record in counts}
    first_lines: list[int] = []
    file_of: list[int] = []
    line = 1
    for index, task in enumerate(job.plan.tasks):
        line = 1 if not file_of or file_of[-1] != task.file else line
        first_lines.append(line)
        file_of.append(task.file)
        line += by_task[index].lines
    with (job.work / "unusable.ndjson").open("wb") as out:
        number = 0

        def note(record: Record, what: str) -> None:
            nonlocal number
            number += 1
            file = job.plan.files[file_of[record.task]].name
            problem = LineProblem(file, first_lines[record.task] + record.line, what)
            out.write(msgspec.json.encode(problem) + b"\n")

        for record in unusable:
            note(record, record.raw.decode())
        _store(job.shared, _readable(shared, note))
    data = [found for index, found in by_task.items() if index >= job.order_tasks]
    types = _sum(found.types for found in data)
    settled = Settled(
        first_lines=first_lines,
        kinds=sorted(types.keys() | kinds_named(job.plan.files[1:])),
        orders=sum(sum(by_task[index].types.values()) for index in range(job.order_tasks)),
        unusable=number,
        types=types,
        unread=_sum(found.unread for found in data),
        no_order=sum(found.no_order for found in data),
        nobody=_sum(found.nobody for found in data),
    )
    write_whole(job.work / "settled.json", msgspec.json.encode(settled))


def settled(job: Job) -> Settled | None:
    """None while the step is not done."""
    path = job.work / "settled.json"
    return msgspec.json.decode(path.read_bytes(), type=Settled) if path.is_file() else None


class Shared:
    """The shared resources by reference."""

    def __init__(self, path: Path) -> None:
        self._database = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro&immutable=1", uri=True)
        self.find = lru_cache(_KEPT)(self._find)

    def _find(self, reference: str) -> tuple[Item, ...]:
        """The resource of a reference "Type/id"; nothing when the export does not have it."""
        row = self._database.execute("select raw from shared where reference = ?", (reference,)).fetchone()
        return () if row is None else read_line(row[0])[0]


def _readable(shared: Iterable[Record], note: Callable[[Record, str], None]) -> Iterator[tuple[str, bytes]]:
    for record in shared:
        items, problems = read_line(record.raw)
        for problem in problems:
            note(record, problem)
        if items:
            yield record.owner, record.raw


def _store(path: Path, shared: Iterable[tuple[str, bytes]]) -> None:
    """The first of two resources with one reference counts."""
    unfinished = path.with_name(path.name + ".unfinished")
    unfinished.unlink(missing_ok=True)
    database = sqlite3.connect(unfinished)
    database.execute("create table shared (reference text primary key, raw blob) without rowid")
    database.executemany("insert or ignore into shared values (?, ?)", shared)
    database.commit()
    database.close()
    unfinished.replace(path)


def _sum(tallies: Iterable[dict[str, int]]) -> dict[str, int]:
    found: Counter[str] = Counter()
    for tally in tallies:
        found.update(tally)
    return dict(sorted(found.items()))
