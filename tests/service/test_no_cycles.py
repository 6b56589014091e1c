"""An answer leaves nothing for the garbage collector, whose passes would hold up every hundredth order."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from types import FunctionType

import pytest
from flask import Flask

from cds_service.app import create_app
from cds_service.samples import SAMPLES
from cds_service.settings import Settings

_OURS = ("mappings", "policies", "cards", "cds_service")


@pytest.fixture(scope="module")
def app() -> Flask:
    return create_app(Settings(database_url="none"))


@pytest.fixture
def garbage() -> Iterator[list[object]]:
    gc.collect()
    gc.disable()
    gc.set_debug(gc.DEBUG_SAVEALL)
    yield gc.garbage
    gc.set_debug(0)
    gc.garbage.clear()
    gc.enable()


def module_of(value: object) -> str:
    owner = value if isinstance(value, FunctionType) else type(value)
    return str(owner.__module__).partition(".")[0]


@pytest.mark.parametrize("sample", SAMPLES)
def test_all_that_an_answer_builds_goes_with_it(app: Flask, garbage: list[object], sample: str) -> None:
    client = app.test_client()
    for _ in range(2):  # the first one also fills what is remembered
        garbage.clear()
        response = client.post("/cds-services/infusion-pump-order-sign", json=SAMPLES[sample]())
        assert response.status_code == 200
        gc.collect()
    assert [value for value in garbage if module_of(value) in _OURS] == []
