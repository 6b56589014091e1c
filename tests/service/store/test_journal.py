"""What a process answered is in its journal before it answers, and reaches the store whatever ends it."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from errno import ENOLCK, ENOSPC
from pathlib import Path

import pytest
from sqlalchemy.exc import IntegrityError, OperationalError

from cds_service.store import recorder
from cds_service.store.decisions import Entry
from cds_service.store.journal import Journal
from cds_service.store.recorder import Recorder

WHEN = datetime(2026, 11, 1, 12, 30, 15, 123456, UTC)
RICH = Entry(
    {"id": "a", "asked_at": WHEN, "took_ms": 1.5, "stages": {"decide": 0.5}, "sources": [["Patient", 1]]},
    [{"call": "a", "states": {"hba1c": "met"}, "asks": []}],
    [{"card_hash": "x", "issued_at": WHEN}],
    (b"\x00request", b"answer"),
)

# A process that appends an entry with each id it is given, then waits to be killed.
_WRITER = """
import sys
from pathlib import Path
from cds_service.store.decisions import Entry
from cds_service.store.journal import Journal
journal = Journal(Path(sys.argv[1]))
for name in sys.argv[2:]:
    journal.append(Entry({"id": name}))
print("written", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "store.sqlite3"


def writer(store: Path, *names: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", _WRITER, str(store), *names]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"written\n"
    return process


def killed(store: Path, *names: str) -> None:
    with writer(store, *names) as process:
        process.kill()


def files(store: Path) -> list[Path]:
    return list(store.parent.iterdir())


def left(store: Path) -> list[list[str]]:
    return [[entry.call["id"] for entry in entries] for entries in Journal(store).left_behind()]


def test_an_entry_comes_back_as_it_went_in(store: Path) -> None:
    journal = Journal(store)
    journal.append(RICH)
    journal.close()
    assert list(Journal(store).left_behind()) == [[RICH]]


def test_a_process_that_was_killed_leaves_its_entries_to_one_other(store: Path) -> None:
    killed(store, "a", "b")
    killed(store, "c")
    assert sorted(left(store)) == [["a", "b"], ["c"]]
    assert files(store) == []
    assert left(store) == []


def test_the_journal_of_a_living_process_is_its_own(store: Path) -> None:
    with writer(store, "a") as process:
        assert left(store) == []
        assert Journal(store).waits()
        process.kill()
    assert left(store) == [["a"]]


@pytest.mark.parametrize("cut", [1, 3, 4, 8])
def test_an_entry_that_was_being_written_is_none(store: Path, cut: int) -> None:
    killed(store, "a", "b")
    (path,) = files(store)
    path.write_bytes(path.read_bytes()[:-cut])
    assert left(store) == [["a"]]


def test_what_cannot_be_read_is_passed_over(store: Path) -> None:
    killed(store, "a", "b")
    (path,) = files(store)
    content = path.read_bytes()
    path.write_bytes(content[:4] + b"\xc1" + content[5:])  # no first byte of MessagePack
    assert left(store) == [["b"]]


def test_an_entry_that_does_not_fit_on_the_disk_hides_no_other(
    store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal, write = Journal(store), os.write
    journal.append(Entry({"id": "a"}))

    def full(file: int, data: memoryview) -> int:
        if len(data) <= 8:
            raise OSError(ENOSPC, "no space left")
        return write(file, data[:-8])

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(OSError, match="no space"):
        journal.append(Entry({"id": "lost"}))
    monkeypatch.undo()
    journal.append(Entry({"id": "b"}))
    journal.close()
    assert left(store) == [["a", "b"]]


def test_a_file_system_without_locks_keeps_no_journal_and_no_open_file(
    store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[int] = []

    def refuse(file: int, _: int) -> None:
        opened.append(file)
        raise OSError(ENOLCK, "no locks")

    monkeypatch.setattr(fcntl, "flock", refuse)
    with pytest.raises(OSError, match="no locks"):
        Journal(store).append(RICH)
    assert files(store) == []
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(opened[0])


def test_a_turn_that_fails_leaves_the_file(store: Path) -> None:
    killed(store, "a")
    for _ in Journal(store).left_behind():
        break
    assert left(store) == [["a"]]


def test_what_is_written_is_cleared_and_only_its_owner_may_read_it(store: Path) -> None:
    journal = Journal(store)
    journal.append(RICH)
    (path,) = files(store)
    assert path.stat().st_mode & 0o777 == 0o600
    journal.clear()
    assert (path.stat().st_size, journal.size, journal.waits()) == (0, 0, False)
    journal.close()
    assert files(store) == []


class Database:
    """Takes entries, each once, unless it is down."""

    def __init__(self) -> None:
        self.down = False
        self.rows: list[str] = []

    def write(self, entries: Sequence[Entry], _: bool) -> None:
        if self.down:
            raise OperationalError("INSERT", {}, Exception("down"))
        names = [entry.call["id"] for entry in entries]
        if set(names) & set(self.rows):
            raise IntegrityError("INSERT", {}, Exception("there"))
        self.rows += names

    def recorder(self, store: Path) -> Recorder:
        return Recorder(self.write, Journal(store), pause=0.01)


def test_an_entry_is_in_the_journal_before_the_answer_and_in_the_store_soon(store: Path) -> None:
    database = Database()
    database.down = True
    writing = database.recorder(store)
    writing.record(Entry({"id": "a"}))
    assert Journal(store).waits()
    database.down = False
    writing.flush()
    assert (database.rows, Journal(store).waits()) == (["a"], False)
    writing.close()
    assert files(store) == []


def test_what_a_stopped_service_could_not_write_is_written_at_its_next_start(store: Path) -> None:
    database = Database()
    database.down = True
    first = database.recorder(store)
    for name in "abc":
        first.record(Entry({"id": name}))
    first.close()
    database.down = False
    database.recorder(store).take_over()
    assert (database.rows, files(store)) == (["a", "b", "c"], [])


def test_what_the_store_has_already_is_not_written_twice(store: Path) -> None:
    database = Database()
    database.rows = ["a"]
    killed(store, "a", "b")
    database.recorder(store).take_over()
    assert (database.rows, files(store)) == (["a", "b"], [])


def test_a_store_that_is_down_does_not_lose_what_is_taken_over(store: Path) -> None:
    database = Database()
    database.down = True
    killed(store, "a")
    database.recorder(store).take_over()
    assert (database.rows, Journal(store).waits()) == ([], True)


def test_beyond_its_bound_entries_are_written_before_the_answer(
    store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorder, "_MOST_JOURNAL_BYTES", 0)
    monkeypatch.setattr(recorder, "_GATHER_SECONDS", 60)
    database = Database()
    writing = database.recorder(store)
    for name in "ab":
        writing.record(Entry({"id": name}))
    assert database.rows == ["b"]
    writing.close()
    assert sorted(database.rows) == ["a", "b"]


def test_a_journal_that_cannot_be_made_leaves_the_store(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    database = Database()
    writing = database.recorder(tmp_path / "not there" / "store.sqlite3")
    for name in "ab":
        writing.record(Entry({"id": name}))
    assert database.rows == ["a", "b"]
    warned = [record.getMessage() for record in caplog.records]
    assert warned == ["the journal of the decision log cannot be written: FileNotFoundError"]


def test_what_only_memory_has_at_the_end_is_told_as_lost(
    store: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    database = Database()
    database.down = True
    writing = database.recorder(store)
    writing.record(Entry({"id": "in the journal"}))
    monkeypatch.setattr(recorder, "_MOST_JOURNAL_BYTES", 0)
    for name in "ab":
        writing.record(Entry({"id": name}))
    writing.close()
    assert [record.getMessage() for record in caplog.records][-2:] == [
        "1 decisions are logged when the service starts again",
        "2 decisions were not logged: the service ended first",
    ]
