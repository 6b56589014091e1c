"""Spans: one for a request and one for each stage, within the caller's trace, without a word of the call."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import requests
from flask import Flask
from flask.testing import FlaskClient
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from cds_service.app import create_app
from cds_service.samples import paperwork_missing
from cds_service.settings import PREFIX, Settings, SettingsError, from_environment
from cds_service.telemetry import access
from cds_service.telemetry.traces import Traces
from tests.service.bodies import PATIENT, SIGN, bundle, encoded, observation, sign
from tests.service.fake_engine import FakeEngine
from tests.service.telemetry.collector import Collector
from tests.service.telemetry.conftest import Logged, running

BODY = encoded(sign(prefetch={"patient": PATIENT, "observations": bundle(observation())}))
JSON = {"Content-Type": "application/json"}
TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
STAGES = ["receive", "read", "gather", "decide", "answer"]


class Traced:
    """A client, and the spans of its calls."""

    def __init__(self, app: Flask, traces: Traces, exporter: InMemorySpanExporter) -> None:
        self.client: FlaskClient = app.test_client()
        self._traces, self._exporter = traces, exporter

    def spans(self) -> list[ReadableSpan]:
        self._traces.flush()
        return list(self._exporter.get_finished_spans())

    def root(self) -> ReadableSpan:
        (found,) = (span for span in self.spans() if span.kind is SpanKind.SERVER)
        return found


@pytest.fixture
def traced(monkeypatch: pytest.MonkeyPatch, fake_engine: FakeEngine) -> Traced:
    exporter = InMemorySpanExporter()
    traces = Traces(lambda: exporter)
    monkeypatch.setattr(access, "_traces", lambda settings: traces)
    app = create_app(Settings(database_url="none"), fake_engine)  # type: ignore[arg-type]
    return Traced(app, traces, exporter)


def test_a_request_and_each_of_its_stages_have_a_span(traced: Traced) -> None:
    traced.client.post(SIGN, data=BODY, headers=JSON)
    root = traced.root()
    assert root.name == "POST /cds-services/<service_id>"
    assert root.context is not None
    stages = [span for span in traced.spans() if span is not root]
    assert list(dict.fromkeys(span.name for span in stages)) == STAGES
    for span in stages:
        assert span.parent is not None
        assert (span.parent.span_id, span.context.trace_id) == (root.context.span_id, root.context.trace_id)
        assert root.start_time - 1_000_000 <= span.start_time <= span.end_time <= root.end_time + 1_000_000
    assert root.resource.attributes["service.name"] == "coverage-hooks"


def test_the_span_tells_what_the_log_tells_and_is_named_there(traced: Traced, logged: Logged) -> None:
    lines = logged()
    traced.client.post(SIGN, data=b"{", headers=JSON)
    (line,) = lines.access()
    root = traced.root()
    assert dict(root.attributes or {}) == {
        "http.request.method": "POST",
        "http.route": "/cds-services/<service_id>",
        "http.response.status_code": 400,
        "coverage_hooks.request_id": line["request_id"],
        "coverage_hooks.service": "infusion-pump-order-sign",
        "error.type": "not-json",
    }
    assert line["trace"] == f"{root.context.trace_id:032x}"


def test_the_trace_of_the_caller_goes_on(traced: Traced) -> None:
    traced.client.get("/cds-services", headers={"traceparent": f"00-{TRACE}-{PARENT}-01"})
    root = traced.root()
    assert f"{root.context.trace_id:032x}" == TRACE
    assert root.parent is not None
    assert f"{root.parent.span_id:016x}" == PARENT


def test_what_the_caller_does_not_sample_is_not_sent(traced: Traced, logged: Logged) -> None:
    lines = logged()
    traced.client.get("/cds-services", headers={"traceparent": f"00-{TRACE}-{PARENT}-00"})
    assert traced.spans() == []
    assert lines.access()[0]["trace"] == TRACE


@pytest.mark.parametrize("sent", ["Doe", f"00-{TRACE}-Doe-01", f"00-{'0' * 32}-{PARENT}-01", ""])
def test_a_header_that_is_none_begins_a_trace(traced: Traced, sent: str) -> None:
    traced.client.get("/cds-services", headers={"traceparent": sent})
    assert traced.root().parent is None


def test_what_else_comes_along_is_left_behind(traced: Traced) -> None:
    headers = {"traceparent": f"00-{TRACE}-{PARENT}-01", "tracestate": "x=Doe", "baggage": "name=Doe"}
    traced.client.post("/cds-services/Doe?name=Doe", data=b"Doe", headers=headers | {"X-Request-ID": "Doe"})
    spans = traced.spans()
    assert spans
    assert "Doe" not in "".join(span.to_json() for span in spans)


def test_a_fault_is_an_error_even_where_a_card_tells_it(traced: Traced, fake_engine: FakeEngine) -> None:
    fake_engine.error = ValueError("Doe")
    assert traced.client.post(SIGN, data=BODY, headers=JSON).status_code == 200
    root = traced.root()
    assert root.status.status_code is StatusCode.ERROR
    assert "Doe" not in root.to_json()


def test_a_refused_request_is_no_error_of_the_service(traced: Traced) -> None:
    traced.client.get("/nothing")
    assert traced.root().status.status_code is StatusCode.UNSET


@pytest.mark.parametrize(
    "url", ["collector:4318", "ftp://collector/v1/traces", "http://user:pass@collector/"]
)
def test_an_address_that_is_none_stops_the_start(url: str) -> None:
    with pytest.raises(SettingsError, match="COVERAGE_HOOKS_OTLP_ENDPOINT") as caught:
        from_environment({f"{PREFIX}OTLP_ENDPOINT": url})
    assert "pass" not in str(caught.value)


def test_every_worker_sends_to_the_collector(tmp_path: Path) -> None:
    with Collector() as collector:
        with running(tmp_path, WORKERS="2", OTLP_ENDPOINT=collector.endpoint) as service:
            for _ in range(10):
                requests.post(
                    service.base + SIGN, json=paperwork_missing(), headers={"Connection": "close"}, timeout=20
                )
        spans = collector.spans()  # a worker that ends sends what it has
    roots = [span for span in spans if span.name == "POST /cds-services/<service_id>"]
    assert len(roots) == 10
    assert [span.name for span in spans].count("decide") == 10
    assert '"trace": "' in service.err


def test_a_collector_that_is_away_harms_no_answer(tmp_path: Path) -> None:
    with running(tmp_path, WORKERS="1", OTLP_ENDPOINT="http://127.0.0.1:9/v1/traces") as service:
        assert requests.post(service.base + SIGN, json=paperwork_missing(), timeout=20).json()["cards"]


# What is not wanted is not loaded: it would only make the start slower.


def loaded_after(code: str) -> set[str]:
    """Which of the libraries for operators are loaded after running some code in a new process."""
    names = ("opentelemetry", "prometheus_client", "structlog")
    show = f"import sys; print(*[name for name in {names} if name in sys.modules])"
    run = subprocess.run(
        [sys.executable, "-c", f"{code}; {show}"], capture_output=True, text=True, check=True
    )
    return set(run.stdout.split())


def test_the_command_line_loads_none_of_it() -> None:
    assert loaded_after("import cds_service.cli") == set()


@pytest.mark.parametrize(
    ("settings", "loaded"),
    [
        ({"metrics": "off"}, set()),
        ({}, {"prometheus_client"}),
        ({"metrics": "off", "otlp_endpoint": "http://127.0.0.1:9/v1/traces"}, {"opentelemetry"}),
    ],
)
def test_an_app_loads_what_its_settings_want(settings: dict[str, Any], loaded: set[str]) -> None:
    code = (
        "from cds_service.app import create_app; from cds_service.settings import Settings; "
        f"create_app(Settings(database_url='none', **{settings!r}))"
    )
    assert loaded_after(code) == loaded
