"""Schemathesis over the service's own description: what fits it and what does not is answered as it says."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from cds_service.openapi import describe
from tests.fuzz import OPENAPI
from tests.fuzz.target import Target

CHECKS: list[Any] = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    response_headers_conformance,
]
POSTS = [
    "/determinations",
    "/cds-services/{service_id}",
    "/cds-services/{service_id}/feedback",
    "/fhir/Questionnaire/$questionnaire-package",
]
READ = [path for path, item in describe()["paths"].items() if "get" in item]
SENT = [
    "HookRequest", "OrderSignContext", "OrderSelectContext", "OrderDispatchContext", "AppointmentBookContext", "EncounterContext",
    "Orders", "Order", "Reference", "CodeableConcept", "Resource", "Feedback", "Accepted", "Overridden", "PackageRequest",
]  # fmt: skip
MODES = list(GenerationMode)
EACH = OPENAPI // (len(POSTS) * len(MODES))


def fuzz(target: Target, case: Any) -> None:
    response = case.call()
    target.look(response.status_code, response.content)
    case.validate_response(response, checks=CHECKS)


@pytest.fixture(scope="module")
def described(target: Target) -> Any:
    return _schema(target, describe())


@pytest.fixture(scope="module")
def closed(target: Target) -> Any:
    """Requests without further properties: generating these takes nearly all of the time otherwise."""
    whole = copy.deepcopy(describe())
    for shape in _objects([whole["components"]["schemas"][name] for name in SENT]):
        shape.setdefault("additionalProperties", False)
    return _schema(target, whole)


def _schema(target: Target, whole: dict[str, Any]) -> Any:
    schema = schemathesis.openapi.from_dict(whole)
    schema.app = target.app
    return schema


def _objects(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict) and "properties" in value and "type" in value:
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _objects(inner)


@pytest.mark.parametrize("mode", MODES, ids=lambda mode: mode.value)
@pytest.mark.parametrize("path", POSTS)
def test_generated_requests_are_answered_as_described(
    path: str, mode: GenerationMode, closed: Any, target: Target
) -> None:
    cases: st.SearchStrategy[Any] = closed[path]["POST"].as_strategy(generation_mode=mode)
    thorough: Callable[..., Any] = settings(
        max_examples=EACH,
        deadline=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
        database=None,
    )

    @thorough
    @given(case=cases)
    def run(case: Any) -> None:
        fuzz(target, case)

    run()
    target.finish(EACH)


@pytest.mark.parametrize("path", READ)
def test_what_is_only_read_is_answered_as_described(path: str, described: Any) -> None:
    operation = described[path]["GET"]
    names = {
        p["name"]: p["example"] for p in operation.definition.raw.get("parameters", []) if "example" in p
    }
    case = operation.Case(path_parameters=names)
    case.validate_response(case.call(), checks=CHECKS)
