"""The plan of a run and its folder: what a process needs to take part, on this machine or another.

The plan is made once, from the orders: which patients matter, and where to cut the list of patients
into buckets, so that buckets in their order hold patients in theirs. It does not depend on the number
of processes; neither do the bytes that are written.
"""

from __future__ import annotations

import hashlib
import heapq
import zlib
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from datetime import date
from functools import cached_property
from pathlib import Path

import msgspec
from msgspec import Struct

from cds_service.population.errors import PopulationError
from cds_service.population.export import SourceFile, Task, data_files, lines, source_file, tasks_of
from cds_service.population.heads import BadLineError, head
from cds_service.version import VERSION
from policies.engine import Engine

TASK_SIZE = 32 << 20
BUCKET_SIZE = 16 << 20
# Of a packed file only the packed size is known; FHIR JSON packs to about a tenth.
_UNPACKED = 10
# Bits by which a patient is known to have an order: one in 2,000 others is taken along among 4,000 of them.
_WANTED = 1 << 23
_SAMPLE = 1 << 16


class Plan(Struct, frozen=True):
    """What a run is about.

    files: the orders first, then the export. cuts: patient ids at which the next bucket begins.
    policies: digest of all that judges. as_of: day 0 of undated orders.
    """

    as_of: date
    files: list[SourceFile]
    tasks: list[Task]
    cuts: list[str]
    policy_dirs: list[str]
    policies: str
    version: str = VERSION

    @property
    def buckets(self) -> int:
        return len(self.cuts) + 1

    def same_question(self, other: Plan) -> bool:
        return msgspec.structs.replace(other, as_of=self.as_of) == self


class Job:
    """A run in its folder. Every process opens its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.work = folder / "work"
        self.spills = self.work / "spills"
        self.parts = self.work / "parts"
        self.shared = self.work / "shared.sqlite"

    @cached_property
    def plan(self) -> Plan:
        return msgspec.json.decode((self.folder / "plan.json").read_bytes(), type=Plan)

    @cached_property
    def wanted(self) -> bytes:
        """One byte for each hash of a patient id: 1 where such a patient has an order."""
        return (self.work / "wanted").read_bytes()

    @cached_property
    def order_tasks(self) -> int:
        """How many tasks, the first ones, are about orders."""
        return sum(task.file == 0 for task in self.plan.tasks)

    def wants(self, patient: str) -> bool:
        """Whether a patient has an order; rarely also one without."""
        return self.wanted[_slot(patient)] == 1

    def bucket_of(self, patient: str) -> int:
        return bisect_right(self.plan.cuts, patient)

    def part(self, bucket: int) -> Path:
        """The folder of a finished bucket."""
        return self.parts / f"{bucket:06}"


def prepare(
    folder: Path,
    orders: Path,
    data: Path,
    policy_dirs: list[Path],
    as_of: date | None,
    today: date,
    engine: Engine,
) -> Job:
    """Plan a run, or take up the one that the folder holds.

    Raises PopulationError when the folder holds a run about something else.
    """
    job = Job(folder)
    files = [source_file(orders, orders.name), *data_files(data)]
    wanted, cuts = _survey(files)
    plan = Plan(
        as_of=as_of or today,
        files=files,
        tasks=tasks_of(files, TASK_SIZE),
        cuts=cuts,
        policy_dirs=[str(path.resolve()) for path in policy_dirs],
        policies=_digest(engine, policy_dirs),
    )
    if (folder / "plan.json").is_file():
        _check_same(job, plan, as_of)
        return job
    if folder.exists() and any(folder.iterdir()):
        raise PopulationError(f"{folder}: the folder is not empty and holds no run; choose another --output")
    for path in (folder, job.work, job.spills, job.parts):
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    (job.work / "wanted").write_bytes(wanted)
    write_whole(folder / "plan.json", msgspec.json.encode(plan))
    return job


def write_whole(path: Path, content: bytes) -> None:
    """Write a file that is there as a whole or not at all."""
    unfinished = path.with_name(path.name + ".unfinished")
    unfinished.write_bytes(content)
    unfinished.replace(path)


def _check_same(job: Job, plan: Plan, as_of: date | None) -> None:
    try:
        held = job.plan
    except msgspec.DecodeError:
        raise PopulationError(f"{job.folder}: plan.json cannot be read; choose another --output") from None
    if not held.same_question(plan) or (as_of is not None and as_of != held.as_of):
        raise PopulationError(
            f"{job.folder}: the folder holds a run with other files, policies, --as-of or version; "
            "choose another --output, or remove the folder"
        )


def _survey(files: list[SourceFile]) -> tuple[bytes, list[str]]:
    """The patients that have orders, as hashes, and the cuts that make buckets of equal numbers of them.

    Of many patients a sample (those with the lowest hashes) tells where to cut.
    """
    wanted = bytearray(_WANTED)
    sample = sorted(set(_lowest(_patients(files[0], wanted))))
    size = sum(file.size * (_UNPACKED if file.packed else 1) for file in files)
    buckets = max(1, min(size // BUCKET_SIZE, len(sample)))
    cuts = {sample[len(sample) * number // buckets] for number in range(1, buckets)}
    return bytes(wanted), sorted(cuts)


def _patients(orders: SourceFile, wanted: bytearray) -> Iterator[str]:
    for task in tasks_of([orders], TASK_SIZE):
        for line in lines(orders, task):
            try:
                patient = head(line).patient if line else ""
            except BadLineError:
                continue
            if patient:
                wanted[_slot(patient)] = 1
                yield patient


def _lowest(patients: Iterable[str]) -> Iterator[str]:
    """At most _SAMPLE different ids, those with the lowest hashes."""
    heap: list[tuple[int, str]] = []
    held: set[str] = set()
    for patient in patients:
        entry = (-zlib.crc32(patient.encode()), patient)
        if patient in held or (len(heap) >= _SAMPLE and entry <= heap[0]):
            continue
        held.add(patient)
        if len(heap) < _SAMPLE:
            heapq.heappush(heap, entry)
        else:
            held.remove(heapq.heappushpop(heap, entry)[1])
    return iter(held)


def _slot(patient: str) -> int:
    return zlib.crc32(patient.encode()) & (_WANTED - 1)


def _digest(engine: Engine, policy_dirs: list[Path]) -> str:
    digest = hashlib.sha256()
    for policy in engine.registry.policies:
        digest.update(f"{policy.reference} {policy.sha256}\n".encode())
    for folder in policy_dirs:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                digest.update(path.read_bytes())
    return digest.hexdigest()
