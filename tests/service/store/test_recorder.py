"""The writer of the decision log falls behind and catches up, and loses only what it says."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence

import pytest
from sqlalchemy.exc import DataError, IntegrityError, OperationalError

from cds_service.store import recorder
from cds_service.store.decisions import Entry
from cds_service.store.recorder import Recorder


def entry(name: str, captured: int = 0) -> Entry:
    return Entry({"id": name}, captured=(b"x" * captured, b"") if captured else None)


class Database:
    """Takes entries, unless it is down; refuses bad ones for good."""

    def __init__(self) -> None:
        self.down = False
        self.bad: dict[str, type[Exception]] = {}
        self.rows: list[str] = []
        self.tried = threading.Semaphore(0)
        self.recorder = Recorder(self.write, pause=0.01)

    def write(self, entries: Sequence[Entry], hasty: bool) -> None:
        self.tried.release()
        if self.down:
            raise OperationalError("INSERT", {"name": "Jane Doe"}, Exception("down"))
        for item in entries:
            if kind := self.bad.get(item.call["id"]):
                raise kind("INSERT", {"name": "Jane Doe"}, Exception("bad"))  # type: ignore[call-arg]
        self.rows += [item.call["id"] for item in entries]


@pytest.fixture
def database() -> Database:
    return Database()


def messages(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records]


def test_an_entry_is_written_before_the_answer_goes_on(database: Database) -> None:
    database.recorder.record(entry("a"))
    assert database.rows == ["a"]


def test_what_cannot_be_written_is_written_later_in_order(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    database.down = True
    for number in range(250):
        database.recorder.record(entry(str(number)))
    for _ in range(3):
        assert database.tried.acquire(timeout=10)
    assert database.rows == []
    database.down = False
    database.recorder.close()
    assert database.rows == [str(number) for number in range(250)]
    assert messages(caplog) == [
        "the decision log cannot be written: Exception; it is tried again",
        "the decision log is written again; 0 decisions were not logged",
    ]


def test_an_entry_that_is_never_taken_is_let_go_and_the_others_are_kept(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    database.bad = {"b": DataError, "c": IntegrityError}
    database.recorder.record(entry("b"))
    database.down = True
    for name in "abcd":
        database.recorder.record(entry(name))
    database.down = False
    database.recorder.close()
    assert database.rows == ["a", "d"]
    assert messages(caplog).count("a decision was not logged: Exception") == 2
    assert "Jane" not in caplog.text


@pytest.mark.parametrize(("bound", "size"), [("_MOST_ENTRIES", 0), ("_MOST_BYTES", 1)])
def test_beyond_the_bounds_entries_are_lost_and_counted(
    database: Database,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    bound: str,
    size: int,
) -> None:
    monkeypatch.setattr(recorder, bound, 3)
    database.down = True
    for number in range(5):
        database.recorder.record(entry(str(number), size))
    database.down = False
    database.recorder.close()
    assert database.rows == ["0", "1", "2"]
    assert messages(caplog)[-1] == "the decision log is written again; 2 decisions were not logged"


def test_what_is_left_at_the_end_is_told(database: Database, caplog: pytest.LogCaptureFixture) -> None:
    database.down = True
    database.recorder.record(entry("a"))
    with caplog.at_level(logging.WARNING):
        database.recorder.close()
    assert messages(caplog)[-1] == "1 decisions were not logged: the service ended first"


def test_after_an_outage_entries_are_written_at_once_again(database: Database) -> None:
    database.down = True
    database.recorder.record(entry("a"))
    database.down = False
    while "a" not in database.rows:
        assert database.tried.acquire(timeout=10)
    database.recorder.close()
    database.recorder.record(entry("b"))
    assert database.rows == ["a", "b"]
