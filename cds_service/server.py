"""The HTTP server: gunicorn, started from Python so that one command serves.

Everything is loaded once before the workers fork, and frozen: the garbage collector of a worker
then never walks over policies and value sets, nor copies their memory pages. Threads within a
worker serve those requests that wait for a FHIR server.
"""

from __future__ import annotations

import gc
import logging
import os
import socket
import sys
from collections.abc import Callable
from math import ceil
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication
from gunicorn.glogging import Logger

from cds_service.settings import Settings, from_environment
from cds_service.slow_clients import ImpatientWorker
from cds_service.telemetry.metrics_folder import worker_ended

# A request makes ten thousands of objects that no cycle holds; the default of 700 walks in vain.
_GC_THRESHOLD = 50_000
# A request that is refused must not wait 5 ms (the default) behind each thread that computes.
_SWITCH_SECONDS = 0.001
# What is left of an answer when its data is there: far more than it takes.
_ANSWER_SECONDS = 10


class _Server(BaseApplication):  # type: ignore[misc]  # gunicorn carries no types
    def __init__(self, app: Flask, options: dict[str, Any]) -> None:
        self._app, self._options = app, options
        super().__init__()

    def load_config(self) -> None:
        for name, value in self._options.items():
            if name in self.cfg.settings:
                self.cfg.set(name, value)

    def load(self) -> Flask:
        return self._app


class Log(Logger):  # type: ignore[misc]
    """gunicorn's lines take the way of all others, also where its own command starts the service."""

    def setup(self, cfg: Any) -> None:
        super().setup(cfg)
        self.error_log.handlers.clear()
        self.error_log.propagate = True
        if not logging.getLogger().handlers:
            from cds_service.telemetry.logs import set_up_logs

            set_up_logs(from_environment(os.environ))


class PortTakenError(OSError):
    """The address to listen on is not free."""


def serve(app: Flask, settings: Settings, ready: Callable[[], None]) -> None:
    """Serve until the process is ended. ready: called when the address is open.

    Raises PortTakenError.
    """
    _check_free(settings.host, settings.port)
    gc.freeze()
    gc.set_threshold(_GC_THRESHOLD)
    gc.enable()
    sys.setswitchinterval(_SWITCH_SECONDS)
    ImpatientWorker.seconds = settings.request_timeout
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    options = {
        "bind": f"{host}:{settings.port}",
        "workers": settings.workers,
        # Waiting for a place, and sending a request, takes a thread as well.
        "threads": settings.threads + settings.waiting + settings.senders,
        # A worker that is told to stop answers first: a request may be arriving, then wait for FHIR servers.
        "graceful_timeout": ceil(settings.request_timeout + settings.fhir_deadline + _ANSWER_SECONDS),
        "worker_class": ImpatientWorker,
        "preload_app": True,
        "loglevel": "warning" if settings.log_level == "info" else settings.log_level,
        "logger_class": Log,
        "child_exit": lambda _, worker: worker_ended(worker.pid),
        "when_ready": lambda _: ready(),
        # The control socket of newer versions would be one for all servers of a user.
        "control_socket_disable": True,
    }
    _Server(app, options).run()


def _check_free(host: str, port: int) -> None:
    """Say at once that a port is taken; gunicorn would try for five seconds."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise PortTakenError(f"cannot listen on {host}:{port}: {error.strerror or error}") from None
