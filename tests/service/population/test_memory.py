"""Memory follows the largest patient, not the export."""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from cds_service.population import bucket, job, patient, spill
from cds_service.population.patient import Judged
from tests.benchmarks.synthetic_export import write_export
from tests.service.population.exports import answer, plan


def peak(work: Callable[[], object]) -> int:
    """Bytes at the highest, beyond what was held before."""
    gc.collect()
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_splitting_holds_a_block_and_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spill, "_BLOCK", 50_000)
    peaks = []
    for name, observations in (("small", 20), ("large", 80)):
        orders, data = write_export(tmp_path / name, patients=40, observations=observations)
        held = plan(tmp_path, orders, data, f"run-{name}")
        largest = max(range(len(held.plan.tasks)), key=lambda i: held.plan.tasks[i].end, default=0)
        assert held.plan.tasks[largest].end > 50_000 * (4 if name == "small" else 16)
        assert held.wanted
        peaks.append(peak(lambda held=held, index=largest: spill.split(held, index)))  # type: ignore[misc]
    assert peaks[1] < 1.3 * peaks[0]
    assert peaks[1] < 4 * 50_000


def test_reading_a_bucket_back_is_a_stream(tmp_path: Path) -> None:
    orders, data = write_export(tmp_path / "a", patients=40, observations=40)
    held = plan(tmp_path, orders, data)
    for index in range(len(held.plan.tasks)):
        spill.split(held, index)
    size = sum(path.stat().st_size for path in held.spills.iterdir())
    assert peak(lambda: sum(1 for _ in spill.read_bucket(held, 0))) < size / 4


def test_one_chart_is_alive_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a patient took is free before the next one once the collector was called."""
    monkeypatch.setattr(bucket, "_COLLECT", 0)
    alive: list[int] = []
    real = patient.PatientJudge.judge

    def judge(self: patient.PatientJudge, *given: object) -> Judged:
        alive.append(sum(type(found).__name__ == "Chart" for found in gc.get_objects()))
        return real(self, *given)  # type: ignore[arg-type]

    monkeypatch.setattr(patient.PatientJudge, "judge", judge)
    orders, data = write_export(tmp_path / "a", patients=6, observations=6)
    answer(tmp_path, orders, data)
    assert len(alive) == 6
    assert max(alive[1:]) <= alive[0]


def test_buckets_are_as_many_as_the_export_is_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job, "BUCKET_SIZE", 10_000)
    orders, data = write_export(tmp_path / "a", patients=200, observations=6)
    held = plan(tmp_path, orders, data)
    size = sum(file.size for file in held.plan.files)
    assert held.plan.buckets == size // 10_000
    for index in range(len(held.plan.tasks)):
        spill.split(held, index)
    patients = [
        {record.owner for record in spill.read_bucket(held, number)} for number in range(held.plan.buckets)
    ]
    assert sum(map(len, patients)) == 200
    assert max(map(len, patients)) <= 200 // held.plan.buckets + 1


def test_of_very_many_patients_a_sample_tells_where_to_cut(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job, "_SAMPLE", 50)
    monkeypatch.setattr(job, "BUCKET_SIZE", 40_000)
    orders, data = write_export(tmp_path / "a", patients=400, observations=4)
    held = plan(tmp_path, orders, data)
    cuts = held.plan.cuts
    assert cuts == sorted(set(cuts))
    assert len(cuts) + 1 == min(50, sum(file.size for file in held.plan.files) // 40_000)
    for index in range(len(held.plan.tasks)):
        spill.split(held, index)
    counts = [len({r.owner for r in spill.read_bucket(held, n)}) for n in range(held.plan.buckets)]
    assert sum(counts) == 400
    assert max(counts) < 400 / 4
