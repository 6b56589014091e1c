"""Time of an order-sign request of 10 KB and of 10 MB, beside a bare Flask view and json.loads.

Run: python -m tests.benchmarks.order_sign [--rounds N]. In process through the WSGI test client of
both applications, rounds interleaved, medians printed; nothing fails on a time.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from flask import Flask, request

from cds_service.app import create_app
from cds_service.samples import paperwork_missing

READINGS = 17_280


def large_body() -> bytes:
    """The sample order with 60 days of sensor readings, one every 5 minutes (about 8 MB)."""
    body = paperwork_missing()
    start = datetime(2026, 1, 15)
    body["prefetch"]["observations"]["entry"] += [
        {
            "fullUrl": f"http://ehr.example/fhir/Observation/cgm-{n}",
            "resource": {
                "resourceType": "Observation",
                "id": f"cgm-{n}",
                "status": "final",
                "category": [{"coding": [{"code": "laboratory"}]}],
                "code": {"coding": [{"system": "http://loinc.org", "code": "99504-3"}], "text": "CGM"},
                "subject": {"reference": "Patient/sample-undocumented"},
                "effectiveDateTime": f"{(start + timedelta(minutes=5 * n)).isoformat()}-05:00",
                "valueQuantity": {
                    "value": 90 + n % 120,
                    "unit": "mg/dL",
                    "system": "http://unitsofmeasure.org",
                    "code": "mg/dL",
                },
                "device": {"reference": "Device/cgm"},
            },
        }
        for n in range(READINGS)
    ]
    return json.dumps(body).encode()


def bare_view() -> Flask:
    """A view that only parses its body."""
    app = Flask("bare")

    @app.post("/cds-services/infusion-pump-order-sign")
    def view() -> dict[str, Any]:
        request.get_json()
        return {"cards": []}

    return app


def median_ms(runs: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    times: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(rounds):
        for name, run in runs.items():
            started = time.perf_counter()
            run()
            times[name].append((time.perf_counter() - started) * 1000)
    return {name: statistics.median(found) for name, found in times.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds
    ours, bare = create_app().test_client(), bare_view().test_client()
    url = "/cds-services/infusion-pump-order-sign"
    for name, body in (("10 KB", json.dumps(paperwork_missing()).encode()), ("10 MB", large_body())):
        found = median_ms(
            {
                "coverage-hooks": lambda body=body: ours.post(
                    url, data=body, content_type="application/json"
                ),
                "bare Flask view": lambda body=body: bare.post(
                    url, data=body, content_type="application/json"
                ),
                "json.loads": lambda body=body: json.loads(body),
            },
            rounds,
        )
        print(f"{name} body of {len(body):,} bytes, median of {rounds} interleaved rounds")
        for reference, milliseconds in found.items():
            ratio = found["coverage-hooks"] / milliseconds
            print(f"  {reference:16} {milliseconds:9.2f} ms   coverage-hooks takes {ratio:.2f} of it")


if __name__ == "__main__":
    main()
