"""A run on this machine, on all cores: split, settle, judge, finish. What is done is not done again."""

from __future__ import annotations

import multiprocessing
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from operator import attrgetter
from pathlib import Path
from time import perf_counter

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from cds_service.population.bucket import bucket_writer
from cds_service.population.errors import PopulationError
from cds_service.population.finish import Summary, finish, finished
from cds_service.population.job import Job
from cds_service.population.records import special
from cds_service.population.shared import settle, settled
from cds_service.population.spill import read_bucket, split

Step = Callable[[str, int], None]
Report = Callable[[str], None]


def run(job: Job, processes: int, console: Console) -> Summary:
    """Do what is left of a run. Raises PopulationError where it cannot go on."""
    done = finished(job.folder)
    if done is not None:
        # A run may have been killed while it cleaned up.
        shutil.rmtree(job.work, ignore_errors=True)
        return done
    with _workers(processes) as workers, _progress(console) as progress:
        with timed(console, "read"):
            if settled(job) is None:
                _all(split_task, job, range(len(job.plan.tasks)), workers, progress, "reading")
                counted, unusable, shared = (read_bucket(job, bucket) for bucket in special(job))
                settle(job, counted, unusable, shared)
        with timed(console, "judged"):
            missing = [b for b in range(job.plan.buckets) if not job.part(b).is_dir()]
            _all(judge_bucket, job, missing, workers, progress, "judging")
            summary = finish(job)
    return summary


def split_task(folder: str, index: int) -> None:
    split(Job(Path(folder)), index)


def judge_bucket(folder: str, bucket: int) -> None:
    records = sorted(read_bucket(Job(Path(folder)), bucket), key=attrgetter("owner"))
    bucket_writer(folder).write(bucket, records)


def available_cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def timed(console: Console, what: str) -> Iterator[None]:
    started = perf_counter()
    yield
    console.print(f"{what} in {perf_counter() - started:.1f} s", highlight=False)


@contextmanager
def _workers(processes: int) -> Iterator[ProcessPoolExecutor | None]:
    """None for one process: then everything happens in this one."""
    if processes == 1:
        yield None
        return
    # Fresh processes: a fork of a program with threads (the progress bar is one) may hang.
    pool = ProcessPoolExecutor(processes, mp_context=multiprocessing.get_context("spawn"))
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


def _progress(console: Console) -> Progress:
    columns = (TextColumn("{task.description:8}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)


def _all(
    step: Step,
    job: Job,
    numbers: Sequence[int],
    pool: ProcessPoolExecutor | None,
    progress: Progress,
    name: str,
) -> None:
    bar = progress.add_task(name, total=len(numbers))
    folder = str(job.folder)
    if pool is None:
        for number in numbers:
            step(folder, number)
            progress.advance(bar)
        return
    try:
        for future in as_completed([pool.submit(step, folder, number) for number in numbers]):
            future.result()
            progress.advance(bar)
    except BrokenProcessPool:
        raise PopulationError(
            "a process was killed, perhaps for lack of memory; the same command goes on where it stopped, "
            "and takes less memory with fewer --processes"
        ) from None
