"""How many requests a process works on at a time, and when it says that it is busy.

More requests at once only make each of them slower, up to a point where every answer comes too
late. So a request needs a place; some may wait a moment for one, in the order in which they came, and
any more are refused at once, while those inside keep their speed. A body is read before its request
takes a place: who sends slowly holds none. Large bodies are counted on their own, so that memory has
a bound, and compute on their own, so that small ones need not wait for them.

Waiting serves a burst, and those that come while others wait for FHIR servers. Where somebody always
waits for the turn to compute, more requests come than are answered, and a long queue would only make
every answer late; so it is short from then on until nobody waits (this is how CoDel tells a standing
queue from a burst: Nichols and Jacobson, ACM Queue 2012).
"""

from __future__ import annotations

from cds_service import turn
from cds_service.errors import BusyError
from cds_service.gate import Gate
from cds_service.settings import Settings

LARGE = 1_000_000
_RETRY_SECONDS = "1"
_STANDING_SECONDS = 0.1
_SHORTER = 4


class Places:
    """The places of one process. Safe to use from several threads."""

    def __init__(self, settings: Settings) -> None:
        self._places, self._large_places = Gate(settings.threads), Gate(settings.threads)
        self._turn, self._large_turn = Gate(1), Gate(1)
        self._may_wait = settings.waiting
        self._patience = settings.wait_limit

    @property
    def full(self) -> bool:
        """Whether one more would be refused."""
        return not self._places.is_open and self._places.waiting >= self._queue()

    def check(self) -> None:
        """Whether it is worth to read a body at all. Raises BusyError."""
        if self.full:
            raise busy()

    def take(self, *, large: bool = False) -> None:
        """Take a place and the turn to compute, after a moment of waiting if need be. Raises BusyError."""
        if not self._places.enter(self._patience, self._queue()):
            raise busy()
        turn.take(self._large_turn if large else self._turn)

    def give(self) -> None:
        """Give back what `take` took."""
        turn.give()
        self._places.leave()

    def take_large(self) -> None:
        """Take room for a large body. Raises BusyError."""
        if not self._large_places.enter(most=0):
            raise busy()

    def give_large(self) -> None:
        self._large_places.leave()

    def _queue(self) -> int:
        """How many may wait now."""
        if self._turn.standing < _STANDING_SECONDS:
            return self._may_wait
        return self._may_wait // _SHORTER


def busy() -> BusyError:
    """What those hear that are turned away."""
    what = "The service is busy with other requests."
    mend = "Send the request again after the time that Retry-After names."
    return BusyError("busy", what, mend=mend, headers={"Retry-After": _RETRY_SECONDS})
