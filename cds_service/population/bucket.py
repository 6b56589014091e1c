"""One bucket: its patients one by one, and the part of the results that they make.

A part is a folder that appears under its name when it is whole, so a run that was killed goes on with
the buckets that have none.
"""

from __future__ import annotations

import gc
import shutil
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from functools import lru_cache
from itertools import groupby
from operator import attrgetter
from pathlib import Path

import msgspec

from cds_service.population.job import Job
from cds_service.population.judges import engine_of
from cds_service.population.patient import Judged, PatientJudge
from cds_service.population.problems import LineProblem
from cds_service.population.records import Record
from cds_service.population.shared import Settled, Shared, settled
from cds_service.population.tally import Tally

RESULTS = ("determinations.ndjson", "not-evaluated.ndjson", "problems.ndjson")
# Charts lie in reference cycles that hold far more than the collector can count, so it is called by what
# was read, in bytes, and not by itself.
_COLLECT = 1 << 20

_encode = msgspec.json.Encoder().encode


class BucketWriter:
    """What a process needs to turn buckets into parts."""

    def __init__(self, folder: Path) -> None:
        self._job = Job(folder)
        plan = self._job.plan
        found = settled(self._job)
        assert found is not None, "buckets come after the export is settled"
        self._settled: Settled = found
        self._judge = PatientJudge(
            engine_of(tuple(plan.policy_dirs)),
            Shared(self._job.shared),
            plan.as_of,
            self._job.order_tasks,
            frozenset(found.kinds),
        )
        gc.collect()
        gc.freeze()

    def write(self, bucket: int, records: Iterable[Record]) -> None:
        """records: those of the bucket, sorted by owner; of each in the order of tasks and lines."""
        part = self._job.part(bucket)
        unfinished = part.with_name(part.name + ".unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(mode=0o700)
        tally, size = Tally(), 0
        with ExitStack() as stack:
            stack.enter_context(_no_automatic_collection())
            outs = [stack.enter_context((unfinished / name).open("wb")) for name in RESULTS]
            for patient, found in groupby(records, attrgetter("owner")):
                lines = list(found)
                if lines[0].task >= self._job.order_tasks:
                    continue
                judged = self._judge.judge(patient, lines)
                tally.count(judged)
                for out, written in zip(outs, self._lines(patient, judged), strict=True):
                    out.writelines(written)
                size += sum(len(record.raw) for record in lines)
                if size > _COLLECT:
                    del lines, judged
                    gc.collect(1)
                    size = 0
        (unfinished / "tally.json").write_bytes(_encode(tally))
        unfinished.rename(part)

    def _lines(self, patient: str, judged: Judged) -> tuple[list[bytes], list[bytes], list[bytes]]:
        determinations = []
        for found in judged.determinations:
            about = {"patient": f"Patient/{patient}"}
            if note := judged.payer_notes.get(found.order):
                about["payer_note"] = note
            determinations.append(_encode(about)[:-1] + b"," + _encode(found)[1:] + b"\n")
        left = [_encode(entry) + b"\n" for entry in judged.left]
        problems = [
            _encode(self._located(trouble.record, trouble.what)) + b"\n" for trouble in judged.troubles
        ]
        return determinations, left, problems

    def _located(self, record: Record, what: str) -> LineProblem:
        plan = self._job.plan
        file = plan.files[plan.tasks[record.task].file].name
        return LineProblem(file, self._settled.first_lines[record.task] + record.line, what)


@contextmanager
def _no_automatic_collection() -> Iterator[None]:
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        gc.collect()


@lru_cache(maxsize=1)
def bucket_writer(folder: str) -> BucketWriter:
    """The writer of a process, made once for a run."""
    return BucketWriter(Path(folder))
