"""The results of a run: its parts put together in their order, and what they come to."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import msgspec
from msgspec import Struct

from cds_service.population.bucket import RESULTS
from cds_service.population.job import Job, write_whole
from cds_service.population.parquet import write_parquet
from cds_service.population.shared import Settled, settled
from cds_service.population.tally import Tally, summed


class Export(Struct):
    """The lines of the export. read: resources by type. unread: of these, types that no fact reads.

    no_order: about patients without an order. nobody: about no patient, by type.
    """

    read: dict[str, int]
    unread: dict[str, int]
    no_order: int
    nobody: dict[str, int]


class Summary(Struct):
    """What summary.json holds. orders: lines of the file of orders that are orders."""

    as_of: date
    orders: int
    found: Tally
    export: Export


def finish(job: Job) -> Summary:
    """Write the results and remove what the run needed. The summary comes last: with it the run is done."""
    about = settled(job)
    assert about is not None
    parts = [job.part(bucket) for bucket in range(job.plan.buckets)]
    for name in RESULTS:
        first = [job.work / "unusable.ndjson"] if name == "problems.ndjson" else []
        _join(job.folder / name, [*first, *(part / name for part in parts)])
    write_parquet(job.folder / "determinations.ndjson", job.folder / "determinations.parquet")
    tally = summed(_tallies(parts))
    tally.problems += about.unusable
    summary = _summary(job, about, tally)
    write_whole(
        job.folder / "summary.json", msgspec.json.format(msgspec.json.encode(summary), indent=2) + b"\n"
    )
    shutil.rmtree(job.work)
    return summary


def finished(folder: Path) -> Summary | None:
    """The summary of a run that is done; None while it is not."""
    path = folder / "summary.json"
    return msgspec.json.decode(path.read_bytes(), type=Summary) if path.is_file() else None


def _summary(job: Job, about: Settled, tally: Tally) -> Summary:
    export = Export(about.types, about.unread, about.no_order, about.nobody)
    return Summary(job.plan.as_of, about.orders, tally, export)


def _tallies(parts: list[Path]) -> Iterator[Tally]:
    for part in parts:
        yield msgspec.json.decode((part / "tally.json").read_bytes(), type=Tally)


def _join(target: Path, sources: list[Path]) -> None:
    unfinished = target.with_name(target.name + ".unfinished")
    with unfinished.open("wb") as out:
        for source in sources:
            with source.open("rb") as stream:
                shutil.copyfileobj(stream, out, 1 << 20)
    unfinished.replace(target)
