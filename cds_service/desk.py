"""What the routes share: settings, services, the engine in service and the way to FHIR servers."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import msgspec
from flask import Flask, Response, current_app, request

from cds_service.body import read_body
from cds_service.clock import Clock
from cds_service.fhir_client import FhirAccess
from cds_service.hook_request import HookRequest, read_hook_request
from cds_service.judging import Judge
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
        self._engine = engine
        self._clock = clock
        self._access = FhirAccess(settings)
        self._judge = self._judge_of(engine())

    @property
    def judge(self) -> Judge:
        """The judge with the engine in service."""
        engine = self._engine()
        if engine is not self._judge.engine:
            self._judge = self._judge_of(engine)
        return self._judge

    def _judge_of(self, engine: Engine) -> Judge:
        strict = self.settings.payer_mismatch == "strict"
        return Judge(engine, self._access, self._clock, style=self.settings.prefetch_style, strict=strict)

    def now(self) -> datetime:
        """The time of this service, with its offset."""
        return self._clock()

    def hook_request(self, *hooks: str) -> HookRequest:
        """The hook request in the body of the current HTTP request. Raises ServiceError."""
        body = read_body(request, self.settings.body_limit)
        return read_hook_request(body, hooks, self.settings.crd_version)


def attach(app: Flask, desk: Desk) -> None:
    app.extensions[_NAME] = desk


def desk() -> Desk:
    """The desk of the current app."""
    found: Desk = current_app.extensions[_NAME]
    return found


def json_response(value: Any) -> Response:
    """A value, encoded once."""
    return Response(_encode(value), mimetype="application/json")
