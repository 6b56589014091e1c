"""The rows of the table: what is measured, beside what, and the aim.

Each is a ratio of medians over rounds that take turns, so that a busy machine slows both sides.
"""

from __future__ import annotations

import json
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
from tests.benchmarks.timing import Spread, rounds_of
from tests.benchmarks.typed import read_typed

MEDIUM = 545
"""Readings of a body of 300 kB."""


class Row(NamedTuple):
    """One line: ours and the reference in a unit, each with the spread of its rounds.

    aim: for the ratio of the medians, the lowest that will do, or the highest where `most`; None for a
    line that only shows. size: bytes of the request, of lines about throughput.
    """

    work: str
    beside: str
    ours: Spread
    reference: Spread
    unit: str
    aim: float | None
    most: bool = False
    size: int = 0

    @property
    def ratio(self) -> float:
        return self.ours.median / self.reference.median

    @property
    def verdict(self) -> str:
        """ "reached" or "missed"; "" for a line without an aim."""
        if self.aim is None:
            return ""
        return "reached" if (self.ratio <= self.aim if self.most else self.ratio >= self.aim) else "missed"

    @property
    def aimed(self) -> str:
        return "" if self.aim is None else f"at {'most' if self.most else 'least'} {self.aim:g}"


class Effort(NamedTuple):
    """How long to measure: rounds, and seconds of load in each."""

    rounds: int
    seconds: float


def throughput(effort: Effort) -> Iterator[Row]:
    """Requests per second of two workers, ours and the bare views, by size of the body."""
    aims = {
        "10 kB order-sign": (small_body(), {BARE: 0.8, EXPRESS: 0.5}),
        "300 kB order-sign": (body_with(MEDIUM), {BARE: 1.5, EXPRESS: None}),
        "9.3 MB order-sign": (large_body(), {BARE: 3.0, EXPRESS: None}),
    }
    others = [BARE] + ([EXPRESS] if has_express() else [])
    for number, (work, (body, wanted)) in enumerate(aims.items()):
        found = _loads([OURS, *others], body, effort)
        rates = {name: Spread.of([run.per_second for run in runs]) for name, runs in found.items()}
        for name in others:
            yield Row(
                f"{work}, requests/s", name, rates[OURS], rates[name], "/s", wanted[name], size=len(body)
            )
        if number == 0:
            mine, other = (Spread.of([run.p50 for run in found[name]]) for name in (OURS, BARE))
            yield Row(f"{work}, median latency, 4 connections", BARE, mine, other, " ms", 1.3, most=True)


def large(effort: Effort) -> Iterator[Row]:
    """The whole answer to 9.3 MB beside json.loads of the same body, and its memory."""
    body = large_body()
    with Server(OURS) as ours:
        times = rounds_of(
            {OURS: lambda: ours.post(body), "json.loads": lambda: json.loads(body)}, effort.rounds
        )
        yield Row(
            "9.3 MB, the whole answer", "json.loads", times[OURS], times["json.loads"], " ms", 0.5, most=True
        )
        before = ours.memory("VmRSS")
        ours.reset_peak()
        ours.post(body)
        grown = max(0.0, ours.memory("VmHWM") - before)
    yield Row(
        "9.3 MB, growth of memory", "the body", _one(grown), _one(len(body) / 1e6), " MB", 4.0, most=True
    )


def flatness(effort: Effort) -> Iterator[Row]:
    """What one Observation costs in a body of 100,000 beside one of 10,000, the rest of the request aside."""
    with Server(OURS) as ours:
        bodies = {count: body_with(count) for count in (1_000, 10_000, 100_000)}
        times = rounds_of(
            {str(count): lambda body=body: ours.post(body) for count, body in bodies.items()}, effort.rounds
        )
    low = (times["10000"].median - times["1000"].median) / 9_000 * 1000
    high = (times["100000"].median - times["10000"].median) / 90_000 * 1000
    yield Row("100,000 Observations, each", "of 10,000", _one(high), _one(low), " us", 1.2, most=True)


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
                times = rounds_of(
                    {"many": lambda: many.post(body), "few": lambda: few.post(body)}, effort.rounds * 10
                )
    work = f"an order, {count + 5:,} policies"
    yield Row(work, "5 policies", times["many"], times["few"], " ms", 1.1, most=True)
    yield Row(f"start with {count + 5:,} policies", "the aim", _one(start), _one(3.0), " s", 1.0, most=True)


def fetched(effort: Effort) -> Iterator[Row]:
    """No prefetch: all queries at a FHIR server of 50 ms beside its slowest chain of pages."""
    ours, chain = fetching(effort.rounds)
    yield Row("no prefetch, FHIR server of 50 ms", "slowest chain", ours, chain, " ms", 1.25, most=True)


def cold_start(effort: Effort) -> Iterator[Row]:
    """From the command to the first answer, beside the import of Flask alone."""

    body = small_body()

    def flask() -> None:
        subprocess.run([sys.executable, "-c", "import flask"], check=True)

    # How long a server takes to end is no part of its start.
    with ExitStack() as running:

        def start() -> None:
            running.enter_context(Server(OURS)).post(body)

        times = rounds_of({"ours": start, "flask": flask}, max(3, effort.rounds // 3))
    flask_time = times["flask"].median
    more = Spread(*((value - flask_time) / 1000 for value in times["ours"]))
    yield Row("cold start beyond import flask", "the aim", more, _one(1.0), " s", 1.0, most=True)


def typed(effort: Effort) -> Iterator[Row]:
    """Reading every resource with fhir.resources, as typed services do, beside our whole answer."""
    with Server(OURS) as ours:
        for work, body, aim, rounds in (
            ("300 kB", body_with(MEDIUM), 10.0, effort.rounds),
            ("9.3 MB", large_body(), 50.0, max(1, effort.rounds // 5)),
        ):
            times = rounds_of(
                {"ours": lambda body=body: ours.post(body), "typed": lambda body=body: read_typed(body)},
                rounds,
            )
            work = f"{work}, fhir.resources for each resource"
            yield Row(work, OURS, times["typed"], times["ours"], " ms", aim)


def _loads(names: list[str], body: bytes, effort: Effort) -> dict[str, list[Load]]:
    found: dict[str, list[Load]] = {name: [] for name in names}
    for _ in range(effort.rounds):
        for name in names:
            with Server(name, workers=2) as server:
                load(server, body, 1.0)  # until all its workers have begun
                found[name].append(load(server, body, effort.seconds))
    return found


def _one(value: float) -> Spread:
    """What is measured once, or not at all."""
    return Spread(value, value, value)
