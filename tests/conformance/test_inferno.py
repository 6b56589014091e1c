"""Inferno's required checks of a CRD server, played from outside against the served process.

The suite of the Da Vinci CRD test kit for CRD 2.0.1 sends one JWT for all bodies of a hook, prefetch
under keys of its own, options that nobody knows and a FHIR server that cannot be reached. A check has
the id that it has there (3.1 to 3.6 are the hooks, 2 any hook, 3.7 what all hooks together must show);
the validator of FHIR is ours (crd_check). Required are 1.02, 1.03, 2.01 to 2.04, 01, 02, 03 and 05 of
each hook, 10 and 11 of the primary ones, and 3.7: 39 checks. 1.01, TLS, is checked in
tests/deploy/test_nginx.py; 04 looks at bodies alone, and 08 at SMART links, which need a setting. In CRD 2.2 the same checks hold but for 3.1.10: there the order behind an appointment carries the coverage
information, and not the appointment.
"""

from __future__ import annotations

import json
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import requests

from cards.response_types import Version
from cds_service.contexts import HOOKS, Hook
from cds_service.samples import paperwork_missing
from tests.cards.test_alternate import TREPROSTINIL, pump
from tests.cards.test_alternate import request as northwood
from tests.conformance.crd_check import sent_with, violations
from tests.conformance.crd_report import FACTS, Json, is_text
from tests.conformance.inferno_requests import COVERED, NO_COVERAGE, OTHER_KEYS, bodies
from tests.proposals import coverage
from tests.proposals import hook as order_sign
from tests.service.test_served import free_port, start, wait_for
from tests.service.trust.key_server import KeyServer
from tests.service.trust.tokens import EC_KEY, ecdsa, jwk, new_id, signed
from tests.service.trust.world import write_clients

ISSUER = "https://inferno.example.org/custom/crd_server"
GROUPS: dict[Hook, str] = {
    "appointment-book": "3.1",
    "encounter-start": "3.2",
    "encounter-discharge": "3.3",
    "order-select": "3.4",
    "order-dispatch": "3.5",
    "order-sign": "3.6",
}
PRIMARY: tuple[Hook, ...] = ("appointment-book", "order-dispatch", "order-sign")
ORDERS = ("DeviceRequest", "MedicationRequest", "NutritionOrder", "ServiceRequest", "VisionPrescription")
USER = {"userId": str, "patientId": str}
CONTEXTS: dict[Hook, dict[str, type]] = {
    "appointment-book": USER | {"appointments": dict},
    "encounter-start": USER | {"encounterId": str},
    "encounter-discharge": USER | {"encounterId": str},
    "order-select": USER | {"draftOrders": dict, "selections": list},
    "order-dispatch": {"patientId": str, "performer": str},
    "order-sign": USER | {"draftOrders": dict},
}


class Exchange(NamedTuple):
    """A body that was sent, and what came back."""

    body: Json
    response: requests.Response

    @property
    def cards(self) -> list[Json]:
        found: list[Json] = self.response.json()["cards"]
        return found

    @property
    def asserted(self) -> list[Json]:
        """The system actions that carry coverage information."""
        return [
            action
            for action in self.response.json().get("systemActions", ())
            if any(e["url"] == FACTS["extension_url"] for e in action["resource"].get("extension", ()))
        ]


class Run:
    """The calls that the suite makes of one server for one version of CRD, each made once."""

    def __init__(self, base: str, jku: str, version: Version) -> None:
        self.version = version
        self._base, self._jku = base, jku
        self._answered: dict[Hook, list[Exchange]] = {}

    @cached_property
    def discovery(self) -> requests.Response:
        headers = {"Accept": "application/json"}
        return requests.get(f"{self._base}/cds-services", headers=headers, timeout=20)

    @cached_property
    def any_hook(self) -> Exchange:
        (found,) = self.send("appointment-book", bodies("appointment-book", self.version)[:1])
        return found

    def of(self, hook: Hook) -> list[Exchange]:
        """What the bodies of a hook got; they are sent with one token."""
        if hook not in self._answered:
            self._answered[hook] = self.send(hook, bodies(hook, self.version))
        return self._answered[hook]

    def send(self, hook: Hook, sent: list[Json]) -> list[Exchange]:
        """Send bodies to the service that discovery has for a hook, with one token."""
        id_ = next(s["id"] for s in self.discovery.json()["services"] if s["hook"] == hook)
        url = f"{self._base}/cds-services/{id_}"
        headers = {"Authorization": f"Bearer {self._token(url)}"}
        return [Exchange(b, requests.post(url, json=b, headers=headers, timeout=30)) for b in sent]

    def held(self, exchange: Exchange) -> list[Any]:
        """What a response breaks of CDS Hooks and CRD."""
        body, response = exchange
        return violations(response.json(), self.version, hook=body["hook"], sent=sent_with(body))

    def _token(self, url: str) -> str:
        now = int(time.time())
        header = {"alg": "ES384", "typ": "JWT", "kid": "ec-1", "jku": self._jku}
        claims = {"iss": ISSUER, "aud": url, "iat": now, "exp": now + 300, "jti": new_id()}
        return signed(header, claims, ecdsa(EC_KEY))


