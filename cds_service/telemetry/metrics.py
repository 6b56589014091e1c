"""Prometheus metrics. Labels hold names of our own (services, policies, outcomes), never data of a request.

Several processes write into one folder (PROMETHEUS_MULTIPROC_DIR, which `serve` sets before this
module is imported), so that one answer of /metrics counts them all.
"""

from __future__ import annotations

import os
from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

FOLDER = "PROMETHEUS_MULTIPROC_DIR"
_SECONDS = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class Metrics:
    """The metrics of one application."""

    def __init__(self) -> None:
        registry = self._registry = CollectorRegistry()
        self._requests = Counter(
            "coverage_hooks_requests", "Requests by route and status", ["route", "status"], registry=registry
        )
        self._seconds = Histogram(
            "coverage_hooks_request_seconds",
            "Time of an answer",
            ["route"],
            registry=registry,
            buckets=_SECONDS,
        )
        stages = "Time of one stage of an answer"
        self._stages = Histogram(
            "coverage_hooks_stage_seconds", stages, ["stage"], registry=registry, buckets=_SECONDS
        )
        outcomes = "Determinations by policy and outcome"
        self._outcomes = Counter(
            "coverage_hooks_outcomes", outcomes, ["policy", "outcome"], registry=registry
        )
        overrides = "Cards that clinicians overrode"
        self._overrides = Counter("coverage_hooks_overrides", overrides, ["service"], registry=registry)
        failures = "Resource types that could not be had"
        self._failures = Counter("coverage_hooks_fetch_failures", failures, ["kind"], registry=registry)

    def answered(self, route: str, status: int, seconds: float) -> None:
        """A request was answered. route: the rule of the route, not the path."""
        self._requests.labels(route, str(status)).inc()
        self._seconds.labels(route).observe(seconds)

    def staged(self, stage: str, seconds: float) -> None:
        self._stages.labels(stage).observe(seconds)

    def decided(self, outcomes: Iterable[tuple[str, str]]) -> None:
        """Determinations were given: (policy id, outcome)."""
        for policy, outcome in outcomes:
            self._outcomes.labels(policy, outcome).inc()

    def overridden(self, service: str, count: int) -> None:
        if count:
            self._overrides.labels(service).inc(count)

    def not_had(self, kinds: Iterable[str]) -> None:
        """Resource types that a request needed and that could not be had."""
        for kind in kinds:
            self._failures.labels(kind).inc()

    def exposition(self) -> bytes:
        """All metrics in Prometheus' text format, those of all processes where they share a folder."""
        if FOLDER not in os.environ:
            return generate_latest(self._registry)
        together = CollectorRegistry()
        MultiProcessCollector(together)  # type: ignore[no-untyped-call]
        return generate_latest(together)


def process_ended(pid: int) -> None:
    """A worker has ended: its gauges no longer count."""
    if FOLDER in os.environ:
        mark_process_dead(pid)  # type: ignore[no-untyped-call]
