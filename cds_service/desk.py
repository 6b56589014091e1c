"""What the routes share: settings, services, the engine in service and the way to FHIR servers."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import msgspec
from flask import Flask, Response, current_app, g, request

from cds_service.body import read_body
from cds_service.clock import Clock
from cds_service.decision_log import HEADER, Call
from cds_service.fhir_client import FhirAccess
from cds_service.hook_request import HookRequest, read_hook_request
from cds_service.judging import Judge
from cds_service.limits import check_resources
from cds_service.places import LARGE, Places
from cds_service.proposing import Offers, smart_app
from cds_service.questionnaire_shelf import questionnaire_canonical
from cds_service.services import Registry
from cds_service.settings import Settings
from cds_service.store.store import Store
from cds_service.telemetry.observed import observed, stage
from cds_service.trust.guard import check_fhir_server
from policies.engine import Engine

_NAME = "coverage-hooks"
_encode = msgspec.json.Encoder().encode


class Desk:
    """One for each app. engine: gives the engine in service; it may be renewed between requests.

    refused: why a change of the policies was refused, "" when nothing was. store: None keeps nothing.
    """

    def __init__(
        self,
        settings: Settings,
        services: Registry,
        engine: Callable[[], Engine],
        refused: Callable[[], str],
        clock: Clock,
        store: Store | None = None,
    ) -> None:
        self.settings = settings
        self.services = services
        self.refused = refused
        self.store = store
        self._places = Places(settings)
        self._engine = engine
        self._clock = clock
        self._access = FhirAccess(settings)
        self._take(engine())

    @property
    def judge(self) -> Judge:
        """The judge with the engine in service."""
        engine = self._engine()
        if engine is not self._judge.engine:
            self._take(engine)
        return self._judge

    @property
    def offers(self) -> Offers:
        """What cards may propose under the policies in service."""
        return self._offers

    def _take(self, engine: Engine) -> None:
        """Put an engine into service."""
        settings = self.settings
        canonical = questionnaire_canonical(settings.base_url, engine)
        self._offers = Offers(engine.orderables, smart_app(settings), canonical)
        strict = settings.payer_mismatch == "strict"
        self._judge = Judge(engine, self._access, self._clock, style=settings.prefetch_style, strict=strict)

    def is_full(self) -> bool:
        """Whether one more order would be refused."""
        return self._places.full

    def now(self) -> datetime:
        """The time of this service, with its offset."""
        return self._clock()

    def call(self, service: str) -> Call:
        """A call that begins now, to be logged when it is answered."""
        observed().service = service
        log = self.store if self.settings.decision_log == "on" else None
        return Call(log, service, self._clock)

    def hook_request(self, call: Call, *hooks: str) -> HookRequest:
        """The hook request in the body of the current HTTP request. Raises ServiceError."""
        limits = self.settings
        body = call.read(self.body())
        with stage("read"):
            found = read_hook_request(body, hooks, limits.crd_version, order_limit=limits.order_limit)
            check_fhir_server(found.fhir_server)
        return found

    def body(self) -> bytes:
        """The body of the current HTTP request, which then has a place until it is answered.

        Raises ServiceError, also for a body that holds more than is read.
        """
        with stage("receive"):
            self._places.check()
            length = request.content_length
            large = length is None or length >= LARGE or "Content-Encoding" in request.headers
            if large:
                self._places.take_large()
                g.give_back = [self._places.give_large]
            body = read_body(request, self.settings.body_limit)
            self._places.take(large=large)
            g.setdefault("give_back", []).append(self._places.give)
            check_resources(body, self.settings.resource_limit)
        return body


def attach(app: Flask, desk: Desk) -> None:
    app.extensions[_NAME] = desk

    @app.teardown_request
    def give_back(_: BaseException | None) -> None:
        for give in g.pop("give_back", ()):
            give()


def desk() -> Desk:
    """The desk of the current app."""
    found: Desk = current_app.extensions[_NAME]
    return found


def json_response(value: Any, decision: str = "") -> Response:
    """A value, encoded once. decision: id under which it was logged."""
    observed().decision = decision
    headers = {HEADER: decision} if decision else None
    with stage("answer"):
        body = _encode(value)
    return Response(body, mimetype="application/json", headers=headers)
