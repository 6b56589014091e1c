"""Time, CPU time and peak memory of population runs over invented exports, of one size and of a quarter.

Run: python -m tests.benchmarks.population [--patients 10000] [--observations 100] [--processes N].
The aim is a million observations of 10,000 patients in under 60 s after reading on two cores, with
memory that follows the largest patient: the peak is that of the largest process, and must not grow with
the export. Nothing fails on a time.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from cds_service.population.run import available_cores
from tests.benchmarks.synthetic_export import DAY, write_export

_STEP = re.compile(r"^(read|judged) in ([\d.]+) s$", re.M)


def measure(patients: int, observations: int, processes: int) -> None:
    """Write an export, run it in a process of its own and print what it took."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        orders, data = write_export(folder, patients, observations)
        size = sum(path.stat().st_size for path in data.iterdir()) / 1e6
        given = ["--orders", orders, "--data", data, "--output", folder / "run", "--as-of", DAY]
        command = [sys.executable, "-m", "cds_service.cli", "population", *given, "--processes", processes]
        ended = subprocess.run(
            [sys.executable, "-c", _WATCHED, *map(str, command)], check=True, capture_output=True, text=True
        )
        steps = dict(_STEP.findall(ended.stdout))
        cpu, peak = ended.stdout.splitlines()[-1].split()
        with (folder / "run" / "determinations.ndjson").open("rb") as lines:
            determinations = sum(1 for _ in lines)
    seconds = float(steps["judged"])
    print(
        f"{patients:>9,}{patients * observations:>14,}{size:>9,.0f}{float(steps['read']):>9.1f}{seconds:>9.1f}"
        f"{float(cpu):>9.1f}{determinations / seconds:>11,.0f}{float(peak):>9.0f}"
    )


# What the run and all its processes took: CPU seconds, and the most that one process held in MB.
_WATCHED = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(used.ru_utime + used.ru_stime, used.ru_maxrss / 1000)
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--patients", type=int, default=10_000)
    parser.add_argument("--observations", type=int, default=100, help="of each patient")
    parser.add_argument("--processes", type=int, default=available_cores())
    arguments = parser.parse_args()
    print(f"{arguments.processes} processes; seconds by the clock, CPU seconds of all processes together")
    print(" patients  observations       MB     read   judged      CPU  answers/s  peak MB")
    for patients in (arguments.patients // 4, arguments.patients):
        measure(patients, arguments.observations, arguments.processes)


if __name__ == "__main__":
    main()
