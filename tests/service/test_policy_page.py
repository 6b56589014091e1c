"""Each policy has a page that says what it asks; cards lead there."""

from __future__ import annotations

from html import unescape
from urllib.parse import urlsplit

import pytest
from flask.testing import FlaskClient

from cds_service.app import create_app
from cds_service.samples import SAMPLES
from cds_service.settings import Settings
from policies.engine import Engine
from tests.service.bodies import SIGN, code


@pytest.fixture(scope="module")
def real_client(engine: Engine) -> FlaskClient:
    return create_app(Settings(public_url="https://cds.example.org/crd/"), engine).test_client()


def test_a_page_says_every_criterion_with_its_quote_and_clause(
    real_client: FlaskClient, engine: Engine
) -> None:
    for policy in engine.registry.policies:
        page = real_client.get(f"/policies/{policy.id}")
        assert page.mimetype == "text/html"
        text = unescape(page.text)
        for service in policy.services:
            assert service.title in text
        reservations = {r.criterion.id for service in policy.services for r in service.reservations}
        for criterion in policy.criteria():
            if criterion.id not in reservations:
                assert criterion.says in text
                assert criterion.citation.quote in text
                assert all(clause in text for clause in criterion.clauses)


@pytest.mark.req("B2.112")
@pytest.mark.req("B2.118")
def test_a_card_links_to_the_page_at_the_public_address(real_client: FlaskClient) -> None:
    (card,) = real_client.post(SIGN, json=SAMPLES["too-few-tests"]()).json["cards"]
    (link,) = card["links"]
    policy = card["extension"]["coverage-hooks.determination"]["policy"]["id"]
    assert link["url"] == f"https://cds.example.org/crd/policies/{policy}"
    assert link["type"] == "absolute"
    assert real_client.get(urlsplit(link["url"]).path.removeprefix("/crd")).status_code == 200


def test_an_unknown_policy_is_not_found_and_the_nearest_is_named(real_client: FlaskClient) -> None:
    response = real_client.get("/policies/aetna.cpb-0162")
    assert (response.status_code, code(response.json)) == (404, "unknown-policy")
    assert "aetna.cpb-0161" in response.json["issue"][0]["diagnostics"]
