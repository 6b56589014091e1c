"""Reading a request as typed services do: every resource through fhir.resources."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from fhir.resources.R4B import get_fhir_model_class


def read_typed(body: bytes) -> int:
    """Read every resource of a request into its model; how many there were."""
    request = json.loads(body)
    values = [request["context"]["draftOrders"], *request["prefetch"].values()]
    return sum(1 for value in values for resource in _resources(value) if _model(resource))


def _resources(value: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if value["resourceType"] != "Bundle":
        yield value
        return
    for entry in value.get("entry", ()):
        yield entry["resource"]


def _model(resource: dict[str, Any]) -> Any:
    return get_fhir_model_class(resource["resourceType"]).model_validate(resource)
