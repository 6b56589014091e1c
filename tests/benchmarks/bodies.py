"""The bodies that benchmarks send: one order with so many Observations of a sensor or a meter."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

from cds_service.samples import paperwork_missing

CGM_READINGS = 17_280
"""60 days of a sensor that reads every five minutes."""


def small_body() -> bytes:
    """The sample order with a chart of a few dozen resources (about 10 KB)."""
    return json.dumps(paperwork_missing()).encode()


def large_body() -> bytes:
    """The sample order with 60 days of sensor readings (about 9 MB)."""
    return body_with(CGM_READINGS)


def body_with(readings: int) -> bytes:
    """The sample order with `readings` readings of a sensor, one every five minutes."""
    body = paperwork_missing()
    body["prefetch"]["observations"]["entry"] += [_reading(number) for number in range(readings)]
    return json.dumps(body).encode()


def _reading(number: int) -> dict[str, Any]:
    at = datetime(2026, 1, 15) + timedelta(minutes=5 * number)
    return {
        "fullUrl": f"http://ehr.example/fhir/Observation/cgm-{number}",
        "resource": {
            "resourceType": "Observation",
            "id": f"cgm-{number}",
            "status": "final",
            "category": [{"coding": [{"code": "laboratory"}]}],
            "code": {"coding": [{"system": "http://loinc.org", "code": "99504-3"}], "text": "CGM"},
            "subject": {"reference": "Patient/sample-undocumented"},
            "effectiveDateTime": f"{at.isoformat()}-05:00",
            "valueQuantity": {
                "value": 90 + number % 120,
                "unit": "mg/dL",
                "system": "http://unitsofmeasure.org",
                "code": "mg/dL",
            },
            "device": {"reference": "Device/cgm"},
        },
    }
