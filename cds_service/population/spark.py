"""The same run on Apache Spark: its shuffle instead of spills, the same functions, the same bytes.

Every executor needs coverage-hooks[spark] and sees the export, the policy folders and the output folder
under the same paths (a shared file system). Records travel by bucket and are sorted within it by patient
and place, on disk where they do not fit; a bucket becomes a part as on one machine. What is done stays
done: a run that was stopped on either engine goes on with either.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from cds_service.population.bucket import bucket_writer
from cds_service.population.errors import PopulationError
from cds_service.population.finish import Summary, finish, finished
from cds_service.population.job import Job
from cds_service.population.records import Record, records, special
from cds_service.population.run import timed
from cds_service.population.shared import settle, settled

if TYPE_CHECKING:
    from pyspark import RDD, SparkContext

_OURS = re.compile(rf"{PopulationError.__name__}: (.*)")
_ERROR = re.compile(r"^(\w+(?:Error|Exception): .*)$", re.M)

# Where a record goes and its place there (bucket, owner or "", task, line); owner and line of the file.
_Pair = tuple[tuple[int, str, int, int], tuple[str, bytes]]


def run_on_spark(job: Job, master: str, console: Console) -> Summary:
    """Do what is left of a run. master: a Spark master URL, such as spark://host:7077 or local[4].

    Raises PopulationError where Spark cannot be had or the run cannot go on.
    """
    done = finished(job.folder)
    if done is not None:
        return done
    with _context(master) as spark:
        from py4j.protocol import Py4JJavaError  # type: ignore[import-untyped]

        try:
            with timed(console, "ran on Spark"):
                _run(job, spark)
        except Py4JJavaError as error:
            raise PopulationError(_cause(error)) from None
    return finish(job)


def _run(job: Job, spark: SparkContext) -> None:
    shuffled = _shuffled(job, spark)
    folder = str(job.folder.resolve())
    if settled(job) is None:
        stored = shuffled.mapPartitionsWithIndex(lambda index, found: _store(folder, index, iter(found)))
        spark.runJob(stored, list, list(special(job)))
        counted, unusable, shared = (_stored(job, bucket) for bucket in special(job))
        settle(job, counted, unusable, shared)
    missing = [bucket for bucket in range(job.plan.buckets) if not job.part(bucket).is_dir()]
    if missing:
        # Spark keeps what it shuffled for the first step, so the export is read once.
        judged = shuffled.mapPartitionsWithIndex(lambda index, found: _judge(folder, index, iter(found)))
        spark.runJob(judged, list, missing)


def _shuffled(job: Job, spark: SparkContext) -> RDD[_Pair]:
    folder = str(job.folder.resolve())
    tasks = range(len(job.plan.tasks))
    pairs: RDD[_Pair] = spark.parallelize(tasks, max(1, len(tasks))).flatMap(lambda i: _pairs(folder, i))
    buckets = special(job)[-1] + 1
    # The stubs of pyspark do not know that tuples have an order.
    return pairs.repartitionAndSortWithinPartitions(buckets, lambda key: key[0])  # type: ignore[call-overload, no-any-return]


def _pairs(folder: str, index: int) -> Iterator[_Pair]:
    job = Job(Path(folder))
    for record in records(job, index):
        # What is nobody's stays in the order of the files.
        owner = record.owner if record.bucket < job.plan.buckets else ""
        yield (record.bucket, owner, record.task, record.line), (record.owner, record.raw)


def _store(folder: str, bucket: int, found: Iterator[_Pair]) -> Iterator[int]:
    """What is nobody's goes to a file, from which the driver reads it as a stream."""
    with _file(Job(Path(folder)), bucket).open("wb") as out:
        for (_, _, task, line), (owner, raw) in found:
            out.write(b"%d\t%d\t%b\t%b\n" % (task, line, owner.encode(), raw))
    yield bucket


def _stored(job: Job, bucket: int) -> Iterator[Record]:
    with _file(job, bucket).open("rb") as stream:
        for text in stream:
            task, line, owner, raw = text[:-1].split(b"\t", 3)
            yield Record(bucket, owner.decode(), int(task), int(line), raw)


def _file(job: Job, bucket: int) -> Path:
    return job.work / f"nobody-{bucket}"


def _judge(folder: str, bucket: int, found: Iterator[_Pair]) -> Iterator[int]:
    records_of = (Record(bucket, owner, task, line, raw) for (_, _, task, line), (owner, raw) in found)
    bucket_writer(folder).write(bucket, records_of)
    yield bucket


@contextmanager
def _context(master: str) -> Iterator[SparkContext]:
    try:
        from pyspark import SparkConf, SparkContext
        from pyspark.errors import PySparkRuntimeError
    except ImportError:
        raise PopulationError("Spark needs pyspark: install coverage-hooks[spark]") from None
    conf = SparkConf().setMaster(master).setAppName("coverage-hooks population")
    if master.startswith("local"):
        # Here the executors are processes of this machine: they use this Python, and nobody looks at them.
        os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
        conf.setIfMissing("spark.ui.enabled", "false")
    try:
        context = SparkContext(conf=conf)
    except (PySparkRuntimeError, OSError):
        raise PopulationError("Spark does not start: it needs Java 17 (JAVA_HOME)") from None
    context.setLogLevel("OFF")
    try:
        yield context
    finally:
        context.stop()


def _cause(error: Exception) -> str:
    """What an executor said, without the traces of Python and Java."""
    ours, last = _OURS.search(str(error)), _ERROR.search(str(error))
    if ours:
        return ours[1]
    return f"a Spark job failed: {last[1] if last else type(error).__name__}"
