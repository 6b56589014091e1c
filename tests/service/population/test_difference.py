"""What happens if a threshold changes: a changed copy of a policy folder, and the report of what differs."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

import pytest

from cds_service.population.diff import compare
from cds_service.population.errors import PopulationError
from cds_service.population.judges import load_engine
from policies.library import LIBRARY
from tests.benchmarks.synthetic_export import write_export
from tests.service.bodies import pump_order
from tests.service.population.exports import answer, answer_resources, rows, write_lines

OLD = 'hba1c_ceiling: {unit: "%", values: {2026-01-01: 7.0}'
NEW = 'hba1c_ceiling: {unit: "%", values: {2026-01-01: 7.5}'


def changed(tmp_path: Path, *replacements: tuple[str, str]) -> Path:
    """A folder with a copy of Aetna's policy, changed."""
    folder = tmp_path / "what-if"
    copy = folder / "aetna" / "infusion_pumps"
    shutil.copytree(LIBRARY / "aetna" / "infusion_pumps", copy)
    text = (copy / "policy.yaml").read_text(encoding="utf-8")
    for old, new in replacements:
        assert text.count(old) == 1
        text = text.replace(old, new)
    (copy / "policy.yaml").write_text(text, encoding="utf-8")
    return folder


def outcomes(folder: Path) -> dict[tuple[str, str], str]:
    found = rows(folder / "determinations.ndjson")
    return {(row["order"], row["policy"]["id"]): row["outcome"] for row in found}


def test_a_raised_ceiling_shows_which_orders_change(tmp_path: Path) -> None:
    orders, data = write_export(tmp_path / "a", patients=60, observations=12)
    answer(tmp_path, orders, data, "now")
    folder = changed(tmp_path, (OLD, NEW))
    answer(tmp_path, orders, data, "then", policy_dirs=[folder], engine=load_engine([folder]))
    found = compare(tmp_path / "now", tmp_path / "then", tmp_path / "then")
    now, then = outcomes(tmp_path / "now"), outcomes(tmp_path / "then")
    assert now.keys() == then.keys()
    moved = {key for key in now if now[key] != then[key]}
    assert moved
    assert found.compared == len(now)
    assert found.outcome_changed == len(moved)
    lines = rows(tmp_path / "then" / "difference.ndjson")
    assert {(c["order"], c["policy"]) for c in lines if c["before"] != c["after"]} == moved
    assert len(lines) == found.outcome_changed + found.only_criteria
    assert set(found.policies) == {"aetna.cpb-0161"}
    changes = found.policies["aetna.cpb-0161"]
    assert sum(changes.outcomes.values()) == len(moved)
    assert "hba1c_elevated_six_months" in changes.criteria
    assert set(changes.criteria["hba1c_elevated_six_months"]) == {"met -> unmet"}
    for line in lines:
        assert line["patient"].startswith("Patient/")
        assert line.keys() <= {"patient", "order", "policy", "before", "after", "criteria"}


def test_a_run_against_itself_shows_nothing(tmp_path: Path) -> None:
    orders, data = write_export(tmp_path / "a", patients=5, observations=5)
    answer(tmp_path, orders, data)
    (tmp_path / "out").mkdir()
    found = compare(tmp_path / "run", tmp_path / "run", tmp_path / "out")
    assert (found.outcome_changed, found.only_criteria, found.policies) == (0, 0, {})
    assert (tmp_path / "out" / "difference.ndjson").read_bytes() == b""


def test_orders_of_one_run_only_are_reported(tmp_path: Path) -> None:
    patient = {"resourceType": "Patient", "id": "p1"}
    first = write_lines(tmp_path / "first.ndjson", [pump_order("a"), pump_order("b")])
    second = write_lines(
        tmp_path / "second.ndjson", [pump_order("b"), pump_order("c", subject={"reference": "Patient/p0"})]
    )
    data = write_lines(tmp_path / "data" / "Patient.ndjson", [patient]).parent
    answer(tmp_path, first, data, "one")
    answer(tmp_path, second, data, "two")
    compare(tmp_path / "one", tmp_path / "two", tmp_path / "two")
    changes = {
        (c["order"], c["before"] == "no determination", c["after"] == "no determination")
        for c in rows(tmp_path / "two" / "difference.ndjson")
    }
    assert changes == {("DeviceRequest/a", False, True), ("DeviceRequest/c", True, False)}


def test_an_unfinished_run_cannot_be_compared(tmp_path: Path) -> None:
    with pytest.raises(PopulationError, match="holds no finished run"):
        compare(tmp_path, tmp_path, tmp_path)


def test_a_version_that_begins_on_the_same_day_takes_the_place_of_the_packaged_one(tmp_path: Path) -> None:
    folder = changed(tmp_path, (OLD, NEW), ('version: "2026-01-01"', 'version: "what-if"'))
    engine = load_engine([folder])
    (policy,) = (p for p in engine.registry.policies if p.id == "aetna.cpb-0161")
    assert policy.version == "what-if"
    assert policy.parameters["hba1c_ceiling"].values == ((date(2026, 1, 1), 7.5),)


def test_a_version_that_begins_later_stands_beside_the_packaged_one(tmp_path: Path) -> None:
    folder = changed(
        tmp_path,
        ('version: "2026-01-01"', 'version: "2026-07-01"'),
        ("effective:\n  from: 2026-01-01", "effective:\n  from: 2026-07-01"),
    )
    orders = [pump_order("a", authoredOn="2026-02-16"), pump_order("b", authoredOn="2026-07-02")]
    coverage = {
        "resourceType": "Coverage",
        "id": "cov",
        "status": "active",
        "beneficiary": {"reference": "Patient/p1"},
        "payor": [{"display": "Aetna"}],
    }
    data = write_lines(tmp_path / "data" / "Coverage.ndjson", [coverage]).parent
    answer(
        tmp_path,
        write_lines(tmp_path / "orders.ndjson", orders),
        data,
        policy_dirs=[folder],
        engine=load_engine([folder]),
        as_of=date(2026, 8, 1),
    )
    found = rows(tmp_path / "run" / "determinations.ndjson")
    assert [row["policy"]["version"] for row in found] == ["2026-01-01", "2026-07-01"]


def test_undated_orders_are_judged_as_of_the_day_that_is_given(tmp_path: Path) -> None:
    undated = {name: value for name, value in pump_order().items() if name != "authoredOn"}
    answer_resources(tmp_path, [undated])
    found = rows(tmp_path / "run" / "determinations.ndjson")
    assert {row["as_of"] for row in found} == {"2026-03-16"}
