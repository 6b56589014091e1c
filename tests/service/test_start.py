"""What `serve` loads: nothing that only other commands or settings need, and all that requests need."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from cds_service.samples import SAMPLES

_NOT_NEEDED = {
    "alembic",
    "cds_service.demo",
    "cds_service.policy_cli",
    "cds_service.population",
    "cds_service.store_cli",
    "cryptography",
    "fhir",
    "joserfc",
    "opentelemetry",
    "pyarrow",
    "pyspark",
    "redis",
    "rich.markdown",
    "sqlalchemy.dialects.postgresql",
    "sqlalchemy.orm",
}

# Runs `serve` as far as the fork, then answers orders in this process.
_SERVE = """
import json, sys
from cds_service import server

def answer(app, settings, ready):
    client = app.test_client()
    client.get("/health/live")  # the client itself loads what it needs
    loaded = set(sys.modules)
    bodies = json.loads(sys.stdin.read())
    path = "/cds-services/infusion-pump-order-sign"
    statuses = [client.post(path, json=body).status_code for body in bodies]
    print(json.dumps([statuses, sorted(loaded), sorted(set(sys.modules) - loaded)]))

server.serve = answer
from cds_service.cli import main
main(["serve"])
"""


def started(state: Path) -> tuple[list[int], set[str], set[str]]:
    """Statuses of the sample orders; modules loaded before the workers fork, and by the orders."""
    done = subprocess.run(
        [sys.executable, "-c", _SERVE],
        input=json.dumps([body() for body in SAMPLES.values()]),
        env={**os.environ, "XDG_STATE_HOME": str(state)},
        capture_output=True,
        text=True,
        check=True,
    )
    statuses, loaded, late = json.loads(done.stdout)
    return statuses, set(loaded), set(late)


def test_serve_loads_what_orders_need_before_the_fork_and_nothing_else(tmp_path: Path) -> None:
    statuses, loaded, late = started(tmp_path)
    assert set(statuses) == {200}
    assert loaded & _NOT_NEEDED == set()
    assert late == set()
