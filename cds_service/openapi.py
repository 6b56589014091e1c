"""The description of this service's own HTTP interface (OpenAPI 3.1), at /openapi.json.

What is received and the errors are written by hand in descriptions/, one file for each area; what is
answered by structs is described by them, so it cannot drift.
Source: https://spec.openapis.org/oas/v3.1.1.html
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any

import msgspec
from flask import Blueprint, Response

from cds_service.desk import desk, json_response
from cds_service.determinations import Answer
from cds_service.version import VERSION

_DESCRIPTIONS = files("cds_service") / "descriptions"
_SCHEMA_AT = "#/components/schemas/{name}"

openapi = Blueprint("openapi", __name__)


@openapi.get("/openapi.json")
def description() -> Response:
    server = {"url": desk().settings.base_url}
    return json_response(describe() | {"servers": [server]})


@cache
def describe() -> dict[str, Any]:
    """The description without the address of the server."""
    _, schemas = msgspec.json.schema_components([Answer], ref_template=_SCHEMA_AT)
    components: dict[str, dict[str, Any]] = {"schemas": dict(schemas)}
    paths: dict[str, Any] = {}
    for part in sorted(_DESCRIPTIONS.iterdir(), key=lambda part: part.name):
        content = msgspec.json.decode(part.read_bytes())
        paths |= content.get("paths", {})
        for kind, named in content.get("components", {}).items():
            components.setdefault(kind, {}).update(named)
    info = {
        "title": "coverage-hooks",
        "version": VERSION,
        "description": "Holds infusion-pump orders against payer policies (CDS Hooks 2.0).",
        "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
    }
    return {"openapi": "3.1.0", "info": info, "paths": paths, "components": components}
