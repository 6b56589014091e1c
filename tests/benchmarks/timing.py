"""Times of runs that take turns."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping


def medians(runs: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Median milliseconds of each run over rounds that take turns, after one that does not count."""
    times: dict[str, list[float]] = {name: [] for name in runs}
    for number in range(rounds + 1):
        for name, run in runs.items():
            started = time.perf_counter()
            run()
            if number:
                times[name].append((time.perf_counter() - started) * 1000)
    return {name: statistics.median(found) for name, found in times.items()}