def _served(**environment: str) -> Iterator[str]:
    port = free_port()
    process: subprocess.Popen[str] = start(port, **environment)
    wait_for(f"http://127.0.0.1:{port}", process)
    yield f"http://127.0.0.1:{port}"
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=15)
    assert process.returncode == 0
    assert "Traceback" not in err
    assert "SAMPLE_TOKEN" not in err


@pytest.fixture(scope="module")
def keys() -> Iterator[KeyServer]:
    with KeyServer([jwk(EC_KEY, "ec-1")]) as found:
        yield found


@pytest.fixture(scope="module")
def open_base() -> Iterator[str]:
    yield from _served()


@pytest.fixture(scope="module")
def jwt_base(keys: KeyServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder: Path = tmp_path_factory.mktemp("inferno")
    file = write_clients(folder, {"name": "inferno", "issuer": ISSUER, "jku": keys.jku})
    yield from _served(COVERAGE_HOOKS_TRUST="jwt", COVERAGE_HOOKS_CLIENTS_FILE=str(file))


@pytest.fixture(scope="module", params=["jwt-2.0", "jwt-2.2", "open-2.0", "open-2.2"])
def run(request: pytest.FixtureRequest, keys: KeyServer) -> Run:
    trust, version = request.param.split("-")
    return Run(request.getfixturevalue(f"{trust}_base"), keys.jku, version)


def on(number: str, hooks: tuple[Hook, ...] = HOOKS) -> pytest.MarkDecorator:
    """A check of this number on each of some hooks."""
    return pytest.mark.parametrize("hook", [pytest.param(h, id=f"{GROUPS[h]}.{number}") for h in hooks])


# 1 Discovery


@pytest.mark.req("A1.1")
def test_1_02_discovery_answers(run: Run) -> None:
    assert run.discovery.status_code == 200
    assert isinstance(run.discovery.json(), dict)


@pytest.mark.req("A1.2", "A1.4")
def test_1_03_services_are_described(run: Run) -> None:
    services = run.discovery.json()["services"]
    assert services
    assert all(is_text(service[name]) for service in services for name in ("hook", "description", "id"))


# 2 Any hook


def test_2_01_to_2_04_one_body_is_answered(run: Run) -> None:
    check_request(run.any_hook.body)
    assert run.any_hook.response.status_code == 200
    assert run.held(run.any_hook) == []


# 3.1 to 3.6 Each hook


@pytest.mark.req("A3.25", "A9.93", "A8.84", "B4.143")
@on("01")
def test_every_body_is_answered_with_one_token(run: Run, hook: Hook) -> None:
    assert [response.status_code for _, response in run.of(hook)] == [200] * 3
    assert all(isinstance(response.json(), dict) for _, response in run.of(hook))


@on("02+03")
def test_the_bodies_are_requests_of_the_hook(run: Run, hook: Hook) -> None:
    for body, _ in run.of(hook):
        check_request(body)


def check_request(body: Json) -> None:
    """What Inferno asks of the bodies themselves: an invalid one would prove nothing."""
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", body["hookInstance"])
    assert "fhirServer" in body or "fhirAuthorization" not in body
    context = body["context"]
    for name, kind in CONTEXTS[body["hook"]].items():
        assert isinstance(context[name], kind), name
    if body["hook"] == "order-dispatch":
        assert isinstance(context.get("order"), str) or all(context["dispatchedOrders"])


@pytest.mark.req("A4.35", "A4.36", "A4.37", "A4.38", "A4.39", "A4.40", "A5.59", "A5.60", "A5.61")
@on("05+06")
def test_every_response_holds_to_the_rules(run: Run, hook: Hook) -> None:
    for exchange in run.of(hook):
        assert run.held(exchange) == []
        assert hook not in PRIMARY or isinstance(exchange.response.json()["systemActions"], list)
    assert len(run.of(hook)[COVERED].cards) >= 1


def external_reference(card: Json) -> bool:
    return bool(card.get("links")) and all(link["type"] == "absolute" for link in card["links"])


def instructions(card: Json) -> bool:
    return "links" not in card and "suggestions" not in card


@pytest.mark.req("B2.112")
@on("07")
def test_each_hook_gives_an_external_reference(run: Run, hook: Hook) -> None:
    for number in (COVERED, OTHER_KEYS):
        assert any(external_reference(card) for card in run.of(hook)[number].cards)


@pytest.mark.req("B2.113")
@on("09")
def test_each_hook_gives_instructions(run: Run, hook: Hook) -> None:
    assert any(instructions(card) for card in run.of(hook)[NO_COVERAGE].cards)


@pytest.mark.req("B1.97", "B3.125", "B5.152")
@on("10", (*PRIMARY, "order-select"))
def test_coverage_information_is_received(run: Run, hook: Hook) -> None:
    wanted = ("Appointment",) if hook == "appointment-book" and run.version == "2.0" else ORDERS
    for number in (COVERED, OTHER_KEYS):
        kinds = {action["resource"]["resourceType"] for action in run.of(hook)[number].asserted}
        assert kinds & set(wanted)
    assert run.of(hook)[NO_COVERAGE].asserted == []


@pytest.mark.req("A5.60", "A5.62", "B2.121", "B3.125", "B3.130")
@on("11", (*PRIMARY, "order-select"))
def test_coverage_information_fits_its_profile(run: Run, hook: Hook) -> None:
    for exchange in run.of(hook):
        actions = exchange.response.json().get("systemActions", [])
        assert actions == exchange.asserted  # nothing else is done without being asked
        assert {action["type"] for action in actions} <= {"update"}
        assert all(is_text(action["description"]) for action in actions)
        # Without the request at hand nothing is excused by what the sender left out.
        assert violations({"cards": [], "systemActions": actions}, run.version, hook=hook) == []


def proposing(kind: str, version: Version) -> Json:
    """A request that gets a proposal of a kind."""
    body = {
        "alternate": lambda: northwood(pump(), TREPROSTINIL),
        "additional": paperwork_missing,
        "form": paperwork_missing,
        "coverage": lambda: order_sign(
            pump("E0784"), chart=[coverage(period={"start": "2024-01-01", "end": "2025-12-31"})]
        ),
    }[kind]()
    configuration = {"coverage-info": False} if kind == "form" else {"alt-drug": True}
    extension = {"davinci-crd.configuration": configuration, "davinci-crd.requestedVersion": version}
    return body | {"extension": extension}


@pytest.mark.parametrize(
    ("kind", "proposed"),
    [
        pytest.param("alternate", ("update", "DeviceRequest"), id="3.6.12"),
        pytest.param("additional", ("create", "ServiceRequest"), id="3.6.13"),
        pytest.param("form", ("create", "Task"), id="3.6.14"),
        pytest.param("coverage", ("update", "Coverage"), id="3.6.15"),
    ],
)
def test_optional_proposals_hold_to_the_rules(run: Run, kind: str, proposed: tuple[str, str]) -> None:
    (exchange,) = run.send("order-sign", [proposing(kind, run.version)])
    assert run.held(exchange) == []
    actions = [a for c in exchange.cards for s in c.get("suggestions", ()) for a in s["actions"]]
    found = {(action["type"], action["resource"]["resourceType"]) for action in actions}
    # CRD 2.2 keeps corrections of the coverage away from hooks that clinicians call.
    assert (proposed in found) == (kind != "coverage" or run.version == "2.0")


# 3.7 Across hooks


@pytest.mark.req("B2.111")
def test_3_7_01_to_03_the_hooks_show_what_a_server_must(run: Run) -> None:
    exchanges = [exchange for hook in HOOKS for exchange in run.of(hook)]
    cards = [card for exchange in exchanges for card in exchange.cards]
    assert any(external_reference(card) for card in cards)
    assert any(instructions(card) for card in cards)
    assert any(exchange.asserted for exchange in exchanges)


# What the bodies are made to try


@pytest.mark.req("A3.32", "B3.133", "B6.157")
@on("01")
def test_a_server_that_cannot_be_reached_is_told_and_not_taken_for_an_empty_record(
    run: Run, hook: Hook
) -> None:
    told = json.dumps(run.of(hook)[COVERED].cards)
    assert "the FHIR server cannot be reached" in told
    for action in run.of(hook)[COVERED].asserted:
        covered = "indeterminate" if run.version == "2.2" else "conditional"
        assert f'"valueCode": "{covered}"' in json.dumps(action["resource"]["extension"])


@pytest.mark.req("B5.152")
@on("01")
def test_keys_of_no_meaning_are_read_like_those_of_inferno(run: Run, hook: Hook) -> None:
    def judged(exchange: Exchange) -> set[str]:
        found = [
            card["extension"].get("coverage-hooks.determination")
            for card in exchange.cards
            if "extension" in card
        ]
        return {f"{d['order']} {d['policy']['id']}" for d in found if d}

    named, renamed = run.of(hook)[COVERED], run.of(hook)[OTHER_KEYS]
    assert judged(named) == judged(renamed) != set()
