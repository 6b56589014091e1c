"""A service with a fake engine and a clock that stands still; real servers of what it may use."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from flask.testing import FlaskClient

from cds_service.app import create_app
from cds_service.settings import Settings
from mappings.terminology import ValueSets
from tests.service.fake_engine import FakeEngine
from tests.service.redis_server import RedisServer
from tests.service.store.postgres import AbsentError, Cluster, cluster

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@pytest.fixture
def fake_engine(value_sets: ValueSets) -> FakeEngine:
    return FakeEngine(value_sets)


@pytest.fixture
def client(fake_engine: FakeEngine) -> FlaskClient:
    """A client of a service with default settings."""
    return client_of(fake_engine)


def client_of(engine: Any, **settings: Any) -> FlaskClient:
    """A client of a service that keeps nothing, if the settings do not say otherwise."""
    settings.setdefault("database_url", "none")
    return create_app(Settings(**settings), engine, clock=lambda: NOW).test_client()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Cluster]:
    try:
        with cluster() as found:
            yield found
    except AbsentError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Redis of its own."""
    with RedisServer(tmp_path_factory.mktemp("redis")) as server:
        yield server.url
