"""Every request: its id, one line in the log, its metrics and its spans.

To be set up before everything else that looks at requests, so that refusals and faults are seen too.
"""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from flask import Flask, Response, g, request

from cds_service.body import size_of_body
from cds_service.errors import ServiceError
from cds_service.settings import PREFIX, Settings, SettingsError
from cds_service.telemetry.observed import Observed, observe, observed
from cds_service.telemetry.request_id import HEADER, request_id
from cds_service.telemetry.scrape import offer_metrics

if TYPE_CHECKING:
    from cds_service.telemetry.metrics import Metrics
    from cds_service.telemetry.traces import Traces

log = logging.getLogger(__name__)

FIELDS = (
    "method",
    "route",
    "service",
    "status",
    "error",
    "fault",
    "milliseconds",
    "stages",
    "bytes_in",
    "bytes_out",
    "client",
    "decision",
    "trace",
)
"""What an access line may hold beside the id of the request, in this order; what is empty is left out."""

UNREAD = "unread"
"""In place of the route: the request was refused before it was read."""

_METHODS = frozenset({"GET", "HEAD", "POST", "OPTIONS", "PUT", "PATCH", "DELETE"})


def watch_requests(app: Flask, settings: Settings) -> Watch:
    """Observe all requests of an app.

    Raises SettingsError for traces whose library is not installed.
    """
    metrics = None
    if settings.metrics == "on":
        from cds_service.telemetry.metrics import Metrics

        metrics = Metrics()
        offer_metrics(app, metrics)
    watch = Watch(metrics, _traces(settings))
    app.before_request(watch.begin)
    app.after_request(watch.answered)
    app.teardown_request(watch.end)
    return watch


def _traces(settings: Settings) -> Traces | None:
    if not settings.otlp_endpoint:
        return None
    try:
        from cds_service.telemetry.traces import to_collector

        return to_collector(settings.otlp_endpoint)
    except ImportError:
        what = f"{PREFIX}OTLP_ENDPOINT needs an exporter: install coverage-hooks[cluster]"
        raise SettingsError(what) from None


class Watch:
    """Tells of every request."""

    def __init__(self, metrics: Metrics | None, traces: Traces | None) -> None:
        self._metrics, self._traces = metrics, traces

    def begin(self) -> None:
        g.began, g.started = time.time_ns(), time.perf_counter()
        observe(Observed(request_id(request.headers.get(HEADER, ""))))
        if self._metrics is not None:
            self._metrics.began()

    def answered(self, response: Response) -> Response:
        seen, seconds = observed(), time.perf_counter() - g.started
        method = request.method if request.method in _METHODS else "other"
        # The rule, not the path: a path may hold anything.
        route = request.url_rule.rule if request.url_rule is not None else "unknown"
        response.headers[HEADER] = seen.request_id
        if self._metrics is not None:
            self._metrics.answered(method, route, response.status_code, seconds, seen)
        trace = ""
        if self._traces is not None:
            attributes: dict[str, str | int] = {
                "http.request.method": method,
                "http.route": route,
                "http.response.status_code": response.status_code,
                "coverage_hooks.request_id": seen.request_id,
                "coverage_hooks.service": seen.service,
                "error.type": seen.error,
            }
            trace = self._traces.write(
                f"{method} {route}",
                {name: value for name, value in attributes.items() if value},
                seen,
                began=g.began,
                seconds=seconds,
                traceparent=request.headers.get("traceparent", ""),
            )
        line = {
            "method": method,
            "route": route,
            "service": seen.service,
            "status": response.status_code,
            "error": seen.error,
            "fault": seen.fault,
            "milliseconds": _ms(seconds),
            "stages": {name: _ms(took) for name, took in seen.seconds().items()},
            "bytes_in": size_of_body(request),
            "bytes_out": response.calculate_content_length() or 0,
            "client": seen.client,
            "decision": seen.decision,
            "trace": trace,
        }
        log.info("request", extra={name: line[name] for name in FIELDS if line[name] not in ("", {})})
        return response

    def turned_away(self, sent: str, error: ServiceError) -> str:
        """Tell of a request that was refused before it was read. sent: as its id. Returns its id."""
        seen = Observed(request_id(sent), error=error.code)
        observe(seen)
        if self._metrics is not None:
            self._metrics.answered("POST", UNREAD, error.status, 0.0, seen)
        told = {"method": "POST", "route": UNREAD, "status": error.status, "error": error.code}
        log.info("request", extra=told)
        observe(None)
        return seen.request_id

    def end(self, _: BaseException | None) -> None:
        observe(None)
        if self._metrics is not None:
            self._metrics.ended()


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 2)
