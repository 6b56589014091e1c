"""What the routes share: settings, services, the engine in service and the way to FHIR servers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from flask import Flask, Response, current_app, g, request

from cds_service.body import read_body
from cds_service.clock import Clock
from cds_service.fhir_client import FhirAccess
from cds_service.hook_request import HookRequest, read_hook_request
from cds_service.judging import Judge
from cds_service.limits import check_contents
from cds_service.places import LARGE, Places
from cds_service.services import Registry
from cds_service.settings import Settings
from policies.engine import Engine

_NAME = "coverage-hooks"
_encode = msgspec.json.Encoder().encode


class Desk:
    """One for each app. engine: gives the engine in service; it may be renewed between requests.

    refused: why a change of the policies was refused, "" when nothing was.
    """

    def __init__(
        self,
        settings: Settings,
        services: Registry,
        engine: Callable[[], Engine],
        refused: Callable[[], str],
        clock: Clock,
    ) -> None:
        self.settings = settings
        self.services = services
        self.refused = refused
        self._places = Places(settings)
        self._engine = engine
        self._clock = clock
        self._access = FhirAccess(settings)
        self._judge = Judge(engine(), self._access, clock)

    @property
    def judge(self) -> Judge:
        """The judge with the engine in service."""
        engine = self._engine()
        if engine is not self._judge.engine:
            self._judge = Judge(engine, self._access, self._clock)
        return self._judge

    def hook_request(self, *hooks: str) -> HookRequest:
        """The hook request in the body of the current HTTP request. Raises ServiceError."""
        limits = self.settings
        body = self.body()
        check_contents(body, depth=limits.depth_limit, resources=limits.resource_limit)
        return read_hook_request(body, hooks, order_limit=limits.order_limit)

    def body(self) -> bytes:
        """The body of the current HTTP request, which then has a place until it is answered.

        Raises ServiceError.
        """
        self._places.check()
        length = request.content_length
        if length is None or length >= LARGE or "Content-Encoding" in request.headers:
            self._places.take_large()
            g.give_back = [self._places.give_large]
        body = read_body(request, self.settings.body_limit)
        self._places.take()
        g.setdefault("give_back", []).append(self._places.give)
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


def json_response(value: Any) -> Response:
    """A value, encoded once."""
    return Response(_encode(value), mimetype="application/json")
