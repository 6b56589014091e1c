"""docs/operations.md names what there is to see, and every file of deploy/."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from prometheus_client import Counter, Gauge, Histogram

from cds_service.settings import PREFIX, rows
from cds_service.telemetry.access import FIELDS
from cds_service.telemetry.metrics import Metrics

ROOT = Path(__file__).parent.parent.parent.parent
DOC = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
TEXTS = [path.read_text(encoding="utf-8") for path in (ROOT / "cds_service").rglob("*.py")]


def test_each_metric_is_described_with_its_labels_and_no_other() -> None:
    kinds = (Counter, Gauge, Histogram)
    made = [value for value in vars(Metrics()).values() if isinstance(value, kinds)]
    assert len(made) == 8
    rows_of_doc = re.findall(r"^\| `(coverage_hooks_\w+)` \|([^|]*)\|", DOC, re.MULTILINE)
    described = {name.removesuffix("_total"): re.findall(r"`(\w+)`", labels) for name, labels in rows_of_doc}
    assert described == {metric._name: list(metric._labelnames) for metric in made}


def test_each_field_of_the_access_line_is_described() -> None:
    fields = DOC.partition("## Logs")[2].partition("| stage |")[0]
    assert [name for name in FIELDS if f"`{name}`" not in fields] == []


def test_each_stage_is_described_and_no_other() -> None:
    used = {name for text in TEXTS for name in re.findall(r'with stage\("(\w+)"\)', text)}
    table = DOC.partition("| stage |")[2].partition("No line holds")[0]
    assert used == set(re.findall(r"^\| `(\w+)`", table, re.MULTILINE))


@pytest.mark.parametrize(
    "words",
    [
        "a decision was not logged",
        "decisions were not logged",
        "the decision log cannot be written",
        "changed policies refused",
        "no request can be let in",
        "a request was not read",
    ],
)
def test_lines_that_are_worth_an_alert_are_written_so(words: str) -> None:
    assert words in " ".join(DOC.split())
    assert any(words in text for text in TEXTS)


def test_each_file_of_deploy_is_described() -> None:
    files = [path.relative_to(ROOT).as_posix() for path in (ROOT / "deploy").rglob("*") if path.is_file()]
    assert len(files) >= 10
    assert [file for file in files if f"`{file}`" not in DOC] == []


def test_settings_that_are_named_exist() -> None:
    known = {row.variable.removeprefix(PREFIX) for row in rows()}
    others = {
        *("DATABASE_PASSWORD", "PROMETHEUS_MULTIPROC_DIR"),
        *("OTEL_EXPORTER_OTLP_HEADERS", "OTEL_EXPORTER_OTLP_CERTIFICATE"),
    }
    named = {name.removeprefix(PREFIX) for name in re.findall(r"\b[A-Z]{2,}(?:_[A-Z]+)+\b", DOC)}
    assert len(named) > 15
    assert named - known - others == set()


def test_links_lead_to_files_that_exist() -> None:
    links = set(re.findall(r"\]\(([\w./-]+\.md)", DOC))
    assert links
    assert [link for link in links if not (ROOT / "docs" / link).is_file()] == []
