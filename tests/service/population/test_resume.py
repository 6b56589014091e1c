"""A run that is killed goes on, and nobody can tell from its results."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cds_service.population import job, spill
from cds_service.population.errors import PopulationError
from tests.benchmarks.synthetic_export import write_export
from tests.service.population.exports import TODAY, answer, contents, plan

# Small enough for many tasks and buckets.
_SIZES = {"TASK_SIZE": 40_000, "BUCKET_SIZE": 30_000}
_PROGRAM = f"""
import sys
from cds_service.population import job
job.TASK_SIZE, job.BUCKET_SIZE = {_SIZES["TASK_SIZE"]}, {_SIZES["BUCKET_SIZE"]}
from cds_service.cli import main
if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
"""


@pytest.fixture
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, size in _SIZES.items():
        monkeypatch.setattr(job, name, size)


def command(tmp_path: Path, orders: Path, data: Path, processes: int) -> list[str]:
    program = tmp_path / "program.py"
    program.write_text(_PROGRAM, encoding="utf-8")
    given = ["--orders", orders, "--data", data, "--output", tmp_path / "killed", "--as-of", TODAY]
    return [sys.executable, *map(str, [program, "population", *given, "--processes", processes])]


@pytest.mark.usefixtures("_small")
def test_a_killed_run_goes_on_and_gives_the_same_bytes(tmp_path: Path) -> None:
    orders, data = write_export(tmp_path / "a", patients=60, observations=20)
    answer(tmp_path, orders, data, "whole")
    arguments = command(tmp_path, orders, data, processes=2)
    parts = tmp_path / "killed" / "work" / "parts"
    process = subprocess.Popen(
        arguments, stdout=subprocess.DEVNULL, start_new_session=True, cwd=Path(__file__).parents[3]
    )
    end = time.monotonic() + 50
    while not any(path.suffix == "" for path in parts.glob("*")) and time.monotonic() < end:
        assert process.poll() is None, "the run ended before it could be killed"
        time.sleep(0.002)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert not (tmp_path / "killed" / "summary.json").exists()
    made = {path.name: path.stat().st_mtime_ns for path in parts.glob("*") if path.suffix == ""}
    assert made
    held = plan(tmp_path, orders, data, "killed")
    assert held.plan.buckets > len(made)
    answer(tmp_path, orders, data, "killed")
    assert contents(tmp_path / "killed") == contents(tmp_path / "whole")
    assert not (tmp_path / "killed" / "work").exists()


@pytest.mark.usefixtures("_small")
def test_what_is_done_is_not_done_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    orders, data = write_export(tmp_path / "a", patients=20, observations=10)
    held = plan(tmp_path, orders, data)
    done: list[int] = []
    real = spill.records

    def records(of: job.Job, index: int) -> object:
        done.append(index)
        if len(done) == 3:
            raise KeyboardInterrupt
        return real(of, index)

    monkeypatch.setattr(spill, "records", records)
    with pytest.raises(KeyboardInterrupt):
        answer(tmp_path, orders, data)
    answer(tmp_path, orders, data)
    assert done == [0, 1, 2, *range(2, len(held.plan.tasks))]
    before = contents(tmp_path / "run")
    answer(tmp_path, orders, data)
    assert contents(tmp_path / "run") == before
    assert done[-1] == len(held.plan.tasks) - 1


@pytest.mark.usefixtures("_small")
def test_the_number_of_processes_and_the_size_of_buckets_change_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    orders, data = write_export(tmp_path / "a", patients=20, observations=10)
    answer(tmp_path, orders, data, "small")
    subprocess.run(command(tmp_path, orders, data, 2), check=True, capture_output=True)
    monkeypatch.setattr(job, "TASK_SIZE", 32 << 20)
    monkeypatch.setattr(job, "BUCKET_SIZE", 16 << 20)
    answer(tmp_path, orders, data, "large")
    assert contents(tmp_path / "small") == contents(tmp_path / "killed") == contents(tmp_path / "large")


def test_a_folder_with_another_run_is_refused(tmp_path: Path) -> None:
    orders, data = write_export(tmp_path / "a", patients=2, observations=5)
    answer(tmp_path, orders, data)
    with (data / "Patient.ndjson").open("a") as out:
        out.write("\n")
    with pytest.raises(PopulationError, match="another --output"):
        answer(tmp_path, orders, data)
    (tmp_path / "else").mkdir()
    (tmp_path / "else" / "notes.txt").write_text("mine")
    with pytest.raises(PopulationError, match="holds no run"):
        answer(tmp_path, orders, data, "else")
    assert (tmp_path / "else" / "notes.txt").read_text() == "mine"
