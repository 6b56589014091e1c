"""Load on a server: requests per second and latency, by wrk where it is installed."""

from __future__ import annotations

import json
import shutil
import statistics
import subprocess
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from tests.benchmarks.servers import Server

_SCRIPT = """\
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
local file = io.open("{body}", "rb")
wrk.body = file:read("*a")
file:close()
done = function(summary, latency)
  io.write(string.format('{{"requests": %d, "us": %d, "p50": %d, "p99": %d, "errors": %d}}',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
    summary.errors.status + summary.errors.read + summary.errors.connect + summary.errors.timeout))
end
"""


class Load(NamedTuple):
    """Requests per second, and latency in milliseconds."""

    per_second: float
    p50: float
    p99: float


def load(server: Server, body: bytes, seconds: float, connections: int = 4) -> Load:
    """What a server does under the load of a few connections.

    Without wrk one connection sends one request after the other. Raises RuntimeError when a
    request fails.
    """
    if shutil.which("wrk") is None:
        return _one_by_one(server, body, seconds)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "body.json"
        path.write_bytes(body)
        script = Path(folder) / "post.lua"
        script.write_text(_SCRIPT.format(body=path), encoding="utf-8")
        command = ["wrk", "-t1", f"-c{connections}", f"-d{max(1, round(seconds))}s", "--timeout", "30s"]
        run = subprocess.run(
            [*command, "-s", str(script), server.url], capture_output=True, text=True, check=True
        )
    found = json.loads(run.stdout[run.stdout.index('{"requests"') :])
    if found["errors"]:
        raise RuntimeError(f"{found['errors']} requests failed under load")
    return Load(found["requests"] / (found["us"] / 1e6), found["p50"] / 1000, found["p99"] / 1000)


def _one_by_one(server: Server, body: bytes, seconds: float) -> Load:
    times = []
    end = time.perf_counter() + seconds
    while not times or time.perf_counter() < end:
        started = time.perf_counter()
        server.post(body)
        times.append((time.perf_counter() - started) * 1000)
    times.sort()
    return Load(1000 / statistics.mean(times), times[len(times) // 2], times[int(len(times) * 0.99)])
