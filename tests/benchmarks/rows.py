"""The rows of the table: what is measured, beside what, and the aim.

Each is a ratio of medians over rounds that take turns, so that a busy machine slows both sides.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

from tests.benchmarks.bodies import body_with, large_body, small_body
from tests.benchmarks.fetching import fetching
from tests.benchmarks.load import Load, load
from tests.benchmarks.policies import write_policies
from tests.benchmarks.servers import BARE, EXPRESS, OURS, Server, has_express
from tests.benchmarks.timing import medians
from tests.benchmarks.typed import read_typed

MEDIUM = 545
"""Readings of a body of 300 kB."""


class Row(NamedTuple):
    """One line: `ours` and `reference` as text with units, their ratio, the aim for the ratio.

    spread: the ratio of the slowest to the fastest round of ours.
    """

    work: str
    beside: str
    ours: str
    reference: str
    ratio: float
    aim: str
    reached: bool
    spread: float = 1.0


class Effort(NamedTuple):
    """How long to measure: rounds, and seconds of load in each."""

    rounds: int
    seconds: float


def throughput(effort: Effort) -> Iterator[Row]:
    """Requests per second of two workers, ours and the bare views, by size of the body."""
    aims = {
        "10 kB order-sign": (small_body(), 0.8, 0.5),
        "300 kB order-sign": (body_with(MEDIUM), 1.5, None),
        "9.3 MB order-sign": (large_body(), 3.0, None),
    }
    names = [OURS, BARE] + ([EXPRESS] if has_express() else [])
    for work, (body, aim, aim_express) in aims.items():
        found = _loads(names, body, effort)
        ours = statistics.median(run.per_second for run in found[OURS])
        for name, wanted in ((BARE, aim), (EXPRESS, aim_express)):
            if name in found and wanted is not None:
                other = statistics.median(run.per_second for run in found[name])
                yield _row(
                    f"{work}, requests/s", name, ours, other, "{:.0f}/s", wanted, spread=_spread(found[OURS])
                )
        if aim_express is not None:
            mine, other = (statistics.median(run.p50 for run in found[name]) for name in (OURS, BARE))
            yield _row(f"{work}, median latency", BARE, mine, other, "{:.2f} ms", 1.3, most=True)


def large(effort: Effort) -> Iterator[Row]:
    """The whole answer to 9.3 MB beside json.loads of the same body, and its memory."""
    body = large_body()
    with Server(OURS) as ours:
        times = medians(
            {OURS: lambda: ours.post(body), "json.loads": lambda: json.loads(body)}, effort.rounds
        )
        yield _row(
            "9.3 MB, the whole answer",
            "json.loads",
            times[OURS],
            times["json.loads"],
            "{:.0f} ms",
            0.5,
            most=True,
        )
        before = ours.memory("VmRSS")
        ours.reset_peak()
        ours.post(body)
        grown, size = max(0.0, ours.memory("VmHWM") - before), len(body) / 1e6
    yield _row("9.3 MB, growth of memory", "the body", grown, size, "{:.1f} MB", 4.0, most=True)


def flatness(effort: Effort) -> Iterator[Row]:
    """What one Observation costs in a body of 100,000 beside one of 10,000, the rest of the request aside."""
    with Server(OURS) as ours:
        bodies = {count: body_with(count) for count in (1_000, 10_000, 100_000)}
        times = medians(
            {str(count): lambda body=body: ours.post(body) for count, body in bodies.items()}, effort.rounds
        )
    low = (times["10000"] - times["1000"]) / 9_000 * 1000
    high = (times["100000"] - times["10000"]) / 90_000 * 1000
    yield _row("100,000 Observations, each", "of 10,000", high, low, "{:.2f} us", 1.2, most=True)


def many_policies(effort: Effort, count: int = 1_000) -> Iterator[Row]:
    """An order with a thousand policies beside the five that are packaged: time, and the start."""
    body = small_body()
    with tempfile.TemporaryDirectory() as folder:
        write_policies(Path(folder), count)
        started = time.perf_counter()
        with Server(OURS, COVERAGE_HOOKS_POLICY_DIRS=folder) as many:
            start = time.perf_counter() - started
            with Server(OURS) as few:
                if few.post(body) != many.post(body):
                    raise RuntimeError("the answer is another one with more policies")
                times = medians(
                    {"many": lambda: many.post(body), "few": lambda: few.post(body)}, effort.rounds * 10
                )
    yield _row(
        f"an order, {count + 5:,} policies",
        "5 policies",
        times["many"],
        times["few"],
        "{:.2f} ms",
        1.1,
        most=True,
    )
    yield _row(f"start with {count + 5:,} policies", "the aim", start, 3.0, "{:.2f} s", 1.0, most=True)


def fetched(effort: Effort) -> Iterator[Row]:
    """No prefetch: all queries at a FHIR server of 50 ms beside its slowest chain of pages."""
    ours, chain = fetching(effort.rounds)
    yield _row(
        "no prefetch, FHIR server of 50 ms", "slowest chain", ours, chain, "{:.0f} ms", 1.25, most=True
    )


def cold_start(effort: Effort) -> Iterator[Row]:
    """From the command to the first answer, beside the import of Flask alone."""

    body = small_body()

    def flask() -> None:
        subprocess.run([sys.executable, "-c", "import flask"], check=True)

    # How long a server takes to end is no part of its start.
    with ExitStack() as running:

        def start() -> None:
            running.enter_context(Server(OURS)).post(body)

        times = medians({"ours": start, "flask": flask}, max(3, effort.rounds // 3))
    more = (times["ours"] - times["flask"]) / 1000
    yield _row("cold start beyond import flask", "the aim", more, 1.0, "{:.2f} s", 1.0, most=True)


def typed(effort: Effort) -> Iterator[Row]:
    """Reading every resource with fhir.resources, as typed services do, beside our whole answer."""
    with Server(OURS) as ours:
        for work, body, aim, rounds in (
            ("300 kB", body_with(MEDIUM), 10.0, effort.rounds),
            ("9.3 MB", large_body(), 50.0, max(1, effort.rounds // 5)),
        ):
            times = medians(
                {"ours": lambda body=body: ours.post(body), "typed": lambda body=body: read_typed(body)},
                rounds,
            )
            yield _row(
                f"{work}, fhir.resources for each resource",
                OURS,
                times["typed"],
                times["ours"],
                "{:.0f} ms",
                aim,
            )


def _loads(names: list[str], body: bytes, effort: Effort) -> dict[str, list[Load]]:
    found: dict[str, list[Load]] = {name: [] for name in names}
    for _ in range(effort.rounds):
        for name in names:
            with Server(name, workers=2) as server:
                server.post(body)
                found[name].append(load(server, body, effort.seconds))
    return found


def _spread(runs: list[Load]) -> float:
    rates = [run.per_second for run in runs]
    return max(rates) / min(rates)


def _row(
    work: str,
    beside: str,
    ours: float,
    reference: float,
    shown: str,
    aim: float,
    *,
    most: bool = False,
    spread: float = 1.0,
) -> Row:
    """A row; `most`: the aim is the highest ratio that will do, else the lowest."""
    ratio = ours / reference
    reached = ratio <= aim if most else ratio >= aim
    words = f"at {'most' if most else 'least'} {aim:g}"
    return Row(work, beside, shown.format(ours), shown.format(reference), ratio, words, reached, spread)
