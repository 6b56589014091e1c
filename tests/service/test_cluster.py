"""Two workers with PostgreSQL and Redis answer, refuse and keep the same as two that need neither."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import redis
import requests
from msgspec import Struct
from sqlalchemy import select

from cds_service.decision_log import HEADER
from cds_service.settings import Settings
from cds_service.store.store import open_store
from cds_service.store.tables import call, determination, feedback, issued_card
from tests.fuzz.good import FEEDBACK, GOOD
from tests.service.bodies import Json
from tests.service.store.conftest import KEY, migrated
from tests.service.store.postgres import Cluster
from tests.service.test_served import free_port, start, wait_for
from tests.service.trust.key_server import KeyServer
from tests.service.trust.tokens import EC_KEY, ecdsa, jwk, new_id, signed
from tests.service.trust.world import write_clients

PUBLIC = "https://cds.example.org"
TABLES = (call, determination, issued_card, feedback)
# What differs from run to run: times, and numbers that a database gives.
CHANCE = {"id", "call", "asked_at", "took_ms", "issued_at", "received_at"}


class Run(Struct):
    """What a service answered (status, decision, body), how often it took one token, what it kept."""

    answers: list[tuple[int, str, Any]]
    replayed: list[int]
    feedback: int
    rows: dict[str, list[str]]


class Caller:
    """A client of a running service. Each call has a connection of its own, so either worker may get it."""

    def __init__(self, base: str, keys: KeyServer) -> None:
        self._base, self._keys = base, keys

    def token(self, path: str) -> str:
        now = int(time.time())
        header = {"alg": "ES384", "typ": "JWT", "kid": "ec-1", "jku": self._keys.jku}
        claims = {"iss": "ehr", "aud": PUBLIC + path, "iat": now, "exp": now + 300, "jti": new_id()}
        return signed(header, claims, ecdsa(EC_KEY))

    def post(self, path: str, body: Json, token: str = "") -> requests.Response:
        headers = {"Authorization": f"Bearer {token or self.token(path)}", "Connection": "close"}
        return requests.post(self._base + path, json=body, headers=headers, timeout=60)

    def answers(self) -> list[tuple[int, str, Any]]:
        with ThreadPoolExecutor(4) as pool:
            found = list(pool.map(lambda asked: self.post(*asked), GOOD))
        return [(each.status_code, each.headers.get(HEADER, ""), _timeless(each.json())) for each in found]

    def replayed(self) -> list[int]:
        """The answers to one token that is sent by eight at a time."""
        path, body = GOOD[0]
        token = self.token(path)
        with ThreadPoolExecutor(8) as pool:
            return sorted(pool.map(lambda _: self.post(path, body, token).status_code, range(8)))

    def override(self, answers: list[tuple[int, str, Any]]) -> int:
        cards = [card["uuid"] for _, _, answer in answers for card in answer.get("cards", ())]
        moment = "2026-03-01T12:00:00Z"
        given = [{"card": card, "outcome": "overridden", "outcomeTimestamp": moment} for card in cards]
        return self.post(FEEDBACK, {"feedback": given}).status_code


def _timeless(answer: Any) -> Any:
    """An answer without the moment at which a form was drafted."""
    if isinstance(answer, list):
        return [_timeless(inner) for inner in answer]
    if not isinstance(answer, dict):
        return answer
    return {key: _timeless(inner) for key, inner in answer.items() if key != "authored"}


def run(folder: Path, database_url: str = "", redis_url: str = "") -> Run:
    """Start the service with two workers, call it, end it, and look at what it kept."""
    state = {"XDG_STATE_HOME": str(folder), "TMPDIR": str(folder)}
    kept = database_url or f"sqlite:///{folder}/coverage-hooks/store.sqlite3"
    port = free_port()
    with KeyServer([jwk(EC_KEY, "ec-1")]) as keys:
        process = start(
            port,
            COVERAGE_HOOKS_TRUST="jwt",
            COVERAGE_HOOKS_CLIENTS_FILE=str(
                write_clients(folder, {"name": "ehr", "issuer": "ehr", "jku": keys.jku})
            ),
            COVERAGE_HOOKS_PUBLIC_URL=PUBLIC,
            COVERAGE_HOOKS_WORKERS="2",
            COVERAGE_HOOKS_HASH_KEY=KEY,
            COVERAGE_HOOKS_DATABASE_URL=database_url,
            COVERAGE_HOOKS_REDIS_URL=redis_url,
            **state,
        )
        try:
            wait_for(f"http://127.0.0.1:{port}", process)
            caller = Caller(f"http://127.0.0.1:{port}", keys)
            answers = caller.answers()
            found = Run(answers, caller.replayed(), caller.override(answers), {})
        finally:
            process.send_signal(signal.SIGTERM)
            _, err = process.communicate(timeout=60)
    assert process.returncode == 0
    assert "Traceback" not in err
    found.rows = rows(kept)
    return found


def rows(url: str) -> dict[str, list[str]]:
    """What stands in each table, sorted, without what differs from run to run."""
    store = open_store(Settings(database_url=url, hash_key=KEY))
    assert store is not None
    with store.reading() as connection:
        found = {
            table.name: sorted(
                json.dumps(
                    {k: v for k, v in row._mapping.items() if k not in CHANCE}, default=str, sort_keys=True
                )
                for row in connection.execute(select(table))
            )
            for table in TABLES
        }
    store.close()
    return found


@pytest.fixture(scope="module")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return run(tmp_path_factory.mktemp("embedded"))


@pytest.fixture(scope="module")
def together(tmp_path_factory: pytest.TempPathFactory, postgres: Cluster, redis_url: str) -> Iterator[Run]:
    with redis.Redis.from_url(redis_url) as memory:
        before = memory.dbsize()
        yield run(tmp_path_factory.mktemp("cluster"), migrated(postgres.new_database()), redis_url)
        assert memory.dbsize() > before


def test_answers_and_decisions_are_the_same(embedded: Run, together: Run) -> None:
    assert {status for status, _, _ in embedded.answers} == {200}
    assert sum(1 for _, decision, _ in embedded.answers if decision) > 10
    assert together.answers == embedded.answers


def test_a_token_is_taken_once_whichever_worker_gets_it(embedded: Run, together: Run) -> None:
    assert together.replayed == embedded.replayed == [200] + [401] * 7


def test_the_same_rows_are_kept(embedded: Run, together: Run) -> None:
    assert together.feedback == embedded.feedback == 200
    assert all(embedded.rows.values())
    assert len(embedded.rows["call"]) == 1 + sum(1 for _, decision, _ in embedded.answers if decision)
    assert together.rows == embedded.rows
