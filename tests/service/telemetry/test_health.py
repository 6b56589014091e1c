"""Readiness tells what is out of reach, fails only where nobody could be answered, and tells nobody more."""

from __future__ import annotations

import shutil
import threading
import time
from pathlib import Path

import pytest
import requests
from flask.testing import FlaskClient
from sqlalchemy.exc import OperationalError

from cds_service.desk import Desk
from cds_service.readiness import NOT_REACHED, REACHED, Probe
from cds_service.store.store import Store
from tests.service.bodies import PATIENT, SIGN, sign
from tests.service.conftest import client_of
from tests.service.fake_engine import FakeEngine
from tests.service.redis_server import RedisServer
from tests.service.store.conftest import KEY, migrated, sqlite_url
from tests.service.store.postgres import AbsentError, cluster
from tests.service.trust.world import world


def store_of(client: FlaskClient) -> Store:
    desk: Desk = client.application.extensions["coverage-hooks"]
    assert desk.store is not None
    return desk.store


def test_what_is_needed_and_reached_is_named(tmp_path: Path, fake_engine: FakeEngine) -> None:
    with world(tmp_path, fake_engine, database_url=sqlite_url(tmp_path)) as town:
        response = town.get("/health/ready")
    assert (response.status_code, response.json()) == (
        200,
        {"status": "ok", "policies": 1, "store": "ok", "replay_protection": "ok"},
    )


@pytest.mark.req("B6.158")
def test_without_the_store_the_service_goes_on(tmp_path: Path, fake_engine: FakeEngine) -> None:
    client = client_of(fake_engine, database_url=sqlite_url(tmp_path), decision_log="off")
    store_of(client).engine.dispose()
    for file in tmp_path.glob("store.sqlite3*"):
        file.unlink()
    (tmp_path / "store.sqlite3").mkdir()
    response = client.get("/health/ready")
    assert (response.status_code, response.json) == (
        200,
        {"status": "degraded", "policies": 1, "store": "unreachable"},
    )
    assert client.post(SIGN, json=sign(prefetch={"patient": PATIENT})).json["cards"]


def test_a_store_that_comes_back_is_seen(fake_engine: FakeEngine) -> None:
    try:
        with cluster() as found:
            url = migrated(found.new_database())
            client = client_of(fake_engine, database_url=url, hash_key=KEY)
            assert client.get("/health/ready").json["store"] == "ok"
            found.stop()
            down = client.get("/health/ready")
            found.start()
            assert (down.status_code, down.json["store"]) == (200, "unreachable")
            assert client.get("/health/ready").json == {"status": "ok", "policies": 1, "store": "ok"}
            store_of(client).close()
    except AbsentError as error:
        pytest.skip(str(error))


def test_a_store_that_others_write_to_is_ready(tmp_path: Path, fake_engine: FakeEngine) -> None:
    client = client_of(fake_engine, database_url=sqlite_url(tmp_path))
    with store_of(client).writing():
        assert client.get("/health/ready").json["store"] == "ok"


def test_where_nobody_can_be_let_in_the_service_is_not_ready(tmp_path: Path, fake_engine: FakeEngine) -> None:
    with (
        RedisServer(tmp_path) as redis,
        world(tmp_path, fake_engine, redis_url=redis.url, database_url="none") as town,
    ):
        assert town.get("/health/ready").json()["replay_protection"] == "ok"
        redis.stop()
        response = town.get("/health/ready")
        assert response.status_code == 503
        assert response.json() == {"status": "not ready", "policies": 1, "replay_protection": "unreachable"}
        assert requests.get(f"{town.base}/health/live", timeout=10).status_code == 200
        assert redis.url not in response.text


def test_a_file_of_what_came_before_that_is_gone_is_seen(
    tmp_path: Path, fake_engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with world(tmp_path, fake_engine, database_url="none") as town:
        (folder,) = tmp_path.glob("coverage-hooks-*")
        shutil.rmtree(folder)
        assert town.get("/health/ready").status_code == 503


def test_who_watches_does_not_wait_for_what_hangs() -> None:
    hangs, asked = threading.Event(), []

    def ask() -> None:
        asked.append(1)
        hangs.wait(30)

    probe = Probe(ask)
    assert [probe.state() for _ in range(3)] == [NOT_REACHED] * 3
    assert len(asked) == 1  # it is not asked again while it hangs
    hangs.set()
    end = time.monotonic() + 20
    while probe.state() != REACHED:
        assert time.monotonic() < end


def test_what_fails_is_not_reached_and_its_message_goes_nowhere(caplog: pytest.LogCaptureFixture) -> None:
    def ask() -> None:
        raise OperationalError("SELECT Doe", {}, Exception("postgresql://user:secret@host"))

    with caplog.at_level("DEBUG", "cds_service"):
        assert Probe(ask).state() == NOT_REACHED
    assert "OperationalError" in caplog.text
    assert "secret" not in caplog.text


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"mode": "development"}, "/srv/policies/policy.yaml:3: titel"),
        (
            {"mode": "production", "allow_open": True},
            "the last change of the policies was refused; the log says why",
        ),
    ],
)
def test_a_refused_change_is_told_in_full_to_developers_alone(
    fake_engine: FakeEngine, monkeypatch: pytest.MonkeyPatch, settings: dict[str, object], told: str
) -> None:
    client = client_of(fake_engine, **settings)
    desk: Desk = client.application.extensions["coverage-hooks"]
    monkeypatch.setattr(desk, "refused", lambda: "/srv/policies/policy.yaml:3: titel")
    response = client.get("/health/ready")
    assert (response.status_code, response.json["refused_change"]) == (200, told)
