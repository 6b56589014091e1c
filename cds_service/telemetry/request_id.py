"""The id of a request: taken from X-Request-ID where a proxy sent a usable one, and sent back."""

from __future__ import annotations

import re
from uuid import uuid4

from flask import g, request

HEADER = "X-Request-ID"
_USABLE = re.compile(r"[A-Za-z0-9._-]{8,64}")


def request_id() -> str:
    """The id of the current request."""
    found: str | None = g.get("request_id")
    if found is None:
        sent = request.headers.get(HEADER, "")
        found = g.request_id = sent if _USABLE.fullmatch(sent) else uuid4().hex
    return found
