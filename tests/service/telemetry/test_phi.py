"""Nothing that is planted in any place of a call comes out beside its answer.

The service runs as it is started, and is called in every way that a sender can choose, well-formed
and not, with a FHIR server that fails in many ways. Names, identifiers, texts and tokens are planted
in bodies, addresses, parameters and headers. None may be in the log (JSON or text, at its most
talkative), the metrics, the spans, the database, or the body or headers of an error. Cards are for
whoever orders; they show the evidence.
"""

from __future__ import annotations

import gzip
import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.fhir_stub import Fault, FhirStub
from tests.service.bodies import (
    BOOK,
    DISCHARGE,
    DISPATCH,
    SELECT,
    SIGN,
    START,
    book,
    bundle,
    code,
    dispatch,
    select,
    sign,
    visit,
)
from tests.service.store.test_planted import PLANTED as PLANTED_IN_BODIES
from tests.service.store.test_planted import TOKEN, feedback_on, found_in, planted
from tests.service.telemetry.collector import Collector
from tests.service.telemetry.conftest import Running, running
from tests.service.trust.key_server import KeyServer
from tests.service.trust.tokens import EC_KEY, ecdsa, jwk, new_id, signed
from tests.service.trust.world import write_clients

Json = dict[str, Any]

PATH, PARAMETER, HEADER, METHOD = "PathZzz20", "ParameterZzz21", "HeaderZzz22", "METHODZZZ23"
MRN = "MRN-00414243"
PLANTED = (*PLANTED_IN_BODIES, PATH, PARAMETER, HEADER, METHOD, MRN, "Zzzclaim")
PACKAGE = "/fhir/Questionnaire/$questionnaire-package"
JSON = {"Content-Type": "application/json"}
HEADERS = {
    "X-Request-ID": MRN,
    "X-Patient": HEADER,
    "User-Agent": HEADER,
    "Referer": f"https://ehr.example.org/Patient/{HEADER}",
    "Cookie": f"session={HEADER}",
    "Origin": f"https://{HEADER}.example.org",
    "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    "tracestate": f"x={HEADER}",
    "baggage": f"patient={HEADER}",
    "X-Forwarded-For": HEADER,
}
FAULTS = {
    "refuses": Fault(status=403),
    "fails": Fault(status=500),
    "closes": Fault(closed=True),
    "cut": Fault(cut=True),
    "no json": Fault(body=f"<html>{MRN}".encode()),
    "wrong resource": Fault(body=json.dumps({"resourceType": "Qwertyname", "id": MRN}).encode()),
    "redirects": Fault(status=302, location=f"https://elsewhere.example/{MRN}"),
    "leads elsewhere": Fault(next_url=f"https://elsewhere.example/{MRN}"),
    "headers that are none": Fault(headers={"Bad header": MRN, "X-Ok": "1"}),
    "slow": Fault(delay=1.5),
}


def hook_bodies() -> Iterator[tuple[str, Json]]:
    whole = planted()
    prefetch, rest = (
        whole["prefetch"],
        {"fhirServer": whole["fhirServer"], "fhirAuthorization": whole["fhirAuthorization"]},
    )
    orders = [entry["resource"] for entry in whole["context"]["draftOrders"]["entry"]]
    yield SIGN, whole
    yield (
        SELECT,
        select(*orders, selections=["DeviceRequest/OrderZzz8", "NoteZzz2/1"], prefetch=prefetch, **rest),
    )
    yield DISPATCH, dispatch("DeviceRequest/OrderZzz8", prefetch=prefetch | {"o": bundle(*orders)}, **rest)
    appointment = {
        "resourceType": "Appointment",
        "id": "OrderZzz8",
        "status": "proposed",
        "description": "Qwertyname",
        "basedOn": [{"reference": "ServiceRequest/OrderZzz8"}],
        "participant": [{"actor": {"reference": "Patient/PatientZzz9"}, "status": "accepted"}],
    }
    yield BOOK, book(appointment, prefetch=prefetch, **rest)
    yield START, visit("encounter-start", prefetch=prefetch | {"o": bundle(*orders)}, **rest)
    yield DISCHARGE, visit("encounter-discharge", prefetch=prefetch, **rest)


def for_patient(body: Json) -> Json:
    body["context"]["patientId"] = "PatientZzz9"
    return body


def broken_bodies() -> Iterator[Json]:
    """Hook requests that are refused, each with something in the part that is wrong."""
    whole = planted()
    yield whole | {"hook": "Qwertyname"}
    yield whole | {"context": "Qwertyname"}
    yield whole | {"fhirServer": 7, "fhirAuthorization": TOKEN}
    yield whole | {"fhirAuthorization": {"access_token": TOKEN, "token_type": "Qwertyname"}}
    yield whole | {"context": whole["context"] | {"patientId": {"Qwertyname": MRN}}}
    yield whole | {"context": whole["context"] | {"draftOrders": [{"Qwertyname": MRN}]}}
    yield whole | {"prefetch": [MRN, "Qwertyname"]}
    yield {"Qwertyname": MRN}
    yield sign(hookInstance="InstanceZzz3")


