"""The description of this service's own HTTP interface (OpenAPI 3.1), at /openapi.json.

What is received is written by hand in descriptions/, one file for each area; what is answered by
structs is described by them, and errors that do not depend on the route are added to each, so that
they cannot drift.
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
_ERROR_AT = "#/components/responses/"
_ALWAYS = {"500": ("Error", "A fault of the service, with the id under which it was logged.")}
_WITH_TOKEN = {
    "401": ("Unauthorized", "A token is missing or refused."),
    "403": ("Error", "The client is known, but may not use this address or name this FHIR server."),
    "503": ("Unavailable", "It cannot be told whether the request came before."),
}
_WITH_BODY = {
    "400": ("Error", "The body is no JSON, or not of the form that belongs here."),
    "408": ("Error", "The body took too long to arrive."),
    "413": ("Error", "The body is too large, or holds too many resources or entries."),
    "415": ("Error", "The body has a media type or an encoding that is not read."),
    "422": ("Error", "What is asked contradicts itself, or holds more orders or levels than are read."),
    "503": (
        "Unavailable",
        "The service is busy, cannot store, or cannot tell whether the request came before.",
    ),
}

openapi = Blueprint("openapi", __name__)


@openapi.get("/openapi.json")
def description() -> Response:
    settings = desk().settings
    server = {"url": settings.base_url}
    asked = describe()["security"] if settings.trust == "jwt" else []
    return json_response(describe() | {"servers": [server], "security": asked})


@cache
def describe() -> dict[str, Any]:
    """The description, without the address of the server; each route as if it asked for a token."""
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
    for item in paths.values():
        for operation in item.values():
            operation["responses"] = _errors(operation) | operation["responses"]
    return {
        "openapi": "3.1.0",
        "info": info,
        "security": [{"bearer": []}],
        "paths": paths,
        "components": components,
    }


def _errors(operation: dict[str, Any]) -> dict[str, Any]:
    """The errors that an operation shares with others."""
    found = dict(_ALWAYS)
    if operation.get("security") != []:
        found |= _WITH_TOKEN
    if "requestBody" in operation:
        found |= _WITH_BODY
    return {
        status: {"$ref": f"{_ERROR_AT}{name}", "description": description}
        for status, (name, description) in found.items()
    }
