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
from contextlib import suppress
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
from tests.service.store.conftest import KEY, migrated, sqlite_url
from tests.service.store.postgres import Cluster
from tests.service.test_served import free_port, start

START = datetime(2026, 1, 1, tzinfo=UTC)


class Served:
    """A started service with two workers, which can be killed and started again."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._port = free_port()
        self.base = f"http://127.0.0.1:{self._port}"
        self._process = self._started()

    def start(self) -> None:
        """Start it if it does not run."""
        if self._process.poll() is not None:
            self._process = self._started()

    def _started(self) -> subprocess.Popen[str]:
        process = start(
            self._port,
            COVERAGE_HOOKS_WORKERS="2",
            COVERAGE_HOOKS_DATABASE_URL=self.url,
            COVERAGE_HOOKS_HASH_KEY=KEY,
        )
        end = time.monotonic() + 60
        while True:
            with suppress(requests.RequestException):
                if requests.get(f"{self.base}/health/ready", timeout=5).ok:
                    return process
            assert process.poll() is None, process.communicate()[1]
            assert time.monotonic() < end
            time.sleep(0.05)

    def _workers(self) -> list[int]:
        listed = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text()
        return [int(pid) for pid in listed.split()]

    def kill_worker(self) -> None:
        if workers := self._workers():
            os.kill(random.choice(workers), signal.SIGKILL)

    def kill_all(self) -> None:
        """The master first: it would start new workers."""
        workers = self._workers()
        self._process.kill()
        for pid in workers:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._process.communicate()

    def end(self) -> None:
        """End it in good order."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            self._process.communicate(timeout=60)


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


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One service for all tests with SQLite; each starts it again if it ended."""
    service = Served(sqlite_url(tmp_path_factory.mktemp("killed")))
    yield service
    service.end()


def signed(base: str, number: int) -> requests.Response:
    """The answer to a sample order; each number makes another call of it."""
    call_ = paperwork_missing() | {"hookInstance": str(UUID(int=number))}
    return requests.post(f"{base}{SIGN}", json=call_, timeout=60)


def signed_and_overridden(base: str, number: int) -> tuple[int, str, list[str]]:
    """The status of feedback on the cards of an order, the decision on it, and its cards."""
    answer = signed(base, number)
    cards = [card["uuid"] for card in answer.json()["cards"]]
    moment = "2026-03-01T12:00:00Z"
    entries = [{"card": card, "outcome": "overridden", "outcomeTimestamp": moment} for card in cards]
    given = requests.post(f"{base}{SIGN}/feedback", json={"feedback": entries}, timeout=60)
    return given.status_code, answer.headers[HEADER], cards


def check_two_workers(service: Served) -> None:
    """Calls at the same time are all kept, once."""
    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(lambda number: signed_and_overridden(service.base, number), range(60)))
    service.end()
    assert {status for status, _, _ in results} == {200}
    store = opened(service.url)
    with store.reading() as connection:
        logged = Counter(row.decision for row in connection.execute(select(call)))
        issued = {row.card_hash for row in connection.execute(select(issued_card))}
        given = Counter(row.card_hash for row in connection.execute(select(feedback)))
    store.close()
    assert {logged[decision] for _, decision, _ in results} == {1}
    cards = [store.hash.of("card", card) for _, _, found in results for card in found]
    assert len(set(cards)) == len(cards) >= 60
    assert set(cards) <= issued
    assert {given[card] for card in cards} == {1}


def test_two_workers_write_one_file(served: Served) -> None:
    served.start()
    check_two_workers(served)


def test_two_workers_write_one_server(postgres: Cluster) -> None:
    service = Served(migrated(postgres.new_database()))
    try:
        check_two_workers(service)
    finally:
        service.end()


def test_acknowledged_feedback_survives_kill_after_kill_and_is_there_once(served: Served) -> None:
    served.start()
    sender = Sender(served.base)
    with ThreadPoolExecutor(4) as pool:
        senders = [pool.submit(sender.send) for _ in range(4)]
        try:
            for number in range(8):
                time.sleep(random.uniform(0.1, 0.5))
                if number == 4:
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
    store = opened(served.url)
    with store.reading() as connection:
        rows = connection.execute(select(feedback.c.card_hash, feedback.c.outcome_at)).all()
    store.close()
    sent = {
        (store.hash.of("card", card), START + timedelta(seconds=number))
        for card, number in sender.acknowledged
    }
    cards = {card for card, _ in sent}
    kept = Counter((card, moment) for card, moment in rows if card in cards)
    assert set(kept.values()) == {1}
    assert sent <= kept.keys()
    # At most the last entry of each sender was kept without its acknowledgement having come through.
    assert len(kept) - len(sent) <= 4


@pytest.mark.req("B6.155")
def test_decisions_that_were_answered_are_there_after_a_kill(served: Served) -> None:
    served.start()
    answers = [signed(served.base, number) for number in range(100, 105)]
    served.kill_all()
    store = opened(served.url)
    with store.reading() as connection:
        logged = {row.decision for row in connection.execute(select(call))}
        issued = {row.card_hash for row in connection.execute(select(issued_card))}
    store.close()
    decisions = {answer.headers[HEADER] for answer in answers}
    assert len(decisions) == 5
    assert decisions <= logged
    assert {
        store.hash.of("card", card["uuid"]) for answer in answers for card in answer.json()["cards"]
    } <= issued
