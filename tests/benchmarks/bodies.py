"""The bodies that benchmarks send: the sample order alone, and with 60 days of sensor readings."""

from __future__ import annotations

import json
from datetime import datetime, timedelta

from cds_service.samples import paperwork_missing

READINGS = 17_280


def small_body() -> bytes:
    """The sample order with a chart of a few dozen resources (about 10 KB)."""
    return json.dumps(paperwork_missing()).encode()


def large_body() -> bytes:
    """The sample order with 60 days of sensor readings, one every 5 minutes (about 9 MB)."""
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
