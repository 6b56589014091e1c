"""Whether what the service needs beside itself can be reached.

A probe asks in a thread of its own and is given half a second: whoever watches the service waits no
longer than that for an answer, even where a network swallows packets.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

log = logging.getLogger(__name__)

REACHED, NOT_REACHED = "ok", "unreachable"
_PATIENCE_SECONDS = 0.5


class Probe:
    """ask: raises when what it asks for cannot be reached."""

    def __init__(self, ask: Callable[[], object]) -> None:
        self._ask = ask
        self._lock = threading.Lock()
        self._asking: threading.Thread | None = None
        self._found = NOT_REACHED

    def state(self) -> str:
        """`ok` or `unreachable`, as it is now."""
        with self._lock:
            asking = self._asking
            if asking is None or not asking.is_alive():
                asking = self._asking = threading.Thread(target=self._look, name="probe", daemon=True)
                asking.start()
        asking.join(_PATIENCE_SECONDS)
        return NOT_REACHED if asking.is_alive() else self._found

    def _look(self) -> None:
        try:
            self._ask()
        except Exception as error:  # whatever it is, nothing can be had there now
            log.debug("not reached: %s", type(error).__name__)
            self._found = NOT_REACHED
        else:
            self._found = REACHED
