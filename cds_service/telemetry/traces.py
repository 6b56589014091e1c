"""OpenTelemetry traces: a span for each request and each stage, sent to a collector by OTLP.

Off, and without cost, unless the setting OTLP_ENDPOINT names a collector: import this module only
then. The trace of the caller is continued (traceparent). What else a caller may send along
(tracestate, baggage) can hold anything and is not taken up; FHIR servers get none of it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from threading import Lock

from opentelemetry.context import Context
from opentelemetry.sdk.resources import SERVICE_NAME, SERVICE_VERSION, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.trace import SpanKind, Status, StatusCode, format_trace_id, set_span_in_context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from cds_service.telemetry.observed import Observed
from cds_service.version import VERSION

_EXPORT_SECONDS = 5
_parent = TraceContextTextMapPropagator()


class Traces:
    """Writes the spans of requests. exporter: makes the way out, once in each process.

    What sends the spans is a thread, which a fork does not carry over: it starts with the first
    request that a process answers.
    """

    def __init__(self, exporter: Callable[[], SpanExporter]) -> None:
        self._exporter = exporter
        self._lock = Lock()
        self._made: dict[int, TracerProvider] = {}

    def write(
        self,
        name: str,
        attributes: Mapping[str, str | int],
        seen: Observed,
        *,
        began: int,
        seconds: float,
        traceparent: str,
    ) -> str:
        """Write the span of a request and those of its stages; the id of the trace.

        name: method and rule of the route. began: in nanoseconds since 1970. traceparent: the header.
        """
        tracer = self._provider().get_tracer("coverage-hooks", VERSION)
        parent = _parent.extract({"traceparent": traceparent}, Context())
        span = tracer.start_span(name, parent, SpanKind.SERVER, dict(attributes), start_time=began)
        if seen.fault or int(attributes["http.response.status_code"]) >= 500:
            span.set_status(Status(StatusCode.ERROR))
        within = set_span_in_context(span)
        for stage in seen.stages:
            tracer.start_span(stage.name, within, start_time=stage.began).end(
                _later(stage.began, stage.seconds)
            )
        span.end(_later(began, seconds))
        return format_trace_id(span.get_span_context().trace_id)

    def flush(self) -> None:
        """Send what is waiting in this process."""
        self._provider().force_flush()

    def _provider(self) -> TracerProvider:
        with self._lock:
            provider = self._made.get(os.getpid())
            if provider is None:
                named = Resource.create({SERVICE_NAME: "coverage-hooks", SERVICE_VERSION: VERSION})
                provider = TracerProvider(resource=named)
                provider.add_span_processor(BatchSpanProcessor(self._exporter()))
                self._made[os.getpid()] = provider
        return provider


def to_collector(endpoint: str) -> Traces:
    """Traces that go to an OTLP collector. Raises ImportError without the extra `cluster`."""
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    return Traces(lambda: OTLPSpanExporter(endpoint=endpoint, timeout=_EXPORT_SECONDS))


def _later(began: int, seconds: float) -> int:
    return began + round(seconds * 1e9)
