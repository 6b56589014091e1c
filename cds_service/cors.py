"""Cross-origin calls: browser EHRs and the public CDS Hooks sandbox need them on every answer.

Headers are set on errors too, since a browser otherwise hides them from the page. No cookies are
used, so `*` is enough. Source: CDS Hooks 2.0, section Cross-Origin Resource Sharing.
"""

from __future__ import annotations

from collections.abc import Sequence

from flask import Flask, Response, request

_MAX_AGE_SECONDS = "3600"


def allow_cross_origin(app: Flask, origins: Sequence[str]) -> None:
    """Let pages of these origins call the app; "*" allows any."""

    @app.after_request
    def add_headers(response: Response) -> Response:
        if "*" not in origins:
            response.vary.add("Origin")
        allowed = origin_headers(origins, request.origin or "")
        response.headers.update(allowed)
        if allowed and request.method == "OPTIONS":
            response.headers["Access-Control-Allow-Methods"] = "GET, POST, OPTIONS"
            response.headers["Access-Control-Allow-Headers"] = "Authorization, Content-Type"
            response.headers["Access-Control-Max-Age"] = _MAX_AGE_SECONDS
        return response


def origin_headers(origins: Sequence[str], origin: str) -> dict[str, str]:
    """What lets a page of an origin read an answer; nothing where it may not."""
    if "*" in origins:
        return {"Access-Control-Allow-Origin": "*"}
    return {"Access-Control-Allow-Origin": origin} if origin in origins else {}
