"""One request of a process computes at a time, and steps aside while it waits for another machine.

Threads of Python compute by turns of a millisecond anyway. Of eight that take such turns all are late, and
the thread that accepts connections, and turns away those that are too many, gets a ninth of the time.
One after the other, each is answered as fast as alone, and what remains of the time is free for others.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from cds_service.gate import Gate

_held: ContextVar[Gate | None] = ContextVar("turn", default=None)


def take(turn: Gate) -> None:
    """Wait for the turn; this thread then holds it until `give`."""
    turn.enter()
    _held.set(turn)


def give() -> None:
    """Give the turn that this thread holds to the next one."""
    turn = _held.get()
    if turn is not None:
        _held.set(None)
        turn.leave()


@contextmanager
def aside() -> Iterator[None]:
    """Let others compute while this thread waits for a FHIR server or a database."""
    turn = _held.get()
    if turn is None:
        yield
        return
    give()
    try:
        yield
    finally:
        take(turn)
