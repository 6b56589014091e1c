"""How many requests a process works on at a time, and when it says that it is busy.

More requests at once only make each of them slower, up to a point where every answer comes too
late. So a request needs a place; some may wait a moment for one, in the order in which they came, and
any more are refused at once, while those inside keep their speed. A body is read before its request
takes a place: who sends slowly holds none. Large bodies are counted on their own, so that memory has
a bound.

Waiting serves a burst. Where somebody has been waiting for longer than one may wait, more requests
come than are answered, and a long queue would only make every answer late; so it becomes short until
nobody waits (as CoDel tells a standing queue from a burst: Nichols and Jacobson, ACM Queue 2012).
"""

from __future__ import annotations

from threading import Lock, Semaphore
from time import monotonic

from cds_service.errors import BusyError
from cds_service.settings import Settings

LARGE = 1_000_000
_RETRY_SECONDS = "1"
_SHORTER = 4


class Places:
    """The places of one process. Safe to use from several threads."""

    def __init__(self, settings: Settings) -> None:
        self._free = Semaphore(settings.threads)
        self._large = Semaphore(settings.threads)
        self._may_wait = settings.waiting
        self._patience = settings.wait_limit
        self._waiting = 0
        self._waited_since = 0.0
        self._lock = Lock()

    def check(self) -> None:
        """Whether it is worth to read a body at all. Raises BusyError."""
        if self._may_wait and self._waiting >= self._queue():
            raise _busy()

    def take(self) -> None:
        """Take a place, after a moment of waiting if need be. Raises BusyError."""
        with self._lock:
            # Who comes while others wait takes no place before them.
            if not self._waiting and self._free.acquire(blocking=False):
                return
            if self._waiting >= self._queue():
                raise _busy()
            if not self._waiting:
                self._waited_since = monotonic()
            self._waiting += 1
        try:
            if not self._free.acquire(timeout=self._patience):
                raise _busy()
        finally:
            with self._lock:
                self._waiting -= 1

    def _queue(self) -> int:
        """How many may wait now."""
        if not self._waiting or monotonic() - self._waited_since < self._patience:
            return self._may_wait
        return -(-self._may_wait // _SHORTER)

    def give(self) -> None:
        self._free.release()

    def take_large(self) -> None:
        """Take room for a large body. Raises BusyError."""
        if not self._large.acquire(blocking=False):
            raise _busy()

    def give_large(self) -> None:
        self._large.release()


def _busy() -> BusyError:
    what = "The service is busy with other requests."
    mend = "Send the request again after the time that Retry-After names."
    return BusyError("busy", what, mend=mend, headers={"Retry-After": _RETRY_SECONDS})
