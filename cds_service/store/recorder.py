"""The writer of the decision log: an answer keeps its own entry, and may leave the writing to a thread.

With a journal (beside a SQLite file) each entry is in it before its answer goes out, and a thread
writes it to the store a moment later. Without one, each is committed before its answer goes out, as
long as the store takes entries. When the store fails or is busy for too long, entries wait in memory
and the thread writes them, so that no answer waits and a restart of the database loses nothing. What
goes beyond the bounds of the queue is lost, and that is logged.
"""

from __future__ import annotations

import atexit
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from itertools import islice

from sqlalchemy.exc import DBAPIError, IntegrityError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from cds_service.store.decisions import Entry
from cds_service.store.journal import Journal
from cds_service.turn import aside

log = logging.getLogger(__name__)

_BATCH = 100
_MOST_ENTRIES = 10_000
_MOST_BYTES = 256_000_000
_MOST_JOURNAL_BYTES = 64_000_000
_GATHER_SECONDS = 0.02
_FLUSH_SECONDS = 5.0
_PAUSE_SECONDS = 1.0
_CLOSE_SECONDS = 5.0


Write = Callable[[Sequence[Entry], bool], None]


class Recorder:
    """Hands entries to `write`. It may be made before a server forks.

    write: takes entries, and whether an answer waits for it, so that it must give up soon. journal:
    where entries are until they are written. pause: seconds between two attempts to write to a store
    that fails.
    """

    def __init__(self, write: Write, journal: Journal | None = None, pause: float = _PAUSE_SECONDS) -> None:
        self._write = write
        self._journal = journal
        self._pause = pause
        # With each entry, whether the journal has it too.
        self._waiting: deque[tuple[Entry, bool]] = deque()
        self._bytes = 0
        self._lost = 0
        self._behind = self._warned = self._journal_warned = False
        self._changed = threading.Condition()
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None

    def record(self, entry: Entry) -> None:
        """Write an entry, now or as soon as it can be done. Never raises for a store that fails."""
        if self._journaled(entry):
            return
        with aside():
            if not self._behind and self._written([entry], hasty=True):
                return
        with self._changed:
            self._queue(entry, kept=False)

    def flush(self) -> None:
        """Wait until all entries so far are written, for some seconds at most."""
        with self._changed:
            self._changed.wait_for(lambda: not self._waiting, _FLUSH_SECONDS)

    def take_over(self) -> None:
        """Write what processes that have ended left in their journals, as far as the store takes it."""
        if self._journal is None:
            return
        for entries in self._journal.left_behind():
            if entries and not self._written(entries, hasty=False):
                return

    def settle(self) -> None:
        """Wait until other processes have written their entries too, for some seconds at most."""
        self.take_over()
        end = time.monotonic() + _FLUSH_SECONDS
        while self._journal is not None and self._journal.waits() and time.monotonic() < end:
            time.sleep(_GATHER_SECONDS)

    def close(self) -> None:
        """Write what is waiting, as far as the store takes it, and end the thread."""
        self._closing.set()
        with self._changed:
            self._changed.notify()
        if self._thread is not None:
            self._thread.join(_CLOSE_SECONDS)
            atexit.unregister(self.close)
        if self._journal is not None:
            self._journal.close()
        kept = sum(kept for _, kept in self._waiting)
        if kept:
            log.warning("%d decisions are logged when the service starts again", kept)
        if lost := len(self._waiting) - kept + self._lost:
            log.warning("%d decisions were not logged: the service ended first", lost)

    def _journaled(self, entry: Entry) -> bool:
        """Put an entry into the journal and leave it to the thread; False where that cannot be done."""
        if self._journal is None:
            return False
        with self._changed:
            if len(self._waiting) >= _MOST_ENTRIES or self._journal.size > _MOST_JOURNAL_BYTES:
                return False
            try:
                self._journal.append(entry)
            except OSError as error:
                if not self._journal_warned:
                    log.warning("the journal of the decision log cannot be written: %s", _kind(error))
                self._journal_warned = True
                return False
            self._journal_warned = False
            self._queue(entry, kept=True)
        return True

    def _queue(self, entry: Entry, *, kept: bool) -> None:
        if len(self._waiting) >= _MOST_ENTRIES or self._bytes + entry.size > _MOST_BYTES:
            self._lost += 1
            return
        self._waiting.append((entry, kept))
        self._bytes += entry.size
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="decision-log", daemon=True)
            self._thread.start()
            atexit.register(self.close)
        self._changed.notify()

    def _run(self) -> None:
        self.take_over()
        while batch := self._next():
            if self._written(batch, hasty=False):
                self._done(batch)
            elif self._closing.is_set():
                return
            else:
                self._closing.wait(self._pause)

    def _next(self) -> list[Entry]:
        """The entries that come next; none when the recorder is closed and all are written."""
        with self._changed:
            while not self._waiting and not self._closing.is_set():
                self._changed.wait()
        if self._journal is not None:
            # A few entries in one transaction cost little more than one.
            self._closing.wait(_GATHER_SECONDS)
        with self._changed:
            return [entry for entry, _ in islice(self._waiting, _BATCH)]

    def _done(self, batch: Sequence[Entry]) -> None:
        with self._changed:
            for entry in batch:
                self._waiting.popleft()
                self._bytes -= entry.size
            if self._waiting:
                return
            if self._journal is not None:
                self._journal.clear()
            self._changed.notify_all()
            self._behind = False
            if self._warned or self._lost:
                log.warning("the decision log is written again; %d decisions were not logged", self._lost)
            self._warned, self._lost = False, 0

    def _written(self, entries: Sequence[Entry], *, hasty: bool) -> bool:
        """Write entries. False when the store does not take any now; what it never takes is let go."""
        try:
            self._write(entries, hasty)
        except Exception as error:
            if _may_pass(error):
                self._behind = True
                if not hasty:
                    self._warn(error)
                return False
            if len(entries) > 1:
                return all(self._written([entry], hasty=hasty) for entry in entries)
            # Else it is there already, and only the confirmation was lost.
            if not isinstance(error, IntegrityError):
                log.warning("a decision was not logged: %s", _kind(error))
        return True

    def _warn(self, error: Exception) -> None:
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
