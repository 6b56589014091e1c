"""Charts that nobody here wrote are answered, never with an error of the service."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from cds_service.app import create_app
from cds_service.settings import Settings
from policies.engine import Engine
from tests.examples.agreement import nodes
from tests.service.bodies import pump_order, sign

Json = dict[str, Any]


@pytest.fixture(scope="module")
def real_client(engine: Engine) -> FlaskClient:
    """The service with the packaged policies; no FHIR server but those of this machine is called."""
    return create_app(Settings(), engine).test_client()


def charts(folder: Path) -> Iterator[tuple[Path, str, Json]]:
    """Every Bundle of one patient: file, patient id, Bundle."""
    for path in sorted(folder.rglob("*.json")):
        bundle = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(bundle, dict) or bundle.get("resourceType") != "Bundle":
            continue
        resources = [entry.get("resource", {}) for entry in bundle.get("entry", ())]
        patients = [r["id"] for r in resources if r.get("resourceType") == "Patient"]
        if len(patients) == 1:
            yield path, patients[0], bundle


def newest_hba1c(bundle: Json, day: str) -> tuple[str, float] | None:
    """Day and value of the newest HbA1c in percent up to a day, counted without the product.

    Synthea also makes values below 3 percent, which nobody has; the product does not take them for results.
    """
    found = [
        (r["effectiveDateTime"][:10], r["valueQuantity"]["value"])
        for entry in bundle["entry"]
        if (r := entry.get("resource", {})).get("resourceType") == "Observation"
        and any(coding["code"] == "4548-4" for coding in r["code"]["coding"])
        and r.get("status") == "final"
        and r["valueQuantity"]["unit"] == "%"
        and r["valueQuantity"]["value"] >= 3
        and r["effectiveDateTime"][:10] <= day
    ]
    return max(found, default=None)


@pytest.mark.req("B1.108")
def test_every_real_chart_is_answered_and_its_newest_hba1c_is_the_one_on_file(
    shared: Path, real_client: FlaskClient
) -> None:
    seen = with_hba1c = 0
    for path, patient_id, bundle in charts(shared / "fhir-data"):
        request = sign(
            pump_order(subject={"reference": f"Patient/{patient_id}"}), prefetch={"record": bundle}
        )
        request["context"]["patientId"] = patient_id
        response = real_client.post("/determinations?policies=aetna.cpb-0161", json=request)
        assert response.status_code == 200, path
        (found,) = response.json["determinations"]
        (leaf,) = [n for n in nodes(found) if "aetna-0161/ins-new-4a" in n.get("clauses", ())]
        shown = [(e["date"], e["value"]) for e in leaf.get("evidence", ())]
        newest = newest_hba1c(bundle, "2026-02-16")
        assert shown == ([newest] if newest else []), path
        seen += 1
        with_hba1c += newest is not None
    assert seen >= 39
    assert with_hba1c >= 15
