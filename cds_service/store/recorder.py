"""The writer of the decision log: answers hand their entry over and hardly wait.

One thread of each process writes whatever has come in, several entries in one transaction. An
answer waits until its entry is committed, but never longer than a moment; while the store fails or
is slow no answer waits. Entries that cannot be written yet are kept within bounds and tried again,
so a restart of the database loses nothing. What goes beyond the bounds is lost, and that is logged.
"""

from __future__ import annotations

import atexit
import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence
from itertools import islice

from sqlalchemy.exc import DBAPIError, IntegrityError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from cds_service.store.decisions import Entry

log = logging.getLogger(__name__)

_BATCH = 100
_MOST_ENTRIES = 10_000
_MOST_BYTES = 256_000_000
_PAUSE_SECONDS = 1.0
_CLOSE_SECONDS = 5.0


class Recorder:
    """Hands entries to `write`. patience: seconds that an answer waits for its entry at most.

    No thread runs before the first entry, so a recorder may be made before a server forks.
    """

    def __init__(self, write: Callable[[Sequence[Entry]], None], patience: float = 0.1) -> None:
        self._write = write
        self._patience = patience
        self._waiting: deque[tuple[Entry, threading.Event]] = deque()
        self._bytes = 0
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._closing = threading.Event()
        self._behind = False
        self._warned = False
        self._lost = 0

    def record(self, entry: Entry) -> None:
        """Write an entry, now or as soon as it can be done. Never raises for a store that fails."""
        written = threading.Event()
        with self._changed:
            if len(self._waiting) >= _MOST_ENTRIES or self._bytes + entry.size > _MOST_BYTES:
                self._lost += 1
                return
            self._waiting.append((entry, written))
            self._bytes += entry.size
            self._start()
            self._changed.notify()
            behind = self._behind
        if not behind and not written.wait(self._patience):
            self._behind = True

    def close(self) -> None:
        """Write what is waiting, as far as the store takes it, and end the thread."""
        self._closing.set()
        with self._changed:
            self._changed.notify()
        if self._thread is not None:
            self._thread.join(_CLOSE_SECONDS)
        if self._waiting:
            log.warning("%d decisions were not logged: the service ended first", len(self._waiting))
        atexit.unregister(self.close)

    def _start(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="decision-log", daemon=True)
            self._thread.start()
            atexit.register(self.close)

    def _run(self) -> None:
        while batch := self._next():
            if self._written([entry for entry, _ in batch]):
                self._done(batch)
            elif self._closing.wait(_PAUSE_SECONDS):
                return

    def _next(self) -> list[tuple[Entry, threading.Event]]:
        """The entries that come next; none when the recorder is closed and all are written."""
        with self._changed:
            while not self._waiting and not self._closing.is_set():
                self._changed.wait()
            return list(islice(self._waiting, _BATCH))

    def _written(self, entries: Sequence[Entry]) -> bool:
        """Write entries. False when the store does not take any now; what it never takes is let go."""
        try:
            self._write(entries)
        except Exception as error:
            if _may_pass(error):
                self._warn(error)
                return False
            if len(entries) > 1:
                return all(self._written([entry]) for entry in entries)
            if not isinstance(error, IntegrityError):  # else it is there, and only the confirmation was lost
                log.warning("a decision was not logged: %s", _kind(error))
        return True

    def _done(self, batch: Sequence[tuple[Entry, threading.Event]]) -> None:
        with self._changed:
            for entry, written in batch:
                self._waiting.popleft()
                self._bytes -= entry.size
                written.set()
            lost, self._lost = self._lost, 0
            self._behind = False
        if self._warned or lost:
            log.warning("the decision log is written again; %d decisions were not logged", lost)
            self._warned = False

    def _warn(self, error: Exception) -> None:
        self._behind = True
        if not self._warned:
            self._warned = True
            log.warning("the decision log cannot be written: %s; it is tried again", _kind(error))


def _may_pass(error: Exception) -> bool:
    """Whether an error lies with the store as a whole, and not with what was to be written."""
    lost = isinstance(error, DBAPIError) and error.connection_invalidated
    return lost or isinstance(error, OperationalError | InterfaceError | PoolTimeoutError)


def _kind(error: Exception) -> str:
    """The type of an error; its message may hold what was to be written."""
    return type(getattr(error, "orig", None) or error).__name__
