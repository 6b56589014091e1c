"""The service under fuzzing, and what must hold for each of its answers."""

from __future__ import annotations

import json
import resource
import sys
import time
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from cds_service.app import create_app
from cds_service.settings import Settings
from policies.engine import Engine

REFUSALS = (400, 404, 405, 412, 413, 415, 422)
# Far above what any of these small inputs takes, even on a busy machine; below what one calls a hang.
_SECONDS = 10.0
_GROWTH_MB = 300


class Target:
    """Sends inputs, counts them and looks at each answer."""

    def __init__(self, engine: Engine) -> None:
        self.app = create_app(Settings(fhir_deadline=0.2), engine)
        self.client: FlaskClient = self.app.test_client()
        self.sent = 0
        self.statuses: dict[int, int] = {}
        self._memory = _peak_mb()

    def post(self, path: str, data: bytes, **headers: str) -> TestResponse:
        given = {"Content-Type": "application/json"} | {k.replace("_", "-"): v for k, v in headers.items()}
        started = time.monotonic()
        response = self.client.post(path, data=data, headers=given)
        assert time.monotonic() - started < _SECONDS
        self.look(response.status_code, response.data)
        return response

    def look(self, status: int, text: bytes) -> None:
        """Count an answer. It is JSON in UTF-8: what the route is for, without nulls, or an OperationOutcome."""
        self.sent += 1
        self.statuses[status] = self.statuses.get(status, 0) + 1
        content = json.loads(text)
        if status == 200:
            assert b"had a fault" not in text
            assert b":null" not in text or not _holds_null(content)
        else:
            assert status in REFUSALS, text[:500]
            assert content["resourceType"] == "OperationOutcome"

    def finish(self, at_least: int) -> None:
        """Say how much a test sent; it was as much as promised, and memory did not grow with it."""
        print(f"{self.sent:,} inputs, by status: {dict(sorted(self.statuses.items()))}")
        assert self.sent >= at_least
        assert _peak_mb() - self._memory < _GROWTH_MB
        self.sent, self.statuses = 0, {}


def _holds_null(answer: Any) -> bool:
    """Whether null stands outside of the resources of actions: these go back as they came."""
    if isinstance(answer, list):
        return any(map(_holds_null, answer))
    if not isinstance(answer, dict):
        return answer is None
    action = {"type", "description"} <= answer.keys()
    return any(_holds_null(inner) for key, inner in answer.items() if not (action and key == "resource"))


def _peak_mb() -> float:
    found = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return found / (1024 if sys.platform == "linux" else 1024 * 1024)
