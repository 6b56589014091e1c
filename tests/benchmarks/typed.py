"""Reading a request as typed services do: every resource through fhir.resources."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from fhir.resources.R4B import get_fhir_model_class
from pydantic import ValidationError


def read_typed(body: bytes) -> int:
    """Read every resource of a request into its model; how many fit."""
    request = json.loads(body)
    values = [request["context"]["draftOrders"], *request["prefetch"].values()]
    return sum(1 for value in values for resource in _resources(value) if _model(resource))


def _resources(value: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if value["resourceType"] != "Bundle":
        yield value
        return
    for entry in value.get("entry", ()):
        yield entry["resource"]


def _model(resource: dict[str, Any]) -> bool:
    """Whether a resource fits its model. One that does not has been looked at all the same."""
    try:
        get_fhir_model_class(resource["resourceType"]).model_validate(resource)
    except ValidationError:
        return False
    return True