def texts() -> Iterator[tuple[dict[str, str], bytes]]:
    """Bodies that are refused before they are a request."""
    yield JSON, b'{"hook": "Qwertyname", '
    yield JSON, b"Qwertyname"
    yield JSON, b""
    yield JSON, json.dumps({"prefetch": {"KeyZzz4": "Qwertyname"}}).encode() + b"\xff\xfe"
    yield JSON, b'{"a":' * 600 + b'"Qwertyname"' + b"}" * 600
    yield JSON, b" " * 4_000_001
    yield JSON | {"Content-Encoding": "gzip"}, b"Qwertyname"
    yield JSON | {"Content-Encoding": "gzip"}, gzip.compress(b'{"Qwertyname": ')
    yield JSON | {"Content-Encoding": HEADER}, b"{}"
    yield {"Content-Type": f"text/{HEADER}"}, b"Qwertyname"
    yield {"Content-Type": f"application/json; charset={HEADER}"}, b"{}"


RAW = (
    f"GET /{PATH} HTTP/9.9\r\n\r\n",
    f"{PATH}\r\n\r\n",
    f"{METHOD.lower()}! /{PATH} HTTP/1.1\r\nHost: x\r\n\r\n",
    f"GET /{PATH} HTTP/1.1\r\nBad header: {HEADER}\r\n\r\n",
    f"GET /{PATH} HTTP/1.1\r\n{HEADER} x: y\r\n\r\n",
    f"GET /{PATH} HTTP/1.1\r\nHost: x\r\nX: {'y' * 9000}{HEADER}\r\n\r\n",
    f"GET /{PATH}{'y' * 9000} HTTP/1.1\r\nHost: x\r\n\r\n",
    f"GET /{PATH} HTTP/1.1\r\nHost: x\r\nExpect: {HEADER}\r\n\r\n",
    f"POST {SIGN} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: {HEADER}\r\n\r\n",
    f"POST {SIGN} HTTP/1.1\r\nHost: x\r\nContent-Length: {HEADER}\r\n\r\n",
    f"POST {SIGN} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n{HEADER}\r\n",
)


class Caller:
    """Calls the service and keeps what must hold nothing: every answer that is an error."""

    def __init__(self, service: Running) -> None:
        self._service = service
        self.errors: list[str] = []
        self.statuses: list[int] = []

    def send(self, method: str, path: str, **options: Any) -> requests.Response:
        headers = HEADERS | {"Authorization": f"Bearer {TOKEN}"} | options.pop("headers", {})
        response = requests.request(
            method, f"{self._service.base}{path}", headers=headers, timeout=30, **options
        )
        self.statuses.append(response.status_code)
        if response.status_code >= 400:
            self.errors.append(f"{response.headers} {response.text}")
        else:
            self.errors.append(str(response.headers))
        return response

    def post(self, path: str, body: Json) -> requests.Response:
        return self.send("POST", f"{path}?name={PARAMETER}", data=json.dumps(body), headers=JSON)

    def raw(self, text: str) -> None:
        host, port = self._service.base.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), timeout=30) as connection:
            connection.sendall(text.encode())
            connection.shutdown(socket.SHUT_WR)
            answer = b""
            try:
                while part := connection.recv(65536):
                    answer += part
            except ConnectionResetError:
                pass
        self.errors.append(answer.decode())


