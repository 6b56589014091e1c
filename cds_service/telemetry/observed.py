"""What is worth telling about one request, collected where it happens.

Log line, metrics and spans are made of it when the request has been answered, so whoever answers
knows nothing of them. It holds names of our own and of the settings (services, policies, codes,
clients) and times; no value of a request. The one exception is the id of the request, whose form
leaves no room for a name.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable
from contextvars import ContextVar

from msgspec import Struct, field

from mappings.fhir import RESOURCE_TYPES


class Stage(Struct, frozen=True):
    """A part of the work on a request. began: in nanoseconds since 1970."""

    name: str
    began: int
    seconds: float


class Observed(Struct):
    """One request, as far as it has come.

    service: id of the service, or the name of another route that answers orders. client: the
    registered one that sent it. decision: id under which the answer is kept. error: code of the error
    that answers it. fault: id under which a fault of ours was logged. outcomes: (policy, outcome) of
    each determination. not_had: resource types that could not be had. feedback: outcome -> cards
    of which it was not known.
    """

    request_id: str = ""
    service: str = ""
    client: str = ""
    decision: str = ""
    error: str = ""
    fault: str = ""
    outcomes: list[tuple[str, str]] = field(default_factory=list)
    not_had: list[str] = field(default_factory=list)
    feedback: Counter[str] = field(default_factory=Counter)
    stages: list[Stage] = field(default_factory=list)

    def judged(self, outcomes: Iterable[tuple[str, str]], not_had: Iterable[str]) -> None:
        """Orders were judged. not_had: keys of Chart.failures."""
        self.outcomes += outcomes
        self.not_had += (kind if kind in RESOURCE_TYPES else "other" for kind in not_had)

    def seconds(self) -> dict[str, float]:
        """Stage -> how long it took in all."""
        found: dict[str, float] = {}
        for stage in self.stages:
            found[stage.name] = found.get(stage.name, 0.0) + stage.seconds
        return found


_current: ContextVar[Observed | None] = ContextVar("observed", default=None)


def observe(request: Observed | None) -> None:
    """Set the request that is being answered in this thread; None when it is over."""
    _current.set(request)


def observed() -> Observed:
    """The request that is being answered; outside of one, a sheet that nobody reads."""
    return _current.get() or Observed()


class stage:  # noqa: N801 - reads as `with stage("decide")`
    """Time a part of the work: trust, receive, read, gather, decide, answer or keep."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __enter__(self) -> None:
        self._began, self._started = time.time_ns(), time.perf_counter()

    def __exit__(self, *_: object) -> None:
        request = _current.get()
        if request is not None:
            request.stages.append(Stage(self._name, self._began, time.perf_counter() - self._started))
