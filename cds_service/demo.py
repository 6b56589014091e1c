"""The demonstration: a service, and an EHR that signs three sample orders and shows the cards."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from typing import Any

import requests
from rich.console import Console
from rich.markdown import Markdown
from rich.panel import Panel

from cds_service.samples import SAMPLES
from cds_service.settings import PREFIX

_COLOURS = {"info": "blue", "warning": "yellow", "critical": "red"}
_START_SECONDS = 30.0
SERVICE = "infusion-pump-order-sign"


def run_demo(host: str, port: int, console: Console, *, keep_serving: bool = True) -> int:
    """Start the service on host:port, sign the sample orders, print the cards; serve until Ctrl-C.

    Returns the exit code: 0, or 1 when the service does not start.
    """
    command = [sys.executable, "-m", "cds_service.cli", "serve", "--host", host, "--port", str(port)]
    # A line for each request would stand between the cards.
    quiet = {f"{PREFIX}LOG_LEVEL": "warning"}
    server = subprocess.Popen(command, env=quiet | os.environ)
    base = f"http://{host}:{port}"
    try:
        if not _ready(base, server):
            console.print(f"[red]The service did not start on {base}; is the port taken?[/]")
            return 1
        sign_samples(base, console)
        if keep_serving:
            console.print(f"\nServing on [bold]{base}[/]: discovery is {base}/cds-services. Ctrl-C ends it.")
            server.wait()
    except KeyboardInterrupt:
        console.print("\nStopping.")
    finally:
        server.terminate()
        server.wait()
    return 0


def _ready(base: str, server: subprocess.Popen[bytes]) -> bool:
    """Wait until the service answers; False when it ends or takes too long."""
    end = time.monotonic() + _START_SECONDS
    while time.monotonic() < end and server.poll() is None:
        try:
            if requests.get(f"{base}/health/ready", timeout=1).ok:
                return True
        except requests.ConnectionError:
            pass
        time.sleep(0.1)
    return False


def sign_samples(base: str, console: Console) -> None:
    """Post each sample order to the service at `base` and print what comes back."""
    for name, build in SAMPLES.items():
        body = build()
        started = time.perf_counter()
        response = requests.post(f"{base}/cds-services/{SERVICE}", json=body, timeout=30)
        took = (time.perf_counter() - started) * 1000
        size = len(response.request.body or b"")
        console.rule(f"[bold]order-sign: {name}[/]")
        console.print((build.__doc__ or "").strip())
        console.print(f"[dim]{size / 1024:.0f} kB sent, {response.status_code} in {took:.0f} ms[/]\n")
        if response.status_code == 200:
            print_cards(response.json(), console)
        else:
            console.print(f"[red]The service refused the order:[/] {_diagnostics(response)}")


def _diagnostics(response: requests.Response) -> str:
    """What an OperationOutcome says went wrong, and how to mend it; else the status alone."""
    try:
        issues = response.json()["issue"]
        return " ".join(issue["diagnostics"] for issue in issues)
    except (requests.JSONDecodeError, KeyError, TypeError):
        return f"status {response.status_code}"


def print_cards(answer: dict[str, Any], console: Console) -> None:
    """The cards of a hook response, as an EHR would show them."""
    cards = answer.get("cards", [])
    if not cards:
        console.print("[green]No card: the chart shows every criterion of the policy.[/]")
    for card in cards:
        colour = _COLOURS.get(card["indicator"], "white")
        body = Markdown(card.get("detail", ""))
        title = f"[bold]{card['summary']}[/]"
        console.print(
            Panel(body, title=title, subtitle=f"source: {card['source']['label']}", border_style=colour)
        )
