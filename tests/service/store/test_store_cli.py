"""`coverage-hooks store`: the commands over a store, and how they end."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from cds_service.cli import main
from cds_service.store.place import place_of
from cds_service.store.tables import call
from tests.service.bodies import PATIENT, SIGN, bundle, observation, sign
from tests.service.store.conftest import KEY, Open, Service, sqlite_url
from tests.service.store.postgres import Cluster

BODY = sign(prefetch={"patient": PATIENT, "observations": bundle(observation())})


@pytest.fixture(autouse=True)
def _set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("COVERAGE_HOOKS_DATABASE_URL", sqlite_url(tmp_path))
    monkeypatch.setenv("COVERAGE_HOOKS_HASH_KEY", KEY)


@pytest.fixture
def used(service: Service, monkeypatch: pytest.MonkeyPatch) -> Service:
    """A store with one call and feedback on its card."""
    monkeypatch.setenv("COVERAGE_HOOKS_DATABASE_URL", service.url)
    (card,) = service.client.post(SIGN, json=BODY).json["cards"]
    reason = {"reason": {"code": "patient-ineligible", "system": "urn:reasons"}}
    entry = {
        "card": card["uuid"],
        "outcome": "overridden",
        "outcomeTimestamp": "2026-03-01T12:00:00Z",
        "overrideReason": reason,
    }
    assert service.client.post(f"{SIGN}/feedback", json={"feedback": [entry]}).status_code == 200
    return service


def test_migrate_makes_the_tables_once(
    postgres: Cluster, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COVERAGE_HOOKS_DATABASE_URL", postgres.new_database())
    for says in ("from empty to 0002", "at 0002 already"):
        assert main(["store", "migrate"]) == 0
        assert says in capsys.readouterr().out


@pytest.mark.usefixtures("used")
def test_overrides_are_told_by_policy(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["store", "overrides"]) == 0
    printed = capsys.readouterr().out
    for part in (
        "plan.pump@1",
        "needs-documentation",
        "patient-ineligible 1",
        "0 cards with feedback are not known",
    ):
        assert part in printed
    assert main(["store", "overrides", "--json"]) == 0
    (row,) = map(json.loads, capsys.readouterr().out.splitlines())
    assert (row["policy"], row["issued"], row["overridden"], row["accepted"]) == ("plan.pump", 1, 1, 0)


@pytest.mark.usefixtures("used")
def test_metrics_are_printed_line_by_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["store", "export-metrics"]) == 0
    (data,) = map(json.loads, capsys.readouterr().out.splitlines())
    assert data["request"][0]["response"][0]["engagement"] == "override"
    assert main(["store", "export-metrics", "--since", "2026-03-01", "--until", "2026-03-02"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 1
    assert main(["store", "export-metrics", "--until", "2026-03-01"]) == 0
    assert capsys.readouterr().out == ""


@pytest.mark.usefixtures("used")
def test_retention_deletes_what_is_old(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["store", "retention", "--days", "36500"]) == 0
    assert "deleted: 0 calls, 0 feedback entries" in capsys.readouterr().out
    assert main(["store", "retention", "--days", "1"]) == 0
    assert "deleted: 1 calls, 1 feedback entries" in capsys.readouterr().out


@pytest.mark.parametrize("patient", ["p1", "Patient/p1", "-"])
def test_erase_takes_ids_also_from_standard_input(
    used: Service, patient: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("p0\np1\n\n"))
    assert main(["store", "erase", patient]) == 0
    assert "deleted: 1 calls, 1 feedback entries" in capsys.readouterr().out
    assert used.rows(call) == []


@pytest.mark.parametrize("command", ["migrate", "retention", "overrides", "export-metrics"])
@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("none", "switched off"),
        ("mysql://u:geheim@h/x", "mysql"),
        ("postgresql://u:geheim@127.0.0.1:1/x", "cannot be used"),
    ],
)
def test_a_store_that_cannot_be_used_is_told(
    command: str, url: str, says: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COVERAGE_HOOKS_DATABASE_URL", url)
    assert main(["store", command]) == 1
    told = capsys.readouterr()
    assert says in told.err
    assert "geheim" not in told.err + told.out


@pytest.mark.parametrize(
    "argv", [[], ["nothing"], ["erase"], ["retention", "--days", "0"], ["export-metrics", "--since", "x"]]
)
def test_a_wrong_call_ends_with_two(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["store", *argv])
    assert caught.value.code == 2
    assert "usage: coverage-hooks store" in capsys.readouterr().err


def test_secrets_are_not_shown(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("COVERAGE_HOOKS_DATABASE_URL", "postgresql://u:geheim@h/x")
    assert main(["settings"]) == 0
    printed = capsys.readouterr().out
    assert "geheim" not in printed
    assert KEY not in printed
    assert printed.count("(set)") == 2


def test_the_default_place_is_used_by_the_service_and_the_commands(
    opened: Open, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.delenv("COVERAGE_HOOKS_DATABASE_URL")
    monkeypatch.delenv("COVERAGE_HOOKS_HASH_KEY")
    service = opened("", hash_key="")
    service.client.post(SIGN, json=BODY)
    assert len(service.rows(call)) == 1
    assert main(["store", "erase", "p1"]) == 0
    assert service.rows(call) == []
    place = place_of("")
    assert place is not None
    assert place.file is not None
    assert place.file.is_relative_to(tmp_path)
