"""A FHIR server on this machine for tests: read, search by patient and code, paging, and faults.

It holds the resources of a Bundle and answers over real HTTP, so that timeouts, broken connections
and wrong answers are those of a network and not of a mock.
"""

from __future__ import annotations

import json
import ssl
import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

Json = dict[str, Any]

_INCLUDED = {
    "Coverage:payor": "payor",
    "MedicationRequest:medication": "medicationReference",
    "MedicationStatement:medication": "medicationReference",
    "MedicationAdministration:medication": "medicationReference",
    "DeviceUseStatement:device": "device",
    "PractitionerRole:practitioner": "practitioner",
}


@dataclass
class Fault:
    """What goes wrong with the queries for one resource type.

    delay: seconds before the answer. status: instead of 200. body: instead of the answer, with
    content_type. cut: send half of the body and close. closed: close without an answer. endless:
    every page has a next one. next_url: the next link of the first page. drip: seconds between
    single bytes. location: header of a redirect. headers: further ones. flood: bytes of a Bundle that
    is sent in place of the answer.
    """

    delay: float = 0.0
    status: int = 200
    body: bytes | None = None
    content_type: str = "application/fhir+json"
    cut: bool = False
    closed: bool = False
    endless: bool = False
    next_url: str = ""
    drip: float = 0.0
    location: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    flood: int = 0


@dataclass
class Seen:
    """A request that came in."""

    path: str
    query: list[tuple[str, str]]
    headers: dict[str, str]


@dataclass
class FhirStub:
    """Use as a context manager; `base` is the base URL.

    tls: speaks https by it, as localhost. page_size: entries of a page, 0 for all. token: answers 401 to requests without it. includes:
    whether _include is understood. faults: resource type -> fault, "*" for all.
    """

    resources: list[Json] = field(default_factory=list)
    page_size: int = 0
    token: str = ""
    includes: bool = True
    faults: dict[str, Fault] = field(default_factory=dict)
    tls: ssl.SSLContext | None = None
    seen: list[Seen] = field(default_factory=list)

    @classmethod
    def of_bundle(cls, bundle: Json, **options: Any) -> FhirStub:
        return cls([entry["resource"] for entry in bundle["entry"]], **options)

    def __enter__(self) -> FhirStub:
        stub = self

        class Handler(_Handler):
            server_stub = stub

        self._server = _Server(("127.0.0.1", 0), Handler)
        self.base = f"http://127.0.0.1:{self._server.server_address[1]}/fhir"
        if self.tls is not None:
            self._server.socket = self.tls.wrap_socket(self._server.socket, server_side=True)
            self.base = f"https://localhost:{self._server.server_address[1]}/fhir"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    def asked(self, kind: str) -> list[Seen]:
        """The requests about a resource type."""
        return [seen for seen in self.seen if seen.path.split("/")[0] == kind]

    def find(self, kind: str, parameters: dict[str, list[str]]) -> list[Json]:
        return [r for r in self.resources if r["resourceType"] == kind and _matches(r, parameters)]

    def included(self, found: Iterable[Json], names: Iterable[str]) -> Iterator[Json]:
        by_name = {f"{r['resourceType']}/{r['id']}": r for r in self.resources}
        given = set()
        for name in names if self.includes else ():
            for resource in found:
                value = resource.get(_INCLUDED[name], [])
                for reference in value if isinstance(value, list) else [value]:
                    target = by_name.get(reference.get("reference", ""))
                    if target is not None and target["id"] not in given:
                        given.add(target["id"])
                        yield target


def _matches(resource: Json, parameters: dict[str, list[str]]) -> bool:
    for name, values in parameters.items():
        wanted = [word for value in values for word in value.split(",")]
        if name in ("patient", "subject", "beneficiary"):
            owner = resource.get("subject") or resource.get("patient") or resource.get("beneficiary") or {}
            if owner.get("reference", "").split("/")[-1] not in [word.split("/")[-1] for word in wanted]:
                return False
        elif name == "identifier":
            own = [f"{i.get('system', '')}|{i['value']}" for i in resource.get("identifier", ())]
            if not set(own) & set(wanted):
                return False
        elif name == "encounter":
            if resource.get("encounter", {}).get("reference") not in [f"Encounter/{word}" for word in wanted]:
                return False
        elif name == "status":
            if resource.get("status") not in wanted:
                return False
        elif name == "_id":
            if resource["id"] not in wanted:
                return False
        elif name == "code" and not _searched_by(resource).intersection(wanted):
            return False
    return True


