"""A population run gives the determinations that the service gives, from the same record."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from cds_service.app import create_app
from cds_service.samples import SAMPLES
from cds_service.settings import Settings
from tests.benchmarks.synthetic_export import write_export
from tests.fhir_stub import FhirStub
from tests.service.population.exports import (
    TODAY,
    answer,
    contents,
    of_request,
    packaged,
    rows,
    write_by_type,
    write_lines,
)

EXAMPLES = Path(__file__).parent.parent.parent.parent.parent / "shared" / "examples"
NAMES = sorted(path.name for path in EXAMPLES.glob("*-*") if path.is_dir())


@pytest.fixture(scope="module")
def service() -> FlaskClient:
    now = datetime(TODAY.year, TODAY.month, TODAY.day, 12, tzinfo=UTC)
    return create_app(Settings(), packaged(), clock=lambda: now).test_client()


def served(service: FlaskClient, request: dict[str, Any], record: list[dict[str, Any]]) -> dict[str, Any]:
    """What the service answers when it fetches the record from a FHIR server."""
    with FhirStub(record) as server:
        body = {name: value for name, value in request.items() if name != "prefetch"}
        found = service.post("/determinations", json=body | {"fhirServer": server.base})
    assert found.status_code == 200
    answer: dict[str, Any] = found.get_json()
    assert "could_not" not in answer
    return answer


def told(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in ("patient", "payer_note")}


@pytest.mark.skipif(not NAMES, reason="shared/ is absent")
@pytest.mark.parametrize("name", NAMES)
def test_an_example_is_answered_as_by_the_service(name: str, service: FlaskClient, tmp_path: Path) -> None:
    request = json.loads((EXAMPLES / name / "request.json").read_text(encoding="utf-8"))
    orders, record = of_request(request)
    data = write_by_type(tmp_path / "export", record)
    answer(tmp_path, write_lines(tmp_path / "orders.ndjson", orders), data)
    expected = served(service, request, record)
    found = rows(tmp_path / "run" / "determinations.ndjson")
    assert [told(row) for row in found] == expected["determinations"]
    assert {row["patient"] for row in found} == {f"Patient/{request['context']['patientId']}"}
    assert found[0].get("payer_note") == expected.get("payer_note")


def test_the_samples_are_answered_together_as_by_the_service_one_by_one(
    service: FlaskClient, tmp_path: Path
) -> None:
    requests = [build() for build in SAMPLES.values()]
    parts = [of_request(request) for request in requests]
    data = write_by_type(tmp_path / "export", (r for _, record in parts for r in record))
    orders = write_lines(tmp_path / "orders.ndjson", (order for found, _ in parts for order in found))
    summary = answer(tmp_path, orders, data)
    by_patient = {
        row["patient"].removeprefix("Patient/"): told(row)
        for row in rows(tmp_path / "run" / "determinations.ndjson")
    }
    for request, (_, record) in zip(requests, parts, strict=True):
        (expected,) = served(service, request, record)["determinations"]
        assert by_patient[request["context"]["patientId"]] == expected
    assert list(by_patient) == sorted(by_patient)
    assert summary.found.outcomes == {"met": 1, "needs-documentation": 1, "not-met": 1}


def test_the_order_of_lines_files_and_packing_change_nothing(tmp_path: Path) -> None:
    import gzip

    orders, data = write_export(tmp_path / "a", patients=12, observations=12)
    answer(tmp_path, orders, data, "plain")
    observations = data / "Observation.ndjson"
    lines = observations.read_bytes().splitlines(keepends=True)
    observations.unlink()
    for number in range(3):
        with gzip.open(data / f"Observation.{number}.ndjson.gz", "wb") as out:
            out.writelines(lines[number * 48 : (number + 1) * 48])
    orders.write_bytes(b"".join(sorted(orders.read_bytes().splitlines(keepends=True))))
    answer(tmp_path, orders, data, "packed")
    assert contents(tmp_path / "plain") == contents(tmp_path / "packed")


def test_neither_the_web_framework_nor_the_network_is_loaded() -> None:
    modules = "run, spark, diff, report, finish"
    program = f"import sys; from cds_service.population import {modules}; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    names = set(loaded.stdout.split())
    assert not names & {"flask", "requests", "urllib3", "werkzeug", "pyspark", "pyarrow"}
