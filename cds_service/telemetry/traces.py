"""OpenTelemetry traces: a span for each request and each stage, sent to a collector by OTLP.

Off, and without cost, unless the setting OTLP_ENDPOINT names a collector. Spans hold the route, the
service and counts; no path, no identifier, no value. The trace of the caller is continued
(traceparent); FHIR servers get none.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from flask import Flask, g, request
from opentelemetry import trace
from opentelemetry.context import attach, detach
from opentelemetry.propagate import extract
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter

from cds_service.version import VERSION

_tracer = trace.get_tracer("coverage-hooks", VERSION)


def provider(exporter: SpanExporter) -> TracerProvider:
    """A provider that sends spans to an exporter."""
    made = TracerProvider(
        resource=Resource.create({"service.name": "coverage-hooks", "service.version": VERSION})
    )
    made.add_span_processor(BatchSpanProcessor(exporter))
    return made


def collector(endpoint: str) -> SpanExporter:
    """An exporter to an OTLP collector. Raises ImportError without the extra `cluster`."""
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    return OTLPSpanExporter(endpoint=endpoint)


def trace_requests(app: Flask, tracer: trace.Tracer) -> None:
    """Put every request into a span."""

    @app.before_request
    def begin() -> None:
        parent = extract(dict(request.headers))
        rule = request.url_rule.rule if request.url_rule is not None else "unknown route"
        span = tracer.start_span(f"{request.method} {rule}", parent, kind=trace.SpanKind.SERVER)
        g.span, g.span_token = span, attach(trace.set_span_in_context(span))

    @app.teardown_request
    def end(_: BaseException | None) -> None:
        if (token := g.pop("span_token", None)) is not None:
            detach(token)
            g.pop("span").end()


@contextmanager
def span(name: str) -> Iterator[None]:
    """A span within the current one; nothing where traces are off."""
    with _tracer.start_as_current_span(name):
        yield
