"""`coverage-hooks check REQUEST.json`: judge a saved hook request without a server and without a network."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import msgspec
from rich.console import Console

from cds_service.clock import system_clock
from cds_service.determinations import answer
from cds_service.errors import ServiceError, too_deep
from cds_service.hook_request import read_hook_request
from cds_service.judging import Judge
from cds_service.tree_view import show
from policies.engine import Engine


def add_commands(subcommands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `check` to the command line."""
    parser = subcommands.add_parser(
        "check",
        help="judge the orders of a saved hook request",
        description="Judges the orders of a saved hook request by its prefetch. "
        "No FHIR server is called. Ends with 0 when the orders were judged, 1 when the request "
        "cannot be used.",
    )
    parser.add_argument("request", metavar="REQUEST.json", help="the request; - reads standard input")
    parser.add_argument("--json", action="store_true", help="print the determination as JSON")
    parser.add_argument("--policies", metavar="IDS", help="judge by these policies, separated by commas")
    parser.add_argument(
        "--policy-dir", action="append", type=Path, default=[], help="a further folder of policies"
    )
    parser.set_defaults(run=check)


def check(arguments: argparse.Namespace, console: Console) -> int:
    """Print the answer; errors go to standard error."""
    try:
        body = _read(arguments.request)
    except OSError as error:
        return _fail(f"{arguments.request}: {error.strerror or error}")
    engine = Engine.load(*arguments.policy_dir)
    policies = [name.strip() for name in (arguments.policies or "").split(",") if name.strip()]
    try:
        request = read_hook_request(body)
        judgement = Judge(engine, None, system_clock).judge(request, policies or None)
    except ServiceError as error:
        return _fail(f"{arguments.request}: {error}")
    except RecursionError:
        return _fail(f"{arguments.request}: {too_deep()}")
    found = answer(judgement)
    if arguments.json:
        print(msgspec.json.format(msgspec.json.encode(found), indent=2).decode())
    else:
        show(found, console)
    return 0


def _read(name: str) -> bytes:
    return sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()


def _fail(message: str) -> int:
    print(message, file=sys.stderr)
    return 1
