"""The command line: what it prints, and how it ends."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from cds_service.cli import main
from cds_service.samples import SAMPLES, paperwork_missing
from cds_service.settings import rows
from cds_service.version import VERSION
from tests.service.bodies import bundle, encoded, observation, pump_order, sign


@pytest.fixture
def saved(tmp_path: Path) -> Any:
    """Write a request to a file; gives its path."""

    def write(body: Any) -> str:
        path = tmp_path / "request.json"
        path.write_bytes(body if isinstance(body, bytes) else encoded(body))
        return str(path)

    return write


@pytest.fixture(autouse=True)
def _wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    for row in rows():
        monkeypatch.delenv(row.variable, raising=False)


def test_the_version_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["--version"])
    assert caught.value.code == 0
    assert capsys.readouterr().out == f"coverage-hooks {VERSION}\n"


@pytest.mark.parametrize(
    "argv", [[], ["nothing"], ["check"], ["serve", "--port", "x"], ["serve", "--port", "65536"]]
)
def test_a_wrong_call_ends_with_two(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(argv)
    assert caught.value.code == 2
    assert "usage: coverage-hooks" in capsys.readouterr().err


@pytest.mark.parametrize("name", SAMPLES)
def test_check_prints_the_determination_as_a_tree(
    name: str, saved: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", saved(SAMPLES[name]())]) == 0
    printed = capsys.readouterr().out
    assert "Aetna CPB 0161 Infusion Pumps, version" in printed
    assert "(E0784)" in printed
    assert "aetna-0161/ins-gen-1a" in printed
    assert "criteria" in printed
    assert "[prefetch]" in printed
    assert {"all-shown": "met", "too-few-tests": "not-met", "paperwork-missing": "needs-documentation"}[
        name
    ] in printed


def test_check_prints_states_evidence_citations_and_what_would_settle_it(
    saved: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", saved(paperwork_missing())]) == 0
    printed = capsys.readouterr().out
    for mark in ("✔", "?", "→"):
        assert mark in printed
    assert "would settle it" in printed
    assert "aetna-cpb-0161" in printed


def test_check_prints_json_like_the_service(saved: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", saved(paperwork_missing()), "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert [d["outcome"] for d in answer["determinations"]] == ["needs-documentation"]
    assert answer["not_evaluated"] == []


def test_check_reads_standard_input(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stdin = io.TextIOWrapper(io.BytesIO(encoded(paperwork_missing())))
    monkeypatch.setattr("sys.stdin", stdin)
    assert main(["check", "-", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["determinations"]


def test_check_judges_by_chosen_policies(saved: Any, capsys: pytest.CaptureFixture[str]) -> None:
    path = saved(paperwork_missing())
    assert main(["check", path, "--json", "--policies", "aetna.cpb-0161"]) == 0
    (determination,) = json.loads(capsys.readouterr().out)["determinations"]
    assert determination["policy"]["id"] == "aetna.cpb-0161"
    assert main(["check", path, "--policies", "aetna.cpb-016"]) == 1
    assert "did you mean aetna.cpb-0161?" in capsys.readouterr().err


def test_check_tells_what_it_read_leniently_and_left_out(
    saved: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    other = observation("o2", subject={"reference": "Patient/p2"})
    request = sign(pump_order(), {"resourceType": "MedicationOrder", "id": "old"})
    request["prefetch"] = {"observations": bundle(observation(value="many"), other)}
    assert main(["check", saved(request)]) == 0
    printed = capsys.readouterr().out
    assert "MedicationOrder/old: not evaluated, no loaded policy reads a MedicationOrder" in printed
    assert "prefetch.observations.entry[0].resource.valueQuantity.value" in printed
    assert "Observation/o2: it is about another patient" in printed
    assert "this check is offline" in printed


def test_markup_in_a_request_is_printed_as_it_is(saved: Any, capsys: pytest.CaptureFixture[str]) -> None:
    request = paperwork_missing()
    order = request["context"]["draftOrders"]["entry"][0]["resource"]
    order["codeCodeableConcept"]["text"] = "[bold]pump[/bold] [/] [link=x]"
    assert main(["check", saved(request)]) == 0
    assert "[bold]pump[/bold] [/] [link=x]" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "The body is empty"),
        (b"not json", "This is no JSON"),
        (b'{"context":' + b"[" * 100_000, "nested too deeply"),
        ({"hook": "order-sign"}, "hookInstance is missing"),
        (sign(hook="patient-view"), "not another hook"),
        (sign(), "no prefetch"),
    ],
    ids=["empty", "no json", "deep", "incomplete", "other hook", "no data"],
)
def test_a_request_that_cannot_be_used_ends_with_one_and_says_why(
    body: Any, says: str, saved: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", saved(body)]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    assert says in captured.err
    assert "request.json" in captured.err


def test_a_file_that_is_not_there_ends_with_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for path in (tmp_path / "absent.json", tmp_path):
        assert main(["check", str(path)]) == 1
        assert str(path) in capsys.readouterr().err


def test_a_broken_policy_folder_ends_with_one(
    tmp_path: Path, saved: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "plan" / "pumps"
    folder.mkdir(parents=True)
    (folder / "policy.yaml").write_text("schema: nothing/1\n", encoding="utf-8")
    assert main(["check", saved(sign()), "--policy-dir", str(tmp_path)]) == 1
    assert "policy.yaml:1" in capsys.readouterr().err


def test_settings_are_listed_with_what_is_set(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COVERAGE_HOOKS_PORT", "9191")
    assert main(["settings"]) == 0
    printed = capsys.readouterr().out
    assert all(row.variable in printed for row in rows())
    assert "9191" in printed


def test_a_bad_setting_ends_with_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COVERAGE_HOOKS_PRT", "9191")
    for command in (["settings"], ["serve"]):
        assert main(command) == 1
        assert "did you mean COVERAGE_HOOKS_PORT?" in capsys.readouterr().err


def test_a_policy_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["policy", "show", "aetna.cpb-0161"]) == 0
    assert "Infusion Pumps" in capsys.readouterr().out


def test_a_password_in_a_setting_is_not_printed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COVERAGE_HOOKS_REDIS_URL", "rediss://user:secret@cache.example.org/0")
    assert main(["settings"]) == 0
    printed = capsys.readouterr().out
    assert "(set)" in printed
    assert "secret@" not in printed


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
def test_serving_openly_where_others_can_reach_it_is_refused(host: str) -> None:
    # In a process of its own: `serve` sets up logs and metrics for as long as a process lasts.
    command = [sys.executable, "-m", "cds_service.cli", "serve", "--host", host, "--port", "0"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "COVERAGE_HOOKS_TRUST=open asks no token, and that is refused" in done.stderr
    assert "COVERAGE_HOOKS_ALLOW_OPEN=true" in done.stderr
    assert done.stdout == ""


def test_the_demo_needs_no_token(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("COVERAGE_HOOKS_TRUST", "jwt")
    assert main(["demo"]) == 1
    assert "COVERAGE_HOOKS_TRUST=open" in capsys.readouterr().err
