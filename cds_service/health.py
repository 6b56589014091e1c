"""Whether the service lives and is ready, for whatever starts and watches it.

Anybody may ask, so the answers hold no path, no address and no message of an error.
"""

from __future__ import annotations

from flask import Blueprint, Flask, Response, current_app

from cds_service.desk import desk, json_response
from cds_service.readiness import REACHED, Probe
from cds_service.store.store import Store
from cds_service.trust.replay import Memory

health = Blueprint("health", __name__, url_prefix="/health")

_NAME = "coverage-hooks.probes"
_REPLAY = "replay_protection"
_REFUSED = "the last change of the policies was refused; the log says why"


def offer_health(app: Flask, store: Store | None, memory: Memory | None) -> None:
    """Watch what the service needs. memory: of requests that came before, where tokens are asked."""
    probes = {}
    if store is not None:
        probes["store"] = Probe(store.check)
    if memory is not None:
        probes[_REPLAY] = Probe(lambda: memory.kept("ready", 0.0))
    app.extensions[_NAME] = probes
    app.register_blueprint(health)


@health.get("/live")
def live() -> Response:
    return json_response({"status": "ok"})


@health.get("/ready")
def ready() -> Response:
    """200 when requests can be answered.

    Without policies, and where it cannot be told whether a request came before, none can. Without the
    store all can but feedback, and decisions wait in memory: that is told, and the service goes on, as
    it does with the old policies when a change was refused.
    """
    here = desk()
    count = len(here.judge.engine.registry.policies)
    probes: dict[str, Probe] = current_app.extensions[_NAME]
    needs = {name: probe.state() for name, probe in probes.items()}
    down = {name for name, state in needs.items() if state != REACHED}
    status = "ok" if not down else "degraded"
    if _REPLAY in down:
        status = "not ready"
    if not count:
        status = "no policy is loaded"
    state: dict[str, object] = {"status": status, "policies": count, **needs}
    if refused := here.refused():
        # It tells authors of policies the file and the line; beyond their machine it is nobody's business.
        state["refused_change"] = refused if here.settings.development else _REFUSED
    response = json_response(state)
    response.status_code = 200 if status in ("ok", "degraded") else 503
    return response
