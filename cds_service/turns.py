"""Large requests of one process are worked on in turn.

Two that share the interpreter push each other's data out of the caches of the processor, and both
together take longer than one after the other. A request that waits for a FHIR server gives its turn
away meanwhile. Small requests take no turn: they come in between.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from threading import Lock

_held: ContextVar[Lock | None] = ContextVar("turn", default=None)


def take(turn: Lock) -> None:
    """Wait for the turn; the request that is answered in this thread has it until `give`."""
    turn.acquire()
    _held.set(turn)


def give() -> None:
    """End the turn of the request that is answered in this thread."""
    turn = _held.get()
    if turn is not None:
        _held.set(None)
        turn.release()


@contextmanager
def given_away() -> Iterator[None]:
    """Let others have the turn while this request waits for something else."""
    turn = _held.get()
    if turn is None:
        yield
        return
    give()
    try:
        yield
    finally:
        take(turn)
