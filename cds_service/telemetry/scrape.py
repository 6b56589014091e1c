"""GET /metrics, for Prometheus.

Whoever reads metrics cannot sign a token for each look at them, so none is asked. They tell no
patient data, but what is asked and decided how often: business of the house. So whoever comes through
a proxy finds nothing here, whatever the proxy lets through.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, Flask, Response, current_app, request

from cds_service.errors import NotFoundError

if TYPE_CHECKING:
    from cds_service.telemetry.metrics import Metrics

metrics_page = Blueprint("metrics", __name__)

_NAME = "coverage-hooks.metrics"
_OF_PROXIES = ("X-Forwarded-For", "Forwarded", "Via")


def offer_metrics(app: Flask, metrics: Metrics) -> None:
    app.extensions[_NAME] = metrics
    app.register_blueprint(metrics_page)


@metrics_page.get("/metrics")
def scrape() -> Response:
    from cds_service.telemetry.metrics import CONTENT_TYPE

    if any(header in request.headers for header in _OF_PROXIES):
        what, mend = "Metrics are not for the outside.", "Ask the service itself, without the proxy."
        raise NotFoundError("unknown-route", what, mend=mend)
    found: Metrics = current_app.extensions[_NAME]
    return Response(found.exposition(), content_type=CONTENT_TYPE)
