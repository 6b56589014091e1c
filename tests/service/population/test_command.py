"""The commands: what they print, how they end, and that numbers name nobody."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from cds_service.cli import main
from tests.benchmarks.synthetic_export import write_export
from tests.service.bodies import pump_order
from tests.service.population.exports import contents, rows, write_lines
from tests.service.population.test_difference import NEW, OLD, changed

PLANTED = ("Quiltworthy", "p-secret-7", "1931-02-03", "123 Hidden Lane")


@pytest.fixture(scope="module")
def export(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[str]]:
    folder = tmp_path_factory.mktemp("export")
    orders, data = write_export(folder, patients=10, observations=8)
    yield ["population", "--orders", str(orders), "--data", str(data), "--as-of", "2026-03-16"]
    shutil.rmtree(folder)


@pytest.fixture(autouse=True)
def _wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")


def test_a_run_prints_its_summary_and_goes_on_with_the_same_command(
    export: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = [*export, "--output", str(tmp_path / "run"), "--processes", "1"]
    assert main(command) == 0
    printed = capsys.readouterr().out
    assert "20 orders of 10 patients: 10 answered with" in printed
    assert "aetna.cpb-0161@2026-01-01" in printed
    assert "Northwood" in printed
    assert "(hba1c_elevated_six_months)" in printed
    assert "10 orders not evaluated: it belongs to another order" in printed
    before = contents(tmp_path / "run")
    assert main(command) == 0
    assert "20 orders of 10 patients" in capsys.readouterr().out
    assert contents(tmp_path / "run") == before
    assert (tmp_path / "run").stat().st_mode & 0o077 == 0


def test_the_threshold_question_from_start_to_end(
    export: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*export, "--output", str(tmp_path / "now"), "--processes", "1"]) == 0
    folder = changed(tmp_path, (OLD, NEW))
    then = ["--output", str(tmp_path / "then"), "--processes", "1", "--policy-dir", str(folder)]
    assert main([*export, *then, "--compare-with", str(tmp_path / "now")]) == 0
    printed = capsys.readouterr().out
    assert "determinations compared: " in printed
    assert "hba1c_elevated_six_months" in printed
    assert "met -> unmet" in printed
    assert main(["population", "diff", str(tmp_path / "now"), str(tmp_path / "then")]) == 0
    assert "met -> unmet" in capsys.readouterr().out


def test_the_parquet_file_holds_what_the_lines_say(export: list[str], tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    assert main([*export, "--output", str(tmp_path / "run"), "--processes", "1"]) == 0
    table = parquet.read_table(tmp_path / "run" / "determinations.parquet").to_pylist()
    lines = rows(tmp_path / "run" / "determinations.ndjson")
    assert len(table) == len(lines)
    for row, line in zip(table, lines, strict=True):
        assert (row["patient"], row["order"], row["outcome"]) == (
            line["patient"],
            line["order"],
            line["outcome"],
        )
        assert row["as_of"].isoformat() == line["as_of"]
        assert row["lacking"] == line.get("lacking", [])
        assert row["payer"] == line.get("coverage", {}).get("payer")
        assert {c["part"] for c in row["criteria"]} <= {
            "criteria",
            "exclusions",
            "documentation",
            "reservations",
        }


def test_numbers_name_nobody(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    name, patient_id, born, street = PLANTED
    patient = {
        "resourceType": "Patient",
        "id": patient_id,
        "birthDate": born,
        "name": [{"family": name}],
        "address": [{"line": [street], "state": 7}],
    }
    order = pump_order(f"order-of-{name}", subject={"reference": f"Patient/{patient_id}"})
    broken = f'{{"resourceType": "Observation", "subject": {{"reference": "Patient/{patient_id}"}}, "{name}'
    data = write_lines(tmp_path / "data" / "Patient.ndjson", [patient, broken]).parent
    orders = write_lines(tmp_path / "orders.ndjson", [order, f'{{"{name}'])
    command = ["population", "--orders", str(orders), "--data", str(data), "--processes", "1"]
    assert main([*command, "--output", str(tmp_path / "run")]) == 0
    printed = capsys.readouterr()
    written = [(tmp_path / "run" / name).read_text() for name in ("summary.json", "problems.ndjson")]
    assert json.loads(written[0])["found"]["problems"] == 3
    for text in (printed.out, printed.err, *written):
        assert not any(planted in text for planted in PLANTED)
    line = (tmp_path / "run" / "determinations.ndjson").read_text()
    assert f"Patient/{patient_id}" in line
    assert born not in line
    assert street not in line


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--orders", "absent.ndjson", "--data", "."], "absent.ndjson: No such file"),
        (["--orders", "{orders}", "--data", "absent"], "absent: there is no such folder"),
        (["--orders", "{orders}", "--data", "{empty}"], "no file ends in .ndjson"),
        (["--orders", "{orders}", "--data", "{data}", "--policy-dir", "{empty}"], "there is no policy.yaml"),
        (["diff", "{empty}", "{empty}"], "holds no finished run"),
    ],
)
def test_what_cannot_be_used_ends_with_one_and_says_why(
    arguments: list[str], says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty").mkdir()
    orders = write_lines(tmp_path / "data" / "orders.ndjson", [pump_order()])
    given = {"orders": orders, "data": tmp_path / "data", "empty": tmp_path / "empty"}
    output = [] if "diff" in arguments else ["--output", str(tmp_path / "run")]
    assert main(["population", *output, *(word.format(**given) for word in arguments)]) == 1
    captured = capsys.readouterr()
    assert says in captured.err
    assert captured.err.count("\n") == 1


@pytest.mark.parametrize("arguments", [[], ["--orders", "x"], ["--processes", "0"], ["--as-of", "soon"]])
def test_a_wrong_call_ends_with_two(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["population", *arguments])
    assert caught.value.code == 2
    assert "usage: coverage-hooks population" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("module", "arguments", "says"),
    [
        ("pyarrow.parquet", [], "install coverage-hooks[population]"),
        ("pyspark", ["--spark", "local[1]"], "install coverage-hooks[spark]"),
    ],
)
def test_an_absent_library_is_said_before_any_work(
    module: str,
    arguments: list[str],
    says: str,
    export: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    assert main([*export, "--output", str(tmp_path / "run"), *arguments]) == 1
    assert says in capsys.readouterr().err
    assert not list(tmp_path.glob("run/work/parts/*"))


def test_orders_may_lie_among_the_data(tmp_path: Path) -> None:
    """Then the file is the question, and no evidence of what the patient has."""
    orders = write_lines(tmp_path / "data" / "DeviceRequest.ndjson", [pump_order()])
    write_lines(tmp_path / "data" / "Patient.ndjson", [{"resourceType": "Patient", "id": "p1"}])
    command = ["population", "--orders", str(orders), "--data", str(orders.parent), "--processes", "1"]
    assert main([*command, "--output", str(tmp_path / "run")]) == 0
    alone = write_lines(tmp_path / "orders.ndjson", [pump_order()])
    orders.unlink()
    command = ["population", "--orders", str(alone), "--data", str(orders.parent), "--processes", "1"]
    assert main([*command, "--output", str(tmp_path / "alone")]) == 0
    first, second = (tmp_path / name / "determinations.ndjson" for name in ("run", "alone"))
    assert first.read_bytes() == second.read_bytes()
