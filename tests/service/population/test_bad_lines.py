"""Lines that cannot be used are counted and named by file and line; they stop nothing and hide nothing."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from cds_service.population.errors import PopulationError
from cds_service.samples import too_few_tests
from tests.service.bodies import observation, pump_order
from tests.service.population.exports import (
    answer,
    answer_resources,
    of_request,
    rows,
    write_by_type,
    write_lines,
)

PLANTED = "Quiltworthy-31337"
PATIENT = {"resourceType": "Patient", "id": "p1", "birthDate": "1990-05-01"}


def problems(tmp_path: Path) -> list[tuple[str, int, str]]:
    return [(p["file"], p["line"], p["what"]) for p in rows(tmp_path / "run" / "problems.ndjson")]


def test_unusable_lines_of_the_export_are_named_and_the_others_count(tmp_path: Path) -> None:
    data = tmp_path / "export"
    write_lines(data / "Patient.ndjson", [PATIENT])
    write_lines(
        data / "Observation.ndjson",
        [
            observation("o1"),
            "",
            f"no json {PLANTED}",
            "[1, 2]",
            "null",
            f'{{"id": "{PLANTED}"}}',
            '{"x": ' + "[" * 100_000,
            json.dumps(observation("o2", value="many")),
            observation("o3", value="7.9"),
            '{"resourceType": "Observation", "id": "\\udcff"}',
        ],
    )
    with (data / "Observation.ndjson").open("ab") as out:
        out.write(b'{"resourceType":"Observation","id":"\xff\xfe"}\n')
    orders = write_lines(tmp_path / "orders.ndjson", [pump_order()])
    summary = answer(tmp_path, orders, data)
    found = problems(tmp_path)
    assert summary.found.problems == len(found)
    assert summary.found.answered == 1
    by_line = {line: what for _, line, what in found}
    assert {file for file, _, _ in found} == {"Observation.ndjson"}
    assert by_line[3] == "the line is no JSON"
    assert by_line[4] == by_line[5] == "the line is no FHIR resource"
    assert by_line[6] == "the line has no resourceType"
    assert by_line[7] == "the line is nested too deeply"
    assert by_line[8].startswith("valueQuantity.value: ")
    assert 1 not in by_line
    assert 2 not in by_line
    assert 11 in by_line
    assert PLANTED not in (tmp_path / "run" / "problems.ndjson").read_text()
    assert PLANTED not in (tmp_path / "run" / "summary.json").read_text()


def test_line_numbers_count_over_the_cuts_of_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cds_service.population.job.TASK_SIZE", 700)
    data = tmp_path / "export"
    lines: list[Any] = [observation(f"o{n}") for n in range(20)]
    lines[13] = "broken"
    write_lines(data / "Observation.ndjson", lines)
    write_lines(data / "Z.ndjson", ["broken", *[observation(f"z{n}") for n in range(10)], "broken"])
    answer(tmp_path, write_lines(tmp_path / "orders.ndjson", [pump_order()]), data)
    assert [(file, line) for file, line, _ in problems(tmp_path)] == [
        ("Observation.ndjson", 14),
        ("Z.ndjson", 1),
        ("Z.ndjson", 12),
    ]


def test_a_broken_line_of_a_patient_makes_facts_unknown_not_unmet(tmp_path: Path) -> None:
    orders, record = of_request(too_few_tests())

    def states(name: str, broken: str) -> dict[str, Any]:
        data = write_by_type(tmp_path / name / "export", record)
        with (data / "Observation.ndjson").open("a") as out:
            out.write(broken)
        answer(tmp_path / name, write_lines(tmp_path / name / "orders.ndjson", orders), data)
        (row,) = rows(tmp_path / name / "run" / "determinations.ndjson")
        found: dict[str, Any] = {}

        def walk(node: dict[str, Any]) -> None:
            found[node["id"]] = (node["state"], node.get("reason"))
            for inner in node.get("criteria", ()):
                walk(inner)

        walk(row["criteria"])
        return found

    patient = orders[0]["subject"]["reference"]
    cut = f'{{"resourceType": "Observation", "subject": {{"reference": "{patient}"}}, "valueQ\n'
    other = '{"resourceType": "Observation", "subject": {"reference": "Patient/somebody"}, "valueQ\n'
    assert states("whole", "")["four_tests_a_day"] == ("unmet", None)
    assert states("other", other)["four_tests_a_day"] == ("unmet", None)
    assert states("cut", cut)["four_tests_a_day"] == ("unknown", "fetch_failed")
    assert len(problems(tmp_path / "cut")) == 1


def test_every_line_of_the_orders_is_accounted_for(tmp_path: Path) -> None:
    drug = {
        "resourceType": "MedicationRequest",
        "id": "drug",
        "subject": {"reference": "Patient/p1"},
        "authoredOn": "2026-02-16",
        "medicationCodeableConcept": {"text": "insulin lispro"},
    }
    lines: list[Any] = [
        pump_order("a"),
        drug,
        pump_order("b", subject={"reference": "https://ehr.example/fhir/Patient/p2/_history/3"}),
        pump_order("c", status="revoked", authoredOn="2026-01-01"),
        pump_order("d", doNotPerform=True, authoredOn="2026-01-02"),
        {**pump_order("e"), "codeCodeableConcept": {"coding": [{"system": "urn:x", "code": "1"}]}}
        | {"authoredOn": "2026-01-03"},
        {"resourceType": "NutritionOrder", "id": "f", "patient": {"reference": "Patient/p1"}},
        pump_order("a"),
        pump_order("g", subject={"reference": "Group/everybody"}),
        pump_order("h", subject={"display": PLANTED}),
        {name: value for name, value in pump_order().items() if name != "id"},
        PATIENT,
        "{",
    ]
    summary = answer_resources(tmp_path, lines, PATIENT)
    answered = {row["order"] for row in rows(tmp_path / "run" / "determinations.ndjson")}
    left = {row["order"]: row["why"] for row in rows(tmp_path / "run" / "not-evaluated.ndjson")}
    assert answered == {"DeviceRequest/a", "DeviceRequest/b"}
    assert left == {
        "MedicationRequest/drug": "it belongs to another order and is answered with it",
        "DeviceRequest/c": "its status is revoked",
        "DeviceRequest/d": "it says what is not to be done",
        "DeviceRequest/e": "no loaded policy lists this order",
        "NutritionOrder/f": "no loaded policy reads a NutritionOrder",
    }
    assert [(line, what) for _, line, what in problems(tmp_path)] == [
        (9, "the subject of the order names no patient"),
        (10, "the subject of the order names no patient"),
        (11, "the order has no id, by which its answer could be told"),
        (12, "a Patient is no order"),
        (13, "the line is no JSON"),
        (8, "the order stands in the file twice; the first counts"),
    ]
    assert summary.orders == 8
    assert summary.found.answered + sum(summary.found.not_evaluated.values()) == 7


def test_an_order_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    order = pump_order("a", extension=[]) | {f"x{n}": 1 for n in range(3)}
    order["reasonCode"] = [{"coding": 1} for _ in range(80)]
    answer_resources(tmp_path, [order], PATIENT)
    (left,) = rows(tmp_path / "run" / "not-evaluated.ndjson")
    assert (left["order"], left["why"]) == ("DeviceRequest/a", "the order cannot be read")


def test_a_damaged_packed_file_stops_the_run(tmp_path: Path) -> None:
    data = tmp_path / "export"
    data.mkdir()
    packed = gzip.compress(b"".join(json.dumps(observation(f"o{n}")).encode() + b"\n" for n in range(99)))
    (data / "Observation.ndjson.gz").write_bytes(packed[:-40])
    orders = write_lines(tmp_path / "orders.ndjson", [pump_order()])
    with pytest.raises(PopulationError, match=r"Observation\.ndjson\.gz: the file is damaged or cut off"):
        answer(tmp_path, orders, data)


def test_what_is_nobodys_or_not_read_is_counted(tmp_path: Path) -> None:
    summary = answer_resources(
        tmp_path,
        [pump_order()],
        PATIENT,
        observation("other", subject={"reference": "Patient/p9"}),
        observation("group", subject={"reference": "Group/g"}),
        {"resourceType": "Immunization", "id": "i", "patient": {"reference": "Patient/p1"}},
        {"resourceType": "Device", "id": "stock"},
        observation("wrong", status="entered-in-error"),
    )
    assert summary.export.read == {"Device": 1, "Immunization": 1, "Observation": 3, "Patient": 1}
    assert summary.export.unread == {"Immunization": 1}
    assert summary.export.nobody == {"Observation": 1}
    assert summary.export.no_order == 1
    assert summary.found.left_out == {"it was entered in error": 1}
    assert summary.found.problems == 0
