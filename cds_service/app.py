"""The Flask application: one blueprint for each area, one shape for every error."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec
from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from cds_service.clock import Clock, system_clock
from cds_service.cors import allow_cross_origin
from cds_service.desk import Desk, attach
from cds_service.determinations import determinations
from cds_service.door import Door, hang
from cds_service.errors import (
    MEDIA_TYPE,
    BadRequestError,
    InternalError,
    MethodError,
    NotFoundError,
    ServiceError,
    outcome,
    too_deep,
)
from cds_service.faults import report_fault
from cds_service.feedback import feedback
from cds_service.health import offer_health
from cds_service.home import home
from cds_service.hooks import hooks
from cds_service.openapi import openapi
from cds_service.policy_page import policy_pages
from cds_service.questionnaires import questionnaires
from cds_service.services import Registry
from cds_service.settings import Settings, from_environment
from cds_service.store.store import open_store
from cds_service.telemetry.access import watch_requests
from cds_service.telemetry.observed import observed
from cds_service.trust.guard import protect
from cds_service.watched_engine import WatchedEngine
from policies.engine import Engine


def create_app(
    settings: Settings | None = None,
    engine: Engine | None = None,
    *,
    clock: Clock = system_clock,
    services: Registry | None = None,
) -> Flask:
    """The application.

    settings: from the environment by default; then the log lines of the process are set up by them
    as well, as `serve` does, since this is how other servers start the service. engine: the packaged
    policies and those of settings.policy_dirs by default. clock: tells day 0 of orders without a date.
    services: those of discovery. Raises SettingsError (also for a store that cannot be used), or
    mappings.yaml_file.DataError for a broken policy.
    """
    if settings is None:
        settings = from_environment(os.environ)
        _set_up_logs(settings)
    app = Flask(__name__, static_folder=None)
    app.url_map.strict_slashes = app.url_map.merge_slashes = False
    watch = watch_requests(app, settings)
    store = open_store(settings)
    if engine is not None:
        fixed = engine
        desk = Desk(settings, services or Registry(), lambda: fixed, lambda: "", clock, store)
    else:
        watched = WatchedEngine([Path(folder) for folder in settings.policy_dirs], settings.policy_refresh)
        desk = Desk(settings, services or Registry(), watched.engine, lambda: watched.problem, clock, store)
    attach(app, desk)
    hang(app.extensions, Door(desk.is_full, watch.turned_away, settings.cors_origins))
    areas = (home, openapi, hooks, feedback, determinations, questionnaires, policy_pages)
    for blueprint in areas:
        app.register_blueprint(blueprint)
    offer_health(app, store, protect(app, settings, clock, desk.services))
    allow_cross_origin(app, settings.cors_origins)
    _answer_errors(app)
    return app


def _set_up_logs(settings: Settings) -> None:
    # Imported here: commands that serve nothing start faster without it.
    from cds_service.telemetry.logs import set_up_logs

    set_up_logs(settings)


def _answer_errors(app: Flask) -> None:
    @app.errorhandler(ServiceError)
    def known(error: ServiceError) -> Response:
        return _response(error)

    @app.errorhandler(RecursionError)
    def deep(_: RecursionError) -> Response:
        return _response(too_deep())

    @app.errorhandler(HTTPException)
    def http(error: HTTPException) -> Response:
        return _response(_of_werkzeug(error))

    @app.errorhandler(Exception)
    def unexpected(error: Exception) -> Response:
        # The rule, not the path: a path may hold anything.
        rule = request.url_rule.rule if request.url_rule is not None else "an unknown route"
        fault_id = report_fault(error, f"{request.method} {rule}")
        mend = f"Report fault {fault_id} to whoever runs this service."
        return _response(InternalError("internal", "The service had a fault.", mend=mend))


def _of_werkzeug(error: HTTPException) -> ServiceError:
    if isinstance(error, MethodNotAllowed):
        allowed = ", ".join(sorted(error.valid_methods or ()))
        what, mend = "This address has no such method.", f"Allowed here: {allowed}."
        return MethodError("wrong-method", what, mend=mend, headers={"Allow": allowed})
    if error.code == 404:
        mend = "GET /cds-services lists the services."
        return NotFoundError("unknown-route", "There is nothing at this address.", mend=mend)
    return BadRequestError("invalid-request", f"The request cannot be read: {error.name}.")


def _response(error: ServiceError) -> Response:
    observed().error = error.code
    body = msgspec.json.encode(outcome(error))
    return Response(body, error.status, mimetype=MEDIA_TYPE, headers=error.headers)
