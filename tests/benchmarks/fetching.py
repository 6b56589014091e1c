"""An order without prefetch: everything is asked of a FHIR server that takes 50 ms for each answer."""

from __future__ import annotations

import json

import requests

from cds_service.samples import paperwork_missing
from tests.benchmarks.bodies import body_with
from tests.benchmarks.servers import OURS, Server
from tests.benchmarks.timing import Spread, rounds_of
from tests.fhir_stub import Fault, FhirStub, Json

_LATENCY = 0.05
_PAGES = 3


def fetching(rounds: int) -> tuple[Spread, Spread]:
    """Milliseconds of our answer, and of the longest chain of pages read alone.

    The longest chain is that of the Observations, of three pages.
    """
    resources = _resources(json.loads(body_with(100)))
    observations = sum(resource["resourceType"] == "Observation" for resource in resources)
    order = paperwork_missing()
    del order["prefetch"]
    with FhirStub(
        resources, page_size=-(-observations // _PAGES), faults={"*": Fault(delay=_LATENCY)}
    ) as stub:
        body = json.dumps(order | {"fhirServer": stub.base}).encode()
        with Server(OURS) as ours, requests.Session() as session:
            first = f"{stub.base}/Observation?patient={order['context']['patientId']}"
            found = rounds_of(
                {"ours": lambda: ours.post(body), "chain": lambda: _chain(session, first)}, rounds
            )
    return found["ours"], found["chain"]


def _resources(request: Json) -> list[Json]:
    """All resources of a prefetch, each once."""
    found = {}
    for value in request["prefetch"].values():
        entries = value["entry"] if value["resourceType"] == "Bundle" else [{"resource": value}]
        for entry in entries:
            found[entry["resource"]["resourceType"], entry["resource"]["id"]] = entry["resource"]
    return list(found.values())


def _chain(session: requests.Session, url: str) -> int:
    """Read a search with all its pages; how many there were."""
    pages = 0
    while url:
        page = session.get(url, timeout=10).json()
        url = next((link["url"] for link in page.get("link", ()) if link["relation"] == "next"), "")
        pages += 1
    return pages
