"""Turning requests away before they are read, while the service is busy.

To read a request only to refuse it takes a tenth of what an answer takes. At twice the rate that can be
answered this is much of the time that those inside need. So only the first bytes are looked at: what asks
for a place is refused as it would be inside; everything else is let in.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Sequence

from cds_service.cors import origin_headers
from cds_service.errors import ServiceError
from cds_service.places import busy
from cds_service.raw_answer import raw_answer
from cds_service.telemetry.request_id import HEADER

_NAME = "coverage-hooks.door"
_HEAD_BYTES = 8192
# Feedback takes no place: what a clinician said is written down in any case.
_ASKS_FOR_A_PLACE = re.compile(rb"POST (?!\S*/feedback[? ])")


class Door:
    """full: whether one more request would be refused. note: of a refused one, told the id that it was
    sent with, logs and counts it and returns its id. origins: of pages that may read the answer."""

    def __init__(
        self, full: Callable[[], bool], note: Callable[[str, ServiceError], str], origins: Sequence[str]
    ) -> None:
        self.is_full, self._note, self._origins = full, note, origins

    def refuses(self, connection: socket.socket) -> bool:
        """Refuse the request that begins to arrive, if there is no place for it; nothing waits here.

        The answer is then sent and its end shown; the rest of the request has still to be read away.
        Raises OSError when nobody takes the answer.
        """
        if not self.is_full():
            return False
        head = connection.recv(_HEAD_BYTES, socket.MSG_PEEK)
        if not _ASKS_FOR_A_PLACE.match(head):
            return False
        head = head.partition(b"\r\n\r\n")[0]
        error = busy()
        headers = {HEADER: self._note(_header(head, HEADER), error)}
        headers |= origin_headers(self._origins, _header(head, "Origin"))
        connection.send(raw_answer(error, error.status, headers))
        connection.shutdown(socket.SHUT_WR)
        return True


def _header(head: bytes, name: str) -> str:
    """A header of a request; "" where it is not among the first bytes."""
    found = re.search(rb"\r\n%s:[ \t]*([^\r\n]*)" % name.encode(), head, re.IGNORECASE)
    return found[1].strip().decode("latin-1") if found else ""


def hang(extensions: dict[str, object], door: Door) -> None:
    """Give an app its door."""
    extensions[_NAME] = door


def door_of(app: object) -> Door | None:
    """The door of an app, if it has one."""
    found = getattr(app, "extensions", {}).get(_NAME)
    return found if isinstance(found, Door) else None
