"""Nothing that was acknowledged is lost when processes are killed, and nothing is kept twice."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
import requests
from sqlalchemy import select

from cds_service.decision_log import HEADER
from cds_service.samples import paperwork_missing
from cds_service.settings import Settings
from cds_service.store.store import Store, open_store
from cds_service.store.tables import call, feedback, issued_card
from tests.service.bodies import SIGN
from tests.service.store.conftest import KEY
from tests.service.store.postgres import Cluster
from tests.service.test_served import free_port, start

START = datetime(2026, 1, 1, tzinfo=UTC)


class Served:
    """A started service with two workers, which can be killed and started again."""

    def __init__(self, url: str) -> None:
        self._port = free_port()
        self.base = f"http://127.0.0.1:{self._port}"
        self._set = {"COVERAGE_HOOKS_DATABASE_URL": url, "COVERAGE_HOOKS_HASH_KEY": KEY}
        self.start()

    def start(self) -> None:
        self._process = start(self._port, COVERAGE_HOOKS_WORKERS="2", **self._set)
        end = time.monotonic() + 60
        while True:
            try:
                if requests.get(f"{self.base}/health/ready", timeout=5).ok:
                    return
            except requests.RequestException:
                pass
            assert self._process.poll() is None, self._process.communicate()[1]
            assert time.monotonic() < end
            time.sleep(0.05)

    def workers(self) -> list[int]:
        listed = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text()
        return [int(pid) for pid in listed.split()]

    def kill_worker(self) -> None:
        if workers := self.workers():
            os.kill(random.choice(workers), signal.SIGKILL)

    def kill_all(self) -> None:
        """First the master, which would start new workers."""
        workers = self.workers()
        self._process.kill()
        for pid in workers:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self._process.communicate()

    def end(self) -> None:
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.communicate(timeout=30)
            except subprocess.TimeoutExpired:
                self.kill_all()


class Sender:
    """Sends feedback until it is told to stop, each entry again until it is acknowledged."""

    def __init__(self, base: str) -> None:
        self._url = f"{base}{SIGN}/feedback"
        self.stop = threading.Event()
        self.acknowledged: list[tuple[str, int]] = []
        self.retried = 0

    def send(self) -> None:
        card = str(uuid4())
        for number in range(1_000_000):
            moment = START + timedelta(seconds=number)
            entry = {"card": card, "outcome": "overridden", "outcomeTimestamp": moment.isoformat()}
            while not self._accepted(entry):
                self.retried += 1
                if self.stop.is_set():
                    return
                time.sleep(0.01)
            self.acknowledged.append((card, number))
            if self.stop.is_set():
                return

    def _accepted(self, entry: dict[str, str]) -> bool:
        try:
            return requests.post(self._url, json={"feedback": [entry]}, timeout=10).status_code == 200
        except requests.RequestException:
            return False


def opened(url: str) -> Store:
    store = open_store(Settings(database_url=url, hash_key=KEY))
    assert store is not None
    return store


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    service = Served(f"sqlite:///{tmp_path}/store.sqlite3")
    yield service
    service.end()


def test_acknowledged_feedback_survives_kill_after_kill_and_is_there_once(
    served: Served, tmp_path: Path
) -> None:
    sender = Sender(served.base)
    with ThreadPoolExecutor(4) as pool:
        senders = [pool.submit(sender.send) for _ in range(4)]
        try:
            for number in range(12):
                time.sleep(random.uniform(0.1, 0.5))
                if number in (5, 9):
                    served.kill_all()
                    served.start()
                else:
                    served.kill_worker()
        finally:
            sender.stop.set()
        for found in senders:
            found.result()
    assert len(sender.acknowledged) > 20
    assert sender.retried > 0
    store = opened(f"sqlite:///{tmp_path}/store.sqlite3")
    with store.reading() as connection:
        rows = connection.execute(select(feedback.c.card_hash, feedback.c.outcome_at)).all()
    kept = Counter((card, moment) for card, moment in rows)
    assert set(kept.values()) == {1}
    sent = {
        (store.hash.of("card", card), START + timedelta(seconds=number))
        for card, number in sender.acknowledged
    }
    assert sent <= kept.keys()
    # At most the last entry of each sender was kept without its acknowledgement having come through.
    assert len(kept) - len(sent) <= 4
    store.close()


def test_decisions_that_were_answered_are_there_after_a_kill(served: Served, tmp_path: Path) -> None:
    answers = [requests.post(f"{served.base}{SIGN}", json=paperwork_missing(), timeout=30) for _ in range(5)]
    served.kill_all()
    store = opened(f"sqlite:///{tmp_path}/store.sqlite3")
    with store.reading() as connection:
        logged = [row.decision for row in connection.execute(select(call))]
        cards = {row.card_hash for row in connection.execute(select(issued_card))}
    assert logged == [answer.headers[HEADER] for answer in answers]
    assert cards == {
        store.hash.of("card", card["uuid"]) for answer in answers for card in answer.json()["cards"]
    }
    store.close()


def body(number: int) -> dict[str, object]:
    return paperwork_missing() | {"hookInstance": str(UUID(int=number))}


def both(base: str, number: int) -> tuple[int, str]:
    """An order is signed and its card overridden."""
    answer = requests.post(f"{base}{SIGN}", json=body(number), timeout=60)
    entries = [
        {"card": card["uuid"], "outcome": "overridden", "outcomeTimestamp": "2026-03-01T12:00:00Z"}
        for card in answer.json()["cards"]
    ]
    given = requests.post(f"{base}{SIGN}/feedback", json={"feedback": entries}, timeout=60)
    return given.status_code, answer.headers[HEADER]


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_two_workers_write_one_store(database: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    if database == "sqlite":
        url = f"sqlite:///{tmp_path}/store.sqlite3"
    else:
        postgres: Cluster = request.getfixturevalue("postgres")
        url = postgres.new_database()
        from tests.service.store.conftest import migrated

        migrated(url)
    service = Served(url)
    try:
        with ThreadPoolExecutor(8) as pool:
            results = list(pool.map(lambda number: both(service.base, number), range(60)))
    finally:
        service.end()
    assert {status for status, _ in results} == {200}
    store = opened(url)
    with store.reading() as connection:
        logged = {row.decision for row in connection.execute(select(call))}
        cards = {row.card_hash for row in connection.execute(select(issued_card))}
        given = [row.card_hash for row in connection.execute(select(feedback))]
    assert logged == {decision for _, decision in results}
    assert len(logged) == len(given) == 60
    assert set(given) == cards
    store.close()
