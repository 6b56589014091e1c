"""Prometheus metrics. Labels hold names of our own (services, policies, outcomes), never data of a request.

Several processes write into one folder (`shared_folder`), so that one answer of /metrics counts them
all. The library looks for the folder when it is imported: import this module only when metrics are
wanted, and after the folder is set.
"""

from __future__ import annotations

import os

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector

from cds_service.telemetry.metrics_folder import VARIABLE
from cds_service.telemetry.observed import Observed

CONTENT_TYPE = CONTENT_TYPE_LATEST
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class Metrics:
    """The metrics of one application."""

    def __init__(self) -> None:
        registry = self._registry = CollectorRegistry()
        where = ["method", "route", "service"]

        def counter(name: str, meaning: str, labels: list[str]) -> Counter:
            return Counter(f"coverage_hooks_{name}", meaning, labels, registry=registry)

        def histogram(name: str, meaning: str, labels: list[str]) -> Histogram:
            return Histogram(f"coverage_hooks_{name}", meaning, labels, registry=registry, buckets=_SECONDS)

        self._requests = counter("requests", "Requests answered", [*where, "status", "error"])
        self._seconds = histogram("request_seconds", "Time to the answer of a request", where)
        self._stages = histogram("stage_seconds", "Time that a stage of a request took", ["service", "stage"])
        self._outcomes = counter("determinations", "Determinations", ["policy", "outcome"])
        self._feedback = counter("feedback", "Cards that clinicians gave feedback on", ["service", "outcome"])
        self._failures = counter("fetch_failures", "Requests that lacked a resource type", ["type"])
        self._faults = counter("faults", "Faults of the service itself", ["service"])
        self._running = Gauge(
            "coverage_hooks_requests_running",
            "Requests that are being answered",
            registry=registry,
            multiprocess_mode="livesum",
        )

    def began(self) -> None:
        self._running.inc()

    def ended(self) -> None:
        self._running.dec()

    def answered(self, method: str, route: str, status: int, seconds: float, seen: Observed) -> None:
        """A request was answered. route: the rule of the route, not the path."""
        self._requests.labels(method, route, seen.service, str(status), seen.error).inc()
        self._seconds.labels(method, route, seen.service).observe(seconds)
        if seen.service:
            for stage, took in seen.seconds().items():
                self._stages.labels(seen.service, stage).observe(took)
        for policy, outcome in seen.outcomes:
            self._outcomes.labels(policy, outcome).inc()
        for outcome, cards in seen.feedback.items():
            self._feedback.labels(seen.service, outcome).inc(cards)
        for kind in seen.not_had:
            self._failures.labels(kind).inc()
        if seen.fault:
            self._faults.labels(seen.service).inc()

    def exposition(self) -> bytes:
        """All metrics in Prometheus' text format, those of all processes where they share a folder."""
        if VARIABLE not in os.environ:
            return generate_latest(self._registry)
        together = CollectorRegistry()
        MultiProcessCollector(together)  # type: ignore[no-untyped-call]
        return generate_latest(together)
