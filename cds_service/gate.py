"""A gate that lets so many in at a time, the others in the order in which they came."""

from __future__ import annotations

from collections import deque
from threading import Lock
from time import monotonic

FOREVER = -1.0


class Gate:
    """Safe to use from several threads.

    Who leaves hands its place to whoever has waited longest: with a semaphore, one that has just come
    would often be quicker, and those that wait would wait for ever longer.
    """

    def __init__(self, places: int) -> None:
        self._free = places
        self._queue: deque[Lock] = deque()
        self._lock = Lock()
        self._standing_since = 0.0

    def enter(self, patience: float = FOREVER, most: int | None = None) -> bool:
        """Take a place, waiting for one if need be; False where none was to be had.

        patience: seconds to wait. most: nobody waits behind so many others.
        """
        with self._lock:
            # Nobody waits while a place is free.
            if self._free:
                self._free -= 1
                return True
            if most is not None and len(self._queue) >= most:
                return False
            if not self._queue:
                self._standing_since = monotonic()
            call = Lock()
            call.acquire()
            self._queue.append(call)
        if call.acquire(timeout=patience):
            return True
        with self._lock:
            if call in self._queue:
                self._queue.remove(call)
                return False
        return True  # it was called at the last moment

    def leave(self) -> None:
        """Give a place back."""
        with self._lock:
            if self._queue:
                self._queue.popleft().release()
            else:
                self._free += 1

    @property
    def is_open(self) -> bool:
        """Whether a place is free."""
        return self._free > 0

    @property
    def waiting(self) -> int:
        """How many wait for a place."""
        return len(self._queue)

    @property
    def standing(self) -> float:
        """For how many seconds there has always been somebody who waits."""
        return monotonic() - self._standing_since if self._queue else 0.0
