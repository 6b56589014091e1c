"""A client's web server that publishes its key set, and what can be wrong with it."""

from __future__ import annotations

import json
import ssl
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class KeyServer:
    """Use as a context manager; `jku` is the address of the set.

    keys: what is published. body: instead of it. status, location: of the answer. delay: seconds
    before it. drip: seconds between single bytes. tls: speaks https by it, as localhost. asked: paths
    that were asked for.
    """

    keys: list[Any] = field(default_factory=list)
    body: bytes | None = None
    status: int = 200
    location: str = ""
    delay: float = 0.0
    drip: float = 0.0
    tls: ssl.SSLContext | None = None
    asked: list[str] = field(default_factory=list)

    def __enter__(self) -> KeyServer:
        owner = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_: Any) -> None:
                """Nothing is printed."""

            def do_GET(self) -> None:
                owner.asked.append(self.path)
                owner.answer(self)

        self._http = _Server(("127.0.0.1", 0), Handler)
        self.port = self._http.server_address[1]
        self.jku = f"http://127.0.0.1:{self.port}/jwks.json"
        if self.tls is not None:
            self._http.socket = self.tls.wrap_socket(self._http.socket, server_side=True)
            self.jku = f"https://localhost:{self.port}/jwks.json"
        threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        self._http.shutdown()
        self._http.server_close()

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        time.sleep(self.delay)
        body = self.body if self.body is not None else json.dumps({"keys": self.keys}).encode()
        try:
            handler.send_response(self.status)
            handler.send_header("Content-Length", str(len(body)))
            if self.location:
                handler.send_header("Location", self.location)
            handler.end_headers()
            if not self.drip:
                handler.wfile.write(body)
            else:
                for byte in body:
                    handler.wfile.write(bytes([byte]))
                    time.sleep(self.drip)
        except OSError:
            handler.close_connection = True  # the caller gave up


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: Any) -> None:
        """Callers that give up are what these tests are about."""
