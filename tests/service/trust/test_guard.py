"""Which routes ask for a token, what a client may do, and that nothing of a request is told."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from flask import Blueprint

from cds_service.app import create_app
from cds_service.settings import Settings
from cds_service.trust.guard import current_client
from cds_service.trust.tokens import Verifier
from tests.service.bodies import SELECT, SIGN, code, issue, select, sign
from tests.service.fake_engine import FakeEngine
from tests.service.trust.tokens import EC_KEY, GONE, jwk
from tests.service.trust.world import BODY, PUBLIC, World, served, settings, write_clients
from tests.service.trust.world import world as world_of

PINNED = {"keys": [jwk(EC_KEY, "ec-1")]}
DISCOVERY = "/cds-services"


def app_of(folder: Path, engine: FakeEngine, world: World | None = None, **more: Any) -> Any:
    file = write_clients(folder, {"name": "one", "issuer": "https://ehr.example.org", "jwks": PINNED})
    clock = {} if world is None else {"clock": world.clock}
    return create_app(settings(file, **more), engine, **clock)  # type: ignore[arg-type]


# Routes


@pytest.mark.req("A9.85")
def test_every_route_but_health_metrics_and_home_asks_for_a_token(
    tmp_path: Path, fake_engine: FakeEngine
) -> None:
    app = app_of(tmp_path, fake_engine, discovery_open=False)
    asked = set()
    for rule in app.url_map.iter_rules():
        path = rule.rule.replace("<service_id>", "infusion-pump-order-sign").replace("<", "").replace(">", "")
        for method in rule.methods - {"OPTIONS"}:
            status = app.test_client().open(path, method=method).status_code
            assert status in (200, 401)
            if status == 401:
                asked.add(rule.rule)
    assert asked >= {DISCOVERY, "/cds-services/<service_id>", "/determinations"}
    open_ = {"/", "/health/live", "/health/ready", "/metrics"}
    assert {rule.rule for rule in app.url_map.iter_rules()} - asked == open_


def test_a_route_that_is_added_is_not_open_by_accident(tmp_path: Path, fake_engine: FakeEngine) -> None:
    app = app_of(tmp_path, fake_engine)
    later = Blueprint("later", __name__)
    later.add_url_rule("/later", view_func=lambda: "data")
    app.register_blueprint(later)
    app.add_url_rule("/bare", view_func=lambda: "data")
    assert [app.test_client().get(path).status_code for path in ("/later", "/bare")] == [401, 401]


@pytest.mark.req("A10.95")
@pytest.mark.parametrize("path", [DISCOVERY, SIGN, "/determinations"])
def test_a_preflight_needs_no_token_and_a_refusal_can_be_read(town: World, path: str) -> None:
    headers = {"Origin": "https://app.example.org", "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}  # fmt: skip
    preflight = requests.options(town.base + path, headers=headers, timeout=10)
    assert preflight.status_code == 200
    assert "Authorization" in preflight.headers["Access-Control-Allow-Headers"]
    refused = town.post(Origin="https://app.example.org")
    assert (refused.status_code, refused.headers["Access-Control-Allow-Origin"]) == (401, "*")


def test_unknown_routes_and_methods_are_told_without_a_token(town: World) -> None:
    assert (town.get("/nothing").status_code, town.get(SIGN).status_code) == (404, 405)


@pytest.mark.req("A9.85")
def test_determinations_and_the_other_hook_take_their_own_tokens(town: World) -> None:
    body = select(selections=[], prefetch=BODY["prefetch"])
    assert town.post(town.token(path=SELECT), body, SELECT).status_code == 200
    assert town.post(town.token(path="/determinations"), path="/determinations").status_code == 200
    wrong = town.post(town.token(), path="/determinations")
    assert (wrong.status_code, code(wrong.json())) == (401, "wrong-audience")


@pytest.mark.req("A6.67", "A9.85", "A9.90")
def test_feedback_takes_a_token_for_its_own_address(town: World) -> None:
    path = f"{SIGN}/feedback"
    assert town.post(body={"feedback": []}, path=path).status_code == 401
    wrong = town.post(town.token(), {"feedback": []}, path)
    assert (wrong.status_code, code(wrong.json())) == (401, "wrong-audience")
    assert town.post(town.token(path=path), {"feedback": []}, path).status_code == 200


def test_an_unknown_service_is_told_to_a_client_alone(town: World) -> None:
    path = "/cds-services/nothing"
    assert town.post(path=path).status_code == 401
    assert town.post(town.token(path=path), path=path).status_code == 404


# Discovery


@pytest.mark.req("A1.1")
def test_discovery_needs_no_token_by_default_and_checks_one_that_is_sent(town: World) -> None:
    assert town.get(DISCOVERY).status_code == 200
    assert town.get(DISCOVERY, town.token(path=DISCOVERY)).status_code == 200
    wrong = town.get(DISCOVERY, town.token())
    assert (wrong.status_code, code(wrong.json())) == (401, "wrong-audience")


@pytest.mark.req("A9.85")
def test_discovery_asks_for_a_token_where_the_setting_says_so(
    tmp_path: Path, fake_engine: FakeEngine
) -> None:
    with world_of(tmp_path, fake_engine, discovery_open=False) as world:
        assert world.get(DISCOVERY).status_code == 401
        token = world.token(path=DISCOVERY)
        assert [world.get(DISCOVERY, token).status_code for _ in range(2)] == [200, 401]
        assert world.get(DISCOVERY, world.token(claims={"aud": f"{PUBLIC}/cds-services/"})).status_code == 200


# Rights


def small(world: World, path: str = SIGN, **claims: Any) -> str:
    return world.token({"jku": GONE}, {"iss": "https://small.example.org"} | claims, path=path)


def test_a_client_uses_the_services_that_were_agreed(town: World) -> None:
    assert town.post(small(town)).status_code == 200
    for path in (SELECT, "/determinations"):
        response = town.post(small(town, path), path=path)
        assert (response.status_code, code(response.json())) == (403, "not-allowed")
        assert "WWW-Authenticate" not in response.headers
    assert town.get(DISCOVERY, small(town, DISCOVERY)).status_code == 200


def test_tenants_of_one_issuer_have_rights_of_their_own(town: World) -> None:
    def ask(tenant: str, path: str) -> int:
        claims = {"iss": "https://cloud.example.org", "tenant": tenant}
        return town.post(town.token({"jku": GONE}, claims, path=path), path=path).status_code

    assert (ask("north", SIGN), ask("north", "/determinations")) == (200, 200)
    assert (ask("south", SIGN), ask("south", "/determinations")) == (403, 200)


@pytest.mark.req("A8.84")
@pytest.mark.parametrize(
    ("server", "status"),
    [
        ("https://fhir.small.example.org/r4", 200),
        ("https://FHIR.small.example.org:443/r4/", 200),
        ("https://fhir.other.example.org/r4", 403),
        ("http://fhir.small.example.org/r4", 403),
        ("https://fhir.small.example.org:8443/r4", 403),
        ("https://fhir.small.example.org.evil.example.org/r4", 403),
        ("no address", 200),
    ],
)
def test_a_client_names_the_fhir_servers_that_were_agreed(town: World, server: str, status: int) -> None:
    response = town.post(small(town), sign(prefetch=BODY["prefetch"], fhirServer=server))
    assert response.status_code == status
    if status == 403:
        assert issue(response.json())["expression"] == ["fhirServer"]
        assert server not in response.text


def test_a_client_without_a_list_names_any_server(town: World) -> None:
    body = sign(prefetch=BODY["prefetch"], fhirServer="https://fhir.other.example.org/r4")
    assert town.post(town.token(), body).status_code == 200


def test_routes_learn_who_asks(tmp_path: Path, fake_engine: FakeEngine) -> None:
    with world_of(tmp_path, fake_engine) as world:
        app = app_of(tmp_path, fake_engine, world)

        @app.get("/who")
        def who() -> str:
            client = current_client()
            return client.name if client else "nobody"

        with served(app) as world.base:
            assert world.get("/who", world.token({"jku": GONE}, path="/who")).text == "one"


# Nothing is told


def test_a_good_token_is_not_logged(town: World, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    token = town.token(claims={"sub": "Doe-Jane"})
    assert town.post(token).status_code == 200
    assert "Doe-Jane" not in caplog.text
    assert not any(part in caplog.text for part in token.split("."))


def test_a_refusal_names_the_client_only_when_it_is_registered(
    town: World, caplog: pytest.LogCaptureFixture
) -> None:
    town.post(town.token(claims={"aud": "https://x.example.org"}))
    town.post(town.token(claims={"iss": "https://Doe-Jane.example.org"}))
    refused = [r.getMessage() for r in caplog.records if r.name.startswith("cds_service")]
    assert refused == [
        "refused POST /cds-services/<service_id>: wrong-audience (client general)",
        "refused POST /cds-services/<service_id>: unknown-issuer (no registered client)",
    ]


def test_a_fault_while_a_token_is_read_tells_nothing_of_it(
    town: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    token = town.token()

    def fail(_: Verifier, authorization: str, *__: object) -> None:
        raise ValueError(authorization)

    monkeypatch.setattr(Verifier, "verify", fail)
    response = town.post(token)
    assert (response.status_code, code(response.json())) == (500, "internal")
    assert not any(part in caplog.text + response.text for part in token.split("."))


# Bodies


@pytest.mark.parametrize("size", [0, 3_000_000])
def test_a_sender_without_a_token_gets_to_see_the_answer(town: World, size: int) -> None:
    response = requests.post(town.base + SIGN, data=b" " * size, timeout=10)
    assert (response.status_code, code(response.json())) == (401, "no-token")


def test_a_large_body_of_a_client_is_refused_as_before(tmp_path: Path, fake_engine: FakeEngine) -> None:
    with world_of(tmp_path, fake_engine, body_limit_mb=1) as world:
        headers = {"Authorization": f"Bearer {world.token()}", "Content-Type": "application/json"}
        response = requests.post(world.base + SIGN, data=b" " * 1_500_000, headers=headers, timeout=10)
        assert (response.status_code, code(response.json())) == (413, "too-large")


# Open


@pytest.fixture
def open_app(fake_engine: FakeEngine) -> Iterator[str]:
    with served(create_app(Settings(), fake_engine)) as base:  # type: ignore[arg-type]
        yield base


@pytest.mark.parametrize("authorization", ["", "Bearer nonsense", "Basic dXNlcjpwYXNz"])
def test_open_looks_at_no_token(open_app: str, authorization: str) -> None:
    headers = {"Authorization": authorization} if authorization else {}
    assert requests.post(open_app + SIGN, json=BODY, headers=headers, timeout=10).status_code == 200
    assert requests.get(open_app + DISCOVERY, headers=headers, timeout=10).status_code == 200


def test_the_home_page_tells_whether_a_token_is_asked(town: World, open_app: str) -> None:
    assert "no token is asked" in requests.get(open_app, timeout=10).text
    assert "no token is asked" not in town.get("/").text
