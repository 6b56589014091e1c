"""The worker of gunicorn, such that slow clients hold nothing up.

gunicorn's threads wait for a request as long as a client likes to take. Here a connection that has
sent nothing waits with the poller and takes no thread, a request must have arrived within a time,
and when threads run out those that have been sending for long give way first. Who reads the answer
slowly is cut off too. Reading ends by shutting down one direction of the socket: the thread sees the
end of the data and can still answer.
"""

from __future__ import annotations

import logging
import selectors
import socket
import time
from collections import deque
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from typing import Any, ClassVar
from weakref import WeakSet

from gunicorn import util
from gunicorn.http.errors import ParseException
from gunicorn.sock import BaseSocket
from gunicorn.workers.gthread import TConn, ThreadWorker

from cds_service.broken_http import answer_broken
from cds_service.door import Door, door_of

log = logging.getLogger(__name__)

# An answer is at most a few megabytes; it may take as long as the longest deadline for FHIR servers.
_ANSWER_SECONDS = 60.0
_PRESSED_SECONDS = 1.0
# That a new connection may stay silent. Who is told to stop waits for it too: a request may be on its way.
_SILENT_SECONDS = 5.0
# A connection that is closed over unread bytes is reset, and the sender never sees why it was refused.
_DRAINED_SECONDS, _DRAINED_BYTES, _PIECE_BYTES = 2.0, 16_000_000, 65_536
# Kept connections stay with the worker that took them, so that one worker could have all and others none.
_FULL_YIELD_SECONDS, _MOST_YIELD_SECONDS, _HALF_YIELD, _SHORT_QUEUE = 0.005, 0.002, 4, 4

_arriving: dict[socket.socket, float] = {}
_cut_off: WeakSet[socket.socket] = WeakSet()


def arrived(environ: dict[str, Any]) -> None:
    """The body of the request has been read: from now on its connection is not cut for slowness."""
    if connection := environ.get("gunicorn.socket"):
        _arriving.pop(connection, None)


def is_cut_off(environ: dict[str, Any]) -> bool:
    """Whether the body ends early because its time was over."""
    return environ.get("gunicorn.socket") in _cut_off


class ImpatientWorker(ThreadWorker):  # type: ignore[misc]  # gunicorn carries no types
    """seconds: that a request may take to arrive."""

    seconds: ClassVar[float] = 15.0

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._handling: dict[TConn, float] = {}

    def accept(self, listener: BaseSocket) -> None:
        """Take a new connection, after a moment for workers that hold fewer: they are to be quicker.

        Where connections queue up all workers are late, and waiting would only make the queue longer.
        """
        if self.cfg.workers > 1 and listener.get_backlog() <= _SHORT_QUEUE:
            time.sleep(self._yield_seconds())
        super().accept(listener)

    def _yield_seconds(self) -> float:
        if (door := self._door()) and door.is_full():
            return _FULL_YIELD_SECONDS
        held: int = self.nr_conns
        return _MOST_YIELD_SECONDS * held / (held + _HALF_YIELD)

    def _door(self) -> Door | None:
        return None if self.cfg.is_ssl else door_of(self.wsgi)

    def enqueue_req(self, conn: TConn) -> None:
        """Give a connection to a thread once something has come; gunicorn has a thread wait for that."""
        if conn.initialized or conn.data_ready:
            super().enqueue_req(conn)
            return
        conn.sock.setblocking(False)
        conn.timeout = time.monotonic() + _SILENT_SECONDS
        self.pending_conns.append(conn)
        readable = partial(self.on_pending_socket_readable, conn)
        self.poller.register(conn.sock, selectors.EVENT_READ, readable)

    def on_pending_socket_readable(self, conn: TConn, client: socket.socket) -> None:
        if not self._turned_away(conn, self.pending_conns):
            super().on_pending_socket_readable(conn, client)

    def on_client_socket_readable(self, conn: TConn, client: socket.socket) -> None:
        if not self._turned_away(conn, self.keepalived_conns):
            super().on_client_socket_readable(conn, client)

    def _turned_away(self, conn: TConn, among: deque[TConn]) -> bool:
        """Whether the request that a connection brings was refused at the door."""
        door = self._door()
        try:
            if door is None or not door.refuses(conn.sock):
                return False
        except OSError:
            return False  # a thread finds out what is wrong, and ends it
        self.poller.unregister(conn.sock)
        among.remove(conn)
        conn.timeout = time.monotonic() + _DRAINED_SECONDS
        self.pending_conns.append(conn)
        drain = partial(self._drain, conn, bytes_left=_DRAINED_BYTES)
        self.poller.register(conn.sock, selectors.EVENT_READ, drain)
        return True

    def _drain(self, conn: TConn, client: socket.socket, bytes_left: int) -> None:
        """Read the rest of a request that was turned away, a piece at a time, and close at its end."""
        try:
            piece = len(client.recv(_PIECE_BYTES))
        except OSError:
            piece = 0
        if 0 < piece < bytes_left:
            drain = partial(self._drain, conn, bytes_left=bytes_left - piece)
            self.poller.modify(client, selectors.EVENT_READ, drain)
            return
        self.poller.unregister(client)
        self.pending_conns.remove(conn)
        self.nr_conns -= 1
        conn.close()

    def handle(self, conn: TConn) -> Any:
        self._handling[conn] = _arriving[conn.sock] = time.monotonic()
        try:
            result = super().handle(conn)
            if not result:
                # gunicorn closes in its main loop, where a client that lingers holds up all others.
                util.close_graceful(conn.sock, _DRAINED_SECONDS, _DRAINED_BYTES)
            return result
        finally:
            del self._handling[conn]
            _arriving.pop(conn.sock, None)

    def handle_error(self, _: object, client: socket.socket, __: object, exc: Exception) -> None:
        """gunicorn gives up on a connection: it cannot read the request, or cannot go on."""
        if isinstance(exc, ParseException):
            log.warning("a request was not read: %s", type(exc).__name__)
        else:
            log.error("a connection was given up", exc_info=exc)
        with suppress(OSError):  # nobody is there to take the answer
            answer_broken(client, exc)

    def finish_request(self, conn: TConn, fs: Future[Any]) -> None:
        if fs.cancelled() or fs.exception() or fs.result():
            super().finish_request(conn, fs)
        else:
            self.nr_conns -= 1  # closed by handle()

    def notify(self) -> None:
        """Called by gunicorn's main loop, once a second at least."""
        super().notify()
        now = time.monotonic()
        pressed = len(self._handling) >= self.cfg.threads
        for conn, since in list(self._handling.items()):
            if now - since > self.seconds + _ANSWER_SECONDS:
                _shut(conn.sock, socket.SHUT_RDWR)
            elif now - _arriving.get(conn.sock, now) > (_PRESSED_SECONDS if pressed else self.seconds):
                _cut_off.add(conn.sock)
                _shut(conn.sock, socket.SHUT_RD)


def _shut(connection: socket.socket, how: int) -> None:
    with suppress(OSError):  # it is closed already
        connection.shutdown(how)
