"""Answers to requests that Flask never sees."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

import msgspec

from cds_service.errors import MEDIA_TYPE, ServiceError, outcome


def raw_answer(error: ServiceError, status: int, headers: Mapping[str, str] | None = None) -> bytes:
    """An error as bytes of HTTP/1.1, after which the connection ends. headers: beside those of the error."""
    body = msgspec.json.encode(outcome(error))
    told = {
        "Connection": "close",
        "Content-Type": MEDIA_TYPE,
        "Content-Length": str(len(body)),
        **error.headers,
        **(headers or {}),
    }
    lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}", *(f"{name}: {told[name]}" for name in told)]
    return "\r\n".join([*lines, "", ""]).encode() + body
