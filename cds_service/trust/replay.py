"""What was seen before: requests of tokens, and key sets, shared by all who answer.

The workers of one machine share a file; several machines share Redis. Keys are hashes, so neither
holds a token, a claim or a body.
"""

from __future__ import annotations

import math
import os
import shutil
import sqlite3
import threading
import weakref
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import mkdtemp
from typing import Protocol

_SECONDS_TO_WAIT = 2.0
_TABLE = """CREATE TABLE kept (
    key TEXT PRIMARY KEY, value BLOB NOT NULL, until REAL NOT NULL
) WITHOUT ROWID"""


class MemoryLostError(Exception):
    """What was seen before cannot be told now; the message holds no address."""


class Memory(Protocol):
    """Times are seconds since 1970. Every method raises MemoryLostError."""

    def first_time(self, key: str, now: float, until: float) -> bool:
        """Keep a key until then; False when it is kept already."""

    def keep(self, key: str, value: bytes, now: float, until: float) -> None:
        """Keep a value in place of the one before."""

    def kept(self, key: str, now: float) -> bytes | None:
        """The value of a key."""


class FileMemory:
    """A file that the workers of one `serve` share; it is forgotten when the service ends.

    Made before the workers fork, opened by each of them: a connection of SQLite must not be carried
    over a fork. Raises OSError or sqlite3.Error where there is no place for it.
    """

    def __init__(self) -> None:
        folder = Path(mkdtemp(prefix="coverage-hooks-"))
        self._path = folder / "seen.sqlite"
        self._lock = threading.Lock()
        self._opened: dict[int, sqlite3.Connection] = {}
        weakref.finalize(self, _forget, folder, os.getpid(), self._opened)
        with closing(sqlite3.connect(self._path)) as made, made:
            made.execute("PRAGMA journal_mode = WAL")
            made.execute(_TABLE)
            made.execute("CREATE INDEX by_time ON kept (until)")

    def first_time(self, key: str, now: float, until: float) -> bool:
        with self._connection() as connection:
            connection.execute("DELETE FROM kept WHERE until <= ?", (now,))
            sql = "INSERT INTO kept VALUES (?, x'', ?) ON CONFLICT DO NOTHING"
            return connection.execute(sql, (key, until)).rowcount == 1

    def keep(self, key: str, value: bytes, now: float, until: float) -> None:  # noqa: ARG002
        with self._connection() as connection:
            connection.execute("INSERT OR REPLACE INTO kept VALUES (?, ?, ?)", (key, value, until))

    def kept(self, key: str, now: float) -> bytes | None:
        with self._connection() as connection:
            sql = "SELECT value FROM kept WHERE key = ? AND until > ?"
            row = connection.execute(sql, (key, now)).fetchone()
        return None if row is None else bytes(row[0])

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        """The connection of this process, for one transaction."""
        try:
            with self._lock:
                found = self._opened.get(os.getpid())
                if found is None:
                    found = sqlite3.connect(self._path, timeout=_SECONDS_TO_WAIT, check_same_thread=False)
                    self._opened[os.getpid()] = found
                    # Nothing must outlive a crash: after one, the file is not read again.
                    found.execute("PRAGMA synchronous = OFF")
                with found:
                    yield found
        except sqlite3.Error:
            raise MemoryLostError("the file of what was seen before cannot be used") from None


def _forget(folder: Path, maker: int, opened: dict[int, sqlite3.Connection]) -> None:
    """Close what this process opened; only the process that made the folder takes it away."""
    if connection := opened.pop(os.getpid(), None):
        connection.close()
    if os.getpid() == maker:
        shutil.rmtree(folder, ignore_errors=True)


class RedisMemory:
    """Redis, for several machines. Whoever can write to it can plant key sets: keep it to yourself.

    Nothing is asked yet. Raises ValueError for a URL that is none, ImportError without the library.
    """

    _PREFIX = "coverage-hooks:"

    def __init__(self, url: str) -> None:
        import redis
        from redis.backoff import NoBackoff
        from redis.retry import Retry

        self._error = redis.RedisError
        self._client = redis.Redis.from_url(
            url,
            socket_timeout=_SECONDS_TO_WAIT,
            socket_connect_timeout=_SECONDS_TO_WAIT,
            retry=Retry(NoBackoff(), 1),  # a connection that Redis closed while it was idle
        )

    def first_time(self, key: str, now: float, until: float) -> bool:
        with self._asked():
            return bool(self._client.set(self._PREFIX + key, b"", nx=True, px=_milliseconds(until - now)))

    def keep(self, key: str, value: bytes, now: float, until: float) -> None:
        with self._asked():
            self._client.set(self._PREFIX + key, value, px=_milliseconds(until - now))

    def kept(self, key: str, now: float) -> bytes | None:  # noqa: ARG002
        with self._asked():
            found = self._client.get(self._PREFIX + key)
        return found if isinstance(found, bytes) else None

    @contextmanager
    def _asked(self) -> Iterator[None]:
        try:
            yield
        except self._error:
            raise MemoryLostError("Redis does not answer") from None


def _milliseconds(seconds: float) -> int:
    return max(1, math.ceil(seconds * 1000))
