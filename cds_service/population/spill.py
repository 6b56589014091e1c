"""The shuffle on this machine: tasks write their records by bucket, buckets read them back.

A spill is one file for each task: blocks of a bounded size, in each the records bucket by bucket. Its
index has one row for each block: where every bucket begins. The index is written last, so a spill
without one was not finished.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from cds_service.population.job import Job, write_whole
from cds_service.population.records import Record, records, special

_BLOCK = 32 << 20


def split(job: Job, index: int) -> None:
    """Spill one task, unless that is done."""
    done = _index(job, index)
    if done.is_file():
        return
    with _spill(job, index).open("wb") as spill:
        rows = _write(spill, records(job, index), special(job)[-1] + 1)
    write_whole(done, rows.tobytes())


def read_bucket(job: Job, bucket: int) -> Iterator[Record]:
    """The records of a bucket in the order of tasks and lines."""
    columns = special(job)[-1] + 2
    for index in range(len(job.plan.tasks)):
        rows = array("Q", _index(job, index).read_bytes())
        with _spill(job, index).open("rb") as spill:
            for row in range(0, len(rows), columns):
                start, end = rows[row + bucket], rows[row + bucket + 1]
                if start < end:
                    spill.seek(start)
                    for line in _up_to(spill, end - start):
                        owner, number, raw = line.split(b"\t", 2)
                        yield Record(bucket, owner.decode(), index, int(number), raw)


def _up_to(spill: BinaryIO, size: int) -> Iterator[bytes]:
    while size > 0:
        line = spill.readline()
        size -= len(line)
        yield line[:-1]


def _write(spill: BinaryIO, found: Iterable[Record], buckets: int) -> array[int]:
    """The index: `buckets` + 1 offsets for each block."""
    rows = array("Q")
    held: dict[int, list[bytes]] = {}
    size = 0

    def flush() -> None:
        for bucket in range(buckets):
            rows.append(spill.tell())
            spill.writelines(held.get(bucket, ()))
        rows.append(spill.tell())
        held.clear()

    for record in found:
        line = b"%b\t%d\t%b\n" % (record.owner.encode(), record.line, record.raw)
        held.setdefault(record.bucket, []).append(line)
        size += len(line)
        if size >= _BLOCK:
            flush()
            size = 0
    flush()
    return rows


def _spill(job: Job, index: int) -> Path:
    return job.spills / f"{index:06}"


def _index(job: Job, index: int) -> Path:
    return job.spills / f"{index:06}.index"
