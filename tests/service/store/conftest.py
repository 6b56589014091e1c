"""Stores in SQLite and in PostgreSQL; what holds of one must hold of the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Table, select

from cds_service.desk import Desk
from cds_service.settings import Settings
from cds_service.store.connection import open_engine
from cds_service.store.place import place_of
from cds_service.store.schema import migrate
from cds_service.store.store import Store
from tests.service.conftest import client_of
from tests.service.fake_engine import FakeEngine

KEY = "0123456789" * 4
Open = Callable[..., "Service"]


class Service:
    """A service with a store, as its clients and its tables see it."""

    def __init__(self, client: FlaskClient, url: str) -> None:
        self.client, self.url = client, url
        desk: Desk = client.application.extensions["coverage-hooks"]
        assert desk.store is not None
        self.store: Store = desk.store

    def rows(self, table: Table) -> list[dict[str, Any]]:
        with self.store.reading() as connection:
            return [dict(row._mapping) for row in connection.execute(select(table))]


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database."""
    if request.param == "sqlite":
        return sqlite_url(tmp_path)
    url: str = request.getfixturevalue("postgres").new_database()
    return url


def sqlite_url(folder: Path) -> str:
    return f"sqlite:///{folder}/store.sqlite3"


def migrated(url: str) -> str:
    place = place_of(url)
    assert place is not None
    engine = open_engine(place)
    migrate(engine)
    engine.dispose()
    return url


@pytest.fixture
def opened(fake_engine: FakeEngine) -> Iterator[Callable[..., Service]]:
    """Opens services with a store at a URL; further settings by name."""
    services: list[Service] = []

    def open_(url: str, engine: Any = fake_engine, **settings: Any) -> Service:
        settings.setdefault("hash_key", KEY)
        client = client_of(engine, database_url=url, **settings)
        services.append(Service(client, url))
        return services[-1]

    yield open_
    for service in services:
        service.store.close()


@pytest.fixture
def service(opened: Open, database_url: str) -> Service:
    """A service with a migrated store in either database."""
    return opened(migrated(database_url))


@pytest.fixture
def sqlite_service(opened: Open, tmp_path: Path) -> Service:
    return opened(sqlite_url(tmp_path))


def settings_of(service: Service, **more: Any) -> Settings:
    return Settings(database_url=service.url, hash_key=KEY, **more)
