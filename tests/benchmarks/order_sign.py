"""Time and peak memory of an order-sign request of 10 KB and of 10 MB, beside a bare Flask view.

Run: python -m tests.benchmarks.order_sign [--rounds N]. Both applications run under the same
gunicorn with one worker and are called over HTTP; json.loads of the same body runs in this process.
Rounds are interleaved and medians printed, so that a busy machine slows all alike; nothing fails on
a time. Peak memory is what the worker holds at most during a request beyond what it held before.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping

from cds_service.app import create_app
from cds_service.settings import Settings
from tests.benchmarks.bodies import large_body, small_body
from tests.benchmarks.servers import BARE, OURS, PATH, Server
from tests.benchmarks.timing import rounds_of

IN_PROCESS, LOADS = "coverage-hooks, no HTTP", "json.loads"


def peak_mb(server: Server, body: bytes) -> float:
    """How much memory one request takes at most."""
    before = server.memory("VmRSS")
    server.reset_peak()
    server.post(body)
    return max(0.0, server.memory("VmHWM") - before)


def report(title: str, body: bytes, times: Mapping[str, float], peaks: Mapping[str, float]) -> None:
    print(f"\n{title}: {len(body):,} bytes")
    print(f"{'':26}{'ms':>9}{'to bare view':>15}{'to json.loads':>15}{'peak MB':>10}")
    for name, found in times.items():
        ratios = f"{found / times[BARE]:>15.2f}{found / times[LOADS]:>15.2f}"
        peak = f"{peaks[name]:>10.1f}" if name in peaks else ""
        print(f"{name:26}{found:>9.2f}{ratios}{peak}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds
    client = create_app(Settings()).test_client()
    with Server(OURS) as ours, Server(BARE) as bare:
        for title, body, times_as_many in (("10 KB", small_body(), 10), ("10 MB", large_body(), 1)):
            times = rounds_of(
                {
                    OURS: lambda body=body: ours.post(body),
                    BARE: lambda body=body: bare.post(body),
                    IN_PROCESS: lambda body=body: client.post(
                        PATH, data=body, content_type="application/json"
                    ),
                    LOADS: lambda body=body: json.loads(body),
                },
                rounds * times_as_many,
            )
            linux = sys.platform == "linux"
            peaks = {OURS: peak_mb(ours, body), BARE: peak_mb(bare, body)} if linux else {}
            report(title, body, {name: found.median for name, found in times.items()}, peaks)


if __name__ == "__main__":
    main()
