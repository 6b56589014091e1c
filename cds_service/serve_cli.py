"""`coverage-hooks serve` and `coverage-hooks demo`."""

from __future__ import annotations

import argparse
import gc
import os
import sys
from contextlib import nullcontext

import msgspec
from flask import Flask
from rich.console import Console

from cds_service.app import create_app
from cds_service.server import PortTakenError, serve
from cds_service.settings import Settings, SettingsError, from_environment
from cds_service.telemetry.metrics_folder import metrics_folder
from cds_service.trust.mode import OPEN_NOTE
from cds_service.version import VERSION


def add_commands(subcommands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `serve` and `demo` to the command line."""
    for name, help_, command in (
        ("serve", "start the service", _serve),
        ("demo", "start the service and sign three sample orders", _demo),
    ):
        parser = subcommands.add_parser(name, help=help_)
        parser.add_argument("--host", help="address to listen on (default: 127.0.0.1 or the setting)")
        parser.add_argument("--port", type=_port, help="port to listen on (default: 8080 or the setting)")
        parser.set_defaults(run=command)


def _port(text: str) -> int:
    port = int(text)
    if not 0 <= port <= 65535:
        raise ValueError
    return port


def _settings(arguments: argparse.Namespace) -> Settings:
    """The settings of the environment, with what the command line says in their place."""
    settings = from_environment(os.environ)
    host = settings.host if arguments.host is None else arguments.host
    port = settings.port if arguments.port is None else arguments.port
    return msgspec.structs.replace(settings, host=host, port=port)


def _serve(arguments: argparse.Namespace, console: Console) -> int:
    from cds_service.telemetry.logs import set_up_logs

    settings = _settings(arguments)
    set_up_logs(settings)
    # What is loaded stays, so the collector would walk over it in vain; `serve` lets it work again.
    gc.disable()
    try:
        with metrics_folder() if settings.metrics == "on" else nullcontext():
            return _serve_app(create_app(settings), settings, console)
    finally:
        gc.enable()


def _serve_app(app: Flask, settings: Settings, console: Console) -> int:
    def ready() -> None:
        console.print(f"coverage-hooks {VERSION} on http://{settings.host}:{settings.port}", highlight=False)
        if settings.trust == "open":
            console.print(f"[yellow]Open:[/] {OPEN_NOTE}", highlight=False)
        if settings.development:
            console.print(
                "[yellow]Development mode:[/] FHIR servers on this machine may be called. "
                "COVERAGE_HOOKS_MODE=production calls only those of COVERAGE_HOOKS_FHIR_SERVERS.",
                highlight=False,
            )

    try:
        serve(app, settings, ready)
    except PortTakenError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _demo(arguments: argparse.Namespace, console: Console) -> int:
    # What shows cards in a terminal, which a server does not need.
    from cds_service.demo import run_demo

    settings = _settings(arguments)
    if settings.trust != "open":
        raise SettingsError("the demo signs its orders without a token: it needs COVERAGE_HOOKS_TRUST=open")
    return run_demo(settings.host, settings.port, console)
