"""What is counted, over all workers of the service as it is started."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
import requests

from cds_service.samples import paperwork_missing
from cds_service.settings import SettingsError
from cds_service.telemetry.metrics_folder import metrics_folder
from tests.fhir_stub import Fault, FhirStub
from tests.service.bodies import SIGN, code, encoded, sign
from tests.service.conftest import client_of
from tests.service.fake_engine import FakeEngine
from tests.service.telemetry.conftest import Running, needs_proc, running
from tests.service.trust.key_server import KeyServer
from tests.service.trust.tokens import EC_KEY, jwk
from tests.service.trust.world import write_clients

SERVICE = "infusion-pump-order-sign"
POST = f'method="POST",route="/cds-services/<service_id>",service="{SERVICE}"'
ANSWERED = f'coverage_hooks_requests_total{{error="",{POST},status="200"}}'


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("metrics"), WORKERS="2") as found:
        yield found
    assert "Traceback" not in found.err
    assert list(found.temporary.iterdir()) == []


class Growth:
    """By how much samples grow within a block."""

    def __init__(self, service: Running) -> None:
        self._service = service

    def __enter__(self) -> Growth:
        self._before = self._service.metrics()
        return self

    def __exit__(self, *_: object) -> None:
        self._after = self._service.metrics()

    def __call__(self, sample: str) -> float:
        return self._after.get(sample, 0.0) - self._before.get(sample, 0.0)


def post(service: Running, body: object, path: str = SIGN) -> requests.Response:
    """A call over a connection of its own, so that either worker may take it."""
    headers = {"Content-Type": "application/json", "Connection": "close"}
    return requests.post(service.base + path, data=encoded(body), headers=headers, timeout=20)


def files_of(service: Running, kind: str) -> list[Path]:
    (folder,) = service.temporary.glob("coverage-hooks-metrics-*")
    return list(folder.glob(f"{kind}_*.db"))


@needs_proc
def test_all_workers_are_counted_together(service: Running) -> None:
    total = 0
    with Growth(service) as grown:
        while len(files_of(service, "histogram")) < 2 or total < 10:  # until both have answered
            assert total < 500
            assert post(service, paperwork_missing()).status_code == 200
            total += 1
    assert grown(ANSWERED) == total
    assert grown(f"coverage_hooks_request_seconds_count{{{POST}}}") == total
    assert grown(f'coverage_hooks_request_seconds_bucket{{le="+Inf",{POST}}}') == total


def test_outcomes_are_counted_by_policy(service: Running) -> None:
    with Growth(service) as grown:
        answer = post(service, paperwork_missing(), "/determinations").json()
    (found,) = answer["determinations"]
    labels = f'outcome="{found["outcome"]}",policy="{found["policy"]["id"]}"'
    assert grown(f"coverage_hooks_determinations_total{{{labels}}}") == 1


@pytest.mark.parametrize("stage", ["receive", "read", "gather", "decide", "answer", "keep"])
def test_each_stage_is_timed_once_for_a_request(service: Running, stage: str) -> None:
    with Growth(service) as grown:
        post(service, paperwork_missing())
    labels = f'service="{SERVICE}",stage="{stage}"'
    assert grown(f"coverage_hooks_stage_seconds_count{{{labels}}}") == 1
    assert grown(f"coverage_hooks_stage_seconds_sum{{{labels}}}") > 0


def test_what_clinicians_did_is_counted_by_service(service: Running) -> None:
    when = "2026-02-28T10:05:31Z"
    overridden = [{"card": str(uuid4()), "outcome": "overridden", "outcomeTimestamp": when} for _ in range(2)]
    accepted = {
        "card": str(uuid4()),
        "outcome": "accepted",
        "outcomeTimestamp": when,
        "acceptedSuggestions": [{"id": str(uuid4())}, {"id": str(uuid4())}],
    }
    with Growth(service) as grown:
        assert post(service, {"feedback": [*overridden, accepted]}, f"{SIGN}/feedback").status_code == 200
        assert post(service, {"feedback": [{"card": "x"}]}, f"{SIGN}/feedback").status_code == 400
    assert grown(f'coverage_hooks_feedback_total{{outcome="overridden",service="{SERVICE}"}}') == 2
    assert grown(f'coverage_hooks_feedback_total{{outcome="accepted",service="{SERVICE}"}}') == 1


def test_feedback_that_is_sent_again_is_counted_once(service: Running) -> None:
    first, second = (
        {"card": str(uuid4()), "outcome": "overridden", "outcomeTimestamp": "2026-02-28T10:05:31Z"}
        for _ in range(2)
    )
    with Growth(service) as grown:
        # The same batch again, then one that adds a card to it, which is in it twice.
        for batch in ([first], [first], [first, second, second]):
            assert post(service, {"feedback": batch}, f"{SIGN}/feedback").status_code == 200
    assert grown(f'coverage_hooks_feedback_total{{outcome="overridden",service="{SERVICE}"}}') == 2


def test_types_that_cannot_be_fetched_are_counted(service: Running) -> None:
    body = paperwork_missing()
    faults = {"Observation": Fault(status=500), "Condition": Fault(closed=True)}
    with FhirStub([], faults=faults) as stub, Growth(service) as grown:
        post(service, body | {"prefetch": {}, "fhirServer": stub.base})
    assert grown('coverage_hooks_fetch_failures_total{type="Observation"}') == 1
    assert grown('coverage_hooks_fetch_failures_total{type="Condition"}') == 1
    assert grown('coverage_hooks_fetch_failures_total{type="Procedure"}') == 0


def test_errors_are_counted_by_code_and_no_label_is_of_the_senders_making(service: Running) -> None:
    with Growth(service) as grown:
        post(service, [], SIGN)
        requests.get(f"{service.base}/jane-doe", timeout=10)
        requests.request("JANEDOE", service.base + SIGN, timeout=10)
        post(service, {}, "/cds-services/jane-doe")
    assert grown(f'coverage_hooks_requests_total{{error="invalid-request",{POST},status="422"}}') == 1
    unknown = 'coverage_hooks_requests_total{error="%s",method="%s",route="unknown",service="",status="%s"}'
    assert grown(unknown % ("unknown-route", "GET", 404)) == 1
    assert grown(unknown % ("wrong-method", "other", 405)) == 1
    assert "doe" not in " ".join(service.metrics()).lower()


@needs_proc
def test_a_worker_that_dies_leaves_its_counts_and_no_running_request(service: Running) -> None:
    post(service, paperwork_missing())
    before = service.metrics()
    (first, *_) = service.workers()
    os.kill(first, signal.SIGKILL)
    end = time.monotonic() + 20
    while first in service.workers() or len(service.workers()) < 2:
        assert time.monotonic() < end
        time.sleep(0.05)
    while any(path.stem.endswith(f"_{first}") for path in files_of(service, "gauge_livesum")):
        assert time.monotonic() < end
        time.sleep(0.05)
    after = service.metrics()
    assert after[ANSWERED] == before[ANSWERED]
    assert after["coverage_hooks_requests_running"] == 1  # the look at the metrics itself


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "Via"])
def test_nobody_reads_them_through_a_proxy(service: Running, header: str) -> None:
    response = requests.get(f"{service.base}/metrics", headers={header: "x"}, timeout=10)
    assert (response.status_code, code(response.json())) == (404, "unknown-route")


def test_they_are_served_as_prometheus_reads_them(service: Running) -> None:
    response = requests.get(f"{service.base}/metrics", timeout=10)
    assert response.headers["Content-Type"].startswith("text/plain; version=")
    for name in ("requests_total counter", "request_seconds histogram", "requests_running gauge"):
        assert f"# TYPE coverage_hooks_{name}" in response.text.replace(
            "requests counter", "requests_total counter"
        )


def test_they_need_no_token_and_nothing_else_is_open_with_them(tmp_path: Path) -> None:
    with KeyServer([jwk(EC_KEY, "ec-1")]) as keys:
        file = write_clients(tmp_path, {"name": "ehr", "issuer": "ehr", "jku": keys.jku})
        with running(tmp_path / "run", TRUST="jwt", CLIENTS_FILE=str(file), WORKERS="1") as found:
            assert post(found, paperwork_missing()).status_code == 401
            refused = (
                f'coverage_hooks_requests_total{{error="no-token",{POST.replace(SERVICE, "")},status="401"}}'
            )
            assert found.metrics()[refused] == 1


def test_they_can_be_switched_off(tmp_path: Path) -> None:
    with running(tmp_path, METRICS="off", WORKERS="1") as found:
        response = requests.get(f"{found.base}/metrics", timeout=10)
        assert (response.status_code, code(response.json())) == (404, "unknown-route")
        assert post(found, paperwork_missing()).status_code == 200
        assert list(found.temporary.glob("coverage-hooks-metrics-*")) == []


def test_a_place_that_cannot_be_written_stops_the_start(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "absent"))
    with pytest.raises(SettingsError, match="set TMPDIR or COVERAGE_HOOKS_METRICS=off"), metrics_folder():
        pass


def test_faults_are_counted_where_the_status_hides_them(fake_engine: FakeEngine) -> None:
    client = client_of(fake_engine)
    fake_engine.error = ValueError("Doe")
    assert client.post(SIGN, json=sign(prefetch={"patient": {}})).status_code == 200
    text = client.get("/metrics").text
    assert f'coverage_hooks_faults_total{{service="{SERVICE}"}} 1.0' in text
    assert "Doe" not in text


def test_apps_in_one_process_count_for_themselves(fake_engine: FakeEngine) -> None:
    first, second = client_of(fake_engine), client_of(fake_engine)
    first.get("/cds-services")
    assert 'route="/cds-services"' in first.get("/metrics").text
    assert 'route="/cds-services"' not in second.get("/metrics").text