def _searched_by(resource: Json) -> set[str]:
    """The values of `code` that find a resource: "code", "system|code" and "system|"."""
    found = set()
    for coding in resource.get("code", {}).get("coding", ()):
        system, code = coding.get("system", ""), coding.get("code", "")
        found |= {code, f"{system}|{code}", f"{system}|"}
    return found


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    # Connections that wait until they are accepted; Python's default of 5 is that of no FHIR server.
    request_queue_size = 128

    def handle_error(self, *_: Any) -> None:
        """Callers that give up are what these tests are about."""


class _Handler(BaseHTTPRequestHandler):
    server_stub: FhirStub
    protocol_version = "HTTP/1.1"
    # Head and body are two packets: else the second waits 40 ms for word that the first was received.
    disable_nagle_algorithm = True

    def log_message(self, *_: Any) -> None:
        """Nothing is printed."""

    def do_GET(self) -> None:
        stub = self.server_stub
        parts = urlsplit(self.path)
        path = parts.path.removeprefix("/fhir/")
        stub.seen.append(Seen(path, parse_qsl(parts.query), dict(self.headers.items())))
        kind, _, id_ = path.partition("/")
        fault = stub.faults.get(kind) or stub.faults.get("*") or Fault()
        time.sleep(fault.delay)
        if fault.closed:
            self.close_connection = True
            return
        if stub.token and self.headers.get("Authorization") != f"Bearer {stub.token}":
            return self._send(401, _outcome("login"), Fault())
        if fault.status != 200:
            return self._send(fault.status, _outcome("exception"), fault)
        if id_:
            found = next((r for r in stub.resources if r["resourceType"] == kind and r["id"] == id_), None)
            return self._send(200, found, fault) if found else self._send(404, _outcome("not-found"), fault)
        return self._send(200, self._page(kind, parse_qs(parts.query), fault), fault)

    def _page(self, kind: str, query: dict[str, list[str]], fault: Fault) -> Json:
        stub = self.server_stub
        found = stub.find(kind, query)
        offset = int(query.get("_offset", ["0"])[0])
        size = stub.page_size or max(len(found), 1)
        page = found[offset : offset + size]
        links = [{"relation": "self", "url": f"{stub.base}/{self.path.removeprefix('/fhir/')}"}]
        rest = {name: values for name, values in query.items() if name != "_offset"}
        following = urlencode({**rest, "_offset": [str(offset + size)]}, doseq=True)
        if fault.next_url and offset == 0:
            links.append({"relation": "next", "url": fault.next_url})
        elif fault.endless or offset + size < len(found):
            links.append({"relation": "next", "url": f"{stub.base}/{kind}?{following}"})
        included = list(stub.included(page, query.get("_include", ())))
        entries = [_entry(stub.base, r, "match") for r in page]
        entries += [_entry(stub.base, r, "include") for r in included]
        bundle: Json = {"resourceType": "Bundle", "type": "searchset", "total": len(found), "link": links}
        return bundle | ({"entry": entries} if entries else {})

    def _send(self, status: int, value: Json, fault: Fault) -> None:
        body = fault.body if fault.body is not None else json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", fault.content_type)
        self.send_header("Content-Length", str(fault.flood or len(body)))
        if fault.location:
            self.send_header("Location", fault.location)
        for name, text in fault.headers.items():
            self.send_header(name, text)
        self.end_headers()
        try:
            if fault.flood:
                self._flood(fault.flood)
            elif fault.cut:
                self.wfile.write(body[: len(body) // 2])
                self.close_connection = True
            elif fault.drip:
                for byte in body:
                    self.wfile.write(bytes([byte]))
                    time.sleep(fault.drip)
            else:
                self.wfile.write(body)
        except OSError:
            self.close_connection = True  # the caller gave up

    def _flood(self, size: int) -> None:
        beginning, end = b'{"resourceType": "Bundle", "entry": [', b"{}]}"
        entry = b'{"resource": {"resourceType": "Observation", "status": "final"}},'
        rest = size - len(beginning) - len(end)
        self.wfile.write(beginning)
        block = entry * 10_000
        for _ in range(rest // len(block)):
            self.wfile.write(block)
        rest %= len(block)
        self.wfile.write(entry * (rest // len(entry)) + b" " * (rest % len(entry)) + end)


def _entry(base: str, resource: Json, mode: str) -> Json:
    url = f"{base}/{resource['resourceType']}/{resource['id']}"
    return {"fullUrl": url, "resource": resource, "search": {"mode": mode}}


def _outcome(code: str) -> Json:
    issue = {"severity": "error", "code": code, "diagnostics": "Patient Doe, Jane (secret-mrn) is not there"}
    return {"resourceType": "OperationOutcome", "issue": [issue]}
