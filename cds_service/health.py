"""Whether the service lives and is ready, for whatever starts and watches it."""

from __future__ import annotations

from flask import Blueprint, Response

from cds_service.desk import desk, json_response

health = Blueprint("health", __name__, url_prefix="/health")


@health.get("/live")
def live() -> Response:
    return json_response({"status": "ok"})


@health.get("/ready")
def ready() -> Response:
    """200 when policies are loaded. A change that was refused is told; the old policies keep serving."""
    here = desk()
    count = len(here.judge.engine.registry.policies)
    state: dict[str, object] = {"status": "ok" if count else "no policy is loaded", "policies": count}
    if refused := here.refused():
        state["refused_change"] = refused
    response = json_response(state)
    response.status_code = 200 if count else 503
    return response