def call_everything(service: Running) -> Caller:
    caller = Caller(service)
    cards = []
    for path, body in hook_bodies():
        answer = caller.post(path, for_patient(body))
        assert answer.status_code == 200, (path, answer.text)
        cards += [card["uuid"] for card in answer.json()["cards"]]
        caller.post("/determinations", body)
    caller.send("POST", f"/determinations?policies={PARAMETER}", json=planted())
    for name, fault in FAULTS.items():
        with FhirStub([], faults={"*": fault}) as stub:
            body = planted() | {"fhirServer": stub.base, "prefetch": {}, "hookInstance": name}
            assert caller.post(SIGN, body).status_code == 200
            caller.post(START, for_patient(visit("encounter-start", fhirServer=stub.base)))
    for body in broken_bodies():
        assert caller.post(SIGN, body).status_code in (400, 412, 422)
        assert caller.post("/determinations", body).status_code in (400, 412, 422)
    for headers, text in texts():
        for path in (SIGN, "/determinations", PACKAGE, f"{SIGN}/feedback"):
            assert caller.send("POST", path, data=text, headers=headers).status_code >= 400
    assert caller.post(f"{SIGN}/feedback", feedback_on(cards)).status_code == 200
    for wrong in ({"feedback": [{"card": "Qwertyname"}]}, {"feedback": "Qwertyname"}, {"Qwertyname": []}):
        assert caller.post(f"{SIGN}/feedback", wrong).status_code == 400
    order = planted()["context"]["draftOrders"]["entry"][0]["resource"]
    for part in (
        {"resource": order},
        {"resource": {"resourceType": MRN}},
        {"valueCanonical": f"https://x.example/{PARAMETER}"},
        {"valueString": MRN},
    ):
        name = "order" if "resource" in part else "questionnaire" if "valueCanonical" in part else "context"
        caller.post(PACKAGE, {"resourceType": "Parameters", "parameter": [{"name": name, **part}]})
    caller.send("GET", f"{PACKAGE}?questionnaire={PARAMETER}")
    for path in ("", "/cds-services", "/policies", "/fhir/Questionnaire", "/health", "/metrics"):
        assert caller.send("GET", f"{path}/{PATH}?name={PARAMETER}").status_code >= 400
    assert caller.post(f"/cds-services/{PATH}", planted()).status_code == 404
    assert caller.post(f"/cds-services/{PATH}/feedback", feedback_on(cards)).status_code == 404
    assert caller.send(METHOD, SIGN).status_code == 405
    caller.send("GET", f"/?name={PARAMETER}")
    for text in RAW:
        caller.raw(text)
    return caller


def found(text: str) -> set[str]:
    return {word for word in PLANTED if word.lower() in text.lower()}


@pytest.mark.req("A8.81")
@pytest.mark.req("B6.156")
@pytest.mark.parametrize("log_format", ["json", "text"])
def test_nothing_planted_comes_out_beside_the_answer(tmp_path: Path, log_format: str) -> None:
    settings = {"LOG_FORMAT": log_format, "LOG_LEVEL": "debug", "BODY_LIMIT_MB": "4", "FHIR_DEADLINE": "1"}
    with Collector() as collector:
        with running(tmp_path, OTLP_ENDPOINT=collector.endpoint, **settings) as service:
            caller = call_everything(service)
            metrics = requests.get(f"{service.base}/metrics", timeout=10).text
        spans = b"".join(collector.received)
    assert {200, 400, 404, 405, 413, 415, 422} <= set(caller.statuses)
    assert "was not logged" not in service.err
    # Each of these was written about the calls at all, so that its silence tells something.
    assert service.err.count("unknown-route") >= 2
    assert "a request was not read: InvalidHTTPVersion" in service.err
    assert 'coverage_hooks_fetch_failures_total{type="Observation"}' in metrics
    assert b"/cds-services/<service_id>" in spans
    assert len(list((tmp_path / "store").iterdir())) >= 1
    assert found(service.out + service.err) == set()
    assert found(metrics) == set()
    assert found(spans.decode("latin-1")) == set()
    assert found_in(tmp_path / "store") == set()
    for error in caller.errors:
        assert found(error) == set(), error
    if log_format == "json":
        assert all(json.loads(line) for line in service.err.splitlines())


@pytest.mark.req("A8.81")
def test_no_part_of_a_clients_token_comes_out_beside_the_answer(tmp_path: Path) -> None:
    with KeyServer([jwk(EC_KEY, "ec-1")]) as keys:
        file = write_clients(tmp_path, {"name": "ehr", "issuer": "ehr", "jku": keys.jku})
        settings = {"TRUST": "jwt", "CLIENTS_FILE": str(file), "LOG_LEVEL": "debug", "WORKERS": "1"}
        tokens, errors = [], []
        with running(tmp_path / "run", **settings) as service:
            now = 1_800_000_000
            good = {"iss": "ehr", "aud": service.base + SIGN, "iat": now, "exp": now + 300, "sub": "Zzzclaim"}
            for claims in (
                good | {"jti": new_id()},
                good | {"iss": "Zzzclaim", "jti": "Zzzclaim"},
                good | {"tenant": "Zzzclaim"},
            ):
                header = {"alg": "ES384", "typ": "JWT", "kid": "ec-1", "jku": keys.jku}
                tokens.append(signed(header, claims, ecdsa(EC_KEY)))
                headers = JSON | {"Authorization": f"Bearer {tokens[-1]}"}
                response = requests.post(
                    service.base + SIGN, data=json.dumps(planted()), headers=headers, timeout=20
                )
                errors.append(f"{response.headers} {response.text}")
                assert (response.status_code, code(response.json())) != (401, "no-token")
            metrics = requests.get(f"{service.base}/metrics", timeout=10).text
    everything = "".join([service.out, service.err, metrics, *errors])
    assert found(everything) == set()
    assert not [part for token in tokens for part in token.split(".")[1:] if part in everything]


def test_what_comes_out_would_be_found() -> None:
    assert found(f"a line with {MRN}, {PATH.lower()} and {TOKEN}") == {MRN, PATH, TOKEN}
